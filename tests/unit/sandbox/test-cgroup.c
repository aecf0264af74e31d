/* sandbox/cgroup: a leaf of our own. The tests need a cgroup v2 that we may write to. */
#include "sandbox/cgroup.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/str.h"
#include "sandbox/namespace.h"

#include "tests/unit/fork.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

static char parent[512];

static int make_leaf(void **state)
{
	static struct cgroup cg;
	struct err e = { 0 };
	char id[16];

	*state = NULL;
	snprintf(id, sizeof(id), "test%d", getpid());
	if (cgroup_find(parent, &e) == 0 && cgroup_create(parent, id, &cg, &e) == 0)
		*state = &cg;
	return 0;
}

static int remove_leaf(void **state)
{
	struct cgroup *cg = *state;
	struct err e = { 0 };

	if (!cg)
		return 0;
	cgroup_close(cg);
	return cgroup_remove(cg->path, &e);
}

static struct cgroup *leaf_of(void **state)
{
	if (!*state)
		skip_test("cgroup", "no cgroup v2 that this user may write to");
	return *state;
}

static void a_leaf_lies_below_our_own_cgroup(void **state)
{
	struct cgroup *cg = leaf_of(state), again = { .fd = -1 };
	struct err e = { 0 };
	struct stat st;

	assert_true(str_starts(cg->path, parent));
	assert_non_null(strstr(cg->path, "/nucleus-test"));
	assert_int_equal(fstat(cg->fd, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(fcntl(cg->fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(cgroup_create(parent, strstr(cg->path, "/nucleus-") + 9, &again, &e), -EEXIST);
	assert_int_equal(again.fd, -1);
}

static void count_report(const char *limit, const struct err *e, void *arg)
{
	assert_true(e->code != 0 && e->text[0]);
	assert_true(str_eq(limit, "memory") || str_eq(limit, "pids") || str_eq(limit, "cpus"));
	++*(int *)arg;
}

/* What the kernel says about one of the limits, or NULL where the controller is not ours. */
static char *read_back(const struct cgroup *cg, const char *name)
{
	char path[800], *text = NULL;

	snprintf(path, sizeof(path), "%s/%s", cg->path, name);
	return file_read(path, 100, &text, NULL) < 0 ? NULL : text;
}

static void limits_are_set_or_reported(void **state)
{
	static const struct cgroup_limits limits = { .memory = 64 << 20, .pids = 9, .cpus_milli = 1500 };
	struct cgroup *cg = leaf_of(state);
	int reports = 0, missing, missed;
	auto_free char *memory = NULL, *pids = NULL, *cpu = NULL;

	missed = cgroup_limit(cg, &limits, count_report, &reports);
	assert_int_equal(missed, reports);
	memory = read_back(cg, "memory.max");
	pids = read_back(cg, "pids.max");
	cpu = read_back(cg, "cpu.max");
	missing = !memory + !pids + !cpu;
	assert_int_equal(reports, missing);
	if (memory)
		assert_string_equal(memory, "67108864\n");
	if (pids)
		assert_string_equal(pids, "9\n");
	if (cpu)
		assert_string_equal(cpu, "150000 100000\n");
}

static void without_a_leaf_every_limit_is_reported(void **state)
{
	static const struct cgroup none = { .fd = -1 };
	static const struct cgroup_limits some = { .memory = 1 << 20, .pids = 3, .cpus_milli = 1 }, nothing = { 0 };
	struct cgroup_usage u;
	int reports = 0;

	(void)state;
	assert_int_equal(cgroup_limit(&none, &some, count_report, &reports), 3);
	assert_int_equal(reports, 3);
	assert_int_equal(cgroup_limit(&none, &nothing, count_report, &reports), 0);
	assert_int_equal(reports, 3);
	cgroup_usage(&none, &u);
	assert_int_equal(u.memory_peak, -1);
	assert_int_equal(u.cpu_us, -1);
	assert_int_equal(u.oom_kills, -1);
	assert_int_equal(u.pids_refused, -1);
}

static void removing_ends_whoever_is_in_it(void **state)
{
	struct cgroup *cg = leaf_of(state);
	const struct spawn s = { .cgroup_fd = cg->fd };
	auto_close int pidfd = -1;
	auto_free char *procs = NULL;
	siginfo_t info = { 0 };
	struct err e = { 0 };
	char number[16];
	pid_t pid = namespace_spawn(&s, &pidfd, &e);

	if (pid == 0)
		for (;;)
			pause();
	assert_true(pid > 0);
	procs = read_back(cg, "cgroup.procs");
	snprintf(number, sizeof(number), "%d\n", pid);
	assert_string_equal(procs, number); /* born in it */
	assert_int_equal(cgroup_remove(cg->path, &e), 0);
	assert_int_equal(access(cg->path, F_OK), -1);
	assert_int_equal(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED), 0);
	assert_int_equal(info.si_code, CLD_KILLED);
	assert_int_equal(info.si_status, SIGKILL);
}

static void what_is_gone_is_removed_already(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(cgroup_remove("/sys/fs/cgroup/nucleus-was-never-there", &e), 0);
	assert_int_equal(e.code, 0);
}

static void a_closed_leaf_stays_closed(void **state)
{
	struct cgroup cg = { .fd = open("/", O_PATH | O_CLOEXEC) };

	(void)state;
	cgroup_close(&cg);
	assert_int_equal(cg.fd, -1);
	cgroup_close(&cg);
}

#define with_leaf(test) cmocka_unit_test_setup_teardown(test, make_leaf, remove_leaf)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		with_leaf(a_leaf_lies_below_our_own_cgroup),
		with_leaf(limits_are_set_or_reported),
		cmocka_unit_test(without_a_leaf_every_limit_is_reported),
		with_leaf(removing_ends_whoever_is_in_it),
		cmocka_unit_test(what_is_gone_is_removed_already),
		cmocka_unit_test(a_closed_leaf_stays_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
