#include "run/plan.h"
#include "base/fd.h"
#include "base/kernel.h"

#include <errno.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>

/* What travels when a child fails; the baton itself is a single byte. */
struct failure {
	int stage;
	struct err err;
};

static bool wanted(const struct stage *s, const struct container *c)
{
	return !s->want || s->want(c);
}

static int next_wanted(const struct plan *p, const struct container *c, int i)
{
	do
		i++;
	while (i < p->count && !wanted(&p->stages[i], c));
	return i;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Fails with EPIPE where the other half is gone: a child whose parent died before it could arm itself ends here. */
static int baton_pass(struct container *c, struct err *e)
{
	if (send(c->baton_fd, "", 1, MSG_NOSIGNAL) < 0)
		return err_sys(e, "hand over to the other half");
	return 0;
}

/* A signal that ends us ends a set-up that hangs, too: on a dead network file system, say. */
static bool interrupted(struct container *c)
{
	struct signalfd_siginfo info;

	if (read(c->signal_fd, &info, sizeof(info)) != sizeof(info))
		return false;
	if (info.ssi_signo != SIGTERM && info.ssi_signo != SIGINT && info.ssi_signo != SIGHUP &&
	    info.ssi_signo != SIGQUIT) {
		c->deferred |= UINT64_C(1) << info.ssi_signo;
		return false;
	}
	c->interrupted = (int)info.ssi_signo;
	return true;
}

/* Until there is something to read (@events POLLIN), or until the other half has closed its end (0: POLLHUP alone). */
static int wait_for(struct container *c, short events, struct err *e)
{
	struct pollfd fds[] = { { .fd = c->baton_fd, .events = events },
				{ .fd = c->lane == LANE_PARENT ? c->signal_fd : -1, .events = POLLIN } };

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, "wait for the other half");
		/*
		 * First: once the workload runs, a signal is no longer for us, and it waits where supervise() reads
		 * it.
		 */
		if (fds[0].revents)
			return 0;
		/* Looked at again: the end of file may have come with the signal. */
		if (fds[1].revents && poll(fds, 1, 0) == 0 && interrupted(c))
			return err_set(e, EINTR, "interrupted by a signal");
	}
}

/* Returns 1 for the baton, 0 at the end of file, or the error that the child sent. */
static int baton_take(struct container *c, struct err *e)
{
	union {
		char baton;
		struct failure failure;
	} m;
	ssize_t n = recv(c->baton_fd, &m, sizeof(m), 0);

	if (n < 0)
		return err_sys(e, "hear from the other half");
	if (n == sizeof(m.failure)) {
		*e = m.failure.err;
		c->failed_stage = m.failure.stage;
		return -e->code;
	}
	return n > 0;
}

static int take_turn(struct container *c, const struct stage *s, short events, struct err *e)
{
	int r = wait_for(c, events, e);

	if (r < 0)
		return r;
	r = baton_take(c, e);
	if (r != 0)
		return r < 0 ? r : 0;
	/* The end of file, where a byte was due. */
	err_set(e, ECHILD, "the other half died before stage %s", s->name);
	return err_why(e, "it was killed, or ran out of memory");
}

/* The end of the row that was begun last. */
static int end_row(const struct stage *s, struct container *c, int r, struct err *e)
{
	if (r < 0 && c->failed_stage < 0) {
		err_in(e, "%s", s->name);
		c->failed_stage = c->reached;
	}
	c->shared->stage_us[c->reached] = (uint32_t)(now_us() - c->row_began);
	return r;
}

static int carry_out(const struct stage *s, int i, struct container *c, struct err *e)
{
	int r;

	c->reached = i;
	c->row_began = now_us();
	r = plan_hook ? plan_hook(s, e) : 0;
	return end_row(s, c, r == 0 ? s->apply(c, e) : r, e);
}

/* One row, seen from this half: wait for the turn or hand it over, then do what is ours. */
static int step(const struct plan *p, int i, struct container *c, enum lane *turn, struct err *e)
{
	const struct stage *s = &p->stages[i];
	int r = 0;

	if (s->lane != *turn && c->lane == *turn)
		r = baton_pass(c, e);
	else if (s->lane != *turn)
		r = take_turn(c, s, POLLIN, e);
	*turn = s->lane;
	if (r == 0 && s->lane == c->lane && c->lane == LANE_CHILD && next_wanted(p, c, i) == p->count)
		r = baton_pass(c, e);
	return r == 0 && s->lane == c->lane ? carry_out(s, i, c, e) : r;
}

/* The rows after @i. */
static int walk(const struct plan *p, int i, struct container *c, enum lane turn, struct err *e)
{
	int r = 0;

	for (i = next_wanted(p, c, i); i < p->count && r == 0; i = next_wanted(p, c, i)) {
		r = step(p, i, c, &turn, e);
		/* The child is born with the turn, where the next row is its own. */
		if (r == 0 && i == p->spawn && next_wanted(p, c, i) < p->count)
			turn = p->stages[next_wanted(p, c, i)].lane;
	}
	return r;
}

static _Noreturn void child_failed(struct container *c, const struct err *e)
{
	struct failure f = { .stage = c->failed_stage, .err = *e };

	/* Where nobody listens any more, nobody needs to know. */
	(void)send(c->baton_fd, &f, sizeof(f), MSG_NOSIGNAL);
	_exit(125);
}

_Noreturn void plan_resume(const struct plan *p, struct container *c, int r, struct err *e)
{
	r = end_row(&p->stages[c->reached], c, r, e);
	if (r == 0)
		(void)walk(p, c->reached, c, c->lane, e);
	child_failed(c, e);
}

int plan_run(const struct plan *p, struct container *c, struct err *e)
{
	int r = walk(p, -1, c, LANE_PARENT, e);

	if (c->lane == LANE_CHILD)
		child_failed(c, e);
	/*
	 * Of what the child does from here on only the end matters: its last hand-over, and then an error or nothing.
	 */
	if (r == 0)
		r = take_turn(c, &p->stages[p->count - 1], 0, e);
	if (r == 0)
		r = baton_take(c, e);
	if (r < 0)
		plan_undo(p, c);
	return r < 0 ? r : 0;
}

void plan_undo(const struct plan *p, struct container *c)
{
	for (int i = c->reached; i >= 0; i--)
		if (p->stages[i].undo && wanted(&p->stages[i], c))
			p->stages[i].undo(c);
	c->reached = -1;
}
