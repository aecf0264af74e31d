/*
 * TOML on standard input, toml-test's tagged JSON on standard output; status 1 and a message for
 * invalid input.
 */
#include "base/defer.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "data/tree.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Not emit_string(): keys of TOML may hold NUL. The reader has seen to valid UTF-8. */
static void put_string(struct buf *out, const char *text, size_t len)
{
	buf_puts(out, "\"");
	for (; len; text++, len--) {
		if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\')
			buf_printf(out, "\\u%04x", (unsigned char)*text);
		else
			buf_add(out, text, 1);
	}
	buf_puts(out, "\"");
}

static const char *tag(enum node_type type)
{
	static const char *const tags[] = {
		[NODE_STRING] = "string",
		[NODE_INTEGER] = "integer",
		[NODE_FLOAT] = "float",
		[NODE_BOOL] = "bool",
		[NODE_DATETIME] = "datetime",
		[NODE_DATETIME_LOCAL] = "datetime-local",
		[NODE_DATE_LOCAL] = "date-local",
		[NODE_TIME_LOCAL] = "time-local",
	};

	return tags[type];
}

static void put_scalar(struct buf *out, const struct node *n)
{
	buf_printf(out, "{\"type\":\"%s\",\"value\":", tag(n->type));
	if (n->type == NODE_INTEGER)
		buf_printf(out, "\"%" PRId64 "\"", n->integer);
	else if (n->type == NODE_FLOAT && isnan(n->number))
		buf_puts(out, "\"nan\"");
	else if (n->type == NODE_FLOAT)
		buf_printf(out, "\"%.17g\"", n->number);
	else if (n->type == NODE_BOOL)
		buf_puts(out, n->boolean ? "\"true\"" : "\"false\"");
	else
		put_string(out, n->text, n->len);
	buf_puts(out, "}");
}

static void put(struct buf *out, const struct node *n)
{
	if (n->type != NODE_TABLE && n->type != NODE_ARRAY) {
		put_scalar(out, n);
		return;
	}
	buf_puts(out, n->type == NODE_TABLE ? "{" : "[");
	for (const struct node *child = n->first; child; child = child->next) {
		if (child->key) {
			put_string(out, child->key, child->key_len);
			buf_puts(out, ":");
		}
		put(out, child);
		if (child->next)
			buf_puts(out, ",");
	}
	buf_puts(out, n->type == NODE_TABLE ? "}" : "]");
}

int main(void)
{
	auto_free char *text = NULL;
	auto_tree struct tree tree = { 0 };
	auto_buf struct buf out = { 0 };
	struct err e = { 0 };
	size_t len = 0;
	int r = fd_read_all(STDIN_FILENO, TREE_MAX_BYTES, &text, &len);

	if (r < 0) {
		fprintf(stderr, "standard input: %s\n", strerror(-r));
		return 1;
	}
	if (toml_parse("stdin", text, len, &tree, &e) < 0) {
		log_err(&e);
		return 1;
	}
	put(&out, tree.root);
	buf_puts(&out, "\n");
	return fd_write_all(STDOUT_FILENO, out.text, out.len) < 0;
}
