/*
 * TOML's words: keys, strings, numbers, dates. toml.c puts them into tables. Private to these two
 * files.
 */
#pragma once

#include "base/str.h"
#include "data/keys.h"
#include "data/text.h"

struct toml {
	struct text text;
	struct keys keys;     /* owned */
	struct buf scratch;   /* owned: the key or string just read */
	struct node *table;   /* which the keys of this line go into */
	unsigned depth;       /* tables and arrays around the cursor, the root included */
	unsigned table_depth; /* the same for table */
};

/* Reads one part of a key, bare or quoted, into scratch. */
int toml_key(struct toml *t);

/* Reads a value that is neither an array nor an inline table. */
int toml_scalar(struct toml *t, struct node **ret_node);
