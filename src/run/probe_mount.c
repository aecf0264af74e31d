#include "run/probe_mount.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* A detached tmpfs, or -1 with the fact answered. */
static int new_tmpfs(struct fact *f)
{
	auto_close int fs_fd = sys_fsopen("tmpfs", FSOPEN_CLOEXEC);
	int mount_fd;

	if (fs_fd < 0) {
		fact_errno(f, errno, "fsopen");
		return -1;
	}
	if (sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		fact_errno(f, errno, "fsconfig");
		return -1;
	}
	mount_fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount_fd < 0)
		fact_errno(f, errno, "fsmount");
	return mount_fd;
}

/* The tmpfs over "/", and us in it. Nothing leaves the namespace: its mounts are private first. */
static int enter_tmpfs(int mount_fd, struct fact *f)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		fact_errno(f, errno, "mount(MS_PRIVATE)");
	else if (sys_move_mount(mount_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		fact_errno(f, errno, "move_mount");
	else if (fchdir(mount_fd) < 0)
		fact_errno(f, errno, "fchdir");
	else
		return 0;
	return -1;
}

/* A launch in small: copy a tree, restrict all of it, make a root, attach it, enter it. */
static void build_root(const struct probe *p, struct fact *f)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID };
	auto_close int tree_fd = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	auto_close int root_fd = -1;

	(void)p;
	if (tree_fd < 0) {
		fact_errno(f, errno, "open_tree");
		return;
	}
	if (sys_mount_setattr(tree_fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &read_only) < 0) {
		fact_errno(f, errno, "mount_setattr(AT_RECURSIVE)");
		return;
	}
	root_fd = new_tmpfs(f);
	if (root_fd < 0 || enter_tmpfs(root_fd, f) < 0)
		return;
	if (sys_pivot_root(".", ".") < 0)
		fact_errno(f, errno, "pivot_root");
	else
		fact_ok(f, "fsopen, fsmount, open_tree, mount_setattr, move_mount, pivot_root");
}

void probe_mount_api(const struct probe *p, struct fact *f)
{
	probe_in_namespaces(CLONE_NEWNS, build_root, p, f);
}

static int write_map(pid_t pid, const char *name, const char *map)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return file_write_at(AT_FDCWD, path, map);
}

static int open_userns(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A user namespace that maps one id elsewhere, held by a process only until it is open. -1 with errno. */
static int mapped_userns(const char *map)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args, sizeof(args));
	int fd = -1, error;

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	if (pid < 0)
		return -1;
	if (write_map(pid, "setgroups", "deny") == 0 && write_map(pid, "uid_map", map) == 0 &&
	    write_map(pid, "gid_map", map) == 0)
		fd = open_userns(pid);
	error = errno;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	errno = error;
	return fd;
}

static bool takes_idmap(int mount_fd, int userns_fd)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns_fd };

	return mount_fd >= 0 && sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH, &attr) == 0;
}

static void no_userns(int error, struct fact *f)
{
	fact_errno(f, error, "a user namespace for the map");
	fact_cause(f, "the ids are given as a user namespace, and none can be had");
	fact_fix(f, "mend the user namespace first: nucleus doctor | grep -A3 'user namespace'");
}

static void map_mounts(const struct probe *p, struct fact *f)
{
	auto_close int userns_fd = mapped_userns("0 100000 1");
	auto_close int root_fd = -1;
	auto_close int tmpfs_fd = -1;
	bool root, tmpfs;

	(void)p;
	if (userns_fd < 0) {
		no_userns(errno, f);
		return;
	}
	root_fd = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	tmpfs_fd = new_tmpfs(f);
	root = takes_idmap(root_fd, userns_fd);
	tmpfs = takes_idmap(tmpfs_fd, userns_fd);
	if (root)
		fact_ok(f, "root file system%s", tmpfs ? " and tmpfs" : "");
	else if (tmpfs)
		fact_degraded(f, "tmpfs, but not the root file system");
	else
		fact_errno(f, errno, "mount_setattr(MOUNT_ATTR_IDMAP)");
}

/* An ordinary user may map only file systems of its own namespace, where id 0 is all there is to map. */
static void map_own_mounts(const struct probe *p, struct fact *f)
{
	auto_close int userns_fd = mapped_userns("0 0 1");
	auto_close int tmpfs_fd = -1;

	(void)p;
	if (userns_fd < 0) {
		no_userns(errno, f);
		return;
	}
	tmpfs_fd = new_tmpfs(f);
	if (takes_idmap(tmpfs_fd, userns_fd))
		fact_ok(f, "file systems of the container; the host's need root");
	else
		fact_errno(f, errno, "mount_setattr(MOUNT_ATTR_IDMAP)");
}

void probe_idmapped_mounts(const struct probe *p, struct fact *f)
{
	probe_in_namespaces(CLONE_NEWNS, probe_is_rootless() ? map_own_mounts : map_mounts, p, f);
}

static void lay_over(const struct probe *p, struct fact *f)
{
	auto_close int root_fd = new_tmpfs(f);

	(void)p;
	if (root_fd < 0 || enter_tmpfs(root_fd, f) < 0)
		return;
	if (mkdir("lower", 0700) < 0 || mkdir("upper", 0700) < 0 || mkdir("work", 0700) < 0 || mkdir("over", 0700) < 0)
		fact_errno(f, errno, "mkdir");
	else if (mount("overlay", "over", "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work,userxattr") < 0)
		fact_errno(f, errno, "mount(overlay)");
	else
		fact_ok(f, "mounted over tmpfs");
}

void probe_overlay(const struct probe *p, struct fact *f)
{
	probe_in_namespaces(CLONE_NEWUSER | CLONE_NEWNS, lay_over, p, f);
}
