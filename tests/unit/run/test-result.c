/* run/result: the object that --result writes, and the plan that --dry-run prints, read back by the JSON reader. */
#include "run/result.h"
#include "base/str.h"
#include "data/tree.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static int nothing(struct container *c, struct err *e)
{
	(void)c;
	(void)e;
	return 0;
}

static bool never(const struct container *c)
{
	(void)c;
	return false;
}

static const struct stage stages[] = {
	{ "first", LANE_PARENT, NULL, nothing, NULL },
	{ "absent", LANE_PARENT, never, nothing, NULL },
	{ "second", LANE_CHILD, NULL, nothing, NULL },
};

static const struct plan plan = { .stages = stages, .count = 3, .spawn = 0 };

/* A container with what the writers look at; @s is filled as well. */
static void fill(struct container *c, struct spec *s, struct shared *shared)
{
	static const char *command[] = { "printf", "\x1b[31m\xff" };

	spec_init(s);
	s->command = (struct list){ .items = command, .count = 2 };
	*shared = (struct shared){ .landlock_abi = 6, .seccomp = true, .stage_us = { 7, 8, 9 } };
	*c = (struct container){ .spec = s, .id = "0123456789ab", .shared = shared, .failed_stage = -1, .privileged = true,
				 .cgroup = { .path = "/sys/fs/cgroup/nucleus-0123456789ab", .fd = -1 } };
}

static const struct outcome ended = { .verdict = VERDICT_EXIT, .code = 3, .status = 3, .memory_peak = 4096, .cpu_us = 5,
				      .oom_kills = 0, .bytes_in = -1, .bytes_out = -1 };

static void parse(const struct buf *text, struct tree *ret)
{
	struct err e = { 0 };

	assert_int_equal(json_parse("result", text->text, text->len, ret, &e), 0);
}

static const struct node *get(const struct tree *t, const char *key)
{
	const struct node *n = node_get(t->root, key);

	assert_non_null(n);
	return n;
}

static void the_end_is_told_on_one_line(void **state)
{
	auto_buf struct buf text = { 0 };
	auto_tree struct tree t = { 0 };
	struct container c;
	struct shared shared;
	struct spec s;

	(void)state;
	fill(&c, &s, &shared);
	result_json(&c, &plan, &ended, NULL, &text);
	assert_ptr_equal(strchr(text.text, '\n'), text.text + text.len - 1);
	parse(&text, &t);
	assert_int_equal(get(&t, "schema_version")->integer, 1);
	assert_string_equal(get(&t, "id")->text, "0123456789ab");
	assert_int_equal(get(&t, "name")->type, NODE_NULL);
	assert_string_equal(get(&t, "verdict")->text, "exit");
	assert_int_equal(get(&t, "code")->integer, 3);
	assert_int_equal(get(&t, "signal")->type, NODE_NULL);
	assert_int_equal(get(&t, "status")->integer, 3);
	assert_int_equal(get(&t, "error")->type, NODE_NULL);
	assert_int_equal(get(&t, "memory_peak_bytes")->integer, 4096);
	assert_int_equal(get(&t, "oom_kills")->integer, 0);
	assert_int_equal(get(&t, "bytes_in")->type, NODE_NULL);
	assert_false(node_get(get(&t, "enforced"), "user_namespace")->boolean);
	assert_int_equal(node_get(get(&t, "enforced"), "landlock_abi")->integer, 6);
	assert_int_equal(get(&t, "degraded")->count, 0);
	assert_int_equal(node_get(get(&t, "stages_us"), "second")->integer, 9);
	assert_null(node_get(get(&t, "stages_us"), "absent"));
}

static void each_way_to_end_has_its_fields(void **state)
{
	struct outcome o = ended;
	auto_buf struct buf text = { 0 };
	auto_tree struct tree t = { 0 };
	struct container c;
	struct shared shared;
	struct spec s;

	(void)state;
	fill(&c, &s, &shared);
	s.name = "web";
	o.verdict = VERDICT_SIGNAL;
	o.code = -1;
	o.signal = 9;
	o.status = 137;
	result_json(&c, &plan, &o, NULL, &text);
	parse(&text, &t);
	assert_string_equal(get(&t, "name")->text, "web");
	assert_string_equal(get(&t, "verdict")->text, "signal");
	assert_int_equal(get(&t, "code")->type, NODE_NULL);
	assert_int_equal(get(&t, "signal")->integer, 9);
	assert_string_equal(verdict_name(VERDICT_TIMEOUT), "timeout");
	assert_string_equal(verdict_name(VERDICT_OOM), "oom");
	assert_string_equal(verdict_name(VERDICT_SETUP_FAILED), "setup-failed");
}

static void a_failure_names_its_stage(void **state)
{
	const struct err failure = { .code = EACCES, .text = "second: \x1b[31m \xff", .fix = "do it" };
	struct outcome o = { .verdict = VERDICT_SETUP_FAILED, .code = -1, .status = 125, .memory_peak = -1, .cpu_us = -1,
			     .oom_kills = -1, .pids_refused = -1, .bytes_in = -1, .bytes_out = -1 };
	auto_buf struct buf text = { 0 };
	auto_tree struct tree t = { 0 };
	const struct node *error;
	struct container c;
	struct shared shared;
	struct spec s;

	(void)state;
	fill(&c, &s, &shared);
	c.failed_stage = 2;
	container_degrade(&c, "cgroup", &failure);
	result_json(&c, &plan, &o, &failure, &text);
	parse(&text, &t);
	error = get(&t, "error");
	assert_string_equal(node_get(error, "stage")->text, "second");
	assert_int_equal(node_get(error, "errno")->integer, EACCES);
	assert_int_equal(node_get(error, "why")->type, NODE_NULL);
	assert_string_equal(node_get(error, "fix")->text, "do it");
	assert_string_equal(node_get(get(&t, "degraded")->first, "what")->text, "cgroup");
	assert_int_equal(get(&t, "status")->integer, 125);
}

/* Before there is a container there is a result all the same. */
static void a_refusal_has_no_stage(void **state)
{
	const struct err failure = { .code = EINVAL, .text = "no command to run" };
	const struct outcome o = { .verdict = VERDICT_SETUP_FAILED, .code = -1, .status = 125 };
	auto_buf struct buf text = { 0 };
	auto_tree struct tree t = { 0 };
	struct spec s;
	struct container c = { .spec = &s, .failed_stage = -1 };

	(void)state;
	spec_init(&s);
	result_json(&c, &plan, &o, &failure, &text);
	parse(&text, &t);
	assert_int_equal(get(&t, "id")->type, NODE_NULL);
	assert_non_null(node_get(get(&t, "error"), "stage"));
}

static void degradations_are_bounded(void **state)
{
	const struct err e = { .code = EPERM, .text = "no" };
	struct container c = { 0 };

	(void)state;
	for (int i = 0; i < 3 * DEGRADED_MAX; i++)
		container_degrade(&c, "pids", &e);
	assert_int_equal(c.degraded_count, DEGRADED_MAX);
}

static void a_plan_is_described_in_both_ways(void **state)
{
	auto_buf struct buf json = { 0 }, text = { 0 };
	auto_tree struct tree t = { 0 };
	struct container c;
	struct shared shared;
	struct spec s;

	(void)state;
	fill(&c, &s, &shared);
	s.memory = 1 << 20;
	mount_plan_make(&s, &c.mounts);
	describe_plan(&c, &plan, FORMAT_JSON, &json);
	describe_plan(&c, &plan, FORMAT_TEXT, &text);
	parse(&json, &t);
	assert_int_equal(get(&t, "stages")->count, 2);
	assert_string_equal(node_get(get(&t, "stages")->first, "lane")->text, "parent");
	assert_int_equal(get(&t, "mounts")->count, c.mounts.count);
	assert_int_equal(node_get(get(&t, "limits"), "memory_bytes")->integer, 1 << 20);
	assert_int_equal(node_get(get(&t, "limits"), "timeout_ms")->type, NODE_NULL);
	assert_non_null(strstr(text.text, "first"));
	assert_null(strstr(text.text, "absent"));
	assert_null(strchr(text.text, '\x1b'));
	mount_plan_free(&c.mounts);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_is_told_on_one_line),
		cmocka_unit_test(each_way_to_end_has_its_fields),
		cmocka_unit_test(a_failure_names_its_stage),
		cmocka_unit_test(a_refusal_has_no_stage),
		cmocka_unit_test(degradations_are_bounded),
		cmocka_unit_test(a_plan_is_described_in_both_ways),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
