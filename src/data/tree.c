#include "data/tree.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tree_free(struct tree *t)
{
	arena_free(&t->arena);
	*t = (struct tree){ 0 };
}

const struct node *node_get(const struct node *table, const char *key)
{
	size_t len = strlen(key);

	if (table->type != NODE_TABLE)
		return NULL;
	for (const struct node *n = table->first; n; n = n->next)
		if (n->key_len == len && memcmp(n->key, key, len) == 0)
			return n;
	return NULL;
}

const char *node_type_name(enum node_type type)
{
	static const char *const names[] = {
		[NODE_TABLE] = "a table",
		[NODE_ARRAY] = "an array",
		[NODE_STRING] = "a string",
		[NODE_INTEGER] = "an integer",
		[NODE_FLOAT] = "a float",
		[NODE_BOOL] = "a boolean",
		[NODE_NULL] = "null",
		[NODE_DATETIME] = "a date and time",
		[NODE_DATETIME_LOCAL] = "a local date and time",
		[NODE_DATE_LOCAL] = "a local date",
		[NODE_TIME_LOCAL] = "a local time",
	};

	return names[type];
}

struct node *tree_node(struct tree *t, enum node_type type, unsigned line, unsigned column)
{
	struct node *n = arena_alloc(&t->arena, sizeof(*n));

	n->type = type;
	n->line = line;
	n->column = column;
	return n;
}

void node_append(struct node *parent, struct node *child)
{
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	parent->count++;
}

/* What a long path ends in tells more than how it begins, and must leave room for the message. */
static const char *short_origin(const char *origin)
{
	enum { ORIGIN_SHOWN = 200 };
	size_t n = origin ? strlen(origin) : 0;

	if (!origin)
		return "document";
	return n > ORIGIN_SHOWN ? origin + n - ORIGIN_SHOWN : origin;
}

int tree_err(const struct tree *t, const struct node *at, struct err *e, const char *fmt, ...)
{
	const char *origin = short_origin(t->origin);
	char message[sizeof(e->text)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	if (!at || !at->line)
		return err_set(e, EINVAL, "%s: %s", origin, message);
	if (!at->column)
		return err_set(e, EINVAL, "%s:%u: %s", origin, at->line, message);
	return err_set(e, EINVAL, "%s:%u:%u: %s", origin, at->line, at->column, message);
}
