/*
 * attempt WHAT: tries one thing that a sandbox must refuse. Exit status 0 if it succeeded, which it must not, 1 with
 * the kernel's answer on stdout if it was refused, 2 for a WHAT that is not known.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int network(void)
{
	struct sockaddr_in there = { .sin_family = AF_INET, .sin_port = htons(443) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "1.1.1.1", &there.sin_addr);
	return fd < 0 ? -1 : connect(fd, (struct sockaddr *)&there, sizeof(there));
}

static int raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
}

static int trace(void)
{
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int mount_something(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static int namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int device(void)
{
	return mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0));
}

static int typing(void)
{
	int fd = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	return fd < 0 ? -1 : ioctl(fd, TIOCSTI, "x");
}

static const struct {
	const char *name;
	int (*attempt)(void);
} attempts[] = {
	{ "network", network },		{ "raw-socket", raw_socket }, { "trace", trace },   { "mount", mount_something },
	{ "namespace", namespace },	{ "device", device },	      { "typing", typing },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc == 2 && i < sizeof(attempts) / sizeof(*attempts); i++) {
		if (strcmp(argv[1], attempts[i].name))
			continue;
		if (attempts[i].attempt() >= 0)
			return 0;
		puts(strerror(errno));
		return 1;
	}
	return 2;
}
