/*
 * libFuzzer: any bytes to the JSON reader. It gives a tree or an error, never both, and touches
 * nothing else.
 */
#include "base/str.h"
#include "data/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every node can be visited, is where it may be, and its texts can be read to the end. */
static size_t visit(const struct node *n, unsigned depth)
{
	size_t bytes = n->key ? strlen(n->key) : 0, count = 0;

	if (depth > TREE_MAX_DEPTH || !n->line || !n->column)
		abort();
	if (n->type == NODE_STRING || n->type >= NODE_DATETIME) {
		if (n->text[n->len] != '\0' || !str_is_utf8(n->text, n->len))
			abort();
		return bytes + n->len;
	}
	if (n->type != NODE_TABLE && n->type != NODE_ARRAY)
		return bytes;
	for (const struct node *child = n->first; child; child = child->next, count++) {
		if (!child->key != (n->type == NODE_ARRAY))
			abort();
		bytes += visit(child,
			       depth + (child->type == NODE_TABLE || child->type == NODE_ARRAY));
	}
	if (count != n->count)
		abort();
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree t = { 0 };
	struct err e = { 0 };
	int r = json_parse("fuzz", (const char *)data, size, &t, &e);

	if (r == 0) {
		if (t.root->type != NODE_TABLE)
			abort();
		visit(t.root, 1);
	} else if (r != -EINVAL || e.code != EINVAL || !str_starts(e.text, "fuzz:") || t.root) {
		abort();
	} else if (str_starts(e.text, "fuzz: ")) {
		/* No place: a library and its reader disagree. */
		abort();
	}
	tree_free(&t);
	return 0;
}
