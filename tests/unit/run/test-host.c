/* The probe table, its parsers, and that asking leaves the host as it was. */
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/str.h"
#include "run/host.h"
#include "run/probe_cgroup.h"
#include "run/probe_id.h"
#include "run/probe_kernel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after those four */
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void every_row_is_complete(void **state)
{
	(void)state;
	assert_in_range(host_probes_count, 1, HOST_PROBES_MAX);
	for (size_t i = 0; i < host_probes_count; i++) {
		const struct probe *p = &host_probes[i];

		assert_non_null(p->name);
		assert_non_null(p->serves);
		assert_non_null(p->ask);
		assert_non_null(p->cause);
		assert_non_null(p->fix);
		assert_true(str_is_printable(p->fix));
		assert_true(strlen(p->fix) < sizeof(((struct fact *)0)->fix));
		assert_true(strlen(p->cause) < sizeof(((struct fact *)0)->cause));
		for (size_t j = i + 1; j < host_probes_count; j++)
			assert_string_not_equal(p->name, host_probes[j].name);
	}
}

static void stricter_modes_need_no_less(void **state)
{
	(void)state;
	for (size_t i = 0; i < host_probes_count; i++)
		if (host_probes[i].need[MODE_AGENT] == NEED_REQUIRED) {
			assert_int_equal(host_probes[i].need[MODE_STRICT_AGENT], NEED_REQUIRED);
			assert_int_equal(host_probes[i].need[MODE_PRODUCTION], NEED_REQUIRED);
		}
}

static void only_a_missing_requirement_stops(void **state)
{
	struct probe p = { .need = { NEED_OPTIONAL, NEED_REQUIRED, NEED_ROOTLESS } };
	struct fact missing = { .status = FACT_MISSING }, degraded = { .status = FACT_DEGRADED };

	(void)state;
	assert_false(host_stops(&p, &missing, MODE_AGENT));
	assert_true(host_stops(&p, &missing, MODE_STRICT_AGENT));
	assert_false(host_stops(&p, &degraded, MODE_STRICT_AGENT));
	assert_int_equal(host_stops(&p, &missing, MODE_PRODUCTION), geteuid() != 0);
}

static void cgroup2_is_found_where_it_is_alone(void **state)
{
	static const char text[] = "22 27 0:21 / /proc rw,relatime shared:12 - proc proc rw\n"
				   "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate\n";
	struct cgroup_place place = { 0 };

	(void)state;
	assert_true(probe_cgroup_mount(text, &place));
	assert_string_equal(place.mount, "/sys/fs/cgroup");
	assert_string_equal(place.root, "/");
	assert_false(place.hybrid);
}

static void cgroup2_is_found_on_a_hybrid_host(void **state)
{
	static const char text[] = "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
				   "41 31 0:38 /a/b /mnt/with\\040space rw - cgroup2 none rw\n"
				   "42 31 0:39 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n";
	struct cgroup_place place = { 0 };

	(void)state;
	assert_true(probe_cgroup_mount(text, &place));
	assert_string_equal(place.mount, "/mnt/with space");
	assert_string_equal(place.root, "/a/b");
	assert_true(place.hybrid);
}

static void other_mounts_are_no_cgroup2(void **state)
{
	static const char *const texts[] = {
		"",
		"\n\n",
		"41 31 0:38 / /x rw - cgroup2",			    /* is one; see below */
		"41 31 0:38 / /x rw cgroup2 cgroup2 rw\n",	    /* no separator */
		"41 31 0:38 / /x rw -\n",			    /* no type */
		"41 31\n",					    /* cut short */
		"41 31 0:38 / relative rw - cgroup2 cgroup2 rw\n",
		"41 31 0:38 / /cgroup2 rw - tmpfs cgroup2 rw\n",
		"41 31 0:38 / /x rw - cgroup2x cgroup2 rw\n",
		"32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
	};
	struct cgroup_place place;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(probe_cgroup_mount(texts[i], &place), i == 2);
}

static void a_word_too_long_is_no_mount(void **state)
{
	auto_buf struct buf b = { 0 };
	struct cgroup_place place;

	(void)state;
	buf_puts(&b, "41 31 0:38 / /");
	for (int i = 0; i < PATH_MAX; i++)
		buf_puts(&b, "x");
	buf_puts(&b, " rw - cgroup2 cgroup2 rw\n");
	assert_false(probe_cgroup_mount(b.text, &place));
}

static void subids_are_summed_for_name_and_number(void **state)
{
	static const char text[] = "# a comment\n"
				   "alice:100000:65536\n"
				   "bob:200000:65536\n"
				   "\n"
				   "1000:300000:10\n"
				   "alicia:400000:1\n"
				   "alice:4294967295:1";
	size_t malformed = 9;

	(void)state;
	assert_int_equal(probe_subids(text, "alice", 1000, &malformed), 65536 + 10 + 1);
	assert_int_equal(malformed, 0);
	assert_int_equal(probe_subids(text, NULL, 1000, &malformed), 10);
	assert_int_equal(probe_subids(text, "carol", 7, &malformed), 0);
	assert_int_equal(probe_subids("", "alice", 1000, &malformed), 0);
}

static void malformed_subids_grant_nothing(void **state)
{
	static const char *const lines[] = {
		"alice", "alice:1", "alice:1:", "alice::1", ":1:1", "alice:1:1:1", "alice:-1:1", "alice:1:0", "alice:1: 1",
		"alice:0x10:1", "alice:4294967296:1", "alice:4294967295:2", "alice:1:99999999999", "alice:1:1 ", "alice",
	};
	size_t malformed;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		assert_int_equal(probe_subids(lines[i], "alice", 1000, &malformed), 0);
		assert_int_equal(malformed, 1);
	}
	assert_int_equal(probe_subids("alice:1\nalice:5:7\nalice\n", "alice", 1000, &malformed), 7);
	assert_int_equal(malformed, 2);
}

static void login_names_come_from_passwd(void **state)
{
	static const char text[] = "root:x:0:0:root:/root:/bin/sh\nbroken\nno:uid\n:x:5:5:::\nalice:x:1000:1000::/:\n";
	auto_free char *alice = probe_login_name(text, 1000);
	auto_free char *root = probe_login_name(text, 0);

	(void)state;
	assert_string_equal(alice, "alice");
	assert_string_equal(root, "root");
	assert_null(probe_login_name(text, 5));
	assert_null(probe_login_name(text, 6));
	assert_null(probe_login_name("", 0));
}

static void each_landlock_abi_lacks_less(void **state)
{
	char text[200], before[200] = "";

	(void)state;
	probe_landlock_lacks(0, before, sizeof(before));
	for (int abi = 1; abi <= 6; abi++) {
		probe_landlock_lacks(abi, text, sizeof(text));
		assert_true(str_ends(before, text));
		assert_true(abi == 1 || strlen(text) < strlen(before));
		memcpy(before, text, sizeof(before));
	}
	assert_string_equal(before, "");
}

/* What of ours is below @path: the leaves, by name. Other programs may come and go meanwhile. */
static size_t leaves_below(const char *path)
{
	DIR *d = opendir(path);
	size_t count = 0;

	for (struct dirent *entry; d && (entry = readdir(d));)
		count += str_starts(entry->d_name, "nucleus-doctor-");
	if (d)
		closedir(d);
	return count;
}

static char *mounts(void)
{
	char *text = NULL;
	size_t len;

	assert_int_equal(file_read("/proc/self/mountinfo", 4 << 20, &text, &len), 0);
	return text;
}

static size_t open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(d);
	while (readdir(d))
		count++;
	closedir(d);
	return count;
}

static void asking_leaves_nothing_behind(void **state)
{
	static struct fact facts[HOST_PROBES_MAX];
	struct cgroup_place place;
	auto_free char *before = mounts();
	auto_free char *after = NULL;
	size_t descriptors = open_descriptors();

	(void)state;
	/* orphans of a probe would become our children */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	host_ask(facts);
	after = mounts();
	assert_string_equal(before, after);
	assert_int_equal(open_descriptors(), descriptors);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	if (probe_cgroup_mount(after, &place))
		assert_int_equal(leaves_below(place.mount), 0);
}

static void gaps_have_advice_and_others_have_none(void **state)
{
	static struct fact facts[HOST_PROBES_MAX];

	(void)state;
	host_ask(facts);
	for (size_t i = 0; i < host_probes_count; i++) {
		assert_true(facts[i].detail[0] != '\0');
		assert_int_equal(facts[i].cause[0] != '\0', facts[i].status != FACT_OK);
		assert_int_equal(facts[i].fix[0] != '\0', facts[i].status != FACT_OK);
	}
}

static void die(const struct probe *p, struct fact *f)
{
	(void)p;
	(void)f;
	raise(SIGKILL);
}

static void end(const struct probe *p, struct fact *f)
{
	(void)p;
	(void)f;
	_exit(0);
}

static void a_child_that_dies_is_a_missing_thing(void **state)
{
	struct fact f = { 0 };

	(void)state;
	probe_in_child(die, NULL, &f);
	assert_int_equal(f.status, FACT_MISSING);
	assert_non_null(strstr(f.detail, "signal 9"));
	f = (struct fact){ 0 };
	probe_in_child(end, NULL, &f);
	assert_int_equal(f.status, FACT_MISSING);
}

static void hang(const struct probe *p, struct fact *f)
{
	(void)p;
	(void)f;
	while (true)
		pause();
}

static void a_child_that_hangs_is_given_up(void **state)
{
	struct timespec begin, finish;
	struct fact f = { 0 };

	(void)state;
	clock_gettime(CLOCK_MONOTONIC, &begin);
	probe_in_namespaces(CLONE_NEWPID, hang, NULL, &f);
	clock_gettime(CLOCK_MONOTONIC, &finish);
	assert_int_equal(f.status, FACT_MISSING);
	assert_true(finish.tv_sec - begin.tv_sec < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_is_complete),
		cmocka_unit_test(stricter_modes_need_no_less),
		cmocka_unit_test(only_a_missing_requirement_stops),
		cmocka_unit_test(cgroup2_is_found_where_it_is_alone),
		cmocka_unit_test(cgroup2_is_found_on_a_hybrid_host),
		cmocka_unit_test(other_mounts_are_no_cgroup2),
		cmocka_unit_test(a_word_too_long_is_no_mount),
		cmocka_unit_test(subids_are_summed_for_name_and_number),
		cmocka_unit_test(malformed_subids_grant_nothing),
		cmocka_unit_test(login_names_come_from_passwd),
		cmocka_unit_test(each_landlock_abi_lacks_less),
		cmocka_unit_test(asking_leaves_nothing_behind),
		cmocka_unit_test(gaps_have_advice_and_others_have_none),
		cmocka_unit_test(a_child_that_dies_is_a_missing_thing),
		cmocka_unit_test(a_child_that_hangs_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
