/* Trees, the index of their keys, and the errors that name a place in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/keys.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct node *keyed(struct tree *t, const char *key, size_t len)
{
	struct node *n = tree_node(t, NODE_INTEGER, 1, 1);

	n->key = arena_dup_n(&t->arena, key, len);
	n->key_len = len;
	return n;
}

static void children_keep_their_order(void **state)
{
	auto_tree struct tree t = { 0 };
	struct node *table = tree_node(&t, NODE_TABLE, 3, 4), *a = keyed(&t, "a", 1),
		    *b = keyed(&t, "b", 1);

	(void)state;
	assert_null(node_get(table, "a"));
	node_append(table, a);
	node_append(table, b);
	assert_int_equal(table->line, 3);
	assert_int_equal(table->column, 4);
	assert_int_equal(table->count, 2);
	assert_ptr_equal(table->first, a);
	assert_ptr_equal(a->next, b);
	assert_ptr_equal(table->last, b);
	assert_null(b->next);
	assert_ptr_equal(node_get(table, "b"), b);
	assert_null(node_get(table, ""));
	/* Of what is no table, nothing. */
	assert_null(node_get(a, "a"));
}

static void keys_with_nul_are_no_prefixes(void **state)
{
	auto_tree struct tree t = { 0 };
	struct node *table = tree_node(&t, NODE_TABLE, 1, 1);

	(void)state;
	node_append(table, keyed(&t, "a\0b", 3));
	assert_null(node_get(table, "a"));
}

static void free_trees_may_be_freed_again(void **state)
{
	struct tree t = { 0 };

	(void)state;
	t.root = tree_node(&t, NODE_TABLE, 1, 1);
	tree_free(&t);
	assert_null(t.root);
	tree_free(&t);
}

static void the_index_tells_tables_apart(void **state)
{
	enum { KEYS = 1000 };
	auto_tree struct tree t = { 0 };
	auto_keys struct keys k = { 0 };
	struct node *tables[2] = { tree_node(&t, NODE_TABLE, 1, 1),
				   tree_node(&t, NODE_TABLE, 1, 1) };
	char name[32];

	(void)state;
	assert_null(keys_find(&k, tables[0], "k0", 2));
	for (size_t i = 0; i < KEYS; i++) {
		int len = snprintf(name, sizeof(name), "a longer key %zu", i);

		keys_append(&k, tables[i & 1], keyed(&t, name, (size_t)len));
	}
	for (size_t i = 0; i < KEYS; i++) {
		int len = snprintf(name, sizeof(name), "a longer key %zu", i);
		struct node *n = keys_find(&k, tables[i & 1], name, (size_t)len);

		assert_non_null(n);
		assert_string_equal(n->key, name);
		assert_null(keys_find(&k, tables[!(i & 1)], name, (size_t)len));
	}
	assert_int_equal(tables[0]->count, KEYS / 2);
	assert_int_equal(k.count, KEYS);
}

static void the_index_tells_lengths_apart(void **state)
{
	auto_tree struct tree t = { 0 };
	auto_keys struct keys k = { 0 };
	struct node *table = tree_node(&t, NODE_TABLE, 1, 1);

	(void)state;
	keys_append(&k, table, keyed(&t, "a", 1));
	assert_null(keys_find(&k, table, "a\0", 2));
	assert_null(keys_find(&k, table, "", 0));
	keys_append(&k, table, keyed(&t, "", 0));
	assert_non_null(keys_find(&k, table, "", 0));
}

static void errors_name_the_place(void **state)
{
	struct tree t = { .origin = "f.toml" };
	struct node n = { .line = 3, .column = 7 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(tree_err(&t, &n, &e, "no %s", "way"), -EINVAL);
	assert_int_equal(e.code, EINVAL);
	assert_string_equal(e.text, "f.toml:3:7: no way");
	n.column = 0;
	tree_err(&t, &n, &e, "no way");
	assert_string_equal(e.text, "f.toml:3: no way");
	n.line = 0;
	tree_err(&t, &n, &e, "no way");
	assert_string_equal(e.text, "f.toml: no way");
	tree_err(&t, NULL, &e, "no way");
	assert_string_equal(e.text, "f.toml: no way");
	t.origin = NULL;
	tree_err(&t, NULL, &e, "no way");
	assert_string_equal(e.text, "document: no way");
}

/* The message survives a path as long as paths can be. */
static void long_origins_leave_room(void **state)
{
	char origin[4096];
	struct tree t = { .origin = origin };
	struct node n = { .line = 1, .column = 2 };
	struct err e = { 0 };

	(void)state;
	memset(origin, 'x', sizeof(origin));
	memcpy(origin + sizeof(origin) - 8, "/f.toml", 8);
	tree_err(&t, &n, &e, "no way");
	assert_non_null(strstr(e.text, "/f.toml:1:2: no way"));
}

static void every_type_has_a_name(void **state)
{
	(void)state;
	for (int type = NODE_TABLE; type <= NODE_TIME_LOCAL; type++)
		assert_non_null(node_type_name((enum node_type)type));
	assert_string_equal(node_type_name(NODE_ARRAY), "an array");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(children_keep_their_order),
		cmocka_unit_test(keys_with_nul_are_no_prefixes),
		cmocka_unit_test(free_trees_may_be_freed_again),
		cmocka_unit_test(the_index_tells_tables_apart),
		cmocka_unit_test(the_index_tells_lengths_apart),
		cmocka_unit_test(errors_name_the_place),
		cmocka_unit_test(long_origins_leave_room),
		cmocka_unit_test(every_type_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
