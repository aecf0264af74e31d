/*
 * libFuzzer: any bytes to the INI reader. It gives a tree or an error, never both; and every value
 * is what stands at its place in the text, whatever iniparser does to it.
 */
#include "base/defer.h"
#include "base/mem.h"
#include "base/str.h"
#include "data/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *place(const char *text, const struct node *n)
{
	for (unsigned line = 1; line < n->line; line++)
		text = strchr(text, '\n') + 1;
	if (n->line == 1 && str_starts(text, "\xef\xbb\xbf"))
		text += 3;
	return text + n->column - 1;
}

static void check_value(const char *text, const struct node *n)
{
	const char *p = place(text, n);

	if (n->type != NODE_STRING || n->text[n->len] != '\0' || !str_is_utf8(n->text, n->len))
		abort();
	p += *p == '"' || *p == '\'';
	if (strncmp(p, n->text, n->len) != 0)
		abort();
	/* Nothing is cut off: after it stands its quote, a comment or the end of the line. */
	p += n->len;
	if (p[-1] != '"' && p[-1] != '\'')
		p += *p == '"' || *p == '\'';
	p += strspn(p, " \t\r");
	if (*p && !strchr("\n;#\"'", *p))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tree t = { 0 };
	struct err e = { 0 };
	auto_free char *text = mem_dup_n((const char *)data, size);
	int r = ini_parse("fuzz", text, size, &t, &e);

	if (r == 0) {
		if (t.root->type != NODE_TABLE)
			abort();
		for (const struct node *section = t.root->first; section; section = section->next)
			for (const struct node *n = section->first; n; n = n->next)
				check_value(text, n);
	} else if (r != -EINVAL || e.code != EINVAL || !str_starts(e.text, "fuzz:") || t.root) {
		abort();
	} else if (str_starts(e.text, "fuzz: ")) {
		/* No place: a library and its reader disagree. */
		abort();
	}
	tree_free(&t);
	return 0;
}
