#include "base/path.h"
#include "base/mem.h"
#include "base/str.h"

#include <string.h>

bool path_is_under(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	if (str_eq(dir, "/"))
		return true;
	return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* Appends the components of @path to @out, which holds a clean path without a final slash. */
static char *append_clean(char *out, char *end, const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (end > out && *--end != '/')
				;
		} else if (n && !(n == 1 && path[0] == '.')) {
			*end++ = '/';
			memcpy(end, path, n);
			end += n;
		}
		path += n;
		path += strspn(path, "/");
	}
	return end;
}

char *path_clean(const char *base, const char *path)
{
	char *out = mem_alloc(strlen(base) + strlen(path) + 4), *end = out;

	if (path[0] != '/')
		end = append_clean(out, end, base);
	end = append_clean(out, end, path);
	if (end == out)
		*end++ = '/';
	*end = '\0';
	return out;
}

const char *path_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
