/*
 * Memory. Nucleus is a short-lived program with small data: where the machine has no memory left there is nothing
 * to clean up that the kernel would not, so these do not fail; they end the process with status 125 (in the
 * half that becomes the workload, its parent sees the death and reports the stage).
 */
#pragma once

#include <stddef.h>

/* Zeroed. The caller owns the result and releases it with free(). */
void *mem_alloc(size_t size);
#define mem_new(type) ((type *)mem_alloc(sizeof(type)))

/* Grows an array of @count elements so that one more fits; returns it, perhaps moved, as realloc() does. */
void *mem_grow(void *array, size_t count, size_t element_size);

char *mem_dup(const char *text);
char *mem_dup_n(const char *text, size_t len);
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * An arena: many small allocations that live and die together. All zero is an empty one. Pointers from it are
 * valid until arena_free().
 */
struct arena {
	struct arena_block *blocks;
};

void *arena_alloc(struct arena *a, size_t size); /* zeroed, aligned for any type */
char *arena_dup_n(struct arena *a, const char *text, size_t len);
void arena_free(struct arena *a);
