/* The INI reader: only what iniparser reads in one way, with places. */
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
	return ini_parse("i", exact, len, ret, e);
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

static void sections_become_tables(void **state)
{
	auto_tree struct tree t =
		parse("# c\n[ Run ]\r\nname = web\nCamel = 'a # b' ; c\nempty =\n\n"
		      "; c\n[env]\n\tPATH=/bin:/usr/bin  # c\nq = \"it's\"\nz = \"\"\nw= a = b\nu "
		      "= caf\xc3\xa9\n[none]");
	const struct node *run = node_get(t.root, "Run"), *env = node_get(t.root, "env");

	(void)state;
	assert_int_equal(t.root->count, 3);
	assert_int_equal(run->type, NODE_TABLE);
	assert_string_equal(node_get(run, "name")->text, "web");
	assert_int_equal(node_get(run, "name")->type, NODE_STRING);
	assert_string_equal(node_get(run, "Camel")->text, "a # b");
	assert_string_equal(node_get(run, "empty")->text, "");
	assert_string_equal(node_get(env, "PATH")->text, "/bin:/usr/bin");
	assert_string_equal(node_get(env, "q")->text, "it's");
	assert_string_equal(node_get(env, "z")->text, "");
	assert_string_equal(node_get(env, "w")->text, "a = b");
	assert_string_equal(node_get(env, "u")->text, "caf\xc3\xa9");
	assert_int_equal(node_get(t.root, "none")->count, 0);
	assert_int_equal(env->line, 8);
	assert_int_equal(env->column, 2);
	assert_int_equal(node_get(env, "PATH")->line, 9);
	assert_int_equal(node_get(env, "PATH")->column, 7);
}

static void every_trap_is_closed(void **state)
{
	(void)state;
	refuse("a = 1\n[s]\n", "i:1:1: this key stands before the first [section]");
	refuse("[s]\na = 1\nb = 2\nA = 3", "i:4:1: key \"a\" is already there, on line 2");
	refuse("[s]\n[t]\n[S]", "i:3:2: section \"s\" is already there, on line 1");
	refuse("[s]\na = x \\\n b", "i:2:7: a line may not end in a backslash");
	refuse("# comment \\\n[s]", "i:1:11: a line may not end in a backslash");
	refuse("[s]\na = x#y", "i:2:6: a value that contains # is written in quotes");
	refuse("[s]\na = http://h/;x", "i:2:14: a value that contains ; is written in quotes");
	refuse("[s]\na = sh -c \"b ; c\"", "i:2:14: a value that contains ; is written in quotes");
	refuse("[s]\na = \"x", "i:2:5: this quote is not closed on its line");
	refuse("[s]\na = \"x\" y", "i:2:9: text after the closing quote");
	refuse("[s]\na = \"x\\\"y\"", "i:2:5: a value with a backslash is written without quotes");
	refuse("[s]\n = x", "i:2:2: this key has no name");
	refuse("[]", "i:1:2: this section has no name");
	refuse("[s:t]", "i:1:1: a section's name may not contain [, ] or :");
	refuse("[s] [t]", "i:1:1: a section's name may not contain [, ] or :");
	refuse("[s", "i:1:1: a section is written [name], alone on its line");
	refuse("[s] # c", "i:1:1: a section is written [name], alone on its line");
	refuse("[", "i:1:1: a section is written [name], alone on its line");
	refuse("[s]\nx", "i:2:1: expected [section] or key = value");
	refuse("[s]\nwords", "i:2:1: expected [section] or key = value");
}

static void encoding_is_checked(void **state)
{
	(void)state;
	refuse_n("[s]\na = x\0y", 11, "i:2:6: control character 0x00");
	refuse("[s]\na = \xff", "i:2:5: byte 0xff is not valid UTF-8");
	refuse("[s]\ra = 1", "i:1:4: carriage return without line feed");
	refuse("[s]\na = \x1b[31m", "i:2:5: control character 0x1b");
	auto_tree struct tree t = parse("\xef\xbb\xbf[s]\na = 1");

	assert_string_equal(node_get(node_get(t.root, "s"), "a")->text, "1");
}

static void empty_documents_are_empty_tables(void **state)
{
	static const char *const documents[] = { "", "\n", "\n\n \t\r\n", "# c", ";" };

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		auto_tree struct tree t = parse(documents[i]);

		assert_int_equal(t.root->type, NODE_TABLE);
		assert_int_equal(t.root->count, 0);
	}
}

static void repeat(struct buf *b, char c, size_t times)
{
	while (times--)
		buf_add(b, &c, 1);
}

/* A line just short enough arrives complete. */
static void lines_are_limited(void **state)
{
	auto_buf struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "[s]\na = ");
	repeat(&b, 'x', 996);
	auto_tree struct tree t = parse(b.text);

	assert_int_equal(t.root->first->first->len, 996);
	buf_puts(&b, "x\n");
	refuse(b.text, "i:2:1: this line is longer than 1000 bytes");
}

static void names_are_limited(void **state)
{
	auto_buf struct buf b = { 0 };
	char name[251];

	(void)state;
	memset(name, 'n', 250);
	name[250] = '\0';
	buf_printf(&b, "[%s]\n%s = x\n", name, name);
	auto_tree struct tree t = parse(b.text);

	assert_string_equal(node_get(t.root->first, name)->text, "x");
	buf_printf(&b, "%sn = x\n", name);
	refuse(b.text, "i:3:1: the name of this key is longer than 250 bytes");
}

static void numbers_are_limited(void **state)
{
	auto_buf struct buf b = { 0 };

	(void)state;
	buf_puts(&b, "[s]\n");
	for (int i = 0; i < 4095; i++)
		buf_printf(&b, "k%d = %d\n", i, i);
	auto_tree struct tree t = parse(b.text);

	assert_int_equal(t.root->first->count, 4095);
	assert_string_equal(t.root->first->last->text, "4094");
	buf_puts(&b, "one = more\n");
	refuse(b.text, "i:4097:1: more than 4096 sections and keys");
}

static void size_is_limited(void **state)
{
	size_t len = TREE_MAX_BYTES + 1;
	auto_free char *text = malloc(len);
	auto_tree struct tree t = { 0 };
	struct err e = { 0 };

	(void)state;
	memset(text, '\n', len);
	assert_int_equal(ini_parse("big", text, len, &t, &e), -EFBIG);
	assert_null(t.root);
	assert_int_equal(ini_parse("big", text, len - 1, &t, &e), 0);
}

static const char sample[] = "; c\r\n[run]\nname = \"caf\xc3\xa9\" # c\nport=80\n\n[env]\nA = 'b' "
			     "; c\nB = c d ; e\nC =\n";

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
		assert_true(str_starts(e.text, "i:"));
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
	static const char bytes[] = "\0\n\r\t \"'\\[]=:;#%\x7f\x80\xc3\xff";
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
		cmocka_unit_test(sections_become_tables),
		cmocka_unit_test(every_trap_is_closed),
		cmocka_unit_test(encoding_is_checked),
		cmocka_unit_test(empty_documents_are_empty_tables),
		cmocka_unit_test(lines_are_limited),
		cmocka_unit_test(names_are_limited),
		cmocka_unit_test(numbers_are_limited),
		cmocka_unit_test(size_is_limited),
		cmocka_unit_test(truncated_documents_do_no_harm),
		cmocka_unit_test(changed_documents_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
