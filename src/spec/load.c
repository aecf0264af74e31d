/*
 * A value of a document becomes text again and goes through the parser of its row: there is one
 * notion of what a valid size or name is, and an integer, a flag and a line of INI share it.
 */
#include "spec/load.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/image.h"
#include "base/str.h"
#include "data/tree.h"
#include "spec/option.h"
#include "spec/value.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Absent from the launch image, see base/image.h. */
#pragma weak json_parse
#pragma weak ini_parse

enum format { TOML, JSON, INI };

struct document {
	enum format format;
	unsigned scope;
	const struct tree *tree; /* borrowed, as are the next two */
	struct spec *s;
	struct err *e;
};

enum { NUMBER_TEXT = 32 };

/*
 * What the parser of row @o is given for @n, or NULL where the row cannot be written so. @space is
 * for numbers.
 */
static const char *value_text(const struct document *d, const struct option *o,
			      const struct node *n, char space[NUMBER_TEXT])
{
	if (n->type == NODE_STRING)
		return o->arg || d->format == INI ? n->text : NULL;
	if (n->type == NODE_BOOL && !o->arg)
		return n->boolean ? "true" : "false";
	if (!(o->flags & OPTION_NUMBER))
		return NULL;
	/* cpus = 1.5: fifteen digits give back the number that was written. */
	if (n->type == NODE_FLOAT)
		snprintf(space, NUMBER_TEXT, "%.15g", n->number);
	else if (n->type == NODE_INTEGER)
		snprintf(space, NUMBER_TEXT, "%" PRId64, n->integer);
	else
		return NULL;
	return space;
}

static const char *expected(const struct option *o)
{
	if (!o->arg)
		return "true or false";
	return o->flags & OPTION_NUMBER ? "a number or a string" : "a string";
}

/* The value in the form that the row takes, as far as it can be guessed, to paste. */
static int fix_type(const struct document *d, const struct option *o, const struct node *n,
		    const char *key)
{
	const char *colon = d->format == JSON ? "\": " : " = ",
		   *quote = d->format == JSON ? "\"" : "";
	bool list = o->flags & OPTION_LIST;
	char number[NUMBER_TEXT];
	const char *text = o->arg;

	if (!o->arg)
		return err_fix(d->e, "%s%s%strue", quote, key, colon);
	if (n->type == NODE_STRING && str_is_printable(n->text) && !strpbrk(n->text, "\"\\"))
		text = n->text;
	if (n->type == NODE_INTEGER) {
		snprintf(number, sizeof(number), "%" PRId64, n->integer);
		text = number;
	}
	return err_fix(d->e, "%s%s%s%s\"%s\"%s", quote, key, colon, list ? "[" : "", text,
		       list ? "]" : "");
}

static int set_one(const struct document *d, const struct option *o, const struct node *n,
		   const char *key)
{
	char space[NUMBER_TEXT];
	const char *text = value_text(d, o, n, space);
	struct err inner = { 0 };
	int r;

	if (!text) {
		tree_err(d->tree, n, d->e, "%s: expected %s, not %s", key, expected(o),
			 node_type_name(n->type));
		return fix_type(d, o, n, key);
	}
	if (n->type == NODE_STRING && strlen(text) != n->len)
		return tree_err(d->tree, n, d->e, "%s: the value holds a NUL character", key);
	r = d->format == INI ? o->parse(o, text, d->s, &inner) : option_set(o, text, d->s, &inner);
	if (r == 0)
		return 0;
	tree_err(d->tree, n, d->e, "%s: %s", key, inner.text);
	if (inner.why[0])
		err_why(d->e, "%s", inner.why);
	if (inner.fix[0])
		err_fix(d->e, "%s", inner.fix);
	return -d->e->code;
}

static int set_list(const struct document *d, const struct option *o, const struct node *n,
		    const char *key)
{
	if (d->format == INI)
		return tree_err(d->tree, n, d->e, "%s: a list belongs into a launch document", key);
	if (n->type != NODE_ARRAY) {
		tree_err(d->tree, n, d->e, "%s: expected an array, not %s", key,
			 node_type_name(n->type));
		return fix_type(d, o, n, key);
	}
	for (const struct node *item = n->first; item; item = item->next) {
		int r = set_one(d, o, item, key);

		if (r < 0)
			return r;
	}
	return 0;
}

static int set_value(const struct document *d, const struct option *o, const struct node *n)
{
	char key[OPTION_KEY_MAX];

	option_key(o, key);
	return o->flags & OPTION_LIST ? set_list(d, o, n, key) : set_one(d, o, n, key);
}

static const char *row_name(size_t i)
{
	return options[i].flags & OPTION_FLAG_ONLY ? NULL : options[i].name;
}

/* Keys and names differ in one character alone, so the nearest name is the nearest key. */
static const char *key_as_name(const struct node *n, char word[OPTION_KEY_MAX])
{
	if (n->key_len >= OPTION_KEY_MAX || strlen(n->key) != n->key_len)
		return NULL;
	for (size_t i = 0; i <= n->key_len; i++)
		word[i] = n->key[i] == '_' ? '-' : n->key[i];
	return word;
}

static int unknown_key(const struct document *d, const struct node *n)
{
	char word[OPTION_KEY_MAX], key[OPTION_KEY_MAX];
	const char *name = key_as_name(n, word), *near;
	const struct option *o;

	o = name ? option_by_name(name, n->key_len, d->scope) : NULL;
	if (o && o->flags & OPTION_FLAG_ONLY) {
		tree_err(d->tree, n, d->e, "%s has no meaning in a document", n->key);
		return err_fix(d->e, "give --%s on the command line", o->name);
	}
	tree_err(d->tree, n, d->e, "unknown key \"%s\"", n->key);
	near = name ? str_nearest(name, row_name, options_count) : NULL;
	for (size_t i = 0; near && i < options_count; i++)
		if (str_eq(options[i].name, near) && (options[i].scope & d->scope)) {
			option_key(&options[i], key);
			return err_fix(d->e, "did you mean %s?", key);
		}
	return err_fix(d->e, "nucleus schema");
}

/* The row that the key of @n names, or NULL with the error set. */
static const struct option *find_row(const struct document *d, const struct node *n)
{
	const struct option *o = NULL;

	if (strlen(n->key) == n->key_len)
		o = option_by_key(n->key, d->scope);
	if (!o)
		unknown_key(d, n);
	return o;
}

static int set_keys(const struct document *d, const struct node *table)
{
	for (const struct node *n = table->first; n; n = n->next) {
		auto_spec struct spec unused = { 0 };
		struct document own = *d;
		const struct option *o = find_row(d, n);
		int r;

		if (!o)
			return -d->e->code;
		/* What a flag overrides must still be valid: the flag may be gone tomorrow. */
		if (option_given(d->s, o->name))
			own.s = &unused;
		r = set_value(&own, o, n);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool is_json(const char *text, size_t len)
{
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		text += 3, len -= 3;
	while (len && strchr(" \t\r\n", *text) && *text)
		text++, len--;
	return len && *text == '{';
}

int load_document(const char *origin, const char *text, size_t len, unsigned scope, struct spec *s,
		  struct err *e)
{
	auto_tree struct tree tree = { 0 };
	struct document d = { is_json(text, len) ? JSON : TOML, scope, &tree, s, e };
	int r;

	if (d.format == JSON && !json_parse)
		return image_exec_full(e);
	r = d.format == JSON ? json_parse(origin, text, len, &tree, e)
			     : toml_parse(origin, text, len, &tree, e);
	return r < 0 ? r : set_keys(&d, tree.root);
}

static int unreadable(const char *origin, int r, struct err *e)
{
	if (r == -EFBIG)
		return err_set(e, EFBIG, "%s: larger than %d MiB", origin, TREE_MAX_BYTES >> 20);
	if (r == -EINVAL) {
		err_set(e, EINVAL, "%s: not a regular file", origin);
		return err_fix(e, "pass a pipe as a descriptor: nucleus run --config-fd 3 3<%s",
			       origin);
	}
	errno = -r;
	return err_sys(e, "%s", origin);
}

/*
 * Reads from @at to the end and leaves the position alone, so that the full image finds what we
 * found.
 */
static int pread_all(int fd, off_t at, struct buf *b)
{
	char chunk[16384];

	for (;;) {
		ssize_t n = pread(fd, chunk, sizeof(chunk), at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		buf_add(b, chunk, (size_t)n);
		at += n;
		if (n == 0)
			return 0;
		if (b->len > TREE_MAX_BYTES)
			return -EFBIG;
	}
}

static int load_descriptor(int fd, unsigned scope, struct spec *s, struct err *e)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	auto_buf struct buf text = { 0 };
	char origin[32];
	int r;

	snprintf(origin, sizeof(origin), "descriptor %d", fd);
	if (at >= 0) {
		r = pread_all(fd, at, &text);
	} else if (errno != ESPIPE) {
		r = -errno;
	} else {
		/* What is taken from a pipe is gone, and only then is its format known. */
		if (!json_parse)
			return image_exec_full(e);
		r = fd_read_all(fd, TREE_MAX_BYTES, &text.text, &text.len);
	}
	return r < 0 ? unreadable(origin, r, e)
		     : load_document(origin, text.text, text.len, scope, s, e);
}

int load_config(const struct spec *flags, unsigned scope, struct spec *s, struct err *e)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (flags->config && flags->config_fd >= 0)
		return err_set(e, EINVAL, "options --config and --config-fd exclude each other");
	if (flags->config_fd >= 0)
		return load_descriptor(flags->config_fd, scope, s, e);
	if (!flags->config)
		return 0;
	r = file_read(flags->config, TREE_MAX_BYTES, &text, &len);
	return r < 0 ? unreadable(flags->config, r, e)
		     : load_document(flags->config, text, len, scope, s, e);
}

/* The number behind a row with OPTION_CEILING. */
static uint64_t *number(struct spec *s, const struct option *o)
{
	return (uint64_t *)((char *)s + o->offset);
}

static int set_ceilings(const struct document *d, const struct node *table, struct ceilings *c)
{
	for (const struct node *n = table->first; n; n = n->next) {
		auto_spec struct spec scratch = { 0 };
		struct document own = *d;
		const struct option *o = find_row(d, n);
		int r;

		if (!o)
			return -d->e->code;
		if (!(o->flags & OPTION_CEILING))
			return tree_err(d->tree, n, d->e, "%s may have a default, but no ceiling",
					n->key);
		own.s = &scratch;
		r = set_value(&own, o, n);
		if (r < 0)
			return r;
		c->value[o - options] = *number(&scratch, o);
	}
	return 0;
}

/* No default, ours or the host's, exceeds the ceiling; what the user gave is judged later. */
static void lower_defaults(struct spec *s, const struct ceilings *c)
{
	for (size_t i = 0; i < options_count; i++) {
		if (!c->value[i] || option_given(s, options[i].name))
			continue;
		if (*number(s, &options[i]) == 0 || *number(s, &options[i]) > c->value[i])
			*number(s, &options[i]) = c->value[i];
	}
}

int load_host_text(const char *origin, const char *text, size_t len, struct spec *s,
		   struct ceilings *ret_ceilings, struct err *e)
{
	auto_tree struct tree tree = { 0 };
	struct document d = { INI, FOR_RUN, &tree, s, e };
	struct ceilings c = { 0 };
	int r;

	if (!ini_parse)
		return image_exec_full(e);
	r = ini_parse(origin, text, len, &tree, e);
	if (r < 0)
		return r;
	for (const struct node *n = tree.root->first; n; n = n->next) {
		if (str_eq(n->key, "defaults"))
			r = set_keys(&d, n);
		else if (str_eq(n->key, "ceilings"))
			r = set_ceilings(&d, n, &c);
		else
			r = tree_err(&tree, n, e,
				     "unknown section [%s]: [defaults] and [ceilings] are known",
				     n->key);
		if (r < 0)
			return r;
	}
	lower_defaults(s, &c);
	*ret_ceilings = c;
	return 0;
}

/*
 * Whoever may write the file decides what everyone's containers get. Judged on the descriptor that
 * is then read.
 */
static int check_owner(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "host file %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "host file %s: not a regular file", path);
	if (st.st_uid != 0) {
		err_set(e, EPERM, "host file %s: belongs to user %u, not to root", path, st.st_uid);
		return err_fix(e, "chown root:root %s", path);
	}
	if (st.st_mode & (S_IWGRP | S_IWOTH)) {
		err_set(e, EPERM, "host file %s: others than root may write to it", path);
		return err_fix(e, "chmod go-w %s", path);
	}
	return 0;
}

int load_host_file(const char *path, struct spec *s, struct ceilings *ret_ceilings, bool *ret_found,
		   struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	auto_free char *text = NULL;
	size_t len = 0;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		*ret_ceilings = (struct ceilings){ 0 };
		*ret_found = false;
		return 0;
	}
	if (fd < 0)
		return err_sys(e, "host file %s", path);
	r = check_owner(fd, path, e);
	if (r < 0)
		return r;
	r = fd_read_all(fd, TREE_MAX_BYTES, &text, &len);
	if (r < 0)
		return unreadable(path, r, e);
	r = load_host_text(path, text, len, s, ret_ceilings, e);
	if (r == 0)
		*ret_found = true;
	return r;
}

/* The number as its row's parser takes it. */
static const char *number_text(const struct option *o, uint64_t n, char text[NUMBER_TEXT])
{
	unsigned unit = 0;

	while (o->parse == value_size && unit < 4 && n && n % 1024 == 0) {
		n /= 1024;
		unit++;
	}
	if (o->parse == value_cpus)
		snprintf(text, NUMBER_TEXT, "%.15g", (double)n / 1000);
	else
		snprintf(text, NUMBER_TEXT, "%" PRIu64 "%s%s", n,
			 unit ? (const char *[]){ "K", "M", "G", "T" }[unit - 1] : "",
			 o->parse == value_duration ? "ms" : "");
	return text;
}

static int check_ceiling(const struct option *o, const char *what, uint64_t value, uint64_t ceiling,
			 struct err *e)
{
	char asked[NUMBER_TEXT], allowed[NUMBER_TEXT], key[OPTION_KEY_MAX];

	if (!ceiling || (value && value <= ceiling))
		return 0;
	option_key(o, key);
	number_text(o, ceiling, allowed);
	err_set(e, EPERM, "%s: %s is more than the host allows, %s", what,
		value ? number_text(o, value, asked) : "no limit", allowed);
	err_why(e, "the host file (" LOAD_HOST_FILE ") has %s = %s under [ceilings]", key, allowed);
	return err_fix(e, "ask for %s or less", allowed);
}

static int check_tmpfs(const struct option *o, const struct tmpfses *all, uint64_t ceiling,
		       struct err *e)
{
	int r = 0;

	/* Without a size of its own a tmpfs has rootfs_size. */
	for (size_t i = 0; r == 0 && i < all->count; i++)
		if (all->items[i].size)
			r = check_ceiling(o, "option --tmpfs", all->items[i].size, ceiling, e);
	return r;
}

int load_check_ceilings(const struct spec *s, const struct ceilings *c, struct err *e)
{
	char what[OPTION_KEY_MAX + 16];

	for (size_t i = 0; i < options_count; i++) {
		const struct option *o = &options[i];
		const uint64_t *value = (const uint64_t *)((const char *)s + o->offset);
		int r = 0;

		if (!c->value[i])
			continue;
		snprintf(what, sizeof(what), "option --%s", o->name);
		r = check_ceiling(o, what, *value, c->value[i], e);
		if (r == 0 && o->offset == offsetof(struct spec, rootfs_size))
			r = check_tmpfs(o, &s->tmpfs, c->value[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}
