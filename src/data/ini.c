/*
 * INI by way of iniparser, which decides what a line means; and because iniparser 4 is lenient in
 * silence, every line is checked before it sees the text, so that only what has one reading reaches
 * it. What it would do unasked: join lines that end in a backslash, comments too; cut a value at ;
 * or # even in the middle of a word; ignore what follows a closing quote, and the lack of one;
 * write later keys over earlier ones; put keys before the first section into one without a name;
 * take [] for the section before; turn names into lower case. The last is undone here: names are
 * those of the document, and two that differ in case alone are refused.
 */
#include "base/defer.h"
#include "base/fd.h"
#include "base/str.h"
#include "data/text.h"

#include <errno.h>
#include <iniparser/iniparser.h>
#include <stdio.h>
#include <strings.h>
#include <sys/mman.h>

enum {
	INI_MAX_LINE = 1000, /* iniparser's buffer has 1024 bytes */
	INI_MAX_NAME = 250,  /* of a section or key: joined, they have a buffer like that */
	INI_MAX_KEYS = 4096, /* iniparser looks through all it has for every key */
	INI_NOEXEC_SEAL = 8, /* MFD_NOEXEC_SEAL of Linux 6.3, which vm.memfd_noexec may demand */
};

/* A piece of a line. */
struct piece {
	const char *p, *end;
};

struct ini {
	struct text text;
	struct node *section;
	size_t keys; /* and sections: what iniparser must have found in the end */
};

static void free_dictionary(dictionary **d)
{
	if (*d)
		iniparser_freedict(*d);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct piece trim(struct piece s)
{
	while (s.p < s.end && is_blank(*s.p))
		s.p++;
	while (s.p < s.end && is_blank(s.end[-1]))
		s.end--;
	return s;
}

static bool has(struct piece s, const char *any)
{
	for (; s.p < s.end; s.p++)
		if (strchr(any, *s.p))
			return true;
	return false;
}

static struct place place_of(const struct text *x, const char *p)
{
	return (struct place){ x->line, (unsigned)(p - x->line_start) + 1 };
}

/* As node_get(), but as iniparser sees names: without case. */
static const struct node *find(const struct node *table, struct piece name)
{
	size_t len = (size_t)(name.end - name.p);

	for (const struct node *n = table->first; n; n = n->next)
		if (n->key_len == len && strncasecmp(n->key, name.p, len) == 0)
			return n;
	return NULL;
}

/* A section or key with this name, new below @table. */
static int add(struct ini *i, struct node *table, struct piece name, enum node_type type,
	       const char *value)
{
	struct text *x = &i->text;
	struct place at = place_of(x, name.p);
	const char *what = type == NODE_TABLE ? "section" : "key";
	const struct node *old = find(table, name);
	struct node *n;

	if (name.p == name.end)
		return text_err(x, at, "this %s has no name", what);
	if (name.end - name.p > INI_MAX_NAME)
		return text_err(x, at, "the name of this %s is longer than %d bytes", what,
				INI_MAX_NAME);
	if (old)
		return text_err(x, at, "%s \"%s\" is already there, on line %u", what, old->key,
				old->line);
	if (++i->keys > INI_MAX_KEYS)
		return text_err(x, at, "more than %d sections and keys", INI_MAX_KEYS);
	n = text_node(x, type, type == NODE_TABLE ? at : place_of(x, value));
	n->key_len = (size_t)(name.end - name.p);
	n->key = arena_dup_n(&x->tree->arena, name.p, n->key_len);
	node_append(table, n);
	if (type == NODE_TABLE)
		i->section = n;
	return 0;
}

static int section(struct ini *i, struct piece s)
{
	struct piece name = trim((struct piece){ s.p + 1, s.end - 1 });

	if (s.end - s.p < 2 || s.end[-1] != ']')
		return text_err(&i->text, place_of(&i->text, s.p),
				"a section is written [name], alone on its line");
	/* A colon is iniparser's mark between section and key. */
	if (has(name, "[]:"))
		return text_err(&i->text, place_of(&i->text, s.p),
				"a section's name may not contain [, ] or :");
	return add(i, i->text.tree->root, name, NODE_TABLE, NULL);
}

/*
 * A value in quotes ends with them, but for a comment. Since 4.2 a backslash hides what follows;
 * before, it does not.
 */
static int check_quoted(struct text *x, struct piece s)
{
	const char *close = memchr(s.p + 1, *s.p, (size_t)(s.end - s.p) - 1);
	struct piece rest;

	if (!close)
		return text_err(x, place_of(x, s.p), "this quote is not closed on its line");
	if (has((struct piece){ s.p, close }, "\\"))
		return text_err(x, place_of(x, s.p),
				"a value with a backslash is written without quotes");
	rest = trim((struct piece){ close + 1, s.end });
	if (rest.p < rest.end && *rest.p != ';' && *rest.p != '#')
		return text_err(x, place_of(x, rest.p), "text after the closing quote");
	return 0;
}

/*
 * Outside quotes a comment begins after a blank; a mark inside a word is refused, for iniparser
 * would cut it.
 */
static int check_bare(struct text *x, struct piece s)
{
	const char *mark = s.p;

	while (mark < s.end && *mark != ';' && *mark != '#')
		mark++;
	if (mark < s.end && mark > s.p &&
	    (!is_blank(mark[-1]) || has((struct piece){ s.p, mark }, "\"'")))
		return text_err(x, place_of(x, mark),
				"a value that contains %c is written in quotes", *mark);
	return 0;
}

static int pair(struct ini *i, struct piece s)
{
	struct text *x = &i->text;
	const char *equals = memchr(s.p, '=', (size_t)(s.end - s.p));
	struct piece value;
	int r;

	if (!equals)
		return text_err(x, place_of(x, s.p), "expected [section] or key = value");
	if (!i->section)
		return text_err(x, place_of(x, s.p), "this key stands before the first [section]");
	value = trim((struct piece){ equals + 1, s.end });
	if (value.p < value.end && (*value.p == '"' || *value.p == '\''))
		r = check_quoted(x, value);
	else
		r = check_bare(x, value);
	if (r < 0)
		return r;
	return add(i, i->section, trim((struct piece){ s.p, equals }), NODE_STRING, value.p);
}

static int line(struct ini *i)
{
	struct text *x = &i->text;
	const char *end = memchr(x->p, '\n', (size_t)(x->end - x->p));
	struct piece s = { x->p, end ? end : x->end };
	int r = 0;

	if (s.end - s.p > INI_MAX_LINE)
		return text_err(x, place_of(x, s.p), "this line is longer than %d bytes",
				INI_MAX_LINE);
	s.end -= s.end > s.p && s.end[-1] == '\r';
	s = trim(s);
	if (s.p < s.end && s.end[-1] == '\\')
		return text_err(x, place_of(x, s.end - 1), "a line may not end in a backslash");
	if (s.p < s.end && *s.p == '[')
		r = section(i, s);
	else if (s.p < s.end && *s.p != ';' && *s.p != '#')
		r = pair(i, s);
	text_seek(x, end ? end + 1 : x->end);
	return r;
}

/*
 * iniparser reports to stderr where nobody stops it; the lines above have said what there is to
 * say.
 */
__attribute__((format(printf, 1, 2))) static int keep_quiet(const char *fmt, ...)
{
	(void)fmt;
	return 0;
}

/* iniparser 4 reads files by name alone: one in memory, with the name that /proc gives it. */
static int load(const struct text *x, dictionary **ret_dictionary)
{
	auto_close int fd = memfd_create("ini", MFD_CLOEXEC | INI_NOEXEC_SEAL);
	char path[64];
	int r;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ini", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, x->p, (size_t)(x->end - x->p));
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (access(path, R_OK) < 0)
		return -errno;
	iniparser_set_error_callback(keep_quiet);
	*ret_dictionary = iniparser_load(path);
	iniparser_set_error_callback(NULL);
	return *ret_dictionary ? 0 : -EINVAL;
}

/* Gives every key of @section its value. False if iniparser does not know it. */
static bool take_values(struct tree *t, const dictionary *d, const struct node *section_node)
{
	for (struct node *n = section_node->first; n; n = n->next) {
		char name[2 * INI_MAX_NAME + 2];
		const char *value;

		snprintf(name, sizeof(name), "%s:%s", section_node->key, n->key);
		value = iniparser_getstring(d, name, NULL);
		if (!value)
			return false;
		n->len = strlen(value);
		n->text = arena_dup_n(&t->arena, value, n->len);
	}
	return true;
}

int ini_parse(const char *origin, const char *text, size_t len, struct tree *ret, struct err *e)
{
	auto_tree struct tree tree = { 0 };
	auto_(free_dictionary) dictionary *d = NULL;
	struct ini i = { 0 };
	struct text start;
	int r = text_open(&i.text, &tree, origin, text, len, TEXT_PLAIN, e);

	if (r < 0)
		return r;
	start = i.text;
	tree.root = tree_node(&tree, NODE_TABLE, 1, 1);
	while (r == 0 && i.text.p < i.text.end)
		r = line(&i);
	if (r < 0)
		return r;
	r = load(&start, &d);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "%s: read as INI", origin);
	}
	if ((size_t)d->n != i.keys)
		return err_set(e, EINVAL, "%s: iniparser reads this document in another way",
			       origin);
	for (const struct node *s = tree.root->first; s; s = s->next)
		if (!take_values(&tree, d, s))
			return err_set(e, EINVAL, "%s: iniparser lost a key of [%s]", origin,
				       s->key);
	*ret = tree;
	tree = (struct tree){ 0 };
	return 0;
}
