/* base/str: what is printed is safe, what is suggested is near. */
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void starts_and_ends(void **state)
{
	(void)state;
	assert_true(str_starts("--name", "--"));
	assert_true(str_starts("", ""));
	assert_false(str_starts("-", "--"));
	assert_true(str_ends("a.conf", ".conf"));
	assert_false(str_ends("conf", ".conf"));
	assert_true(str_ends("x", ""));
}

static void printable_means_no_control_characters(void **state)
{
	(void)state;
	assert_true(str_is_printable(""));
	assert_true(str_is_printable("caf\xc3\xa9 ~"));
	assert_false(str_is_printable("a\nb"));
	assert_false(str_is_printable("\x1b[2J"));
	assert_false(str_is_printable("\x7f"));
}

static void utf8_is_judged_as_in_rfc_3629(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool valid;
	} cases[] = {
		{ "", 0, true },
		{ "a\0b", 3, true },
		{ "\xc3\xa9", 2, true },
		{ "\xe2\x82\xac", 3, true },
		{ "\xf0\x9f\x90\xa7", 4, true },
		{ "\xf4\x8f\xbf\xbf", 4, true },      /* U+10FFFF */
		{ "\xf4\x90\x80\x80", 4, false },     /* above it */
		{ "\xc0\x80", 2, false },	      /* overlong NUL */
		{ "\xe0\x9f\xbf", 3, false },	      /* overlong */
		{ "\xf0\x8f\xbf\xbf", 4, false },     /* overlong */
		{ "\xed\xa0\x80", 3, false },	      /* surrogate */
		{ "\xed\x9f\xbf", 3, true },	      /* just below */
		{ "\x80", 1, false },
		{ "\xff", 1, false },
		{ "\xf8\x88\x80\x80\x80", 5, false },
		{ "\xe2\x82", 2, false },	      /* cut short */
		{ "ok\xc3", 3, false },
		{ "\xc3(", 2, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (str_is_utf8(cases[i].text, cases[i].len) != cases[i].valid)
			fail_msg("case %zu", i);
}

static const char *const names[] = { "run", "doctor", NULL, "memory", "workdir", "workspace", "workspace-mode", "env", "tty" };

static const char *name(size_t i)
{
	return names[i];
}

static const char *nearest(const char *word)
{
	return str_nearest(word, name, sizeof(names) / sizeof(*names));
}

static void the_nearest_name_is_one_that_can_be_meant(void **state)
{
	(void)state;
	assert_string_equal(nearest("memory"), "memory");
	assert_string_equal(nearest("memroy"), "memory");
	assert_string_equal(nearest("emory"), "memory");
	assert_string_equal(nearest("doctro"), "doctor");
	assert_string_equal(nearest("rnu"), "run");
	assert_string_equal(nearest("workspace-mod"), "workspace-mode");
	assert_null(nearest("xyz"));
	assert_null(nearest("bananas"));
	assert_null(nearest("ps"));
	assert_null(nearest(""));
	/* Two edits of three letters are another word. */
	assert_null(nearest("pty-"));
	assert_null(nearest("top"));
}

static void a_word_cut_short_is_completed_unless_another_is_nearer(void **state)
{
	(void)state;
	assert_string_equal(nearest("work"), "workdir");
	assert_string_equal(nearest("works"), "workspace");
	assert_string_equal(nearest("worspace"), "workspace");
	assert_null(nearest("wor"));
}

static void very_long_words_are_near_to_nothing(void **state)
{
	char word[5000];

	(void)state;
	memset(word, 'm', sizeof(word));
	word[sizeof(word) - 1] = '\0';
	assert_null(nearest(word));
}

static void a_buffer_grows_and_stays_terminated(void **state)
{
	auto_buf struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "");
	assert_string_equal(b.text, "");
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%d,", i % 10);
	assert_int_equal(b.len, 2000);
	assert_int_equal(strlen(b.text), 2000);
	buf_add(&b, "\0x", 2);
	assert_int_equal(b.len, 2002);
	assert_memory_equal(b.text + 1998, "9,\0x", 5);
}

static void an_empty_printf_is_a_text(void **state)
{
	auto_buf struct buf b = { 0 };

	(void)state;
	buf_printf(&b, "%s", "");
	assert_non_null(b.text);
	assert_string_equal(b.text, "");
}

static void escaped(const char *in, size_t len, const char *out)
{
	auto_buf struct buf b = { 0 };

	buf_puts(&b, "");
	buf_escaped(&b, in, len);
	assert_string_equal(b.text, out);
}

static void escaping_leaves_nothing_that_moves_a_cursor(void **state)
{
	(void)state;
	escaped("", 0, "");
	escaped("plain caf\xc3\xa9", 11, "plain caf\xc3\xa9");
	escaped("a\nb\r\t", 5, "a\\x0ab\\x0d\\x09");
	escaped("\x1b[31m", 5, "\\x1b[31m");
	escaped("\x7f\0", 2, "\\x7f\\x00");
	escaped("\\x0a", 4, "\\\\x0a");
	escaped("\xc2\x9b" "2J", 4, "\\xc2\\x9b2J"); /* C1 CSI */
	escaped("\xc2\xa0", 2, "\xc2\xa0");
	escaped("\xff\xc3", 2, "\\xff\\xc3");
	escaped("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
	escaped("\xe2\x82", 2, "\\xe2\\x82");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_and_ends),
		cmocka_unit_test(printable_means_no_control_characters),
		cmocka_unit_test(utf8_is_judged_as_in_rfc_3629),
		cmocka_unit_test(the_nearest_name_is_one_that_can_be_meant),
		cmocka_unit_test(a_word_cut_short_is_completed_unless_another_is_nearer),
		cmocka_unit_test(very_long_words_are_near_to_nothing),
		cmocka_unit_test(a_buffer_grows_and_stays_terminated),
		cmocka_unit_test(an_empty_printf_is_a_text),
		cmocka_unit_test(escaping_leaves_nothing_that_moves_a_cursor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
