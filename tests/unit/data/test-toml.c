/*
 * The TOML reader: what the conformance cases do not say, which is places, limits and hostile
 * input.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/defer.h"
#include "base/str.h"
#include "data/tree.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In memory of exactly its size, so that a sanitizer sees a step beyond. */
static int parse_n(const char *text, size_t len, struct tree *ret, struct err *e)
{
	auto_free char *exact = malloc(len ? len : 1);

	memcpy(exact, text, len);
	return toml_parse("t", exact, len, ret, e);
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
	auto_tree struct tree t =
		parse("s = 'x'\ni = -9223372036854775808\nj = 0x7fff_ffff_ffff_ffff\n"
		      "f = -1.5e3\nn = -nan\nb = true\na = [1, 'two', [3]]\no = {x.y = 1}\n");
	const struct node *r = t.root, *a = node_get(r, "a");

	(void)state;
	assert_int_equal(r->type, NODE_TABLE);
	assert_int_equal(r->count, 8);
	assert_string_equal(node_get(r, "s")->text, "x");
	assert_true(node_get(r, "i")->integer == INT64_MIN);
	assert_true(node_get(r, "j")->integer == INT64_MAX);
	assert_true(node_get(r, "f")->number == -1500.0);
	assert_true(isnan(node_get(r, "n")->number));
	assert_true(node_get(r, "b")->boolean);
	assert_int_equal(a->type, NODE_ARRAY);
	assert_int_equal(a->count, 3);
	assert_null(a->first->key);
	assert_int_equal(a->last->first->integer, 3);
	assert_int_equal(node_get(node_get(node_get(r, "o"), "x"), "y")->integer, 1);
	assert_null(node_get(r, "absent"));
}

static void dates_are_normalised(void **state)
{
	static const struct {
		const char *in, *out;
		enum node_type type;
	} rows[] = {
		{ "1979-05-27t07:32:00z", "1979-05-27T07:32:00Z", NODE_DATETIME },
		{ "1979-05-27 07:32:00.5000-07:00", "1979-05-27T07:32:00.5-07:00", NODE_DATETIME },
		{ "1979-05-27T07:32:00.000", "1979-05-27T07:32:00", NODE_DATETIME_LOCAL },
		{ "2024-02-29", "2024-02-29", NODE_DATE_LOCAL },
		{ "07:32:00.123456789987", "07:32:00.123456789", NODE_TIME_LOCAL },
		{ "1990-12-31T23:59:60Z", "1990-12-31T23:59:60Z", NODE_DATETIME },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_buf struct buf text = { 0 };

		buf_printf(&text, "d = %s # noted\n", rows[i].in);
		auto_tree struct tree t = parse(text.text);

		assert_int_equal(t.root->first->type, rows[i].type);
		assert_string_equal(t.root->first->text, rows[i].out);
	}
	refuse("d = 1900-02-29", "t:1:5: no such date or time");
	refuse("d = 2000-13-01", "t:1:5: no such date or time");
	refuse("d = 24:00:00", "t:1:5: no such date or time");
	refuse("d = 10:00:00Z", "t:1:5: no such date or time");
	refuse("d = 10:00:00.", "t:1:5: no such date or time");
}

static void places_are_those_of_values(void **state)
{
	auto_tree struct tree t =
		parse("\xef\xbb\xbf"
		      "a = 1\r\n\n[t.u]\n  b = [\n\t'x',\n 2]\n[[v]]\nc = '''\n\n'''\nd=4");
	const struct node *b = node_get(node_get(node_get(t.root, "t"), "u"), "b");
	const struct node *v = node_get(t.root, "v")->first;

	(void)state;
	assert_int_equal(node_get(t.root, "a")->line, 1);
	assert_int_equal(node_get(t.root, "a")->column, 5);
	assert_int_equal(node_get(t.root, "t")->line, 3);
	assert_int_equal(node_get(t.root, "t")->column, 2);
	assert_int_equal(b->line, 4);
	assert_int_equal(b->column, 7);
	assert_int_equal(b->first->line, 5);
	assert_int_equal(b->first->column, 2);
	assert_int_equal(b->last->line, 6);
	assert_int_equal(v->line, 7);
	assert_int_equal(node_get(v, "d")->line, 11);
	assert_int_equal(node_get(v, "d")->column, 3);
}

static void errors_name_the_place(void **state)
{
	(void)state;
	refuse("a = 1\nb = \n", "t:2:5: expected a value here; text is written in quotes");
	refuse("a = 1 2", "t:1:7: expected the end of the line here");
	refuse("a = 1\na = 2", "t:2:1: \"a\" is already an integer, defined on line 1");
	refuse("[a]\n[a]", "t:2:2: \"a\" is already a table, defined on line 1");
	refuse("a = {b = 1}\n[a.c]", "t:2:2: \"a\" is already a table, defined on line 1");
	refuse("a = [1]\n[[a]]", "t:2:3: \"a\" is already an array, defined on line 1");
	refuse("a.b = 1\na = 2", "t:2:1: \"a\" is already a table, defined on line 1");
	refuse("a = 9223372036854775808", "t:1:5: this integer does not fit in 64 bits");
	refuse("a = -9223372036854775809", "t:1:5: this integer does not fit in 64 bits");
	refuse("a = 0xffffffffffffffff", "t:1:5: this integer does not fit in 64 bits");
	refuse("a = 1e999", "t:1:5: this number is too large");
	refuse("a = 007", "t:1:5: a number may not begin with a zero");
	refuse("a = 0b2", "t:1:5: not a number in base 2");
	refuse("a = hello", "t:1:5: expected a value here; text is written in quotes");
	refuse("a = 'x\nb = 2", "t:1:5: this string is not closed on its line");
	refuse("a = 1\nb = \"\"\"x\n\n", "t:2:5: this string is not closed");
	refuse("a = \"\\q\"", "t:1:6: unknown escape; write \\\\, or the string in single quotes");
	refuse("a = \"\\ud800\"", "t:1:6: U+D800 is not a Unicode character");
	refuse("a = \"\\U00110000\"", "t:1:6: U+110000 is not a Unicode character");
	refuse("a = [1,\n2", "t:1:5: this array is not closed");
	refuse("a = [1 2]", "t:1:8: expected , or ] here");
	refuse("a = {b = 1,\nc = 2}", "t:1:12: expected a key here");
	refuse("a 1", "t:1:3: expected = after the key \"a\"");
	refuse("[a", "t:1:3: expected ] here");
	refuse("\n[[a] ]", "t:2:4: expected ]] here");
}

static void control_characters_are_refused(void **state)
{
	(void)state;
	refuse_n("a = 1\n\0", 7, "t:2:1: control character 0x00");
	refuse_n("# \0\n", 4, "t:1:3: control character 0x00");
	refuse("a = 'x\x7f'", "t:1:7: control character 0x7f");
	refuse("a = 1\rb = 2", "t:1:6: carriage return without line feed");
	refuse("a = 1\r", "t:1:6: carriage return without line feed");
	refuse("a = '\xc0\xaf'", "t:1:6: byte 0xc0 is not valid UTF-8");
	refuse("a = 1\n# \xed\xa0\x80", "t:2:3: byte 0xed is not valid UTF-8");
	refuse("a = '\xf0\x9f\x98", "t:1:6: byte 0xf0 is not valid UTF-8");
}

static void strings_may_hold_nul(void **state)
{
	auto_tree struct tree t = parse("\"k\\u0000y\" = \"a\\u0000b\"\nk = 1\n\"\" = 2");
	const struct node *n = t.root->first;

	(void)state;
	assert_int_equal(n->key_len, 3);
	assert_memory_equal(n->key, "k\0y", 4);
	assert_int_equal(n->len, 3);
	assert_memory_equal(n->text, "a\0b", 4);
	assert_int_equal(node_get(t.root, "k")->integer, 1);
	assert_int_equal(node_get(t.root, "")->integer, 2);
}

static void add_times(struct buf *b, const char *text, size_t times)
{
	while (times--)
		buf_puts(b, text);
}

/* The root is one level, so that 63 remain. */
static void nest(const char *before, const char *open, const char *middle, const char *close,
		 size_t levels, const char *message)
{
	auto_buf struct buf b = { 0 };

	buf_puts(&b, before);
	add_times(&b, open, levels);
	buf_puts(&b, middle);
	add_times(&b, close, levels);
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
	nest("a = ", "[", "", "]", 63, NULL);
	nest("a = ", "[", "", "]", 64, "t:1:68: nested more than 64 levels deep");
	nest("a = ", "[", "", "", 1000000, "t:1:68: nested more than 64 levels deep");
	nest("a = ", "{a = ", "1", "}", 63, NULL);
	nest("a = ", "{a = ", "1", "}", 64, "t:1:320: nested more than 64 levels deep");
	nest("a", ".a", " = 1", "", 63, NULL);
	nest("a", ".a", " = 1", "", 64, "t:1:127: nested more than 64 levels deep");
	nest("[a", ".a", "]", "", 62, NULL);
	nest("[a", ".a", "]", "", 63, "t:1:128: nested more than 64 levels deep");
	nest("[[a", ".a", "]]", "", 61, NULL);
	nest("[a", ".a", "]\nb = [", "", 62, "t:2:5: nested more than 64 levels deep");
	nest("a = {a", ".a", " = [[]] }", "", 60, NULL);
	nest("a = {a", ".a", " = [[]] }", "", 61, "t:1:133: nested more than 64 levels deep");
}

static void size_is_limited(void **state)
{
	size_t len = TREE_MAX_BYTES + 1;
	auto_free char *text = malloc(len);
	auto_tree struct tree t = { 0 };
	struct err e = { 0 };

	(void)state;
	memset(text, '\n', len);
	assert_int_equal(toml_parse("big", text, len, &t, &e), -EFBIG);
	assert_string_equal(e.text, "big: larger than 16 MiB");
	assert_null(t.root);
	assert_int_equal(toml_parse("big", text, len - 1, &t, &e), 0);
	assert_int_equal(t.root->count, 0);
}

/* Quadratic work would take minutes here. */
static void many_keys_are_quick(void **state)
{
	enum { KEYS = 300000 };
	auto_buf struct buf b = { 0 };

	(void)state;
	for (int i = 0; i < KEYS; i++)
		buf_printf(&b, "k%d = %d\n", i, i);
	buf_puts(&b, "[t]\n");
	for (int i = 0; i < KEYS; i++)
		buf_printf(&b, "[t.k%d]\n", i);
	auto_tree struct tree t = parse(b.text);

	assert_int_equal(t.root->count, KEYS + 1);
	assert_int_equal(t.root->last->count, KEYS);
	buf_puts(&b, "[t.k7]\n");
	refuse_n(b.text, b.len, "t:600002:4: \"k7\" is already a table, defined on line 300009");
}

static const char sample[] =
	"# sample\r\ntitle = \"caf\xc3\xa9 \\u00e9\\n\"\n[a.\"b c\".'d']\nx = [1, 2.5, # c\n "
	"'y',]\n"
	"p = {q.r = 1979-05-27 07:32:00Z, s = {}}\nm = \"\"\"\\\n  text \"\" \"\"\"\"\"\n"
	"l = '''\nraw\\'''\n[[e]]\nf = -inf\ng = 0x_\n";

/*
 * Whatever is cut off or changed: a tree, or an error with a place; never both, and no sanitizer
 * speaks.
 */
static void try_hostile(const char *text, size_t len)
{
	struct tree t = { 0 };
	struct err e = { 0 };
	int r = parse_n(text, len, &t, &e);

	if (r == 0) {
		assert_int_equal(t.root->type, NODE_TABLE);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_true(str_starts(e.text, "t:"));
		assert_null(t.root);
	}
	tree_free(&t);
}

static void truncated_documents_do_no_harm(void **state)
{
	(void)state;
	for (size_t len = 0; len < sizeof(sample); len++)
		try_hostile(sample, len);
}

static void changed_documents_do_no_harm(void **state)
{
	static const char bytes[] = "\0\n\r\t \"'\\[]{}=,.#0e-_:u\x7f\x80\xc3\xff";
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
		cmocka_unit_test(dates_are_normalised),
		cmocka_unit_test(places_are_those_of_values),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(control_characters_are_refused),
		cmocka_unit_test(strings_may_hold_nul),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(many_keys_are_quick),
		cmocka_unit_test(truncated_documents_do_no_harm),
		cmocka_unit_test(changed_documents_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
