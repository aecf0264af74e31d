#include "data/keys.h"
#include "base/defer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

struct keys_slot {
	uint64_t hash;
	const struct node *table;
	struct node *child; /* NULL: the slot is free */
};

enum { KEYS_FIRST_SIZE = 64 };

void keys_free(struct keys *k)
{
	free(k->slots);
	*k = (struct keys){ 0 };
}

static uint64_t mix(uint64_t h, uint64_t word, uint64_t factor)
{
	unsigned __int128 product = (unsigned __int128)(h ^ word) * (factor | 1);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash(const struct keys *k, const struct node *table, const char *key, size_t len)
{
	uint64_t h = mix(k->seed[0] ^ len, (uintptr_t)table, k->seed[1]);

	for (size_t n; len; key += n, len -= n) {
		uint64_t word = 0;

		n = len < sizeof(word) ? len : sizeof(word);
		memcpy(&word, key, n);
		h = mix(h, word, k->seed[1]);
	}
	return mix(h, k->seed[0], k->seed[1]);
}

static bool is_key(const struct keys_slot *s, uint64_t h, const struct node *table, const char *key,
		   size_t len)
{
	return s->hash == h && s->table == table && s->child->key_len == len &&
	       memcmp(s->child->key, key, len) == 0;
}

struct node *keys_find(const struct keys *k, const struct node *table, const char *key, size_t len)
{
	uint64_t h;

	if (!k->size)
		return NULL;
	h = hash(k, table, key, len);
	for (size_t i = h & (k->size - 1); k->slots[i].child; i = (i + 1) & (k->size - 1))
		if (is_key(&k->slots[i], h, table, key, len))
			return k->slots[i].child;
	return NULL;
}

static void put(struct keys *k, struct keys_slot slot)
{
	size_t i = slot.hash & (k->size - 1);

	while (k->slots[i].child)
		i = (i + 1) & (k->size - 1);
	k->slots[i] = slot;
}

/*
 * The program's own random bytes; without them (no such kernel is left) only the speed of hostile
 * input suffers.
 */
static void seed(struct keys *k)
{
	const void *random = (const void *)getauxval(AT_RANDOM);

	if (random)
		memcpy(k->seed, random, sizeof(k->seed));
}

static void grow(struct keys *k)
{
	struct keys old = *k;

	if (!k->size)
		seed(k);
	k->size = old.size ? old.size * 2 : KEYS_FIRST_SIZE;
	k->slots = mem_alloc(k->size * sizeof(*k->slots));
	for (size_t i = 0; i < old.size; i++)
		if (old.slots[i].child)
			put(k, old.slots[i]);
	free(old.slots);
}

void keys_append(struct keys *k, struct node *table, struct node *child)
{
	if (k->count * 2 >= k->size)
		grow(k);
	put(k, (struct keys_slot){ hash(k, table, child->key, child->key_len), table, child });
	k->count++;
	node_append(table, child);
}
