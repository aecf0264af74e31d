/*
 * The ways through the transition table that the program takes: up, down from any row of a launch
 * that fails, and a janitor's after a death at any row. (The table itself: test-lifecycle.c.)
 */
#include "run/lifecycle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those four */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

static const enum lifecycle_action up[] = {
	LIFECYCLE_LOCK, LIFECYCLE_CLAIM, LIFECYCLE_CGROUP, LIFECYCLE_SPAWN, LIFECYCLE_ATTACH,
	LIFECYCLE_NETWORK, LIFECYCLE_CREATED, LIFECYCLE_ARM, LIFECYCLE_RELEASE, LIFECYCLE_RUNNING,
};
static const enum lifecycle_action down[] = {
	LIFECYCLE_REAP, LIFECYCLE_EXITED, LIFECYCLE_UNNET, LIFECYCLE_UNCGROUP, LIFECYCLE_STOPPED,
};
static const enum lifecycle_action clean[] = {
	LIFECYCLE_JLOCK, LIFECYCLE_JKILL, LIFECYCLE_JUNNET, LIFECYCLE_JUNCGROUP, LIFECYCLE_JSTOPPED,
};
enum {
	UP = sizeof(up) / sizeof(*up),
	DOWN = sizeof(down) / sizeof(*down),
	CLEAN = sizeof(clean) / sizeof(*clean),
};

static void take(struct lifecycle *s, const enum lifecycle_action *way, int count)
{
	for (int i = 0; i < count; i++)
		if (lifecycle_step(s, way[i]) < 0)
			fail_msg("%s is not due", lifecycle_action_name(way[i]));
}

static void take_one(struct lifecycle *s, enum lifecycle_action a)
{
	take(s, &a, 1);
}

static void assert_nothing_left(const struct lifecycle *s)
{
	assert_int_equal(s->sup, SUP_OFF);
	assert_int_equal(s->jan, JAN_OFF);
	assert_int_equal(s->lock, LOCK_FREE);
	assert_int_equal(s->proc, PROC_NONE);
	assert_int_equal(s->cgroup, FLAG_NO);
	assert_int_equal(s->net, FLAG_NO);
}

static void a_launch_that_fails_anywhere_goes_down(void **state)
{
	(void)state;
	for (int reached = 2; reached <= UP; reached++) {
		struct lifecycle s = lifecycle_first;

		take(&s, up, reached);
		assert_int_equal(lifecycle_give_up(&s), 0);
		/* again, for a second failure on the way */
		assert_int_equal(lifecycle_give_up(&s), 0);
		take(&s, down, DOWN);
		assert_nothing_left(&s);
		assert_int_equal(s.rec, REC_STOPPED);
		assert_int_equal(s.exit, STATUS_KNOWN);
		take_one(&s, LIFECYCLE_REMOVE);
		assert_memory_equal(&s, &lifecycle_first, sizeof(s));
	}
}

static void a_launch_without_a_record_just_ends(void **state)
{
	struct lifecycle s = lifecycle_first;

	(void)state;
	assert_int_equal(lifecycle_give_up(&s), -EPROTO);
	assert_memory_equal(&s, &lifecycle_first, sizeof(s));
	take(&s, up, 1);
	assert_int_equal(lifecycle_give_up(&s), 0);
	assert_nothing_left(&s);
	assert_int_equal(s.rec, REC_NONE);
}

/* Nothing but the record is known to a janitor; it ends as one that knew everything. */
static void clean_up(struct lifecycle *real, enum status_state want)
{
	bool known = real->exit == STATUS_KNOWN;
	struct lifecycle found = lifecycle_found((enum record_state)real->rec, known);

	for (int i = 0; i < CLEAN; i++) {
		struct lifecycle again;

		take_one(real, clean[i]);
		take_one(&found, clean[i]);
		if (!lifecycle_may(&found, LIFECYCLE_JCRASH))
			continue;
		/* A janitor that dies as well leaves the whole work to the next. */
		again = found;
		take_one(&again, LIFECYCLE_JCRASH);
		take(&again, clean, CLEAN);
		assert_nothing_left(&again);
		assert_int_equal(again.exit, want);
	}
	assert_nothing_left(real);
	assert_nothing_left(&found);
	assert_int_equal(real->rec, REC_STOPPED);
	assert_int_equal(found.rec, REC_STOPPED);
	assert_int_equal(real->exit, want);
	assert_int_equal(found.exit, want);
}

static void a_death_on_the_way_up_is_cleaned_up(void **state)
{
	(void)state;
	for (int reached = 2; reached <= UP; reached++) {
		struct lifecycle s = lifecycle_first;

		take(&s, up, reached);
		take_one(&s, LIFECYCLE_CRASH);
		clean_up(&s, STATUS_LOST);
	}
}

static void a_status_on_disk_survives_a_death_on_the_way_down(void **state)
{
	(void)state;
	for (int reached = 0; reached < DOWN; reached++) {
		struct lifecycle s = lifecycle_first;

		take(&s, up, UP);
		take_one(&s, LIFECYCLE_EXIT);
		take(&s, down, reached);
		take_one(&s, LIFECYCLE_CRASH);
		clean_up(&s, reached < 2 ? STATUS_LOST : STATUS_KNOWN);
	}
}

static void a_living_supervisor_is_left_in_peace(void **state)
{
	struct lifecycle s = lifecycle_first;

	(void)state;
	for (int i = 0; i < UP + DOWN; i++) {
		if (i == UP)
			take_one(&s, LIFECYCLE_EXIT);
		take_one(&s, i < UP ? up[i] : down[i - UP]);
		assert_false(lifecycle_may(&s, LIFECYCLE_JLOCK));
		assert_int_equal(lifecycle_may(&s, LIFECYCLE_REMOVE), s.sup == SUP_OFF);
	}
}

static void a_zeroed_state_allows_nothing(void **state)
{
	const struct lifecycle s = { 0 };

	(void)state;
	for (enum lifecycle_action a = 0; a < LIFECYCLE_ACTIONS; a++)
		assert_false(lifecycle_may(&s, a));
	assert_false(lifecycle_may(&lifecycle_first, LIFECYCLE_ACTIONS));
}

static void records_have_names(void **state)
{
	static const char *const bad[] = { "",	       "none",	 "Running", "running ",
					   " running", "runnin", "run",	    "exited\n" };
	static const char *const good[] = { "creating", "created", "running", "exited", "stopped" };
	enum record_state r = REC_NONE;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(lifecycle_record_parse(good[i], &r), 0);
		assert_int_equal(r, REC_CREATING << i);
		assert_string_equal(lifecycle_record_name(r), good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(lifecycle_record_parse(bad[i], &r), -EINVAL);
	assert_int_equal(r, REC_STOPPED);
	assert_string_equal(lifecycle_record_name(REC_NONE), "none");
	assert_string_equal(lifecycle_record_name((enum record_state)0), "none");
	assert_string_equal(lifecycle_record_name(REC_RUNNING | REC_EXITED), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_launch_that_fails_anywhere_goes_down),
		cmocka_unit_test(a_launch_without_a_record_just_ends),
		cmocka_unit_test(a_death_on_the_way_up_is_cleaned_up),
		cmocka_unit_test(a_status_on_disk_survives_a_death_on_the_way_down),
		cmocka_unit_test(a_living_supervisor_is_left_in_peace),
		cmocka_unit_test(a_zeroed_state_allows_nothing),
		cmocka_unit_test(records_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
