/*
 * TOML's structure. The rules of what may be defined again, in the words of the flags below: a
 * header names a table once; it may pass through any table, and through an array of tables into its
 * last element; a dotted key passes only through tables that dotted keys made (which, since it
 * starts at the table of its section, are those of its own section); into an inline table or an
 * array written as a value nothing passes. See https://toml.io/en/v1.0.0.
 */
#include "base/defer.h"
#include "data/toml_value.h"

enum {
	TOML_HEADER = 1 << 0, /* table that a [header] has named */
	TOML_DOTTED = 1 << 1, /* table made by a dotted key */
	TOML_CLOSED = 1 << 2, /* inline table or array: complete */
	TOML_TABLES = 1 << 3, /* array of tables, [[so]] */
};

static void release(struct toml *t)
{
	keys_free(&t->keys);
	buf_free(&t->scratch);
}

static int enter(struct toml *t, struct place at)
{
	if (++t->depth > TREE_MAX_DEPTH)
		return text_err(&t->text, at, "nested more than %d levels deep", TREE_MAX_DEPTH);
	return 0;
}

static int already(struct toml *t, struct place at, const struct node *old)
{
	return text_err(&t->text, at, "\"%s\" is already %s, defined on line %u", t->scratch.text,
			node_type_name(old->type), old->line);
}

static void skip_comment(struct text *x)
{
	if (text_peek(x) != '#')
		return;
	while (x->p < x->end && *x->p != '\n')
		x->p++;
	/* The CR of CR LF belongs to the line end. */
	if (x->p[-1] == '\r')
		x->p--;
}

/* Blank space inside arrays: lines and comments count as such. */
static void skip_space(struct text *x)
{
	do {
		text_skip_blanks(x);
		skip_comment(x);
	} while (text_newline(x));
}

static int line_end(struct text *x)
{
	text_skip_blanks(x);
	skip_comment(x);
	if (x->p == x->end || text_newline(x))
		return 0;
	return text_err(x, text_here(x), "expected the end of the line here");
}

/* One part of a key into scratch, and whether a dot, which is passed, announces another. */
static int key_part(struct toml *t, struct place *ret_at, bool *ret_more)
{
	struct text *x = &t->text;
	int r;

	text_skip_blanks(x);
	*ret_at = text_here(x);
	r = toml_key(t);
	if (r < 0)
		return r;
	text_skip_blanks(x);
	*ret_more = text_peek(x) == '.';
	if (*ret_more)
		x->p++;
	return 0;
}

/* A new child of @table, called what scratch says. */
static struct node *add(struct toml *t, struct node *table, enum node_type type, struct place at,
			unsigned flags)
{
	struct node *n = text_node(&t->text, type, at);

	n->key = arena_dup_n(&t->text.tree->arena, t->scratch.text, t->scratch.len);
	n->key_len = t->scratch.len;
	n->flags = flags;
	keys_append(&t->keys, table, n);
	return n;
}

static struct node *find(struct toml *t, const struct node *table)
{
	return keys_find(&t->keys, table, t->scratch.text, t->scratch.len);
}

/* [a.b.c] at a or b: @table moves into it, which is made if need be. */
static int pass_header(struct toml *t, struct place at, struct node **table)
{
	struct node *child = find(t, *table);

	if (!child)
		child = add(t, *table, NODE_TABLE, at, 0);
	if (child->flags & TOML_TABLES) {
		child = child->last;
		if (enter(t, at) < 0)
			return -t->text.e->code;
	}
	if (child->type != NODE_TABLE || child->flags & TOML_CLOSED)
		return already(t, at, child);
	*table = child;
	return enter(t, at);
}

/* [a.b.c] at c */
static int open_table(struct toml *t, struct place at, struct node **table)
{
	struct node *child = find(t, *table);

	if (!child)
		child = add(t, *table, NODE_TABLE, at, 0);
	if (child->type != NODE_TABLE || child->flags)
		return already(t, at, child);
	child->flags = TOML_HEADER;
	*table = child;
	return enter(t, at);
}

/* [[a.b.c]] at c */
static int open_element(struct toml *t, struct place at, struct node **table)
{
	struct node *child = find(t, *table), *element;

	if (!child)
		child = add(t, *table, NODE_ARRAY, at, TOML_TABLES);
	if (!(child->flags & TOML_TABLES))
		return already(t, at, child);
	element = text_node(&t->text, NODE_TABLE, at);
	element->flags = TOML_HEADER;
	node_append(child, element);
	*table = element;
	if (enter(t, at) < 0)
		return -t->text.e->code;
	return enter(t, at);
}

static int header(struct toml *t)
{
	struct text *x = &t->text;
	bool array = text_at(x, "[["), more;
	struct node *table = x->tree->root;
	struct place at;
	int r;

	x->p += array ? 2 : 1;
	t->depth = 1;
	do {
		r = key_part(t, &at, &more);
		if (r < 0)
			return r;
		if (more)
			r = pass_header(t, at, &table);
		else
			r = array ? open_element(t, at, &table) : open_table(t, at, &table);
		if (r < 0)
			return r;
	} while (more);
	if (!text_at(x, array ? "]]" : "]"))
		return text_err(x, text_here(x), "expected %s here", array ? "]]" : "]");
	x->p += array ? 2 : 1;
	t->table = table;
	t->table_depth = t->depth;
	return 0;
}

static int value(struct toml *t, struct node **ret_node);

/* a.b.c = ... at a or b */
static int pass_dotted(struct toml *t, struct place at, struct node **table)
{
	struct node *child = find(t, *table);

	if (!child)
		child = add(t, *table, NODE_TABLE, at, TOML_DOTTED);
	if (!(child->flags & TOML_DOTTED))
		return already(t, at, child);
	*table = child;
	return enter(t, at);
}

/* key = value, below @table. */
static int pair(struct toml *t, struct node *table)
{
	struct text *x = &t->text;
	unsigned depth = t->depth;
	struct node *child;
	const char *key;
	struct place at;
	size_t key_len;
	bool more;
	int r;

	while ((r = key_part(t, &at, &more)) == 0 && more)
		if ((r = pass_dotted(t, at, &table)) < 0)
			return r;
	if (r < 0)
		return r;
	child = find(t, table);
	if (child)
		return already(t, at, child);
	/* Kept aside, for the value may need scratch. */
	key_len = t->scratch.len;
	key = arena_dup_n(&x->tree->arena, t->scratch.text, key_len);
	if (text_peek(x) != '=')
		return text_err(x, text_here(x), "expected = after the key \"%s\"", key);
	x->p++;
	text_skip_blanks(x);
	r = value(t, &child);
	if (r < 0)
		return r;
	child->key = key;
	child->key_len = key_len;
	keys_append(&t->keys, table, child);
	t->depth = depth;
	return 0;
}

static int array(struct toml *t, struct node *n, struct place start)
{
	struct text *x = &t->text;

	x->p++;
	for (;;) {
		struct node *child;
		int r;

		skip_space(x);
		if (text_peek(x) == ']')
			break;
		if (x->p == x->end)
			return text_err(x, start, "this array is not closed");
		r = value(t, &child);
		if (r < 0)
			return r;
		node_append(n, child);
		skip_space(x);
		if (text_peek(x) == ',')
			x->p++;
		else if (x->p < x->end && *x->p != ']')
			return text_err(x, text_here(x), "expected , or ] here");
	}
	x->p++;
	return 0;
}

static int inline_table(struct toml *t, struct node *n)
{
	struct text *x = &t->text;
	int r;

	x->p++;
	text_skip_blanks(x);
	if (text_peek(x) == '}') {
		x->p++;
		return 0;
	}
	for (;;) {
		r = pair(t, n);
		if (r < 0)
			return r;
		text_skip_blanks(x);
		if (text_peek(x) == '}')
			break;
		if (text_peek(x) != ',')
			return text_err(x, text_here(x), "expected , or } here, on the same line");
		x->p++;
	}
	x->p++;
	return 0;
}

static int value(struct toml *t, struct node **ret_node)
{
	struct place at = text_here(&t->text);
	int r, c = text_peek(&t->text);

	if (c != '[' && c != '{')
		return toml_scalar(t, ret_node);
	r = enter(t, at);
	if (r < 0)
		return r;
	*ret_node = text_node(&t->text, c == '[' ? NODE_ARRAY : NODE_TABLE, at);
	(*ret_node)->flags = TOML_CLOSED;
	r = c == '[' ? array(t, *ret_node, at) : inline_table(t, *ret_node);
	t->depth--;
	return r;
}

static int line(struct toml *t)
{
	struct text *x = &t->text;
	int r = 0, c;

	text_skip_blanks(x);
	c = text_peek(x);
	if (c == '[') {
		r = header(t);
	} else if (c != -1 && c != '#' && c != '\n' && c != '\r') {
		t->depth = t->table_depth;
		r = pair(t, t->table);
	}
	return r < 0 ? r : line_end(x);
}

int toml_parse(const char *origin, const char *text, size_t len, struct tree *ret, struct err *e)
{
	auto_tree struct tree tree = { 0 };
	auto_(release) struct toml t = { .table_depth = 1 };
	int r = text_open(&t.text, &tree, origin, text, len, TEXT_PLAIN, e);

	if (r < 0)
		return r;
	tree.root = t.table = tree_node(&tree, NODE_TABLE, 1, 1);
	while (t.text.p < t.text.end) {
		r = line(&t);
		if (r < 0)
			return r;
	}
	*ret = tree;
	tree = (struct tree){ 0 };
	return 0;
}
