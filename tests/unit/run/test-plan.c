/* run/plan: the walker, with small tables of its own. Both processes note what they do on a page that they share. */
#include "run/plan.h"
#include "base/kernel.h"
#include "base/str.h"

#include "tests/unit/fork.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#include <cmocka.h>

/* What happened, in order: "p" or "c" for the process and a letter for the row; undo is "u". */
struct page {
	struct shared shared;
	size_t len;
	char log[64];
	char fail, die, hang; /* the row (its letter) at which that happens */
};

static struct page *page;

static void note(char what, char row)
{
	page->log[page->len++] = what;
	page->log[page->len++] = row;
}

static int act(struct container *c, char row, struct err *e)
{
	note(c->lane == LANE_PARENT ? 'p' : 'c', row);
	if (page->die == row)
		kill(getpid(), SIGKILL);
	while (page->hang == row)
		pause();
	return page->fail == row ? err_set(e, EBADMSG, "broken") : 0;
}

#define APPLY(letter) \
	static int apply_##letter(struct container *c, struct err *e) { return act(c, #letter[0], e); }
#define UNDO(letter) \
	static void undo_##letter(struct container *c) { (void)c; note('u', #letter[0]); }

APPLY(a)
UNDO(a)
APPLY(b)
APPLY(c)
UNDO(c)
APPLY(d)
APPLY(f)
UNDO(f)

static const struct plan plan;
static bool elsewhere; /* the child goes on by plan_resume(), not at the return of its row */

static int apply_spawn(struct container *c, struct err *e)
{
	int fds[2], r = act(c, 's', e);

	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "pair");
	c->pid = fork();
	c->lane = c->pid ? LANE_PARENT : LANE_CHILD;
	c->baton_fd = fds[c->pid ? 0 : 1];
	close(fds[c->pid ? 1 : 0]);
	if (!c->pid && elsewhere)
		plan_resume(&plan, c, 0, &(struct err){ 0 });
	return 0;
}

static void undo_spawn(struct container *c)
{
	note('u', 's');
	if (c->pid > 0) {
		kill(c->pid, SIGKILL);
		waitpid(c->pid, NULL, 0);
	}
	if (c->baton_fd >= 0)
		close(c->baton_fd);
	c->baton_fd = -1;
	c->pid = 0;
}

static int apply_exec(struct container *c, struct err *e)
{
	int r = act(c, 'x', e);

	if (r < 0)
		return r;
	/* As exec does: the descriptor goes, the process stays. */
	close(c->baton_fd);
	for (;;)
		pause();
}

static bool never(const struct container *c)
{
	(void)c;
	return false;
}

static const struct stage stages[] = {
	{ "a", LANE_PARENT, NULL, apply_a, undo_a },
	{ "unwanted", LANE_PARENT, never, apply_f, undo_f },
	{ "spawn", LANE_PARENT, NULL, apply_spawn, undo_spawn },
	{ "b", LANE_CHILD, NULL, apply_b, NULL },
	{ "c", LANE_PARENT, NULL, apply_c, undo_c },
	{ "unwanted too", LANE_CHILD, never, apply_f, NULL },
	{ "d", LANE_CHILD, NULL, apply_d, NULL },
	{ "exec", LANE_CHILD, NULL, apply_exec, NULL },
};

static const struct plan plan = { .stages = stages, .count = sizeof(stages) / sizeof(*stages), .spawn = 2 };

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void prepare(struct container *c)
{
	memset(page, 0, sizeof(*page));
	*c = (struct container){ .lane = LANE_PARENT, .baton_fd = -1, .signal_fd = -1, .shared = &page->shared, .reached = -1,
				 .failed_stage = -1 };
}

/* Runs it to the failure that @page asks for, and sees that nothing is left. */
static int run_failing(char fail, char die, struct container *c, struct err *e)
{
	int before = open_descriptors(), r;

	prepare(c);
	page->fail = fail;
	page->die = die;
	r = plan_run(&plan, c, e);
	assert_int_equal(r, -e->code);
	assert_int_equal(open_descriptors(), before);
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	assert_int_equal(errno, ECHILD);
	assert_int_equal(c->reached, -1);
	return r;
}

static void both_walk_the_rows_in_order(void **state)
{
	struct container c;
	struct err e = { 0 };

	(void)state;
	prepare(&c);
	assert_int_equal(plan_run(&plan, &c, &e), 0);
	assert_string_equal(page->log, "papscbpccdcx");
	assert_int_equal(c.failed_stage, -1);
	/* Still there: it is the workload now. */
	assert_int_equal(waitpid(c.pid, NULL, WNOHANG), 0);
	plan_undo(&plan, &c);
	assert_string_equal(page->log, "papscbpccdcxucusua");
	plan_undo(&plan, &c);
	assert_string_equal(page->log, "papscbpccdcxucusua");
}

static void a_failure_is_undone_upward_from_where_it_was(void **state)
{
	static const struct {
		char row;
		const char *log, *text;
	} cases[] = {
		{ 'a', "paua", "a: broken" },
		{ 's', "papsusua", "spawn: broken" },
		{ 'b', "papscbusua", "b: broken" },
		{ 'c', "papscbpcucusua", "c: broken" },
		{ 'd', "papscbpccducusua", "d: broken" },
		{ 'x', "papscbpccdcxucusua", "exec: broken" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct container c;
		struct err e = { 0 };

		assert_int_equal(run_failing(cases[i].row, 0, &c, &e), -EBADMSG);
		assert_string_equal(page->log, cases[i].log);
		assert_string_equal(e.text, cases[i].text);
		assert_true(c.failed_stage >= 0);
		assert_true(str_starts(e.text, stages[c.failed_stage].name));
	}
}

static void a_child_that_starts_elsewhere_goes_on_after_its_row(void **state)
{
	elsewhere = true;
	both_walk_the_rows_in_order(state);
	a_failure_is_undone_upward_from_where_it_was(state);
	elsewhere = false;
}

static void a_dead_child_is_a_failure_of_its_own(void **state)
{
	struct container c;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(run_failing(0, 'b', &c, &e), -ECHILD);
	assert_string_equal(page->log, "papscbusua");
	assert_non_null(strstr(e.text, "died before stage c"));
	assert_int_equal(c.failed_stage, -1);
	assert_int_equal(run_failing(0, 'd', &c, &e), -ECHILD);
	assert_string_equal(page->log, "papscbpccducusua");
	assert_non_null(strstr(e.text, "died before stage exec"));
	assert_true(e.why[0]);
}

/* From its last hand-over on, a death cannot be told from that of the workload. */
static void a_death_at_the_last_row_is_the_workloads(void **state)
{
	struct container c;
	struct err e = { 0 };
	int status;

	(void)state;
	prepare(&c);
	page->die = 'x';
	assert_int_equal(plan_run(&plan, &c, &e), 0);
	assert_int_equal(waitpid(c.pid, &status, 0), c.pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	c.pid = 0;
	plan_undo(&plan, &c);
}

static void dying_parent(void *arg)
{
	struct container c;
	struct err e = { 0 };

	(void)arg;
	prepare(&c);
	page->die = 'c';
	plan_run(&plan, &c, &e);
}

/* The child that waits for its turn sees the end of file, and ends by itself. */
static void a_child_does_not_outlive_a_dead_parent(void **state)
{
	siginfo_t info;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	assert_int_equal(in_child(dying_parent, NULL), 128 + SIGKILL);
	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED), 0);
	assert_int_equal(info.si_code, CLD_EXITED);
	assert_int_equal(info.si_status, 125);
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
	assert_string_equal(page->log, "papscbpc");
}

static void a_signal_ends_a_set_up_that_hangs(void **state)
{
	struct container c;
	struct err e = { 0 };
	sigset_t set;

	(void)state;
	prepare(&c);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	c.signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	page->hang = 'b';
	raise(SIGUSR1); /* which would have been the workload's to hear */
	raise(SIGTERM);
	assert_int_equal(plan_run(&plan, &c, &e), -EINTR);
	assert_int_equal(c.interrupted, SIGTERM);
	assert_string_equal(page->log + page->len - 4, "usua");
	assert_int_equal(waitpid(-1, NULL, 0), -1);
	close(c.signal_fd);
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &set, NULL), 0);
}

static void each_row_is_measured(void **state)
{
	struct container c;
	struct err e = { 0 };

	(void)state;
	prepare(&c);
	memset(page->shared.stage_us, 0xff, sizeof(page->shared.stage_us));
	page->fail = 'x';
	assert_int_equal(plan_run(&plan, &c, &e), -EBADMSG);
	for (int i = 0; i < plan.count; i++)
		assert_int_equal(page->shared.stage_us[i] == UINT32_MAX, stages[i].want == never);
}

static int map_page(void **state)
{
	(void)state;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* A walker that waits for ever is a failure too. */
	alarm(30);
	return page == MAP_FAILED ? -1 : 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_walk_the_rows_in_order),
		cmocka_unit_test(a_failure_is_undone_upward_from_where_it_was),
		cmocka_unit_test(a_child_that_starts_elsewhere_goes_on_after_its_row),
		cmocka_unit_test(a_dead_child_is_a_failure_of_its_own),
		cmocka_unit_test(a_death_at_the_last_row_is_the_workloads),
		cmocka_unit_test(a_child_does_not_outlive_a_dead_parent),
		cmocka_unit_test(a_signal_ends_a_set_up_that_hangs),
		cmocka_unit_test(each_row_is_measured),
	};

	return cmocka_run_group_tests(tests, map_page, NULL);
}
