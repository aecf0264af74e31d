#include "data/emit.h"

#include <inttypes.h>
#include <string.h>

static void text(struct emit *j, const char *s, size_t len)
{
	buf_puts(j->out, "\"");
	for (size_t n; len; s += n, len -= n) {
		for (n = 1; n < 4 && n <= len && !str_is_utf8(s, n); n++)
			;
		if (n > len || !str_is_utf8(s, n)) {
			n = 1;
			buf_puts(j->out, "\xef\xbf\xbd");
		} else if (*s == '"' || *s == '\\') {
			buf_printf(j->out, "\\%c", *s);
		} else if ((unsigned char)*s < 0x20 || *s == 0x7f) {
			buf_printf(j->out, "\\u%04x", (unsigned char)*s);
		} else {
			buf_add(j->out, s, n);
		}
	}
	buf_puts(j->out, "\"");
}

static void newline(struct emit *j)
{
	if (j->pretty)
		buf_printf(j->out, "\n%*s", (int)j->depth * 2, "");
}

static void start(struct emit *j, const char *key)
{
	if (j->more)
		buf_puts(j->out, ",");
	if (j->depth)
		newline(j);
	if (key) {
		text(j, key, strlen(key));
		buf_puts(j->out, j->pretty ? ": " : ":");
	}
	j->more = true;
}

void emit_open(struct emit *j, const char *key, char bracket)
{
	start(j, key);
	buf_add(j->out, &bracket, 1);
	j->depth++;
	j->more = false;
}

void emit_close(struct emit *j, char bracket)
{
	j->depth--;
	if (j->more)
		newline(j);
	buf_add(j->out, &bracket, 1);
	j->more = true;
}

void emit_string_n(struct emit *j, const char *key, const char *value, size_t len)
{
	start(j, key);
	text(j, value, len);
}

void emit_string(struct emit *j, const char *key, const char *value)
{
	if (value) {
		emit_string_n(j, key, value, strlen(value));
	} else {
		start(j, key);
		buf_puts(j->out, "null");
	}
}

void emit_int(struct emit *j, const char *key, int64_t value)
{
	start(j, key);
	buf_printf(j->out, "%" PRId64, value);
}

void emit_uint(struct emit *j, const char *key, uint64_t value)
{
	start(j, key);
	buf_printf(j->out, "%" PRIu64, value);
}

void emit_bool(struct emit *j, const char *key, bool value)
{
	start(j, key);
	buf_puts(j->out, value ? "true" : "false");
}
