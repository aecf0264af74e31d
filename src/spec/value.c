#include "spec/value.h"
#include "base/defer.h"
#include "base/path.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELD(type) ((type *)((char *)s + o->offset))

static const char *keep(struct spec *s, const char *text)
{
	return arena_dup_n(&s->arena, text, strlen(text));
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

int value_digits(const char *text, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (!is_digit(*text))
			return -EINVAL;
		if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*text - '0'), &n))
			return -ERANGE;
	}
	*ret = n;
	return 0;
}

/* Digits followed by one of the @units; *ret is the product. An empty unit name stands for none. */
struct unit {
	const char *name;
	uint64_t factor;
};

static int number_with_unit(const char *text, const struct unit *units, size_t count, uint64_t *ret)
{
	char digits[24];
	size_t n = strspn(text, "0123456789");
	uint64_t number;
	int r;

	if (n == 0)
		return -EINVAL;
	if (n >= sizeof(digits))
		return -ERANGE;
	memcpy(digits, text, n);
	digits[n] = '\0';
	r = value_digits(digits, &number);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (str_eq(text + n, units[i].name))
			return __builtin_mul_overflow(number, units[i].factor, ret) ? -ERANGE : 0;
	return -EINVAL;
}

static int too_large(struct err *e, const char *text)
{
	return err_set(e, ERANGE, "\"%s\" is too large", text);
}

int value_switch(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	bool on = str_eq(text, "true");

	if (!on && !str_eq(text, "false"))
		return err_set(e, EINVAL, "\"%s\" is neither true nor false", text);
	*FIELD(bool) = on;
	return 0;
}

int value_choice(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	auto_buf struct buf all = { 0 };

	for (int i = 0; o->choices[i]; i++) {
		if (str_eq(text, o->choices[i])) {
			*FIELD(unsigned) = (unsigned)i;
			return 0;
		}
		buf_printf(&all, "%s%s", i ? ", " : "", o->choices[i]);
	}
	return err_set(e, EINVAL, "\"%s\" is not one of %s", text, all.text);
}

int value_string(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	if (!*text)
		return err_set(e, EINVAL, "the value is empty");
	if (!str_is_printable(text))
		return err_set(e, EINVAL, "the value has control characters");
	*FIELD(const char *) = keep(s, text);
	return 0;
}

static int absolute(const char *text, struct spec *s, const char **ret, struct err *e)
{
	auto_free char *cwd = NULL, *clean = NULL;

	if (!*text)
		return err_set(e, EINVAL, "the path is empty");
	if (strlen(text) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "the path is longer than %d bytes", PATH_MAX - 1);
	if (text[0] != '/' && !(cwd = getcwd(NULL, 0)))
		return err_sys(e, "relative path \"%s\": the current directory", text);
	/* ".." is left to the kernel: on the host the directory before it may be a link. */
	clean = text[0] == '/' ? mem_dup(text) : mem_printf("%s/%s", str_eq(cwd, "/") ? "" : cwd, text);
	*ret = keep(s, clean);
	return 0;
}

int value_path(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	return absolute(text, s, FIELD(const char *), e);
}

static int inside(const char *text, struct spec *s, const char **ret, struct err *e)
{
	auto_free char *clean = NULL;

	if (text[0] != '/')
		return err_set(e, EINVAL, "\"%s\" is not an absolute path inside the container", text);
	if (strlen(text) >= PATH_MAX)
		return err_set(e, ENAMETOOLONG, "the path is longer than %d bytes", PATH_MAX - 1);
	if (!str_is_printable(text))
		return err_set(e, EINVAL, "the path has control characters");
	clean = path_clean("/", text);
	*ret = keep(s, clean);
	return 0;
}

int value_inside(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	return inside(text, s, FIELD(const char *), e);
}

int value_name(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	size_t n = 0;

	while (is_alnum(text[n]) || (n && text[n] && strchr("_.-", text[n])))
		n++;
	if (n == 0 || n > 63 || text[n])
		return err_set(e, EINVAL,
			       "\"%s\" is not a name: letters, digits, \"_\", \".\" and \"-\", the first a letter or "
			       "digit, at most 63", text);
	*FIELD(const char *) = keep(s, text);
	return 0;
}

int value_hostname(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	size_t n = 0;

	while (is_alnum(text[n]) || (n && text[n] && strchr(".-", text[n])))
		n++;
	if (n == 0 || n > 64 || text[n] || strchr(".-", text[n - 1]))
		return err_set(e, EINVAL, "\"%s\" is not a host name: letters, digits, \"-\" and \".\", at most 64",
			       text);
	*FIELD(const char *) = keep(s, text);
	return 0;
}

int value_size(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	static const struct unit units[] = {
		{ "", 1 }, { "B", 1 },
		{ "K", 1ULL << 10 }, { "M", 1ULL << 20 }, { "G", 1ULL << 30 }, { "T", 1ULL << 40 },
		{ "k", 1ULL << 10 }, { "m", 1ULL << 20 }, { "g", 1ULL << 30 }, { "t", 1ULL << 40 },
		{ "Ki", 1ULL << 10 }, { "Mi", 1ULL << 20 }, { "Gi", 1ULL << 30 }, { "Ti", 1ULL << 40 },
	};
	uint64_t n = 0;
	int r = number_with_unit(text, units, sizeof(units) / sizeof(*units), &n);

	if (r == -ERANGE || n > INT64_MAX)
		return too_large(e, text);
	if (r < 0 || n == 0)
		return err_set(e, EINVAL, "\"%s\" is not a size: a number above 0, then K, M, G or T", text);
	*FIELD(uint64_t) = n;
	return 0;
}

int value_count(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	uint64_t n = 0;
	int r = value_digits(text, &n);

	if (r == -ERANGE || n > INT_MAX)
		return too_large(e, text);
	if (r < 0 || n == 0)
		return err_set(e, EINVAL, "\"%s\" is not a number above 0", text);
	*FIELD(uint64_t) = n;
	return 0;
}

int value_duration(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	static const struct unit units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 },
					     { "h", 3600000 } };
	uint64_t n = 0;
	int r = number_with_unit(text, units, sizeof(units) / sizeof(*units), &n);

	if (r == -ERANGE || n > INT64_MAX / 1000000)
		return too_large(e, text);
	if (r < 0 || n == 0)
		return err_set(e, EINVAL, "\"%s\" is not a duration: a number above 0, then ms, s, m or h", text);
	*FIELD(uint64_t) = n;
	return 0;
}

int value_cpus(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	char digits[16];
	size_t whole = strspn(text, "0123456789"), fraction = 0;
	uint64_t n = 0;

	if (text[whole] == '.')
		fraction = strspn(text + whole + 1, "0123456789");
	if (whole == 0 || whole > 6 || fraction > 3 || (text[whole] == '.' && !fraction) ||
	    text[whole + (text[whole] == '.') + fraction])
		return err_set(e, EINVAL, "\"%s\" is not a number of CPUs such as 2 or 0.5", text);
	memcpy(digits, text, whole);
	memcpy(digits + whole, "000", 4);
	if (fraction)
		memcpy(digits + whole, text + whole + 1, fraction);
	if (value_digits(digits, &n) < 0 || n < 10)
		return err_set(e, EINVAL, "\"%s\" is less than the kernel can give, 0.01", text);
	*FIELD(uint64_t) = n;
	return 0;
}

static bool is_descriptor(const char *text, uint64_t *n)
{
	return value_digits(text, n) == 0 && *n > STDERR_FILENO && *n <= INT_MAX;
}

static int not_descriptor(const char *text, struct err *e)
{
	return err_set(e, EINVAL, "\"%s\" is not the number of an open descriptor above 2", text);
}

int value_fd(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	uint64_t n = 0;

	if (!is_descriptor(text, &n))
		return not_descriptor(text, e);
	*FIELD(int) = (int)n;
	return 0;
}

static void append(struct spec *s, struct list *l, const char *text)
{
	l->items = mem_grow(l->items, l->count, sizeof(*l->items));
	l->items[l->count++] = keep(s, text);
}

int value_list(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	(void)e;
	append(s, FIELD(struct list), text);
	return 0;
}

int value_fds(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	uint64_t n = 0;

	if (!is_descriptor(text, &n))
		return not_descriptor(text, e);
	append(s, FIELD(struct list), text);
	return 0;
}

bool value_is_loader_variable(const char *assignment)
{
	return str_starts(assignment, "LD_") || str_starts(assignment, "GCONV_PATH") ||
	       str_starts(assignment, "GLIBC_TUNABLES");
}

int value_env(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	size_t n = strcspn(text, "=");

	if (n == 0)
		return err_set(e, EINVAL, "\"%s\" has no variable name before \"=\"", text);
	if (value_is_loader_variable(text))
		return err_set(e, EPERM, "%.*s changes which code the dynamic loader runs, and is refused", (int)n,
			       text);
	append(s, FIELD(struct list), text);
	return 0;
}

static int volume_flags(struct volume *v, const char *text, struct err *e)
{
	bool exec_given = false;

	while (*text) {
		size_t n = strcspn(text, ",");

		if (n == 2 && !strncmp(text, "ro", n))
			v->read_only = true;
		else if (n == 2 && !strncmp(text, "rw", n))
			v->read_only = false;
		else if (n == 4 && !strncmp(text, "exec", n))
			v->exec = exec_given = true;
		else if (n == 6 && !strncmp(text, "noexec", n))
			v->exec = false, exec_given = true;
		else if (!((n == 6 && !strncmp(text, "nosuid", n)) || (n == 5 && !strncmp(text, "nodev", n))))
			return err_set(e, EINVAL,
				       "\"%.*s\" is not a volume option: ro, rw, exec, noexec, nosuid, nodev",
				       (int)n, text);
		text += n + (text[n] == ',');
	}
	/* What can be written is not executed, unless it is asked for. */
	if (!exec_given)
		v->exec = v->read_only;
	return 0;
}

int value_volume(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	struct volumes *all = FIELD(struct volumes);
	struct volume v = { 0 };
	auto_free char *copy = mem_dup(text);
	char *destination = strchr(copy, ':'), *flags;
	int r;

	if (!destination || destination == copy)
		return err_set(e, EINVAL, "\"%s\" is not SOURCE:DESTINATION[:OPTIONS]", text);
	*destination++ = '\0';
	flags = strchr(destination, ':');
	if (flags)
		*flags++ = '\0';
	r = absolute(copy, s, &v.source, e);
	if (r == 0)
		r = inside(destination, s, &v.destination, e);
	if (r == 0)
		r = volume_flags(&v, flags ? flags : "", e);
	if (r < 0)
		return r;
	all->items = mem_grow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] = v;
	return 0;
}

int value_tmpfs(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	const struct option size = { .offset = offsetof(struct spec, rootfs_size) };
	struct tmpfses *all = FIELD(struct tmpfses);
	struct tmpfs t = { 0 };
	auto_free char *copy = mem_dup(text);
	char *flags = strchr(copy, ':');
	uint64_t shared = s->rootfs_size;
	int r;

	if (flags)
		*flags++ = '\0';
	r = inside(copy, s, &t.destination, e);
	if (r < 0)
		return r;
	if (flags) {
		if (!str_starts(flags, "size="))
			return err_set(e, EINVAL, "\"%s\" is not a tmpfs option: size=SIZE", flags);
		r = value_size(&size, flags + 5, s, e);
		t.size = s->rootfs_size;
		s->rootfs_size = shared;
		if (r < 0)
			return r;
	}
	all->items = mem_grow(all->items, all->count, sizeof(*all->items));
	all->items[all->count++] = t;
	return 0;
}
