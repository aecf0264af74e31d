/*
 * malloc(3) of the launch image, in place of the C library's. A launch makes some hundred small allocations, frees
 * few, and is over; a general allocator asks the kernel for a mapping for nearly every size, which costs more than
 * all the rest of our own code. Here a block is cut from a fixed area, and given back only if it was the last one;
 * what does not fit has a mapping to itself. Not linked into the full image, whose libraries are right to expect
 * more. One thread: see house rules.
 */
#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { HEAP_SIZE = 256 << 10, ALIGN = alignof(max_align_t) };

/* Before each block; its size keeps the alignment. */
struct header {
	alignas(ALIGN) size_t size;
};

/* Says that this allocator is linked: a process that is killed inside of it leaves a hole at worst, no broken list. */
const bool heap_is_ours = true;

static alignas(ALIGN) char heap[HEAP_SIZE];
static size_t used;

static struct header *header_of(void *p)
{
	return (struct header *)p - 1;
}

static int is_last(const struct header *h)
{
	return (const char *)(h + 1) + h->size == heap + used;
}

static int is_mapped(const struct header *h)
{
	return (const char *)h < heap || (const char *)h >= heap + HEAP_SIZE;
}

static void *map(size_t size)
{
	struct header *h = mmap(NULL, sizeof(*h) + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (h == MAP_FAILED)
		return NULL;
	h->size = size;
	return h + 1;
}

/* Not malloc() itself: the compiler takes that followed by memset() for calloc(), which is what it would be in. */
static void *allocate(size_t size)
{
	struct header *h = (struct header *)(heap + used);

	if (size > PTRDIFF_MAX - 4096) {
		errno = ENOMEM;
		return NULL;
	}
	size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (size > HEAP_SIZE || sizeof(*h) + size > HEAP_SIZE - used)
		return map(size);
	used += sizeof(*h) + size;
	h->size = size;
	return h + 1;
}

void *malloc(size_t size)
{
	return allocate(size);
}

void free(void *p)
{
	struct header *h = p ? header_of(p) : NULL;
	int saved = errno;

	if (h && is_mapped(h))
		munmap(h, sizeof(*h) + h->size);
	else if (h && is_last(h))
		used -= sizeof(*h) + h->size;
	errno = saved;
}

void *calloc(size_t count, size_t size)
{
	size_t all;
	void *p;

	if (__builtin_mul_overflow(count, size, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	p = allocate(all);
	/* Blocks are used again. */
	if (p)
		memset(p, 0, all);
	return p;
}

void *realloc(void *p, size_t size)
{
	struct header *h = p ? header_of(p) : NULL;
	void *larger;

	if (h && size <= h->size)
		return p;
	larger = allocate(size);
	if (larger && p) {
		memcpy(larger, p, h->size);
		free(p);
	}
	return larger;
}
