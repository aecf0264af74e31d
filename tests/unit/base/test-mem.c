/* base/mem: arrays that grow, arenas that hold. */
#include "base/mem.h"
#include "base/defer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void memory_is_zero(void **state)
{
	auto_free char *p = mem_alloc(100000), *none = mem_alloc(0);

	(void)state;
	assert_non_null(none);
	for (size_t i = 0; i < 100000; i++)
		assert_int_equal(p[i], 0);
}

static void an_array_grows_by_one(void **state)
{
	auto_free uint32_t *a = NULL;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		a = mem_grow(a, i, sizeof(*a));
		a[i] = i;
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_int_equal(a[i], i);
}

static void copies_are_terminated(void **state)
{
	auto_free char *n = mem_dup_n("abcdef", 3), *all = mem_dup("abc"),
		       *printed = mem_printf("%s-%d", "x", 7);

	(void)state;
	assert_string_equal(n, "abc");
	assert_string_equal(all, "abc");
	assert_string_equal(printed, "x-7");
}

static void an_arena_keeps_all_it_gave(void **state)
{
	enum { N = 3000 };
	struct arena a = { 0 };
	char *given[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		given[i] = arena_alloc(&a, i);
		assert_int_equal((uintptr_t)given[i] % _Alignof(max_align_t), 0);
		for (size_t k = 0; k < i; k++)
			assert_int_equal(given[i][k], 0);
		memset(given[i], (int)(i % 251), i);
	}
	for (size_t i = 0; i < N; i++)
		for (size_t k = 0; k < i; k++)
			assert_int_equal((unsigned char)given[i][k], i % 251);
	arena_free(&a);
	assert_null(a.blocks);
	arena_free(&a);
}

static void an_arena_takes_what_is_larger_than_a_block(void **state)
{
	struct arena a = { 0 };
	char *small = arena_dup_n(&a, "small", 5), *large = arena_alloc(&a, 1 << 20);

	(void)state;
	memset(large, 'x', 1 << 20);
	assert_string_equal(small, "small");
	assert_string_equal(arena_dup_n(&a, "a\0b", 3), "a");
	arena_free(&a);
}

static void sizes_that_cannot_be_end_the_process_with_125(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		close(STDERR_FILENO);
		mem_grow(NULL, (size_t)1 << 62, 16);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 125);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_zero),
		cmocka_unit_test(an_array_grows_by_one),
		cmocka_unit_test(copies_are_terminated),
		cmocka_unit_test(an_arena_keeps_all_it_gave),
		cmocka_unit_test(an_arena_takes_what_is_larger_than_a_block),
		cmocka_unit_test(sizes_that_cannot_be_end_the_process_with_125),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
