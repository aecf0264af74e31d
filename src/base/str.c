#include "base/str.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n >= m && str_eq(text + n - m, suffix);
}

bool str_is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

/* Length of the valid UTF-8 sequence at @s, 0 if there is none. */
static size_t utf8_sequence(const unsigned char *s, size_t len)
{
	static const struct { unsigned char mask, lead; uint32_t least;
	} forms[] = {
		{ 0x80, 0x00, 0 },
		{ 0xe0, 0xc0, 0x80 },
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t n = 0; n < 4 && n < len; n++) {
		uint32_t c = s[0] & (unsigned char)~forms[n].mask;

		if ((s[0] & forms[n].mask) != forms[n].lead)
			continue;
		for (size_t i = 1; i <= n; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | (s[i] & 0x3f);
		}
		return c < forms[n].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0
											  : n + 1;
	}
	return 0;
}

bool str_is_utf8(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t n; len; s += n, len -= n)
		if (!(n = utf8_sequence(s, len)))
			return false;
	return true;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;

	return m < c ? m : c;
}

enum { NEAREST_MAX = 40 };

/* Optimal string alignment distance; longer words are not misspelt options. */
static size_t edits(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), d[NEAREST_MAX + 1][NEAREST_MAX + 1];

	if (n > NEAREST_MAX || m > NEAREST_MAX)
		return SIZE_MAX;
	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++) {
			if (!i || !j) {
				d[i][j] = i + j;
				continue;
			}
			d[i][j] = min3(d[i - 1][j] + 1, d[i][j - 1] + 1,
				       d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d[i][j] = min3(d[i][j], d[i - 2][j - 2] + 1, SIZE_MAX);
		}
	return d[n][m];
}

const char *str_nearest(const char *word, const char *(*get)(size_t i), size_t count)
{
	const char *best = NULL, *longer = NULL;
	size_t len = strlen(word), least = (len < 3 ? 1 : len / 3) + 1;

	for (size_t i = 0; i < count; i++) {
		const char *name = get(i);
		size_t n = name ? edits(word, name) : SIZE_MAX;

		/* A word cut short is meant as often as a word misspelt. */
		if (name && !longer && len >= 4 && str_starts(name, word))
			longer = name;
		if (n < least) {
			least = n;
			best = name;
		}
	}
	return best ? best : longer;
}

void buf_free(struct buf *b)
{
	free(b->text);
	*b = (struct buf){ 0 };
}

static void reserve(struct buf *b, size_t more)
{
	size_t need = b->len + more + 1, size = b->size ? b->size : 128;

	if (need <= b->size)
		return;
	while (size < need)
		size *= 2;
	char *text = mem_alloc(size);

	if (b->text)
		memcpy(text, b->text, b->len);
	free(b->text);
	b->text = text;
	b->size = size;
}

void buf_add(struct buf *b, const char *data, size_t len)
{
	reserve(b, len);
	memcpy(b->text + b->len, data, len);
	b->len += len;
	b->text[b->len] = '\0';
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	int n;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n >= 0) {
		reserve(b, (size_t)n);
		vsnprintf(b->text + b->len, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void buf_escaped(struct buf *b, const char *data, size_t len)
{
	const unsigned char *s = (const unsigned char *)data;

	for (size_t n; len; s += n, len -= n) {
		bool c1;

		n = utf8_sequence(s, len);
		c1 = n == 2 && s[0] == 0xc2 && s[1] < 0xa0;
		if (n == 1 && *s == '\\') {
			buf_puts(b, "\\\\");
		} else if (n == 0 || c1 || *s < 0x20 || *s == 0x7f) {
			n = n ? n : 1;
			for (size_t i = 0; i < n; i++)
				buf_printf(b, "\\x%02x", s[i]);
		} else {
			buf_add(b, (const char *)s, n);
		}
	}
}
