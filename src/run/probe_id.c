#include "run/probe_id.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "run/probe_host.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { FILE_LIMIT = 4 << 20 };

/* All of @text (@len bytes) is one decimal number of 32 bits. */
static bool number_is(const char *text, size_t len, uint64_t *ret)
{
	uint64_t value = 0;

	if (len == 0 || len > 10)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
	}
	*ret = value;
	return value <= UINT32_MAX;
}

struct subid {
	const char *owner;
	size_t owner_len;
	uint64_t start, count;
};

/* OWNER:START:COUNT, in @len bytes. */
static bool subid_is(const char *line, size_t len, struct subid *ret)
{
	const char *end = line + len;
	const char *first = memchr(line, ':', len);
	const char *second = first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;

	if (!second || first == line)
		return false;
	ret->owner = line;
	ret->owner_len = (size_t)(first - line);
	return number_is(first + 1, (size_t)(second - first - 1), &ret->start) &&
	       number_is(second + 1, (size_t)(end - second - 1), &ret->count) && ret->count > 0 &&
	       ret->start + ret->count <= UINT64_C(1) << 32;
}

static bool owner_is(const struct subid *s, const char *word)
{
	return word && strlen(word) == s->owner_len && !memcmp(s->owner, word, s->owner_len);
}

uint64_t probe_subids(const char *text, const char *name, unsigned id, size_t *ret_malformed)
{
	uint64_t total = 0;
	size_t malformed = 0;
	char number[16];

	snprintf(number, sizeof(number), "%u", id);
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		struct subid s;

		if (len > 0 && line[0] != '#') {
			if (!subid_is(line, len, &s))
				malformed++;
			else if (owner_is(&s, name) || owner_is(&s, number))
				total += s.count;
		}
		line += len + (line[len] == '\n');
	}
	*ret_malformed = malformed;
	return total;
}

/* Not getpwuid(3): it may load libraries, and the launch image has none of the host's. */
char *probe_login_name(const char *text, unsigned id)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");
		size_t name = strcspn(line, ":\n");
		const char *p = line + name;
		uint64_t uid;

		p += *p == ':';
		p += strcspn(p, ":\n");
		p += *p == ':';
		if (name > 0 && number_is(p, strcspn(p, ":\n"), &uid) && uid == id)
			return mem_dup_n(line, name);
		line += len + (line[len] == '\n');
	}
	return NULL;
}

void probe_subordinate_ids(const struct probe *p, struct fact *f)
{
	auto_free char *passwd = NULL;
	auto_free char *text = NULL;
	auto_free char *name = NULL;
	size_t len, malformed = 0;
	uint64_t count = 0;

	if (file_read("/etc/passwd", FILE_LIMIT, &passwd, &len) == 0)
		name = probe_login_name(passwd, geteuid());
	if (file_read(p->word, FILE_LIMIT, &text, &len) == 0)
		count = probe_subids(text, name, geteuid(), &malformed);
	if (count > 1)
		fact_ok(f, "%llu ids for %s%s", (unsigned long long)count, name ? name : "this user",
			malformed ? ", and lines that are malformed" : "");
	else if (!probe_is_rootless())
		fact_ok(f, "none for root, who may map any");
	else
		fact_missing(f, "no range for %s%s", name ? name : "this user",
			     malformed ? "; lines are malformed" : "");
}

/* It must act for root: by the bit, or by capabilities on the file. */
static bool is_privileged(const char *path, const struct stat *st)
{
	struct vfs_cap_data cap;

	return (st->st_uid == 0 && (st->st_mode & S_ISUID)) ||
	       getxattr(path, "security.capability", &cap, sizeof(cap)) > 0 || errno == ERANGE;
}

void probe_id_helper(const struct probe *p, struct fact *f)
{
	auto_free char *path = NULL;
	struct stat st;

	if (!probe_find_program(p->word, &path, f)) {
		if (!probe_is_rootless() && !f->cause[0])
			fact_ok(f, "absent; root needs none");
		return;
	}
	errno = 0;
	if (stat(path, &st) < 0 || !is_privileged(path, &st)) {
		fact_missing(f, "%s is neither setuid root nor has file capabilities", path);
		fact_cause(f, "the program may not act for root");
		fact_fix(f, "sudo chown root:root %s && sudo chmod u+s %s", path, path);
	} else {
		fact_ok(f, "%s", path);
	}
}
