/*
 * A parsed document: what TOML, JSON and INI have in common, with the line of everything, so that an error about
 * a value can name the place where it was written. A tree owns all it holds in one arena; nodes and strings are
 * borrowed from it until tree_free(). Known to spec/ (and to state and OCI documents), to nobody above.
 */
#pragma once

#include "base/defer.h"
#include "base/err.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TREE_MAX_DEPTH = 64,	      /* nesting of tables and arrays that any reader accepts */
	TREE_MAX_BYTES = 16 << 20,    /* size of a document that any reader accepts */
};

enum node_type {
	NODE_TABLE,
	NODE_ARRAY,
	NODE_STRING,
	NODE_INTEGER,
	NODE_FLOAT,
	NODE_BOOL,
	NODE_NULL,	     /* JSON only */
	NODE_DATETIME,	     /* TOML only, as are the next three: text holds the normalised value */
	NODE_DATETIME_LOCAL,
	NODE_DATE_LOCAL,
	NODE_TIME_LOCAL,
};

struct node {
	enum node_type type;
	unsigned line, column;	/* of the value; from 1; 0 where unknown */
	const char *key;	/* in a table, else NULL; may be empty */
	size_t key_len;		/* keys of TOML and JSON may hold NUL */
	union {
		struct {
			const char *text; /* NODE_STRING and the dates; terminated, may hold NUL inside */
			size_t len;
		};
		int64_t integer;
		double number;
		bool boolean;
		struct {
			struct node *first, *last; /* children of a table or array, in the order of the document */
			size_t count;
		};
	};
	struct node *next;
	unsigned flags; /* private to the reader */
};

struct tree {
	struct arena arena;
	const char *origin;	/* file name for errors, in the arena */
	struct node *root;	/* always a table after a successful parse */
};

void tree_free(struct tree *t);
#define auto_tree auto_(tree_free)

/* The child called @key, or NULL. Linear: documents for people are small. */
const struct node *node_get(const struct node *table, const char *key);

/* "a string", "an array", ...: for sentences in errors. */
const char *node_type_name(enum node_type type);

/* For readers: a node of @type at this place; and putting it last into a table (with key) or array (key NULL). */
struct node *tree_node(struct tree *t, enum node_type type, unsigned line, unsigned column);
void node_append(struct node *parent, struct node *child);

/* "origin:line:column: ..." with EINVAL, for readers and for whoever finds fault with a value. */
int tree_err(const struct tree *t, const struct node *at, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * The readers. @text has @len bytes and need not be valid in any way; @origin names it in errors. On success
 * *ret is a tree that the caller releases with tree_free(); on failure it is untouched. EINVAL for what the
 * format forbids (with line and column), EFBIG above TREE_MAX_BYTES.
 */

/* TOML 1.0.0 (toml.io), strictly: exact 64-bit integers, duplicate and redefined keys refused. */
int toml_parse(const char *origin, const char *text, size_t len, struct tree *ret, struct err *e);

/* JSON (RFC 8259) through cJSON, and stricter than it: duplicate keys, text after the value, invalid UTF-8 refused.
 * The top must be an object. */
int json_parse(const char *origin, const char *text, size_t len, struct tree *ret, struct err *e);

/* INI through iniparser: sections become tables of strings; a key outside a section is refused. */
int ini_parse(const char *origin, const char *text, size_t len, struct tree *ret, struct err *e);
