/*
 * An index of the keys of a tree while it is built: which table has which key, in constant time, so
 * that a document made of a million keys is refused or read in a second. The hash is keyed with the
 * kernel's randomness, against documents made to collide. All zero is an empty index. Private to
 * this folder.
 */
#pragma once

#include "data/tree.h"

struct keys {
	struct keys_slot *slots; /* owned */
	size_t count, size;
	uint64_t seed[2];
};

void keys_free(struct keys *k);
#define auto_keys auto_(keys_free)

/* The child of @table called so, or NULL. Borrowed from the tree. */
struct node *keys_find(const struct keys *k, const struct node *table, const char *key, size_t len);

/* Appends @child to @table under its key, which is not yet there, and remembers it. */
void keys_append(struct keys *k, struct node *table, struct node *child);
