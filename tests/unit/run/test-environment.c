/* run/environment: nothing is inherited, and who wins over whom. */
#include "run/environment.h"
#include "base/defer.h"
#include "base/fd.h"

#include "tests/unit/fork.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static size_t count(char **envp)
{
	size_t n = 0;

	while (envp[n])
		n++;
	return n;
}

static struct list list_of(const char **items, size_t n)
{
	return (struct list){ .items = items, .count = n };
}

static void by_default_there_are_three(void **state)
{
	struct err e = { 0 };
	char **envp = NULL;
	struct spec s;

	(void)state;
	setenv("SECRET", "x", 1);
	spec_init(&s);
	assert_int_equal(environment_make(&s, "box", &envp, &e), 0);
	assert_int_equal(count(envp), 3);
	assert_string_equal(environment_get(envp, "HOSTNAME"), "box");
	assert_string_equal(environment_get(envp, "HOME"), s.home);
	assert_non_null(strstr(environment_get(envp, "PATH"), "/usr/bin"));
	assert_null(environment_get(envp, "SECRET"));
	assert_null(environment_get(envp, "HOM"));
	assert_null(environment_get(envp, "TERM"));
	environment_free(envp);
}

static void a_terminal_has_a_type(void **state)
{
	struct err e = { 0 };
	char **envp = NULL;
	struct spec s;

	(void)state;
	spec_init(&s);
	s.tty = true;
	setenv("TERM", "vt52", 1);
	assert_int_equal(environment_make(&s, "box", &envp, &e), 0);
	assert_string_equal(environment_get(envp, "TERM"), "vt52");
	environment_free(envp);
	unsetenv("TERM");
	assert_int_equal(environment_make(&s, "box", &envp, &e), 0);
	assert_string_equal(environment_get(envp, "TERM"), "xterm");
	environment_free(envp);
}

static void variables_are_set_copied_and_replaced(void **state)
{
	const char *items[] = { "A=1", "B=", "COPIED", "ABSENT", "A=2", "HOME=/elsewhere", "C=x=y" };
	struct err e = { 0 };
	char **envp = NULL;
	struct spec s;

	(void)state;
	spec_init(&s);
	setenv("COPIED", "of ours", 1);
	unsetenv("ABSENT");
	s.env = list_of(items, 7);
	assert_int_equal(environment_make(&s, "box", &envp, &e), 0);
	assert_string_equal(environment_get(envp, "A"), "2");
	assert_string_equal(environment_get(envp, "B"), "");
	assert_string_equal(environment_get(envp, "COPIED"), "of ours");
	assert_null(environment_get(envp, "ABSENT"));
	assert_string_equal(environment_get(envp, "HOME"), "/elsewhere");
	assert_string_equal(environment_get(envp, "C"), "x=y");
	assert_int_equal(count(envp), 3 + 4);
	environment_free(envp);
}

/* A descriptor from which @text can be read, as high as --env-fd wants it. */
static int descriptor_of(const char *text, size_t len, char number[16])
{
	int fds[2], high;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(fds[1], text, len), 0);
	close(fds[1]);
	high = fcntl(fds[0], F_DUPFD_CLOEXEC, 10);
	close(fds[0]);
	snprintf(number, 16, "%d", high);
	return high;
}

static int make_from(const char *text, size_t len, char ***ret, struct err *e)
{
	char number[16];
	const char *items[] = { number };
	auto_close int fd = descriptor_of(text, len, number);
	struct spec s;

	spec_init(&s);
	s.env_fd = list_of(items, 1);
	return environment_make(&s, "box", ret, e);
}

static void descriptors_hold_lines_or_items_between_nuls(void **state)
{
	static const char lines[] = "# comment\n\nA=1\nB= two words \nNOT_SET_ANYWHERE\nlast=x";
	static const char items[] = "A=line one\nline two\0#=kept\0B=2";
	struct err e = { 0 };
	char **envp = NULL;

	(void)state;
	assert_int_equal(make_from(lines, sizeof(lines) - 1, &envp, &e), 0);
	assert_string_equal(environment_get(envp, "A"), "1");
	assert_string_equal(environment_get(envp, "B"), " two words ");
	assert_string_equal(environment_get(envp, "last"), "x");
	assert_int_equal(count(envp), 6);
	environment_free(envp);
	assert_int_equal(make_from(items, sizeof(items) - 1, &envp, &e), 0);
	assert_string_equal(environment_get(envp, "A"), "line one\nline two");
	assert_string_equal(environment_get(envp, "#"), "kept");
	assert_string_equal(environment_get(envp, "B"), "2");
	environment_free(envp);
}

static void bad_lines_are_named(void **state)
{
	struct err e = { 0 };
	char **envp = NULL;

	(void)state;
	assert_int_equal(make_from("A=1\n=2\n", 7, &envp, &e), -EINVAL);
	assert_non_null(strstr(e.text, ":2:"));
	assert_int_equal(make_from("A=1\nB=1\nLD_PRELOAD=/x.so\n", 25, &envp, &e), -EPERM);
	assert_non_null(strstr(e.text, ":3:"));
	assert_non_null(strstr(e.text, "LD_PRELOAD"));
	assert_null(envp);
}

static void later_sources_win(void **state)
{
	char path[] = "/tmp/nucleus-test-environment.XXXXXX", number[16];
	const char *files[] = { path }, *fds[] = { number }, *flags[] = { "C=flag" };
	int file = mkstemp(path);
	auto_close int fd = descriptor_of("B=fd\nC=fd\n", 10, number);
	struct err e = { 0 };
	char **envp = NULL;
	struct spec s;

	(void)state;
	assert_int_equal(fd_write_all(file, "A=file\nB=file\nC=file\n", 21), 0);
	close(file);
	spec_init(&s);
	s.env_file = list_of(files, 1);
	s.env_fd = list_of(fds, 1);
	s.env = list_of(flags, 1);
	assert_int_equal(environment_make(&s, "box", &envp, &e), 0);
	unlink(path);
	assert_string_equal(environment_get(envp, "A"), "file");
	assert_string_equal(environment_get(envp, "B"), "fd");
	assert_string_equal(environment_get(envp, "C"), "flag");
	environment_free(envp);
	envp = NULL;
	assert_int_equal(environment_make(&s, "box", &envp, &e), -ENOENT);
	assert_non_null(strstr(e.text, path));
	assert_null(envp);
}

static void descriptors_are_checked(void **state)
{
	static const char *const bad[] = { "0", "2", "-1", "x", "", "3x", "99999999999999999999" };
	struct err e = { 0 };
	char **envp = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const char *items[] = { bad[i] };
		struct spec s;

		spec_init(&s);
		s.env_fd = list_of(items, 1);
		assert_int_equal(environment_make(&s, "box", &envp, &e), -EINVAL);
	}
	assert_null(envp);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_default_there_are_three),
		cmocka_unit_test(a_terminal_has_a_type),
		cmocka_unit_test(variables_are_set_copied_and_replaced),
		cmocka_unit_test(descriptors_hold_lines_or_items_between_nuls),
		cmocka_unit_test(bad_lines_are_named),
		cmocka_unit_test(later_sources_win),
		cmocka_unit_test(descriptors_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
