#include "run/environment.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "spec/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ENVIRONMENT_MAX = 1 << 20 }; /* bytes of one file or descriptor */

struct environment {
	char **items;
	size_t count;
};

/* Sets K=V (takes the ownership of @assignment), replacing an earlier K. */
static void put(struct environment *env, char *assignment)
{
	size_t n = strcspn(assignment, "=") + 1;

	for (size_t i = 0; i < env->count; i++)
		if (strncmp(env->items[i], assignment, n) == 0) {
			free(env->items[i]);
			env->items[i] = assignment;
			return;
		}
	env->items = mem_grow(env->items, env->count, sizeof(*env->items));
	env->items[env->count++] = assignment;
}

/* K=V as it is; K alone takes our own value, and is left out where we have none. */
static void put_item(struct environment *env, const char *item)
{
	const char *value = strchr(item, '=') ? NULL : getenv(item);

	if (strchr(item, '='))
		put(env, mem_dup(item));
	else if (value)
		put(env, mem_printf("%s=%s", item, value));
}

/* Lines, or NUL-separated items where there is a NUL. Blank lines and comments are those of Docker's --env-file. */
static int put_text(struct environment *env, const char *origin, char *text, size_t len, struct err *e)
{
	bool nul = memchr(text, '\0', len) != NULL;
	unsigned number = 0;

	for (char *p = text, *end = text + len; p < end;) {
		char *stop = memchr(p, nul ? '\0' : '\n', (size_t)(end - p));

		stop = stop ? stop : end;
		*stop = '\0';
		number++;
		if (*p && (nul || *p != '#')) {
			if (*p == '=')
				return err_set(e, EINVAL, "%s:%u: no variable name before \"=\"", origin, number);
			if (value_is_loader_variable(p))
				return err_set(e, EPERM,
					       "%s:%u: %.*s changes which code the dynamic loader runs, and is refused",
					       origin, number, (int)strcspn(p, "="), p);
			put_item(env, p);
		}
		p = stop + 1;
	}
	return 0;
}

static int put_file(struct environment *env, const char *path, struct err *e)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int r = file_read(path, ENVIRONMENT_MAX, &text, &len);

	if (r < 0) {
		errno = -r;
		return err_sys(e, "read --env-file %s", path);
	}
	return put_text(env, path, text, len, e);
}

static int put_fd(struct environment *env, const char *number, struct err *e)
{
	auto_free char *text = NULL;
	uint64_t fd = 0;
	size_t len = 0;
	int r = value_digits(number, &fd);

	if (r < 0 || fd < 3 || fd > INT32_MAX)
		return err_set(e, EINVAL, "option --env-fd: \"%s\" is not the number of an open descriptor above 2",
			       number);
	r = fd_read_all((int)fd, ENVIRONMENT_MAX, &text, &len);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "read --env-fd %s", number);
	}
	r = put_text(env, "env-fd", text, len, e);
	explicit_bzero(text, len);
	return r;
}

static int put_asked_for(struct environment *env, const struct spec *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->env_file.count && r == 0; i++)
		r = put_file(env, s->env_file.items[i], e);
	for (size_t i = 0; i < s->env_fd.count && r == 0; i++)
		r = put_fd(env, s->env_fd.items[i], e);
	for (size_t i = 0; i < s->env.count && r == 0; i++)
		put_item(env, s->env.items[i]);
	return r;
}

int environment_make(const struct spec *s, const char *hostname, char ***ret, struct err *e)
{
	struct environment env = { 0 };
	const char *term = getenv("TERM");
	int r;

	put(&env, mem_dup("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"));
	put(&env, mem_printf("HOME=%s", s->home));
	put(&env, mem_printf("HOSTNAME=%s", hostname));
	if (s->tty)
		put(&env, mem_printf("TERM=%s", term && *term ? term : "xterm"));
	r = put_asked_for(&env, s, e);
	env.items = mem_grow(env.items, env.count, sizeof(*env.items));
	env.items[env.count] = NULL;
	if (r < 0) {
		environment_free(env.items);
		return r;
	}
	*ret = env.items;
	return 0;
}

void environment_free(char **envp)
{
	for (char **p = envp; p && *p; p++)
		free(*p);
	free(envp);
}

const char *environment_get(char **envp, const char *name)
{
	size_t n = strlen(name);

	for (; *envp; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}
