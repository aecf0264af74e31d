#include "data/text.h"
#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* Length of the character at @p; 0 if it may not stand in a document. */
static size_t character(const char *p, const char *end, unsigned allows)
{
	unsigned char c = (unsigned char)*p;

	if (c == '\r')
		return allows & TEXT_BARE_CR || (end - p > 1 && p[1] == '\n');
	if (c < 0x20)
		return c == '\t' || c == '\n';
	if (c == 0x7f)
		return allows & TEXT_DEL ? 1 : 0;
	if (c < 0x80)
		return 1;
	for (size_t n = 2; n <= 4 && n <= (size_t)(end - p); n++)
		if (str_is_utf8(p, n))
			return n;
	return 0;
}

static int check_characters(struct text *x, unsigned allows)
{
	const char *p = x->p;

	for (size_t n; p < x->end; p += n) {
		n = character(p, x->end, allows);
		if (n)
			continue;
		text_seek(x, p);
		if ((unsigned char)*p >= 0x80)
			return text_err(x, text_here(x), "byte 0x%02x is not valid UTF-8",
					(unsigned char)*p);
		if (*p == '\r')
			return text_err(x, text_here(x), "carriage return without line feed");
		return text_err(x, text_here(x), "control character 0x%02x", (unsigned char)*p);
	}
	return 0;
}

int text_open(struct text *x, struct tree *tree, const char *origin, const char *text, size_t len,
	      unsigned allows, struct err *e)
{
	struct text ahead;

	tree->origin = arena_dup_n(&tree->arena, origin, strlen(origin));
	if (len > TREE_MAX_BYTES)
		return err_set(e, EFBIG, "%s: larger than %d MiB", origin, TREE_MAX_BYTES >> 20);
	*x = (struct text){
		.tree = tree, .e = e, .p = text, .end = text + len, .line_start = text, .line = 1
	};
	if (text_at(x, byte_order_mark))
		x->line_start = x->p += strlen(byte_order_mark);
	ahead = *x;
	return check_characters(&ahead, allows);
}

void text_skip_blanks(struct text *x)
{
	while (x->p < x->end && (*x->p == ' ' || *x->p == '\t'))
		x->p++;
}

bool text_newline(struct text *x)
{
	size_t n = text_at(x, "\n") ? 1 : text_at(x, "\r\n") ? 2 : 0;

	if (!n)
		return false;
	x->p += n;
	x->line_start = x->p;
	x->line++;
	return true;
}

void text_seek(struct text *x, const char *to)
{
	for (; x->p < to; x->p++) {
		if (*x->p != '\n')
			continue;
		x->line_start = x->p + 1;
		x->line++;
	}
}

struct node *text_node(struct text *x, enum node_type type, struct place at)
{
	return tree_node(x->tree, type, at.line, at.column);
}

int text_err(struct text *x, struct place at, const char *fmt, ...)
{
	const struct node node = { .line = at.line, .column = at.column };
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return tree_err(x->tree, &node, x->e, "%s", message);
}
