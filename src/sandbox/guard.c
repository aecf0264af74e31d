#include "sandbox/guard.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "sandbox/caps.h"
#include "sandbox/rootfs.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
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

static int send_network(int work_fd, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, "create the network namespace");
	r = loopback_up(e);
	if (r < 0)
		return r;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_send(work_fd, fd);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "send the network namespace");
	}
	return 0;
}

/* An end of file in place of the byte: the other half failed, and there is nothing left to do. */
static int unmount_when_told(int work_fd, struct err *e)
{
	char byte;
	int r;

	if (recv(work_fd, &byte, 1, 0) != 1)
		return 0;
	r = rootfs_unmount_host(e);
	if (r == 0 && send(work_fd, "", 1, MSG_NOSIGNAL) < 0)
		r = err_sys(e, "tell the end");
	return r;
}

/*
 * The scheduler likes to leave a new process on the CPU of its parent, where it waits until the network namespace
 * is made, and nothing is won: a tenth of the whole launch, measured. So the parent leaves, where it may be
 * elsewhere. Failure costs time alone.
 */
static void leave_cpu(void)
{
	cpu_set_t others;
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(others), &others) < 0)
		return;
	CPU_CLR((unsigned)cpu, &others);
	if (CPU_COUNT(&others) > 0)
		(void)sched_setaffinity(0, sizeof(others), &others);
}

static void work(int work_fd)
{
	struct err e = { 0 };
	int r;

	leave_cpu();
	r = send_network(work_fd, &e);
	if (r == 0)
		r = unmount_when_told(work_fd, &e);
	/* The other half sees an end of file where even this cannot be said. */
	if (r < 0)
		(void)send(work_fd, &e, sizeof(e), MSG_NOSIGNAL);
	close(work_fd);
}

/* Nothing of ours is needed any more but to wait: no rights, no descriptor of the caller's. */
static void retire(void)
{
	struct err e;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || caps_drop(&e) < 0)
		_exit(125);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		close(fd);
}

static _Noreturn void guard_main(pid_t workload, int pid_fd, int status_fd, int work_fd)
{
	struct pollfd supervisor = { .fd = status_fd };
	struct guard_status told = { .teller = GUARD_TELLS };

	/* It was armed before; a supervisor that died even earlier has closed its end. */
	if (poll(&supervisor, 1, 0) != 0 || fd_send(status_fd, pid_fd) < 0)
		_exit(125);
	if (fd_close_others(status_fd, work_fd) < 0)
		_exit(125);
	work(work_fd);
	retire();
	while (waitpid(workload, &told.status, 0) < 0)
		if (errno != EINTR)
			_exit(125);
	(void)send(status_fd, &told, sizeof(told), MSG_NOSIGNAL);
	_exit(0);
}

int guard_arm(struct err *e)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? err_sys(e, "die with the supervisor") : 0;
}

int guard_fork(int status_fd, bool keep_status, int *ret_work_fd, struct err *e)
{
	auto_close int ours = -1, theirs = -1;
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_PIDFD, .exit_signal = SIGCHLD };
	int fds[2], pid_fd = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "make a socket pair");
	ours = fds[0];
	theirs = fds[1];
	args.pidfd = (uint64_t)(uintptr_t)&pid_fd;
	pid = sys_clone3(&args, sizeof(args));
	if (pid < 0)
		return err_sys(e, "create the inner PID namespace");
	if (pid > 0) {
		close(theirs);
		guard_main(pid, pid_fd, status_fd, ours);
	}
	if (!keep_status)
		close(status_fd);
	*ret_work_fd = take_fd(theirs);
	return 0;
}

/* The next message is an error, or there is none. */
static int failed(int work_fd, struct err *e)
{
	struct err failure;
	ssize_t n = recv(work_fd, &failure, sizeof(failure), MSG_PEEK);

	if (n == sizeof(failure)) {
		*e = failure;
		return -e->code;
	}
	return n > 0 ? 0 : err_set(e, ECHILD, "the guard process died");
}

int guard_enter_network(int work_fd, struct err *e)
{
	auto_close int fd = -1;
	int r = failed(work_fd, e);

	if (r < 0)
		return r;
	fd = fd_receive(work_fd);
	if (fd < 0) {
		errno = -fd;
		return err_sys(e, "receive the network namespace");
	}
	return setns(fd, CLONE_NEWNET) < 0 ? err_sys(e, "enter the network namespace") : 0;
}

int guard_unmount(int work_fd, struct err *e)
{
	return send(work_fd, "", 1, MSG_NOSIGNAL) < 0 ? err_sys(e, "hand the host's tree to the guard") : 0;
}

int guard_finish(int work_fd, struct err *e)
{
	int r = failed(work_fd, e);

	close(work_fd);
	return r;
}

/* "Pid:" in the fdinfo of a pidfd: proc_pid_fdinfo(5). */
static int pid_of(int pid_fd)
{
	auto_free char *text = NULL;
	char path[40];
	const char *found;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pid_fd);
	if (file_read(path, 1 << 16, &text, NULL) < 0)
		return -1;
	found = strstr(text, "\nPid:");
	return found ? (int)strtol(found + 5, NULL, 10) : -1;
}

int guard_receive_workload(int status_fd, int *ret_pid_fd, int *ret_pid, struct err *e)
{
	int fd = fd_receive(status_fd);

	if (fd < 0) {
		errno = -fd;
		return err_sys(e, "receive the container's first process");
	}
	*ret_pid_fd = fd;
	*ret_pid = pid_of(fd);
	return 0;
}
