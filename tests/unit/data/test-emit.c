/* The JSON writer: it writes JSON, whatever it is given, and the JSON reader gets it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/emit.h"
#include "data/tree.h"

#include <string.h>

static void emit_sample(struct emit *j)
{
	emit_open(j, NULL, '{');
	emit_string(j, "s", "x");
	emit_string(j, "none", NULL);
	emit_open(j, "list", '[');
	emit_int(j, NULL, -1);
	emit_open(j, NULL, '{');
	emit_close(j, '}');
	emit_bool(j, NULL, true);
	emit_close(j, ']');
	emit_open(j, "empty", '[');
	emit_close(j, ']');
	emit_uint(j, "u", UINT64_MAX);
	emit_int(j, "i", INT64_MIN);
	emit_close(j, '}');
}

static void compact_is_one_line(void **state)
{
	auto_buf struct buf b = { 0 };
	struct emit j = { .out = &b };

	(void)state;
	emit_sample(&j);
	assert_string_equal(b.text, "{\"s\":\"x\",\"none\":null,\"list\":[-1,{},true],\"empty\":[],"
				    "\"u\":18446744073709551615,\"i\":-9223372036854775808}");
	assert_int_equal(j.depth, 0);
}

static void pretty_is_indented(void **state)
{
	auto_buf struct buf b = { 0 };
	struct emit j = { .out = &b, .pretty = true };

	(void)state;
	emit_sample(&j);
	assert_string_equal(b.text, "{\n  \"s\": \"x\",\n  \"none\": null,\n  \"list\": [\n    "
				    "-1,\n    {},\n    true\n"
				    "  ],\n  \"empty\": [],\n  \"u\": 18446744073709551615,\n"
				    "  \"i\": -9223372036854775808\n}");
}

static void text_is(const char *text, size_t len, const char *expected)
{
	auto_buf struct buf b = { 0 };
	struct emit j = { .out = &b };

	emit_string_n(&j, NULL, text, len);
	assert_string_equal(b.text, expected);
}

static void text_is_escaped(void **state)
{
	(void)state;
	text_is("", 0, "\"\"");
	text_is("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
	text_is("\n\t\x01\x7f", 4, "\"\\u000a\\u0009\\u0001\\u007f\"");
	text_is("a\0b", 3, "\"a\\u0000b\"");
	text_is("caf\xc3\xa9 \xf0\x9f\x98\x80", 10, "\"caf\xc3\xa9 \xf0\x9f\x98\x80\"");
	text_is("\xffz", 2, "\"\xef\xbf\xbdz\"");
	text_is("\xc3", 1, "\"\xef\xbf\xbd\"");
	text_is("\xf0\x9f\x98", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	text_is("\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	text_is("\xc0\xaf", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

static void keys_are_escaped(void **state)
{
	auto_buf struct buf b = { 0 };
	struct emit j = { .out = &b };

	(void)state;
	emit_open(&j, NULL, '{');
	emit_int(&j, "a\"\n\xfe", 1);
	emit_close(&j, '}');
	assert_string_equal(b.text, "{\"a\\\"\\u000a\xef\xbf\xbd\":1}");
}

/* Every byte alone and every pair of bytes that matters, there and back. */
static void the_reader_agrees(void **state)
{
	(void)state;
	for (unsigned first = 1; first < 256; first++)
		for (unsigned second = 0; second < 256; second += second < 0x80 ? 0x7f : 1) {
			const char text[] = { (char)first, (char)second, 'z', '\0' };
			auto_buf struct buf b = { 0 };
			struct emit j = { .out = &b, .pretty = second & 1 };
			auto_tree struct tree t = { 0 };
			struct err e = { 0 };

			emit_open(&j, NULL, '{');
			emit_string(&j, "text", text);
			emit_int(&j, text, INT64_MAX);
			emit_close(&j, '}');
			if (json_parse("emitted", b.text, b.len, &t, &e) < 0)
				fail_msg("%s", e.text);
			assert_true(t.root->last->integer == INT64_MAX);
			if (str_is_utf8(text, strlen(text)))
				assert_string_equal(node_get(t.root, "text")->text, text);
			else
				assert_non_null(
					strstr(node_get(t.root, "text")->text, "\xef\xbf\xbd"));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compact_is_one_line), cmocka_unit_test(pretty_is_indented),
		cmocka_unit_test(text_is_escaped),     cmocka_unit_test(keys_are_escaped),
		cmocka_unit_test(the_reader_agrees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
