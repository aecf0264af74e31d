#include "run/supervise.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/proc.h"
#include "run/console.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

static const int heard[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

int supervise_signals(struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(heard) / sizeof(*heard); i++)
		sigaddset(&set, heard[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(e, "block signals");
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, "hear signals") : fd;
}

struct loop {
	struct container *c;
	struct console console;
	int timer_fd;
	bool timed_out;
	int deaf_signal; /* that we carried out ourselves, since PID 1 could not hear it */
	bool ended, given_up;
};

static void kill_all(struct loop *l)
{
	/* The death of the guard is the death of all in the namespaces below it. */
	sys_pidfd_send_signal(l->c->guard_fd, SIGKILL);
}

/*
 * A signal to the container. The kernel keeps from PID 1 of a namespace every signal for which it has no handler; what
 * would have ended any other process has then to be carried out by us, at once.
 */
static void forward(struct loop *l, int signal)
{
	bool terminates = signal != SIGWINCH;

	/* The container is gone; what is awaited is its last output, and that nobody may want any more. */
	if (l->ended) {
		l->given_up = l->given_up || terminates;
		return;
	}

	if (terminates && !l->c->spec->init && !proc_hears(l->c->pid, signal)) {
		l->deaf_signal = signal;
		kill_all(l);
		return;
	}
	sys_pidfd_send_signal(l->c->pid_fd, signal);
}

static void hear(struct loop *l, int signal)
{
	if (signal == SIGWINCH)
		console_resize(&l->console);
	if (signal != SIGWINCH || l->console.master_fd < 0)
		forward(l, signal);
}

static void on_signals(struct loop *l)
{
	struct signalfd_siginfo info;

	while (read(l->c->signal_fd, &info, sizeof(info)) == sizeof(info))
		hear(l, (int)info.ssi_signo);
}

static void on_timer(struct loop *l)
{
	l->timed_out = true;
	close(l->timer_fd);
	l->timer_fd = -1;
	kill_all(l);
}

/*
 * The interrupt and the quit key are signals from the terminal inside; a PID 1 in the foreground may not hear that
 * either.
 */
static void on_input(struct loop *l)
{
	int signal;

	console_pump_in(&l->console, &signal);
	if (signal && !l->c->spec->init && console_foreground(&l->console) == l->c->pid &&
	    !proc_hears(l->c->pid, signal)) {
		l->deaf_signal = signal;
		kill_all(l);
	}
}

static int start_timer(struct loop *l, struct err *e)
{
	uint64_t ms = l->c->spec->timeout_ms;
	struct itimerspec t = { .it_value = { .tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000 } };

	if (!ms)
		return 0;
	l->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (l->timer_fd < 0 || timerfd_settime(l->timer_fd, 0, &t, NULL) < 0)
		return err_sys(e, "start the timer");
	return 0;
}

/* Which end of a pump we wait on: the source while it is empty, the sink while it is not. */
static struct pollfd pump_poll(const struct pump *p, bool active)
{
	bool empty = p->start == p->end;

	return (struct pollfd){ .fd = !active ? -1 : empty ? p->from_fd : p->to_fd,
				.events = empty ? POLLIN : POLLOUT };
}

static int turn(struct loop *l, struct err *e)
{
	bool tty = l->console.master_fd >= 0;
	struct pollfd fds[] = {
		{ .fd = l->c->signal_fd, .events = POLLIN },
		{ .fd = l->ended ? -1 : l->c->guard_fd, .events = POLLIN },
		{ .fd = l->timer_fd, .events = POLLIN },
		pump_poll(&l->console.in, tty && !l->ended),
		pump_poll(&l->console.out, tty),
	};

	if (poll(fds, 5, -1) < 0 && errno != EINTR)
		return err_sys(e, "wait for the container");
	if (fds[0].revents)
		on_signals(l);
	if (fds[1].revents)
		l->ended = true;
	if (fds[2].revents)
		on_timer(l);
	if (fds[3].revents)
		on_input(l);
	if (fds[4].revents)
		console_pump_out(&l->console);
	return 0;
}

/*
 * With a terminal the end is the end of its output: what was written last is still on its way when the process is
 * gone.
 */
static bool finished(const struct loop *l)
{
	const struct pump *out = &l->console.out;

	return l->ended && (l->console.master_fd < 0 || l->deaf_signal || l->timed_out || l->given_up ||
			    (out->from_fd < 0 && out->start == out->end));
}

/* What was told of the end; the mini-init's word counts more than the guard's. False where the guard was killed. */
static bool told(int status_fd, int *ret_status)
{
	struct guard_status t;
	bool any = false, by_init = false;

	while (recv(status_fd, &t, sizeof(t), MSG_DONTWAIT) == sizeof(t)) {
		if (!by_init)
			*ret_status = t.status;
		by_init = by_init || t.teller == INIT_TELLS;
		any = true;
	}
	return any;
}

static void judge(const struct loop *l, const siginfo_t *info, struct outcome *o)
{
	int status = 0;

	o->code = -1;
	o->signal = info->si_code == CLD_EXITED ? 0 : info->si_status;
	if (told(l->c->status_fd, &status)) {
		o->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		o->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	} else if (info->si_code == CLD_EXITED) {
		o->signal = SIGKILL; /* the guard gave up: everything below it was killed */
	}
	if (l->deaf_signal && o->signal == SIGKILL)
		o->signal = l->deaf_signal;
	o->verdict = o->signal ? VERDICT_SIGNAL : VERDICT_EXIT;
	o->status = o->signal ? 128 + o->signal : o->code;
	if (l->timed_out) {
		o->verdict = VERDICT_TIMEOUT;
		o->status = 124;
	}
}

/* What it used. The cgroup knows best; without one, the kernel's account of the process. */
static void measure(struct container *c, const struct rusage *r, struct outcome *o)
{
	struct cgroup_usage u;

	cgroup_usage(&c->cgroup, &u);
	o->memory_peak = u.memory_peak >= 0 ? u.memory_peak : (int64_t)r->ru_maxrss * 1024;
	o->cpu_us = u.cpu_us > 0 ? u.cpu_us :
				   ((int64_t)r->ru_utime.tv_sec + r->ru_stime.tv_sec) * 1000000 + r->ru_utime.tv_usec +
					   r->ru_stime.tv_usec;
	o->oom_kills = u.oom_kills;
	o->pids_refused = u.pids_refused;
	if (u.oom_kills > 0 && o->signal == SIGKILL && o->verdict == VERDICT_SIGNAL)
		o->verdict = VERDICT_OOM;
}

static int reap(struct loop *l, struct outcome *o, struct err *e)
{
	struct container *c = l->c;
	siginfo_t info = { 0 };
	struct rusage usage = { 0 };

	if (syscall(SYS_waitid, P_PIDFD, c->guard_fd, &info, WEXITED, &usage) < 0)
		return err_sys(e, "wait for the container");
	close(c->guard_fd);
	c->guard_fd = -1;
	c->pid = 0;
	judge(l, &info, o);
	if (c->spec->result || c->spec->result_fd >= 0 || c->spec->keep || c->spec->memory)
		measure(c, &usage, o);
	return 0;
}

int supervise(struct container *c, struct outcome *ret, struct err *e)
{
	struct loop l = { .c = c, .console = { .master_fd = -1, .out_fd = -1, .in.from_fd = -1, .out.from_fd = -1 },
			  .timer_fd = -1 };
	struct outcome o = { .memory_peak = -1, .cpu_us = -1, .oom_kills = -1, .pids_refused = -1, .bytes_in = -1,
			     .bytes_out = -1 };
	int r = guard_receive_workload(c->status_fd, &c->pid_fd, &c->pid, e);

	if (r == 0)
		r = start_timer(&l, e);
	if (r == 0 && c->spec->tty)
		r = console_take(&l.console, c->console_fd, c->spec->interactive, e);
	for (int signal = 1; r == 0 && signal < NSIG; signal++)
		if (c->deferred >> signal & 1)
			hear(&l, signal);
	while (r == 0 && !finished(&l))
		r = turn(&l, e);
	if (l.console.master_fd >= 0) {
		o.bytes_in = l.console.in.total;
		o.bytes_out = l.console.out.total;
	}
	console_close(&l.console);
	if (l.timer_fd >= 0)
		close(l.timer_fd);
	if (r == 0)
		r = reap(&l, &o, e);
	if (r == 0)
		*ret = o;
	return r;
}

const char *verdict_name(enum verdict v)
{
	static const char *const names[] = { [VERDICT_EXIT] = "exit", [VERDICT_SIGNAL] = "signal",
					     [VERDICT_TIMEOUT] = "timeout",
					     [VERDICT_OOM] = "oom", [VERDICT_SETUP_FAILED] = "setup-failed" };

	return names[v];
}
