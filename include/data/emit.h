/*
 * JSON out: one writer for results, plans, reports and schemas. It cannot produce invalid JSON: bytes that are not
 * UTF-8 become U+FFFD, control characters are escaped. Compact on one line, or indented by two spaces.
 *
 *	struct emit j = { .out = &text };
 *	emit_open(&j, NULL, '{');
 *	emit_string(&j, "verdict", "exit");
 *	emit_close(&j, '}');
 */
#pragma once

#include "base/str.h"

#include <stdint.h>

struct emit {
	struct buf *out; /* borrowed */
	bool pretty;
	unsigned depth;
	bool more; /* a value stands before in the same object or array */
};

/* @key is NULL inside an array and at the top. @bracket is '{' or '['; its partner closes. */
void emit_open(struct emit *j, const char *key, char bracket);
void emit_close(struct emit *j, char bracket);
void emit_string(struct emit *j, const char *key, const char *value); /* NULL gives null */
void emit_string_n(struct emit *j, const char *key, const char *value, size_t len);
void emit_int(struct emit *j, const char *key, int64_t value);
void emit_uint(struct emit *j, const char *key, uint64_t value);
void emit_bool(struct emit *j, const char *key, bool value);
