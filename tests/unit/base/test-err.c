/* base/err: three parts, never code 0, nothing lost in silence. */
#include "base/err.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *of_length(size_t n)
{
	static char text[8192];

	memset(text, 'x', n);
	text[n] = '\0';
	return text;
}

static bool ends(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && strcmp(text + n - m, end) == 0;
}

static void a_verdict_has_a_code_and_forgets_the_last_one(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, EPERM, "no %d", 1), -EPERM);
	err_why(&e, "because");
	assert_int_equal(err_fix(&e, "do"), -EPERM);
	assert_string_equal(e.text, "no 1");
	assert_string_equal(e.why, "because");
	assert_string_equal(e.fix, "do");
	err_set(&e, EINVAL, "other");
	assert_string_equal(e.why, "");
	assert_string_equal(e.fix, "");
}

static void the_code_is_never_zero_or_negative(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, 0, "x"), -EINVAL);
	assert_int_equal(err_set(&e, -5, "x"), -EINVAL);
	errno = 0;
	assert_true(err_sys(&e, "x") < 0);
}

static void a_failed_call_is_described(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open %s", "/a"), -ENOENT);
	assert_string_equal(e.text, "open /a: No such file or directory");
}

static void context_goes_before_and_leaves_the_rest(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, EPERM, "inner %%s");
	err_fix(&e, "fix");
	assert_int_equal(err_in(&e, "service %s", "db"), -EPERM);
	assert_string_equal(e.text, "service db: inner %s");
	assert_string_equal(e.fix, "fix");
}

static void what_does_not_fit_says_so(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, EINVAL, "%s", of_length(4000));
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
	assert_true(ends(e.text, "xxx..."));
	err_set(&e, EINVAL, "%s", of_length(sizeof(e.text) - 1));
	assert_true(ends(e.text, "xxx"));
	err_set(&e, EINVAL, "%s", of_length(sizeof(e.text)));
	assert_true(ends(e.text, "x..."));
	err_why(&e, "%s", of_length(4000));
	assert_true(ends(e.why, "..."));
	err_fix(&e, "%s", of_length(4000));
	assert_true(ends(e.fix, "..."));
}

static void a_long_path_does_not_hide_the_reason(void **state)
{
	struct err e = { 0 };

	(void)state;
	for (size_t n = 400; n < 4096; n += n < 600 ? 1 : 500) {
		errno = ENOENT;
		err_sys(&e, "%s", of_length(n));
		assert_true(strlen(e.text) < sizeof(e.text));
		assert_true(ends(e.text, ": No such file or directory"));
	}
}

static void long_context_and_long_error_share_the_room(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, EPERM, "reason");
	err_in(&e, "%s", of_length(4000));
	assert_true(ends(e.text, "...: reason"));

	err_set(&e, EPERM, "reason %s", of_length(400));
	err_in(&e, "%s", of_length(4000));
	assert_non_null(strstr(e.text, "...: reason x"));
	assert_true(ends(e.text, "..."));

	err_set(&e, EPERM, "%s", of_length(500));
	err_in(&e, "short");
	assert_int_equal(strncmp(e.text, "short: xxx", 10), 0);
	assert_true(strlen(e.text) >= 507 && strlen(e.text) < sizeof(e.text));
}

static void contexts_pile_up_without_end(void **state)
{
	struct err e = { 0 };

	(void)state;
	err_set(&e, EIO, "core");
	for (int i = 0; i < 1000; i++)
		err_in(&e, "level %d", i);
	assert_int_equal(strncmp(e.text, "level 999: level 998: ", 22), 0);
	assert_true(ends(e.text, "..."));
	assert_int_equal(e.code, EIO);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_verdict_has_a_code_and_forgets_the_last_one),
		cmocka_unit_test(the_code_is_never_zero_or_negative),
		cmocka_unit_test(a_failed_call_is_described),
		cmocka_unit_test(context_goes_before_and_leaves_the_rest),
		cmocka_unit_test(what_does_not_fit_says_so),
		cmocka_unit_test(a_long_path_does_not_hide_the_reason),
		cmocka_unit_test(long_context_and_long_error_share_the_room),
		cmocka_unit_test(contexts_pile_up_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
