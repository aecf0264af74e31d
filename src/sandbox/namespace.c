#include "sandbox/namespace.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

uint64_t namespace_flags(bool privileged, bool time)
{
	return CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP |
	       (privileged ? 0U : (uint64_t)CLONE_NEWUSER) | (time ? CLONE_NEWTIME : 0U);
}

static int spawn_failed(struct err *e)
{
	err_sys(e, "create the namespaces");
	if (e->code == EPERM) {
		err_why(e, "this user may not create a user namespace");
		return err_fix(e, "nucleus doctor (see sysctl kernel.unprivileged_userns_clone, "
				  "kernel.apparmor_restrict_unprivileged_userns)");
	}
	if (e->code == ENOSPC || e->code == EUSERS) {
		err_why(e, "the limit of namespaces is reached");
		return err_fix(e, "sysctl user.max_user_namespaces=15000 (and user.max_net_namespaces, ...)");
	}
	if (e->code == EAGAIN)
		return err_why(e, "a limit of processes is reached: RLIMIT_NPROC, pids.max or kernel.pid_max");
	return -e->code;
}

pid_t namespace_spawn(const struct spawn *s, int *ret_pidfd, struct err *e)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | s->namespaces | (s->cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = s->cgroup_fd >= 0 ? (uint64_t)s->cgroup_fd : 0,
	};
	pid_t pid = sys_clone3(&args, sizeof(args));

	if (pid < 0)
		return spawn_failed(e);
	if (pid > 0)
		*ret_pidfd = pidfd;
	return pid;
}

static int write_map(const char *name, unsigned id, struct err *e)
{
	char map[32];
	int r;

	snprintf(map, sizeof(map), "0 %u 1\n", id);
	r = file_write_at(AT_FDCWD, name, map);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "write %s", name);
	}
	return 0;
}

int namespace_map_self(uid_t uid, gid_t gid, struct err *e)
{
	int r = file_write_at(AT_FDCWD, "/proc/self/setgroups", "deny");

	if (r < 0) {
		errno = -r;
		return err_sys(e, "write /proc/self/setgroups");
	}
	r = write_map("/proc/self/uid_map", uid, e);
	return r < 0 ? r : write_map("/proc/self/gid_map", gid, e);
}

static int loopback_up(struct err *e)
{
	auto_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return err_sys(e, "bring the loopback interface up");
	return 0;
}

/* In the helper: sends the namespace, or the error in place of it. */
static _Noreturn void make_network(int socket_fd)
{
	struct err e = { 0 };
	auto_close int fd = -1;
	int r = unshare(CLONE_NEWNET) < 0 ? err_sys(&e, "create the network namespace") : loopback_up(&e);

	if (r == 0 && (fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)) < 0)
		r = err_sys(&e, "open the network namespace");
	if (r == 0 && fd_send(socket_fd, fd) < 0)
		_exit(1);
	if (r < 0 && send(socket_fd, &e, sizeof(e), MSG_NOSIGNAL) < 0)
		_exit(1);
	_exit(0);
}

int namespace_network_start(struct err *e)
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
		return err_sys(e, "fork the helper");
	if (pid == 0) {
		close(ours);
		make_network(helpers);
	}
	return take_fd(ours);
}

int namespace_network_finish(int helper_fd, struct err *e)
{
	auto_close int fd = -1, socket_fd = helper_fd;
	struct err failure;

	/* An error is longer than the byte that comes with a descriptor; a look at the length tells them apart. */
	if (recv(socket_fd, &failure, sizeof(failure), MSG_PEEK) == sizeof(failure)) {
		*e = failure;
		return -e->code;
	}
	fd = fd_receive(socket_fd);
	if (fd < 0) {
		errno = -fd;
		return err_sys(e, "receive the network namespace");
	}
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the network namespace");
	if (waitpid(-1, NULL, 0) < 0)
		return err_sys(e, "reap the helper");
	return 0;
}
