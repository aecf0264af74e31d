/* sandbox/rootfs: the plan that the mount table makes of a spec. That the kernel carries it out is tests/cli's. */
#include "sandbox/rootfs.h"
#include "base/kernel.h"
#include "base/path.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct volume volumes[] = {
	{ .source = "/srv/deep", .destination = "/data/a/deep" },
	{ .source = "/srv/ro", .destination = "/data", .read_only = true },
	{ .source = "/srv/tools", .destination = "/opt/tools", .read_only = true, .exec = true },
	{ .source = "/srv/rw", .destination = "/srv/rw", .exec = true },
};
static struct tmpfs tmpfses[] = { { .destination = "/data/a", .size = 4096 }, { .destination = "/cache" } };

/* A spec with something of everything. */
static void fill(struct spec *s)
{
	spec_init(s);
	s->volumes = (struct volumes){ .items = volumes, .count = sizeof(volumes) / sizeof(*volumes) };
	s->tmpfs = (struct tmpfses){ .items = tmpfses, .count = sizeof(tmpfses) / sizeof(*tmpfses) };
	s->workspace = "/srv/project";
	s->proc_rw = s->sysfs = true;
}

static const struct mount_row *find(const struct mount_plan *p, const char *target)
{
	for (size_t i = 0; i < p->count; i++)
		if (str_eq(p->rows[i].target, target))
			return &p->rows[i];
	return NULL;
}

static void check_order(const struct mount_plan *p)
{
	for (size_t i = 0; i < p->count; i++)
		for (size_t j = i + 1; j < p->count; j++)
			/* /dev is mounted over itself once the nodes are made in it, and before anything is mounted there. */
			if (path_is_under(p->rows[i].target, p->rows[j].target) &&
			    !(p->rows[j].kind == MOUNT_FREEZE && str_eq(p->rows[j].target, "/dev") &&
			      (p->rows[i].kind == MOUNT_DEVICE || p->rows[i].kind == MOUNT_LINK)))
				fail_msg("%s stands before %s", p->rows[i].target, p->rows[j].target);
}

static void parents_stand_before_children(void **state)
{
	struct mount_plan p;
	struct spec s;

	(void)state;
	spec_init(&s);
	mount_plan_make(&s, &p);
	check_order(&p);
	mount_plan_free(&p);
	fill(&s);
	mount_plan_make(&s, &p);
	check_order(&p);
	mount_plan_free(&p);
}

static void each_row_gives_what_it_may_and_no_more(void **state)
{
	struct mount_plan p;
	struct spec s;

	(void)state;
	fill(&s);
	mount_plan_make(&s, &p);
	for (size_t i = 0; i < p.count; i++) {
		const struct mount_row *row = &p.rows[i];
		bool null = row->kind == MOUNT_MASK && str_eq(row->source, "/dev/null");
		bool device = row->kind == MOUNT_DEVICE || null || str_eq(row->target, "/dev/pts") ||
			      str_eq(row->target, "/dev");
		bool write = row->access == ACCESS_WRITE || row->access == ACCESS_WRITE_EXEC;
		bool exec = row->access == ACCESS_READ_EXEC || row->access == ACCESS_WRITE_EXEC;

		if (row->kind == MOUNT_LINK)
			continue;
		assert_true(row->attributes & MOUNT_ATTR_NOSUID);
		assert_int_equal(device, !(row->attributes & MOUNT_ATTR_NODEV));
		if (row->kind == MOUNT_HOST || row->kind == MOUNT_MASK || row->kind == MOUNT_FREEZE || row->kind == MOUNT_DEVICE)
			assert_true(row->attributes & MOUNT_ATTR_RDONLY);
		/* What Landlock allows the mount allows too: the two never contradict each other. */
		assert_false(write && row->attributes & MOUNT_ATTR_RDONLY);
		assert_false(exec && row->attributes & MOUNT_ATTR_NOEXEC);
	}
	mount_plan_free(&p);
}

static void nothing_of_the_hosts_is_there_but_programs(void **state)
{
	static const char *const expected[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix" };
	struct mount_plan p;
	struct spec s;
	size_t programs = 0;

	(void)state;
	spec_init(&s);
	mount_plan_make(&s, &p);
	for (size_t i = 0; i < p.count; i++) {
		bool known = str_starts(p.rows[i].target, "/etc/");

		assert_int_not_equal(p.rows[i].kind, MOUNT_BIND);
		if (p.rows[i].kind != MOUNT_HOST)
			continue;
		for (size_t j = 0; j < sizeof(expected) / sizeof(*expected); j++)
			if (str_eq(p.rows[i].target, expected[j])) {
				known = true;
				programs++;
			}
		assert_true(known);
	}
	assert_int_equal(programs, sizeof(expected) / sizeof(*expected));
	assert_null(find(&p, "/etc"));
	assert_null(find(&p, "/sys"));
	assert_null(find(&p, "/workspace"));
	mount_plan_free(&p);
}

static void proc_is_read_only_unless_asked_for(void **state)
{
	struct mount_plan p;
	struct spec s;

	(void)state;
	spec_init(&s);
	mount_plan_make(&s, &p);
	assert_true(find(&p, "/proc")->attributes & MOUNT_ATTR_RDONLY);
	assert_non_null(find(&p, "/proc/kcore"));
	assert_null(find(&p, "/proc/sys"));
	mount_plan_free(&p);
	s.proc_rw = true;
	mount_plan_make(&s, &p);
	assert_false(find(&p, "/proc")->attributes & MOUNT_ATTR_RDONLY);
	assert_int_equal(find(&p, "/proc/sys")->kind, MOUNT_FREEZE);
	assert_int_equal(find(&p, "/proc/sysrq-trigger")->kind, MOUNT_FREEZE);
	assert_int_equal(find(&p, "/proc/kcore")->kind, MOUNT_MASK);
	mount_plan_free(&p);
}

static void the_users_mounts_are_as_asked_for(void **state)
{
	struct mount_plan p;
	struct spec s;

	(void)state;
	fill(&s);
	mount_plan_make(&s, &p);
	assert_int_equal(find(&p, "/data")->access, ACCESS_READ);
	assert_int_equal(find(&p, "/data")->attributes,
			 MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	assert_int_equal(find(&p, "/data/a/deep")->access, ACCESS_WRITE);
	assert_int_equal(find(&p, "/opt/tools")->access, ACCESS_READ_EXEC);
	assert_int_equal(find(&p, "/srv/rw")->access, ACCESS_WRITE_EXEC);
	assert_int_equal(find(&p, "/workspace")->access, ACCESS_WRITE);
	assert_int_equal(find(&p, "/data/a")->size, 4096);
	assert_int_equal(find(&p, "/cache")->size, s.rootfs_size);
	assert_int_equal(find(&p, s.home)->kind, MOUNT_PRIVATE);
	assert_int_equal(find(&p, s.home)->mode, 0700);
	mount_plan_free(&p);
	s.workspace_exec = true;
	s.workspace_mode = WORKSPACE_BIND_RO;
	mount_plan_make(&s, &p);
	assert_int_equal(find(&p, "/workspace")->access, ACCESS_READ_EXEC);
	mount_plan_free(&p);
}

static void rows_are_named_for_people(void **state)
{
	static const struct mount_row tmpfs = { .kind = MOUNT_NEW, .source = "tmpfs" }, bind = { .kind = MOUNT_BIND };
	char text[64];

	(void)state;
	assert_string_equal(mount_kind_name(&tmpfs), "tmpfs");
	assert_string_equal(mount_kind_name(&bind), "bind");
	mount_attributes_text(0, text);
	assert_string_equal(text, "rw");
	mount_attributes_text(MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, text);
	assert_string_equal(text, "ro,nosuid,nodev,noexec");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(parents_stand_before_children),
		cmocka_unit_test(each_row_gives_what_it_may_and_no_more),
		cmocka_unit_test(nothing_of_the_hosts_is_there_but_programs),
		cmocka_unit_test(proc_is_read_only_unless_asked_for),
		cmocka_unit_test(the_users_mounts_are_as_asked_for),
		cmocka_unit_test(rows_are_named_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
