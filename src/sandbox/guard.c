#include "sandbox/guard.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "sandbox/caps.h"
#include "sandbox/pivot.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdalign.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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

/* Its loopback interface comes up while the other half goes on: it hears of that with the unmount. */
static int make_network(int work_fd, struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, "create the network namespace");
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? -errno : fd_send(work_fd, fd);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "send the network namespace");
	}
	return loopback_up(e);
}

/* An end of file in place of the byte: the other half failed, and there is nothing left to do. */
static int unmount_when_told(int work_fd, struct err *e)
{
	char byte;
	int r;

	if (recv(work_fd, &byte, 1, 0) != 1)
		return 0;
	r = pivot_unmount_host(e);
	if (r == 0 && send(work_fd, "", 1, MSG_NOSIGNAL) < 0)
		r = err_sys(e, "tell the end");
	return r;
}

/*
 * Both halves of the set-up are long, so they need a CPU each. Left to itself the kernel may keep the new process on
 * the CPU of its parent, where one waits for the other: up to a fifth of a launch, measured. So the parent moves it
 * away, which costs little while it does not run yet. Failure costs time alone.
 */
static cpu_set_t allowed; /* of the new process, afterwards; none: we could not find out */

/*
 * Before the fork: as we have it, or all CPUs where nobody has set less, so that it may grow with the cpuset. A mask
 * that somebody set to just what the cpuset has cannot be told from none.
 */
static void note_cpus(void)
{
	cpu_set_t own, all;

	CPU_ZERO(&allowed);
	memset(&all, 0xff, sizeof(all));
	if (sched_getaffinity(0, sizeof(own), &own) < 0 || CPU_COUNT(&own) < 2 ||
	    sched_setaffinity(0, sizeof(all), &all) < 0)
		return;
	allowed = all;
	if (sched_getaffinity(0, sizeof(all), &all) < 0 || !CPU_EQUAL(&own, &all)) {
		allowed = own;
		(void)sched_setaffinity(0, sizeof(own), &own);
	}
}

static void move_away(pid_t pid)
{
	cpu_set_t others = allowed;
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= CPU_SETSIZE || CPU_COUNT(&allowed) == 0)
		return;
	CPU_CLR((unsigned)cpu, &others);
	(void)sched_setaffinity(pid, sizeof(others), &others);
}

/* What the other half waits for first. A supervisor that died before it was armed has closed its end. */
static int help(pid_t workload, int work_fd, int status_fd, int pid_fd, struct err *e)
{
	struct pollfd supervisor = { .fd = status_fd };
	int r = make_network(work_fd, e);

	if (r < 0)
		return r;
	/* An owner has a number in every PID namespace: so the supervisor learns its own. fcntl(2) */
	if (fcntl(pid_fd, F_SETOWN, workload) < 0)
		return err_sys(e, "note the first process");
	if (poll(&supervisor, 1, 0) != 0 || fd_send(status_fd, pid_fd) < 0 || fd_close_others(status_fd, work_fd) < 0)
		_exit(125);
	return unmount_when_told(work_fd, e);
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
	struct guard_status told = { .teller = GUARD_TELLS };
	struct err e = { 0 };

	/* Where even the error cannot be told, the other half sees an end of file. */
	if (help(workload, work_fd, status_fd, pid_fd, &e) < 0)
		(void)send(work_fd, &e, sizeof(e), MSG_NOSIGNAL);
	close(work_fd);
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

struct half {
	const struct guard_fork *how;
	int guard_fd, work_fd, *ret_work_fd;
};

static void begin_other_half(const struct half *h)
{
	close(h->guard_fd);
	if (!h->how->keep_status)
		close(h->how->status_fd);
	*h->ret_work_fd = h->work_fd;
	/* We may be the first to run, on the CPU of a parent that has yet to move us. */
	sched_yield();
}

static void start_other_half(void *arg)
{
	const struct half *h = arg;

	begin_other_half(h);
	h->how->start(h->how->arg);
}

/* Of the other half, where it shares our memory. Only what is touched costs anything. */
static alignas(4096) char stack[256 << 10];

int guard_fork(const struct guard_fork *how, int *ret_work_fd, struct err *e)
{
	int pid_fd = -1, fds[2];
	struct clone_args args = { .flags = CLONE_NEWPID | CLONE_PIDFD, .exit_signal = SIGCHLD };
	struct half half = { .how = how, .ret_work_fd = ret_work_fd };
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "make a socket pair");
	half.guard_fd = fds[0];
	half.work_fd = fds[1];
	note_cpus();
	args.pidfd = (uint64_t)(uintptr_t)&pid_fd;
	pid = sys_clone3_start(&args, stack, sizeof(stack), how->start ? start_other_half : NULL, &half);
	if (pid == 0)
		begin_other_half(&half);
	if (pid > 0) {
		move_away(pid);
		close(half.work_fd);
		guard_main(pid, pid_fd, how->status_fd, half.guard_fd);
	}
	if (pid < 0) {
		err_sys(e, "create the inner PID namespace");
		close(half.guard_fd);
		close(half.work_fd);
		return -e->code;
	}
	return 0;
}

void guard_release(void)
{
	(void)madvise(stack, sizeof(stack), MADV_DONTNEED);
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
	if (CPU_COUNT(&allowed) > 0)
		(void)sched_setaffinity(0, sizeof(allowed), &allowed); /* see move_away() */
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

int guard_receive_workload(int status_fd, int *ret_pid_fd, int *ret_pid, struct err *e)
{
	int fd = fd_receive(status_fd);

	if (fd < 0) {
		errno = -fd;
		return err_sys(e, "receive the container's first process");
	}
	*ret_pid_fd = fd;
	*ret_pid = fcntl(fd, F_GETOWN);
	if (*ret_pid <= 0)
		*ret_pid = -1;
	return 0;
}
