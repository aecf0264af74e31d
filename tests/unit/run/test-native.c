/*
 * run/native: a failure at each row of the real table gives back every descriptor. What is left on the host is looked for
 * by tests/cli/faults.sh, which sees the program from outside; here the process that launches stays and is looked at.
 */
#include "run/native.h"
#include "base/str.h"
#include "run/plan.h"
#include "run/supervise.h"

#include "tests/unit/fork.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct stage *failing;

int plan_hook(const struct stage *stage, struct err *e)
{
	return stage == failing ? err_set(e, EIO, "injected") : 0;
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void fail_everywhere(void *arg)
{
	const char *const command[] = { "true" };
	struct spec s;
	struct err e = { 0 };
	int signal_fd, reached = 0;

	spec_init(&s);
	s.command = (struct list){ .items = (const char **)command, .count = 1 };
	s.tty = s.init = arg != NULL;
	alarm(60);
	signal_fd = supervise_signals(&e);
	must(signal_fd >= 0);
	for (int i = 0; i < native_plan.count; i++) {
		int before = open_descriptors();
		struct container c;

		must(container_init(&c, &s, signal_fd, &e) == 0);
		failing = &native_plan.stages[i];
		if (!failing->want || failing->want(&c)) {
			int r = plan_run(&native_plan, &c, &e);

			if (r != -EIO)
				fprintf(stderr, "%s: %s\n", failing->name, e.text);
			must(r == -EIO);
			must(c.failed_stage == i && str_starts(e.text, failing->name));
			reached++;
		}
		container_free(&c);
		must(open_descriptors() == before);
		must(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
	}
	must(reached > 15);
}

static void no_row_leaks_a_descriptor(void **state)
{
	(void)state;
	assert_int_equal(in_child(fail_everywhere, NULL), 0);
	assert_int_equal(in_child(fail_everywhere, ""), 0);
}

static void the_table_is_sound(void **state)
{
	(void)state;
	assert_true(native_plan.count <= STAGES_MAX);
	assert_string_equal(native_plan.stages[native_plan.spawn].name, "spawn");
	assert_string_equal(native_plan.stages[native_exec_stage].name, "exec");
	assert_int_equal(native_exec_stage, native_plan.count - 1);
	for (int i = 0; i < native_plan.count; i++) {
		const struct stage *s = &native_plan.stages[i];

		assert_true(s->name[0] && s->apply);
		/* The child's rows leave nothing on the host: its death takes them along. */
		assert_true(s->lane == LANE_PARENT || !s->undo);
		assert_true(s->lane == LANE_PARENT || i > native_plan.spawn);
	}
}

static bool wanted(int i, const struct container *c)
{
	return !native_plan.stages[i].want || native_plan.stages[i].want(c);
}

/* A row may stand in two places, but in one plan a name is one row. */
static void names_are_unique_in_a_plan(void **state)
{
	struct spec s;
	struct container c = { .spec = &s };

	(void)state;
	spec_init(&s);
	s.tty = s.init = true;
	for (int privileged = 0; privileged < 2; privileged++) {
		c.privileged = privileged;
		for (int i = 0; i < native_plan.count; i++)
			for (int j = 0; j < i; j++)
				if (wanted(i, &c) && wanted(j, &c))
					assert_string_not_equal(native_plan.stages[i].name, native_plan.stages[j].name);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_is_sound),
		cmocka_unit_test(names_are_unique_in_a_plan),
		cmocka_unit_test(no_row_leaks_a_descriptor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
