#include "sandbox/landlock.h"
#include "base/defer.h"
#include "base/kernel.h"

#include <errno.h>
#include <sys/stat.h>

enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_IOCTL_DEV = 5, ABI_SCOPE = 6 };

#define FS(right) ((uint64_t)LANDLOCK_ACCESS_FS_##right)

static const uint64_t LIST = FS(READ_DIR), READ = FS(READ_DIR) | FS(READ_FILE),
		      FILE_RIGHTS = FS(EXECUTE) | FS(WRITE_FILE) | FS(READ_FILE) | FS(TRUNCATE) | FS(IOCTL_DEV),
		      DEVICE = FS(READ_DIR) | FS(READ_FILE) | FS(WRITE_FILE) | FS(TRUNCATE) | FS(IOCTL_DEV),
		      /* Device nodes are made by nobody. */
		      WRITE = FS(READ_DIR) | FS(READ_FILE) | FS(WRITE_FILE) | FS(TRUNCATE) | FS(REMOVE_DIR) |
			      FS(REMOVE_FILE) | FS(MAKE_DIR) | FS(MAKE_REG) | FS(MAKE_SOCK) | FS(MAKE_FIFO) |
			      FS(MAKE_SYM) | FS(REFER);

static uint64_t rights(enum mount_access access)
{
	switch (access) {
	case ACCESS_NONE:
		return 0;
	case ACCESS_LIST:
		return LIST;
	case ACCESS_READ:
		return READ;
	case ACCESS_READ_EXEC:
		return READ | FS(EXECUTE);
	case ACCESS_DEVICE:
		return DEVICE;
	case ACCESS_WRITE:
		return WRITE;
	case ACCESS_WRITE_EXEC:
		return WRITE | FS(EXECUTE);
	}
	return 0;
}

int landlock_abi(void)
{
	int abi = sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : abi;
}

static uint64_t handled(int abi)
{
	uint64_t all = (FS(MAKE_SYM) << 1) - 1; /* the thirteen of ABI 1 */

	if (abi >= ABI_REFER)
		all |= FS(REFER);
	if (abi >= ABI_TRUNCATE)
		all |= FS(TRUNCATE);
	if (abi >= ABI_IOCTL_DEV)
		all |= FS(IOCTL_DEV);
	return all;
}

static int ruleset_new(int abi)
{
	const struct kernel_landlock_ruleset attr = {
		.handled_access_fs = handled(abi),
		.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL,
	};

	/* An older kernel is given the fields that it knows. */
	return sys_landlock_create_ruleset(&attr, abi >= ABI_SCOPE ? sizeof(attr) : sizeof(attr.handled_access_fs), 0);
}

static int add_rule(int ruleset_fd, const char *path, enum mount_access access, int abi, struct err *e)
{
	/* No links: parts of the path may lie in a directory that others write to. */
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	auto_close int path_fd = sys_openat2(AT_FDCWD, path, &how);
	struct landlock_path_beneath_attr rule = { .parent_fd = path_fd };
	struct stat st;

	if (path_fd < 0 && errno == ENOENT)
		return 0; /* an optional row that this host lacks */
	if (path_fd < 0 || fstat(path_fd, &st) < 0)
		return err_sys(e, "%s: open", path);
	rule.allowed_access = rights(access) & handled(abi);
	if (!S_ISDIR(st.st_mode))
		rule.allowed_access &= FILE_RIGHTS;
	if (sys_landlock_add_rule(ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule) < 0)
		return err_sys(e, "%s: add the rule", path);
	return 0;
}

/*
 * A standard stream that the caller opened outside can be opened again by name, as /dev/stdout, with the rights that it
 * has: it lies under none of our directories. Pipes and sockets need no rule; EBADFD: nor does what has no name at all.
 */
static int add_stream(int ruleset_fd, int fd, int abi, struct err *e)
{
	struct landlock_path_beneath_attr rule = { .parent_fd = fd };
	int mode = fcntl(fd, F_GETFL);
	struct stat st;

	/* What was opened to append to must not be cut short by whoever opens it again. */
	if (mode < 0 || (mode & O_APPEND) || fstat(fd, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISCHR(st.st_mode)))
		return 0;
	rule.allowed_access = FS(IOCTL_DEV) & handled(abi);
	if ((mode & O_ACCMODE) != O_WRONLY)
		rule.allowed_access |= FS(READ_FILE);
	if ((mode & O_ACCMODE) != O_RDONLY)
		rule.allowed_access |= (FS(WRITE_FILE) | FS(TRUNCATE)) & handled(abi);
	if (sys_landlock_add_rule(ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule) < 0 && errno != EBADFD)
		return err_sys(e, "standard stream %d: add the rule", fd);
	return 0;
}

int landlock_restrict(const struct mount_plan *p, struct err *e)
{
	int abi = landlock_abi(), r;
	auto_close int ruleset_fd = -1;

	if (!abi) {
		err_set(e, EOPNOTSUPP, "this kernel has no Landlock, or it is disabled");
		return err_fix(e, "boot with lsm=landlock added to the list in /sys/kernel/security/lsm");
	}
	ruleset_fd = ruleset_new(abi);
	if (ruleset_fd < 0)
		return err_sys(e, "create the ruleset");
	/* Names of directories are no secret in a root that we made; the deeper rules say what can be opened. */
	r = add_rule(ruleset_fd, "/", ACCESS_LIST, abi, e);
	if (r == 0)
		r = add_rule(ruleset_fd, "/etc", ACCESS_READ, abi, e);
	if (r == 0)
		r = add_rule(ruleset_fd, "/dev", ACCESS_DEVICE, abi, e);
	for (size_t i = 0; i < p->count && r == 0; i++)
		if (p->rows[i].access != ACCESS_NONE)
			r = add_rule(ruleset_fd, p->rows[i].target, p->rows[i].access, abi, e);
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO && r == 0; fd++)
		r = add_stream(ruleset_fd, fd, abi, e);
	if (r < 0)
		return r;
	if (sys_landlock_restrict_self(ruleset_fd, 0) < 0)
		return err_sys(e, "restrict");
	return 0;
}
