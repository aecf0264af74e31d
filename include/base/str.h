/*
 * Text: predicates that read as sentences, a growing buffer, the nearest name for a misspelt one, and the one
 * place where bytes of unknown origin become safe to print.
 */
#pragma once

#include "base/defer.h"

#include <stdbool.h>
#include <stddef.h>

bool str_eq(const char *a, const char *b);
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);

/* True if @text has no byte below 0x20 and no 0x7f. */
bool str_is_printable(const char *text);

/* True for valid UTF-8 without surrogates or overlong forms (RFC 3629). */
bool str_is_utf8(const char *text, size_t len);

/*
 * The name nearest to @word among @count names reached by get(i), or NULL where none is near enough to be meant:
 * at most a third of its length in edits (insertion, deletion, substitution, transposition), one in a very short word.
 * Where there is none, the first name that begins with all of a @word of four letters or more.
 */
const char *str_nearest(const char *word, const char *(*get)(size_t i), size_t count);

/* A growing text, always terminated once something was added. All zero is an empty one; free() the text. */
struct buf {
	char *text;
	size_t len, size;
};

void buf_free(struct buf *b);
#define auto_buf auto_(buf_free)
void buf_add(struct buf *b, const char *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds @len bytes with every control character, DEL, C1 control and invalid UTF-8 byte as \xNN, and
 * backslash as \\: what is printed can neither move a cursor nor start a line.
 */
void buf_escaped(struct buf *b, const char *data, size_t len);
