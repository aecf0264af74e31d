/* base/path: paths as text. */
#include "base/path.h"
#include "base/defer.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void under_ends_at_a_component(void **state)
{
	(void)state;
	assert_true(path_is_under("/a/b", "/a"));
	assert_true(path_is_under("/a", "/a"));
	assert_true(path_is_under("/a", "/"));
	assert_true(path_is_under("/", "/"));
	assert_false(path_is_under("/ab", "/a"));
	assert_false(path_is_under("/a", "/a/b"));
	assert_false(path_is_under("/", "/a"));
}

static void clean_is_lexical_and_never_leaves_the_root(void **state)
{
	static const char *const cases[][3] = {
		{ "/", "a", "/a" },
		{ "/", "", "/" },
		{ "/", ".", "/" },
		{ "/", "..", "/" },
		{ "/", "../../..", "/" },
		{ "/x/y", "../z", "/x/z" },
		{ "/x/y", "../../../z", "/z" },
		{ "/x/y", "/z", "/z" },
		{ "/x//y/", "./a//b/./c/", "/x/y/a/b/c" },
		{ "/", "//a///b//", "/a/b" },
		{ "/", "/a/..", "/" },
		{ "/", "/a/../b", "/b" },
		{ "/", "/a/./../b/..", "/" },
		{ "/", "/...", "/..." },
		{ "/", "/..a/.b", "/..a/.b" },
		{ "/", "/a/b/../../c", "/c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_free char *got = path_clean(cases[i][0], cases[i][1]);

		assert_string_equal(got, cases[i][2]);
	}
}

static void clean_takes_any_length(void **state)
{
	enum { N = 100000 };
	auto_free char *path = mem_alloc(3 * N + 1), *got = NULL;

	(void)state;
	for (size_t i = 0; i < N; i++)
		memcpy(path + 3 * i, i < N / 2 ? "/aa" : "/..", 3);
	got = path_clean("/", path);
	assert_string_equal(got, "/");
}

static void the_name_is_behind_the_last_slash(void **state)
{
	(void)state;
	assert_string_equal(path_name("/a/b"), "b");
	assert_string_equal(path_name("b"), "b");
	assert_string_equal(path_name("/a/"), "");
	assert_string_equal(path_name(""), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(under_ends_at_a_component),
		cmocka_unit_test(clean_is_lexical_and_never_leaves_the_root),
		cmocka_unit_test(clean_takes_any_length),
		cmocka_unit_test(the_name_is_behind_the_last_slash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
