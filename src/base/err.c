#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that does not fit ends in "..." rather than in the middle of a word that looks whole. */
__attribute__((format(printf, 3, 0)))
static void fill(char *dst, size_t size, const char *fmt, va_list ap)
{
	int n = vsnprintf(dst, size, fmt, ap);

	if (n >= (int)size)
		memcpy(dst + size - 4, "...", 4);
}

/*
 * Makes "head: tail" in @dst. Where both do not fit, neither goes entirely: the head is a path,
 * often, and may take half, and the tail says why.
 */
__attribute__((format(printf, 3, 0)))
static void join(char *dst, size_t size, const char *fmt, va_list ap, const char *tail)
{
	size_t tail_len = strlen(tail), room = size - sizeof(": "), half = room / 2, len;

	fill(dst, room - (tail_len < half ? tail_len : half) + 1, fmt, ap);
	len = strlen(dst);
	if (snprintf(dst + len, size - len, ": %s", tail) >= (int)(size - len))
		memcpy(dst + size - 4, "...", 4);
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->code = code > 0 ? code : EINVAL;
	e->why[0] = e->fix[0] = '\0';
	va_start(ap, fmt);
	fill(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
	return -e->code;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int code = errno;
	va_list ap;

	err_set(e, code, "%s", "");
	va_start(ap, fmt);
	join(e->text, sizeof(e->text), fmt, ap, strerror(e->code));
	va_end(ap);
	return -e->code;
}

int err_in(struct err *e, const char *fmt, ...)
{
	char inner[sizeof(e->text)];
	va_list ap;

	memcpy(inner, e->text, sizeof(inner));
	va_start(ap, fmt);
	join(e->text, sizeof(e->text), fmt, ap, inner);
	va_end(ap);
	return -e->code;
}

int err_why(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e->why, sizeof(e->why), fmt, ap);
	va_end(ap);
	return -e->code;
}

int err_fix(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e->fix, sizeof(e->fix), fmt, ap);
	va_end(ap);
	return -e->code;
}
