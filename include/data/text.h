/*
 * The text of a document as its readers see it: a cursor that knows line and column. What all
 * formats here share is refused at the door, so that readers meet valid UTF-8 without stray control
 * characters. Private to this folder.
 */
#pragma once

#include "data/tree.h"

#include <string.h>

/* Where something stands. Columns count bytes, as compilers do. */
struct place {
	unsigned line, column;
};

struct text {
	struct tree *tree; /* being built; borrowed, as is e */
	struct err *e;
	const char *p, *end;
	const char *line_start;
	unsigned line;
};

/* What a format allows beyond tab, LF, CR LF and printable UTF-8. */
enum text_allows { TEXT_PLAIN = 0, TEXT_DEL = 1 << 0, TEXT_BARE_CR = 1 << 1 };

/*
 * Begins to read: names @tree after @origin, checks size, encoding and control characters of all
 * @len bytes, and stands after a byte order mark, if there is one. @text is borrowed while the
 * cursor is in use. EFBIG or EINVAL.
 */
int text_open(struct text *x, struct tree *tree, const char *origin, const char *text, size_t len,
	      unsigned allows, struct err *e);

/* The next byte, or -1 at the end. */
static inline int text_peek(const struct text *x)
{
	return x->p < x->end ? (unsigned char)*x->p : -1;
}

static inline bool text_at(const struct text *x, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(x->end - x->p) >= n && memcmp(x->p, word, n) == 0;
}

static inline struct place text_here(const struct text *x)
{
	return (struct place){ x->line, (unsigned)(x->p - x->line_start) + 1 };
}

/* Passes blanks and tabs; one line end, telling whether there was one; everything up to @to. */
void text_skip_blanks(struct text *x);
bool text_newline(struct text *x);
void text_seek(struct text *x, const char *to);

/* As tree_node() and tree_err(), at a place. */
struct node *text_node(struct text *x, enum node_type type, struct place at);
int text_err(struct text *x, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
