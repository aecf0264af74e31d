/* spec/check: each rule, broken and kept. The specs are made of command lines, as people break them. */
#include "spec/check.h"
#include "base/str.h"
#include "spec/option.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { FINDINGS_MAX = 16 };

struct findings {
	struct err e[FINDINGS_MAX];
	int count;
};

static void collect(const struct err *e, void *arg)
{
	struct findings *f = arg;

	assert_true(f->count < FINDINGS_MAX);
	assert_int_equal(e->code, EINVAL);
	assert_true(e->text[0] && e->fix[0]);
	assert_null(strchr(e->text, '%'));
	f->e[f->count++] = *e;
}

/* The words of @line are separated by single blanks. */
static void check(const char *line, struct findings *ret)
{
	auto_free char *copy = mem_dup(line);
	auto_spec struct spec s;
	struct err e = { 0 };
	char *argv[32], *rest = copy;
	int argc = 0, count;

	while (rest && *rest)
		argv[argc++] = strsep(&rest, " ");
	argv[argc] = NULL;
	spec_init(&s);
	if (option_parse(argc, argv, FOR_RUN, &s, &e) < 0)
		fail_msg("%s: %s", line, e.text);
	*ret = (struct findings){ 0 };
	count = spec_check(&s, collect, ret);
	assert_int_equal(count, ret->count);
}

static void what_is_sound_passes(void **state)
{
	static const char *const lines[] = {
		"true",
		"--workspace /srv/w --workspace-exec --workspace-mode bind-ro -- true",
		"--dry-run --format json -- true",
		"--rm --name x -- true",
		"--keep -- true",
		"--config-fd 5 -- true",
		"--home /tmp/home -- true",
		"-v /srv/a:/data -v /srv/b:/data/b --tmpfs /data/c --tmpfs /scratch -- true",
		"-v /home/me/project:/srv/project:ro,exec -- true",
		"-v /etcetera:/a -v /usr/share:/b -v /var/lib/app:/c -- true",
		"--tmpfs /etc/conf.d --tmpfs /var/cache --tmpfs /runner --tmpfs /usrlocal -- true",
		"--network none --service-mode agent -- true",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct findings f;

		check(lines[i], &f);
		if (f.count)
			fail_msg("%s: %s", lines[i], f.e[0].text);
	}
}

static void each_rule_is_held(void **state)
{
	static const struct {
		const char *line, *text, *why;
	} cases[] = {
		{ "--dry-run", "no command to run", "" },
		{ "--service-mode strict-agent -- true", "strict-agent is not part of this version", "" },
		{ "--service-mode production -- true", "production is not part of this version", "" },
		{ "--network host -- true", "only --network none", "" },
		{ "--workspace /srv/w --workspace-mode copy-in-out -- true", "copy-in-out is not part", "" },
		{ "--workspace-exec -- true", "--workspace-exec has no effect without a workspace", "" },
		{ "--workspace-mode bind-ro -- true", "--workspace-mode has no effect without a workspace", "" },
		{ "--format json -- true", "--format has no effect without --dry-run", "" },
		{ "--rm --keep -- true", "contradict each other", "" },
		{ "--config /a --config-fd 4 -- true", "two launch documents", "" },
		{ "--home / -- true", "--home / is refused", "cover" },
		{ "--home /usr/home -- true", "--home /usr/home is refused", "system directory" },
		{ "-v /srv:/etc -- true", "destination /etc is refused", "cover" },
		{ "-v /srv:/proc/x -- true", "destination /proc/x is refused", "system directory" },
		{ "--tmpfs /dev/shm -- true", "destination /dev/shm is refused", "system directory" },
		{ "--tmpfs /nix/store -- true", "destination /nix/store is refused", "system directory" },
		{ "-v /srv/a:/x -v /srv/b:/x -- true", "/x is the destination of two mounts", "" },
		{ "-v /srv/a:/x --tmpfs /x -- true", "/x is the destination of two mounts", "" },
		{ "--workspace /srv/w --tmpfs /workspace -- true", "/workspace is the destination of two mounts", "" },
		{ "--tmpfs /home/agent -- true", "/home/agent is the destination of two mounts", "" },
		{ "--tmpfs /home -- true", "a mount on /home would hide the home", "" },
		{ "-v /:/x -- true", "source / is refused", "root" },
		{ "-v /etc/ssl:/x -- true", "source /etc/ssl is refused", "secrets" },
		{ "-v /var:/x -- true", "source /var is refused", "secrets" },
		{ "-v /var/lib/docker/x:/x -- true", "source /var/lib/docker/x is refused", "secrets" },
		{ "--workspace /root -- true", "source /root is refused", "secrets" },
		{ "--workspace /run/user -- true", "source /run/user is refused", "secrets" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct findings f;

		check(cases[i].line, &f);
		if (f.count != 1)
			fail_msg("%s: %d findings", cases[i].line, f.count);
		if (!strstr(f.e[0].text, cases[i].text))
			fail_msg("%s: %s", cases[i].line, f.e[0].text);
		if (cases[i].why[0] ? !strstr(f.e[0].why, cases[i].why) : f.e[0].why[0])
			fail_msg("%s: why: %s", cases[i].line, f.e[0].why);
	}
}

static void all_that_is_broken_is_told_at_once(void **state)
{
	struct findings f;

	(void)state;
	check("--network bridge --rm --keep --format json --home /usr -v /dev:/sys", &f);
	assert_int_equal(f.count, 7);
	assert_non_null(strstr(f.e[0].text, "no command"));
	assert_non_null(strstr(f.e[6].text, "source /dev"));
}

static void sources_are_judged_by_name(void **state)
{
	static const char *const closed[] = { "/", "/boot", "/dev/null", "/etc/passwd", "/proc/1/root", "/root/.ssh", "/run",
					      "/sys/fs/cgroup", "/var/log/syslog", "/var/run/docker.sock", "/var", "/var/lib" };
	static const char *const open[] = { "/home", "/srv", "/opt/x", "/tmp/x", "/usr", "/mnt", "/devel", "/rooted", "/var/cache" };

	(void)state;
	for (size_t i = 0; i < sizeof(closed) / sizeof(*closed); i++)
		if (!check_source(closed[i]))
			fail_msg("%s is open", closed[i]);
	for (size_t i = 0; i < sizeof(open) / sizeof(*open); i++)
		if (check_source(open[i]))
			fail_msg("%s is closed", open[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sound_passes),
		cmocka_unit_test(each_rule_is_held),
		cmocka_unit_test(all_that_is_broken_is_told_at_once),
		cmocka_unit_test(sources_are_judged_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
