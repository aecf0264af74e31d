/* The JSON reader: stricter than cJSON, and with places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defer.h"
#include "base/str.h"
#include "data/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* In memory of exactly its size, so that a sanitizer sees a step beyond. */
static int parse_n(const char *text, size_t len, struct tree *ret, struct err *e)
{
	auto_free char *exact = malloc(len ? len : 1);

	memcpy(exact, text, len);
	return json_parse("j", exact, len, ret, e);
}

static struct tree parse(const char *text)
{
	struct tree t = { 0 };
	struct err e = { 0 };

	if (parse_n(text, strlen(text), &t, &e) < 0)
		fail_msg("%s", e.text);
	return t;
}

static void refuse_n(const char *text, size_t len, const char *message)
{
	struct tree t = { 0 };
	struct err e = { 0 };

	assert_int_equal(parse_n(text, len, &t, &e), -EINVAL);
	assert_int_equal(e.code, EINVAL);
	assert_string_equal(e.text, message);
	assert_null(t.root);
	assert_null(t.arena.blocks);
}

static void refuse(const char *text, const char *message)
{
	refuse_n(text, strlen(text), message);
}

static void values_have_types(void **state)
{
	auto_tree struct tree t = parse(
		" {\"s\": \"x\\u00e9\\ud83d\\ude00\\n\", \"n\": null, \"t\": true, \"f\": false,"
		"\"a\": [1, [], {}], \"\": {\"x\": 2}} \r\n");
	const struct node *r = t.root;

	(void)state;
	assert_int_equal(r->count, 6);
	assert_string_equal(node_get(r, "s")->text, "x\xc3\xa9\xf0\x9f\x98\x80\n");
	assert_int_equal(node_get(r, "n")->type, NODE_NULL);
	assert_true(node_get(r, "t")->boolean);
	assert_int_equal(node_get(r, "f")->type, NODE_BOOL);
	assert_false(node_get(r, "f")->boolean);
	assert_int_equal(node_get(r, "a")->count, 3);
	assert_null(node_get(r, "a")->first->key);
	assert_int_equal(node_get(node_get(r, ""), "x")->integer, 2);
}

static void integer_is(const char *text, int64_t value)
{
	auto_buf struct buf b = { 0 };

	buf_printf(&b, "{\"n\":%s}", text);
	auto_tree struct tree t = parse(b.text);

	assert_int_equal(t.root->first->type, NODE_INTEGER);
	assert_true(t.root->first->integer == value);
}

static void float_is(const char *text, double value)
{
	auto_buf struct buf b = { 0 };

	buf_printf(&b, "{\"n\":%s}", text);
	auto_tree struct tree t = parse(b.text);

	assert_int_equal(t.root->first->type, NODE_FLOAT);
	assert_true(t.root->first->number == value);
}

static void integers_are_exact(void **state)
{
	(void)state;
	integer_is("0", 0);
	integer_is("-0", 0);
	integer_is("9007199254740993", 9007199254740993);
	integer_is("9223372036854775807", INT64_MAX);
	integer_is("-9223372036854775808", INT64_MIN);
	integer_is("1e3", 1000);
	integer_is("1.50E+1", 15);
	integer_is("3.000", 3);
	float_is("1.5", 1.5);
	float_is("-0.25e-2", -0.0025);
	float_is("9007199254740993.0", 9007199254740992.0);
	float_is("4503599627370497.25", 4503599627370497.0);
	float_is("1e300", 1e300);
	refuse("{\"n\": 9223372036854775808}", "j:1:7: this integer does not fit in 64 bits");
	refuse("{\"n\": -9223372036854775809}", "j:1:7: this integer does not fit in 64 bits");
	refuse("{\"n\": 10000000000000000000000000000000000000}",
	       "j:1:7: this integer does not fit in 64 bits");
	refuse("{\"n\": 1e999}", "j:1:7: this number is too large");
}

static void numbers_follow_the_grammar(void **state)
{
	static const char *const wrong[] = { "01", "-01", "1.", "-.5", "1.e3", "1e+", "-" };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		auto_buf struct buf b = { 0 };
		struct tree t = { 0 };
		struct err e = { 0 };

		buf_printf(&b, "{\n\"n\": %s}", wrong[i]);
		assert_int_equal(parse_n(b.text, b.len, &t, &e), -EINVAL);
		assert_string_equal(e.text, "j:2:6: not a number as JSON writes it");
		assert_null(t.root);
	}
}

static void places_are_those_of_values(void **state)
{
	auto_tree struct tree t = parse("\n{\"a\": 1,\n \"b\" : [\n  {\"c\": \"x\"}, 2]}");
	const struct node *b = node_get(t.root, "b");

	(void)state;
	assert_int_equal(t.root->line, 2);
	assert_int_equal(t.root->column, 1);
	assert_int_equal(node_get(t.root, "a")->line, 2);
	assert_int_equal(node_get(t.root, "a")->column, 7);
	assert_int_equal(b->line, 3);
	assert_int_equal(b->column, 8);
	assert_int_equal(node_get(b->first, "c")->line, 4);
	assert_int_equal(node_get(b->first, "c")->column, 9);
	assert_int_equal(b->last->column, 15);
}

static void errors_name_the_place(void **state)
{
	(void)state;
	refuse("{\"a\": 1,\n \"b\": tru}", "j:2:7: expected true here");
	refuse("{\"a\": 1,\n \"a\": 2}", "j:2:2: \"a\" is already an integer, defined on line 1");
	refuse("{\"a\": {\"b\": 1, \"\\u0062\": 2}}",
	       "j:1:16: \"b\" is already an integer, defined on line 1");
	refuse("{} x", "j:1:4: text after the end of the JSON value");
	refuse("{}{}", "j:1:3: text after the end of the JSON value");
	refuse("{}\n\n]", "j:3:1: text after the end of the JSON value");
	refuse("[1]", "j:1:1: expected an object here, not an array");
	refuse("\n  \"x\"", "j:2:3: expected an object here, not a string");
	refuse("{\"a\": \"x\ny\"}", "j:1:9: control character in a string");
	refuse("{\"a\tb\": 1}", "j:1:4: control character in a string");
	refuse("{\"a\": \"\\u0000\"}", "j:1:8: a string may not contain the character NUL");
	refuse("{\"a\\u0000b\": 1}", "j:1:4: a string may not contain the character NUL");
	refuse("{\"a\": \"\\uzzzz\"}", "j:1:8: \\u takes four hexadecimal digits");
	refuse("{\"a\": \"x", "j:1:7: this string is not closed");
	refuse("{\"a\": [1, 2", "j:1:12: expected , or ] here");
	refuse("", "j:1:1: expected a value here");
	refuse("{\"a\": 1,}", "j:1:9: expected text in double quotes here");
	refuse("{\"a\": [1,\n]}", "j:2:1: expected a value here");
	refuse("{\"a\": \"\\q\"}", "j:1:8: unknown escape; a backslash is written \\\\");
	refuse("{\"a\" 1}", "j:1:6: expected : here");
	refuse("{\"a\":\n \"\\ud800\"}", "j:2:3: cJSON refuses what stands here");
	refuse("{'a': 1}", "j:1:2: expected text in double quotes here");
	refuse("{\"a\": NaN}", "j:1:7: expected a value here");
	refuse("{\"a\": 1 // no\n}", "j:1:9: expected , or } here");
}

static void encoding_is_checked(void **state)
{
	(void)state;
	refuse_n("{}\0", 3, "j:1:3: control character 0x00");
	refuse_n("{\"a\": \"x\0y\"}", 12, "j:1:9: control character 0x00");
	refuse("{\"a\":\x01 1}", "j:1:6: control character 0x01");
	refuse("{\"a\": \"\xff\"}", "j:1:8: byte 0xff is not valid UTF-8");
	refuse("{\n\"\xc0\x80\": 1}", "j:2:2: byte 0xc0 is not valid UTF-8");
	refuse("{\"a\": \"\xed\xa0\x80\"}", "j:1:8: byte 0xed is not valid UTF-8");
	auto_tree struct tree t = parse("\xef\xbb\xbf{\"a\": 1}");

	assert_int_equal(t.root->first->column, 7);
	refuse("\xef\xbb\xbf\xef\xbb\xbf{}", "j:1:1: expected { here");
}

static void nest(const char *open, const char *middle, const char *close, size_t levels,
		 const char *message)
{
	auto_buf struct buf b = { 0 };

	buf_puts(&b, "{\"a\":");
	for (size_t i = 0; i < levels; i++)
		buf_puts(&b, open);
	buf_puts(&b, middle);
	for (size_t i = 0; i < levels; i++)
		buf_puts(&b, close);
	buf_puts(&b, "}");
	if (message) {
		refuse_n(b.text, b.len, message);
	} else {
		auto_tree struct tree t = parse(b.text);

		assert_int_equal(t.root->count, 1);
	}
}

static void nesting_is_limited(void **state)
{
	(void)state;
	nest("[", "", "]", 63, NULL);
	nest("[", "", "]", 64, "j:1:69: nested more than 64 levels deep");
	nest("[", "", "", 1000000, "j:1:69: nested more than 64 levels deep");
	nest("{\"a\":", "1", "}", 63, NULL);
	nest("{\"a\":", "1", "}", 64, "j:1:321: nested more than 64 levels deep");
	nest("[\n", "", "]", 64, "j:64:1: nested more than 64 levels deep");
	/* Brackets in strings do not count. */
	nest("[", "\"[[[[[[[[[[[[\\\"[[[[[[[[[[{{{{{{{{{{{{\"", "]", 40, NULL);
}

static void size_is_limited(void **state)
{
	size_t len = TREE_MAX_BYTES + 1;
	auto_free char *text = malloc(len);
	auto_tree struct tree t = { 0 };
	struct err e = { 0 };

	(void)state;
	memset(text, ' ', len);
	memcpy(text, "{}", 2);
	assert_int_equal(json_parse("big", text, len, &t, &e), -EFBIG);
	assert_string_equal(e.text, "big: larger than 16 MiB");
	assert_null(t.root);
	assert_int_equal(json_parse("big", text, len - 1, &t, &e), 0);
}

/* Quadratic work would take minutes here. */
static void many_keys_are_quick(void **state)
{
	enum { KEYS = 300000 };
	auto_buf struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "{");
	for (int i = 0; i < KEYS; i++)
		buf_printf(&b, "\"k%d\": %d,\n", i, i);
	buf_puts(&b, "\"k7\": 0}");
	refuse_n(b.text, b.len, "j:300001:1: \"k7\" is already an integer, defined on line 8");
	b.text[b.len - 3] = '\0';
	memcpy(b.text + b.len - 8, "\"x\": 0}", 8);
	auto_tree struct tree t = parse(b.text);

	assert_int_equal(t.root->count, KEYS + 1);
}

static const char sample[] = "{\"title\": \"caf\xc3\xa9 \\u00e9\\ud83d\\ude00\\n\\\\\",\r\n \"a\": "
			     "[1, -2.5e1, true, null, []],\n"
			     " \"b\": {\"c\": {}, \"d\": false}, \"e\": 123456789012345678}\n";

/*
 * Whatever is cut off or changed: a tree, or an error with a place; never both, and no sanitizer
 * speaks.
 */
static int try_hostile(const char *text, size_t len)
{
	struct tree t = { 0 };
	struct err e = { 0 };
	int r = parse_n(text, len, &t, &e);

	if (r == 0) {
		assert_int_equal(t.root->type, NODE_TABLE);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_true(str_starts(e.text, "j:"));
		assert_null(t.root);
	}
	tree_free(&t);
	return r;
}

static void truncated_documents_are_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(sample) - 2; len++)
		assert_int_equal(try_hostile(sample, len), -EINVAL);
	assert_int_equal(try_hostile(sample, sizeof(sample) - 2), 0);
	assert_int_equal(try_hostile(sample, sizeof(sample) - 1), 0);
}

static void changed_documents_do_no_harm(void **state)
{
	static const char bytes[] = "\0\n\r\t \"'\\[]{}=,.:0e-u\x7f\x80\xc3\xff";
	char text[sizeof(sample)];

	(void)state;
	for (size_t i = 0; i < sizeof(sample) - 1; i++)
		for (size_t j = 0; j < sizeof(bytes) - 1; j++) {
			memcpy(text, sample, sizeof(sample));
			text[i] = bytes[j];
			try_hostile(text, sizeof(sample) - 1);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_have_types),
		cmocka_unit_test(integers_are_exact),
		cmocka_unit_test(numbers_follow_the_grammar),
		cmocka_unit_test(places_are_those_of_values),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(encoding_is_checked),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(many_keys_are_quick),
		cmocka_unit_test(truncated_documents_are_refused),
		cmocka_unit_test(changed_documents_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
