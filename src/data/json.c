/*
 * JSON by way of cJSON, which decides what the text means; and because cJSON accepts more than RFC
 * 8259 and says nothing about places, the text is passed over once more in step with its tree. On
 * this second way all is refused that cJSON 1.7 lets through: numbers such as 01, 1. or -.5, and
 * integers that its double cannot hold; control characters in strings; \u with four characters that
 * are no digits, which it takes for \u0000, which in turn ends its string early; the same key
 * twice; text after the value.
 */
#include "base/defer.h"
#include "base/str.h"
#include "data/keys.h"
#include "data/text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>

struct json {
	struct text text;
	struct keys keys; /* owned */
};

static void release(struct json *j)
{
	keys_free(&j->keys);
}

static void delete_item(cJSON **item)
{
	cJSON_Delete(*item);
}

static void skip_space(struct text *x)
{
	const char *p = x->p;

	while (p < x->end && strchr(" \t\r\n", *p))
		p++;
	text_seek(x, p);
}

/*
 * cJSON recurses as deep as the text does, up to a limit that is its builder's choice: asked before
 * it starts.
 */
static int check_depth(struct text ahead)
{
	unsigned depth = 0;
	bool in_string = false;

	for (size_t step; ahead.p < ahead.end; text_seek(&ahead, ahead.p + step)) {
		char c = *ahead.p;

		step = 1;
		if (in_string && c == '\\' && ahead.p + 1 < ahead.end)
			step = 2;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '{' || c == '[') && ++depth > TREE_MAX_DEPTH)
			return text_err(&ahead, text_here(&ahead),
					"nested more than %d levels deep", TREE_MAX_DEPTH);
		else if (!in_string && (c == '}' || c == ']') && depth)
			depth--;
	}
	return 0;
}

/* Passes @byte, with blank space around it. */
static int expect(struct text *x, char byte)
{
	skip_space(x);
	if (text_peek(x) != byte)
		return text_err(x, text_here(x), "expected %c here", byte);
	x->p++;
	skip_space(x);
	return 0;
}

static int unicode_escape(struct text *x)
{
	char digits[5] = { 0 };

	memcpy(digits, x->p + 2, x->end - x->p < 6 ? 0 : 4);
	if (strspn(digits, "0123456789abcdefABCDEF") != 4)
		return text_err(x, text_here(x), "\\u takes four hexadecimal digits");
	if (str_eq(digits, "0000"))
		return text_err(x, text_here(x), "a string may not contain the character NUL");
	return 0;
}

/* Passes a string that cJSON has understood, and checks what it does not. */
static int pass_string(struct text *x)
{
	struct place start = text_here(x);
	int r;

	if (text_peek(x) != '"')
		return text_err(x, start, "expected text in double quotes here");
	for (x->p++; x->p < x->end && *x->p != '"'; x->p++) {
		if ((unsigned char)*x->p < 0x20)
			return text_err(x, text_here(x), "control character in a string");
		if (*x->p != '\\' || x->end - x->p < 2)
			continue;
		if (!strchr("\"\\/bfnrtu", x->p[1]))
			return text_err(x, text_here(x),
					"unknown escape; a backslash is written \\\\");
		r = x->p[1] == 'u' ? unicode_escape(x) : 0;
		if (r < 0)
			return r;
		x->p++;
	}
	if (x->p == x->end)
		return text_err(x, start, "this string is not closed");
	x->p++;
	return 0;
}

static const char *skip_digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

struct decimal {
	const char *end; /* NULL: not a number after the grammar of RFC 8259 */
	bool plain;	 /* neither fraction nor exponent */
	long scale;	 /* exponent less digits of the fraction; integral from 0 up */
};

/*
 * Passes the exponent's digits; what it adds to the scale, saturated far beyond what a double can
 * hold.
 */
static const char *exponent(const char *p, const char *end, long *scale)
{
	enum { EXPONENT_MAX = 100000 };
	bool negative = p < end && *p == '-';
	const char *start;
	long n = 0;

	p += p < end && (*p == '+' || *p == '-');
	start = p;
	for (p = skip_digits(p, end); start < p && n < EXPONENT_MAX; start++)
		n = n * 10 + (*start - '0');
	*scale += negative ? -n : n;
	return p;
}

static struct decimal scan_number(const char *p, const char *end)
{
	struct decimal d = { .plain = true };
	const char *start, *last;

	p += p < end && *p == '-';
	start = p;
	p = skip_digits(p, end);
	if (p == start || (*start == '0' && p - start > 1))
		return d;
	if (p < end && *p == '.') {
		d.plain = false;
		start = ++p;
		p = last = skip_digits(p, end);
		if (p == start)
			return d;
		while (last > start && last[-1] == '0')
			last--;
		d.scale = -(last - start);
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		d.plain = false;
		p = exponent(p + 1, end, &d.scale);
		if (p[-1] < '0' || p[-1] > '9')
			return d;
	}
	d.end = p;
	return d;
}

static int plain_integer(struct text *x, const char *end, int64_t *ret)
{
	char digits[32] = { 0 };
	size_t len = (size_t)(end - x->p);

	memcpy(digits, x->p, len < sizeof(digits) ? len : 0);
	errno = 0;
	*ret = strtoll(digits, NULL, 10);
	if (errno || len >= sizeof(digits))
		return text_err(x, text_here(x), "this integer does not fit in 64 bits");
	return 0;
}

/*
 * The number as it is written, for cJSON has rounded it. 1.0 and 1e3 are integers too, as far as a
 * double counts every one of them.
 */
static int number(struct text *x, double rounded, struct node *n)
{
	static const double exact = 9007199254740992.0; /* 2^53 */
	struct decimal d = scan_number(x->p, x->end);
	int r = 0;

	if (!d.end)
		return text_err(x, text_here(x), "not a number as JSON writes it");
	if (!isfinite(rounded))
		return text_err(x, text_here(x), "this number is too large");
	n->type = NODE_INTEGER;
	if (d.plain) {
		r = plain_integer(x, d.end, &n->integer);
	} else if (d.scale >= 0 && fabs(rounded) < exact) {
		n->integer = (int64_t)rounded;
	} else {
		n->type = NODE_FLOAT;
		n->number = rounded;
	}
	x->p = d.end;
	return r;
}

static int string(struct text *x, const char *content, struct node *n)
{
	n->type = NODE_STRING;
	n->len = strlen(content);
	n->text = arena_dup_n(&x->tree->arena, content, n->len);
	return pass_string(x);
}

static int pass_word(struct text *x, const char *word)
{
	if (!text_at(x, word))
		return text_err(x, text_here(x), "expected %s here", word);
	x->p += strlen(word);
	return 0;
}

static int value(struct json *j, const cJSON *item, struct node *n);

/* A member's key, up to its value. */
static int member(struct json *j, const struct node *table, const cJSON *item, struct node *n)
{
	struct text *x = &j->text;
	struct place at = text_here(x);
	const struct node *old;
	int r = pass_string(x);

	if (r < 0)
		return r;
	n->key_len = strlen(item->string);
	n->key = arena_dup_n(&x->tree->arena, item->string, n->key_len);
	old = keys_find(&j->keys, table, n->key, n->key_len);
	if (old)
		return text_err(x, at, "\"%s\" is already %s, defined on line %u", n->key,
				node_type_name(old->type), old->line);
	return expect(x, ':');
}

static int container(struct json *j, const cJSON *item, struct node *n)
{
	struct text *x = &j->text;
	bool is_table = cJSON_IsObject(item);
	int r = expect(x, is_table ? '{' : '[');

	n->type = is_table ? NODE_TABLE : NODE_ARRAY;
	for (const cJSON *i = item->child; r == 0 && i; i = i->next) {
		struct node *child = tree_node(x->tree, NODE_NULL, 0, 0);

		r = is_table ? member(j, n, i, child) : 0;
		r = r < 0 ? r : value(j, i, child);
		if (r < 0)
			return r;
		if (is_table)
			keys_append(&j->keys, n, child);
		else
			node_append(n, child);
		skip_space(x);
		r = i->next ? expect(x, ',') : 0;
	}
	if (r < 0)
		return r;
	if (text_peek(x) != (is_table ? '}' : ']'))
		return text_err(x, text_here(x), "expected %c here", is_table ? '}' : ']');
	x->p++;
	return 0;
}

static int value(struct json *j, const cJSON *item, struct node *n)
{
	struct text *x = &j->text;
	struct place at = text_here(x);

	n->line = at.line;
	n->column = at.column;
	if (cJSON_IsObject(item) || cJSON_IsArray(item))
		return container(j, item, n);
	if (cJSON_IsString(item))
		return string(x, item->valuestring, n);
	if (cJSON_IsNumber(item))
		return number(x, item->valuedouble, n);
	n->type = cJSON_IsNull(item) ? NODE_NULL : NODE_BOOL;
	n->boolean = cJSON_IsTrue(item);
	return pass_word(x, cJSON_IsNull(item) ? "null" : cJSON_IsTrue(item) ? "true" : "false");
}

static int explain(struct text *x);

static int explain_container(struct text *x, char open, char close)
{
	int r = expect(x, open);

	if (r == 0 && text_peek(x) == close) {
		x->p++;
		return 0;
	}
	while (r == 0) {
		if (open == '{' && ((r = pass_string(x)) < 0 || (r = expect(x, ':')) < 0))
			return r;
		r = explain(x);
		if (r < 0)
			return r;
		skip_space(x);
		if (text_peek(x) == close)
			break;
		if (text_peek(x) != ',')
			return text_err(x, text_here(x), "expected , or %c here", close);
		r = expect(x, ',');
	}
	if (r == 0)
		x->p++;
	return r;
}

/*
 * Finds what is wrong with a value that cJSON has refused without a reason. 0 if it is right, then
 * the cursor is after it.
 */
static int explain(struct text *x)
{
	struct place at = text_here(x);
	struct decimal d;
	int c = text_peek(x);

	if (c == '{')
		return explain_container(x, '{', '}');
	if (c == '[')
		return explain_container(x, '[', ']');
	if (c == '"')
		return pass_string(x);
	if (c == 't' || c == 'f' || c == 'n')
		return pass_word(x, c == 't' ? "true" : c == 'f' ? "false" : "null");
	if (c != '-' && (c < '0' || c > '9'))
		return text_err(x, at, "expected a value here");
	d = scan_number(x->p, x->end);
	if (!d.end)
		return text_err(x, at, "not a number as JSON writes it");
	x->p = d.end;
	return 0;
}

static int read_items(struct text *x, cJSON **ret_root)
{
	/*
	 * Terminated, and the NUL counted: some releases of cJSON look one byte past a text that is
	 * cut short.
	 */
	auto_free char *copy = mem_dup_n(x->p, (size_t)(x->end - x->p));
	const char *stop = copy;
	struct text again = *x;

	*ret_root = cJSON_ParseWithLengthOpts(copy, (size_t)(x->end - x->p) + 1, &stop, false);
	if (*ret_root)
		return 0;
	skip_space(&again);
	if (explain(&again) < 0)
		return -x->e->code;
	/* A lone surrogate, a number of more than 60 digits: cJSON's own limits. */
	again = *x;
	text_seek(&again, x->p + (stop - copy) < x->end ? x->p + (stop - copy) : x->end);
	return text_err(x, text_here(&again), "cJSON refuses what stands here");
}

int json_parse(const char *origin, const char *text, size_t len, struct tree *ret, struct err *e)
{
	auto_tree struct tree tree = { 0 };
	auto_(release) struct json j = { 0 };
	auto_(delete_item) cJSON *root = NULL;
	struct text *x = &j.text;
	int r = text_open(x, &tree, origin, text, len, TEXT_DEL | TEXT_BARE_CR, e);

	if (r < 0 || (r = check_depth(*x)) < 0 || (r = read_items(x, &root)) < 0)
		return r;
	skip_space(x);
	tree.root = tree_node(&tree, NODE_TABLE, 0, 0);
	r = value(&j, root, tree.root);
	if (r < 0)
		return r;
	skip_space(x);
	if (x->p < x->end)
		return text_err(x, text_here(x), "text after the end of the JSON value");
	if (tree.root->type != NODE_TABLE)
		return tree_err(&tree, tree.root, e, "expected an object here, not %s",
				node_type_name(tree.root->type));
	*ret = tree;
	tree = (struct tree){ 0 };
	return 0;
}
