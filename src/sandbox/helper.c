#include "sandbox/helper.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "sandbox/rootfs.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int loopback_up(struct err *e)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(e, "bring the loopback interface up");
	return 0;
}

static int send_network(int socket_fd, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, "create the network namespace");
	r = loopback_up(e);
	if (r < 0)
		return r;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_send(socket_fd, fd);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "send the network namespace");
	}
	return 0;
}

/* Only the end of file comes in place of the byte: the caller failed, and there is nothing left to do. */
static int unmount_when_told(int socket_fd, struct err *e)
{
	char byte;
	int r;

	if (recv(socket_fd, &byte, 1, 0) != 1)
		return 0;
	r = rootfs_unmount_host(e);
	if (r == 0 && send(socket_fd, "", 1, MSG_NOSIGNAL) < 0)
		r = err_sys(e, "tell the end");
	return r;
}

static _Noreturn void helper_main(int socket_fd)
{
	struct err e = { 0 };
	int r = send_network(socket_fd, &e);

	if (r == 0)
		r = unmount_when_told(socket_fd, &e);
	if (r < 0 && send(socket_fd, &e, sizeof(e), MSG_NOSIGNAL) < 0)
		_exit(1);
	_exit(r < 0);
}

int helper_start(struct helper *ret, struct err *e)
{
	auto_close int ours = -1, helpers = -1;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "make a socket pair");
	ours = fds[0];
	helpers = fds[1];
	pid = fork();
	if (pid < 0)
		return err_sys(e, "fork");
	if (pid == 0) {
		close(ours);
		helper_main(helpers);
	}
	*ret = (struct helper){ .fd = take_fd(ours), .pid = pid };
	return 0;
}

/* Its next message is an error, or there is none. */
static int failed(const struct helper *h, struct err *e)
{
	struct err failure;
	ssize_t n = recv(h->fd, &failure, sizeof(failure), MSG_PEEK);

	if (n == sizeof(failure)) {
		*e = failure;
		return -e->code;
	}
	return n > 0 ? 0 : err_set(e, ECHILD, "the helper process died");
}

int helper_enter_network(struct helper *h, struct err *e)
{
	auto_close int fd = -1;
	int r = failed(h, e);

	if (r < 0)
		return r;
	fd = fd_receive(h->fd);
	if (fd < 0) {
		errno = -fd;
		return err_sys(e, "receive the network namespace");
	}
	return setns(fd, CLONE_NEWNET) < 0 ? err_sys(e, "enter the network namespace") : 0;
}

int helper_unmount(struct helper *h, struct err *e)
{
	return send(h->fd, "", 1, MSG_NOSIGNAL) < 0 ? err_sys(e, "hand the host's tree to the helper") : 0;
}

int helper_finish(struct helper *h, struct err *e)
{
	int r = failed(h, e);

	close(take_fd(h->fd));
	if (r == 0 && waitpid(h->pid, NULL, 0) < 0)
		return err_sys(e, "reap the helper");
	return r;
}
