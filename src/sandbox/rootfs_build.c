/* One function for each kind of row of the mount table, and the walk over a plan. */
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/mem.h"
#include "base/path.h"
#include "base/str.h"
#include "sandbox/mount.h"
#include "sandbox/rootfs.h"
#include "spec/check.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* What carrying out the rows needs beside a row. */
struct build {
	const struct spec *s;
	int root_fd;
	dev_t device; /* of the root's tmpfs */
	int state_fd; /* our own state directory; borrowed; -1 */
	bool own_nodes; /* /dev has nodes of our own making */
};

/* Below the root, as the *at() calls want it. */
static const char *relative(const char *target)
{
	return target + 1;
}

static int failed(int r, const struct mount_row *row, const char *what, struct err *e)
{
	errno = -r;
	return err_sys(e, "%s: %s", row->target, what);
}

/* Attaches a detached mount over a target of our own tmpfs, where no name can be anybody else's. */
static int attach_own(const struct build *b, int mount_fd, const struct mount_row *row, struct err *e)
{
	if (sys_move_mount(mount_fd, "", b->root_fd, relative(row->target), MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "%s: attach the mount", row->target);
	return 0;
}

/*
 * Opens the target of a user's mount, component by component, following no link: what is mounted above it may be a
 * directory that the workload of another run wrote. Missing parts are made in our own tmpfs alone, so that no stub is
 * left in a directory of the user's.
 */
static int open_target(const struct build *b, const char *target, bool directory, struct err *e)
{
	/* Without O_NOFOLLOW, which would open a link in the last place instead of failing with ELOOP. */
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	auto_close int at = dup(b->root_fd);
	auto_free char *copy = mem_dup(relative(target));
	char *rest = copy, *name;

	while ((name = strsep(&rest, "/"))) {
		int next = sys_openat2(at, name, &how);
		struct stat st;

		if (next < 0 && errno == ENOENT && fstat(at, &st) == 0 && st.st_dev == b->device) {
			int r = rest || directory ? mkdirat(at, name, 0755) :
						    file_create_at(at, name, 0644, "", 0);

			if (r < 0)
				return err_sys(e, "%s: make the mount point", target);
			next = sys_openat2(at, name, &how);
		}
		if (next < 0) {
			err_sys(e, "%s: open the mount point", target);
			if (e->code == ENOENT)
				err_fix(e, "make it first in the directory that is mounted above it");
			if (e->code == ELOOP)
				err_why(e, "a part of the path is a symbolic link");
			return -e->code;
		}
		close(at);
		at = next;
	}
	return take_fd(at);
}

static int make_parents(const struct build *b, const char *target)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s", relative(target));
	for (char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(b->root_fd, path, 0755) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/* Makes an own directory; its parents too where they are missing. */
static int make_own_directory(const struct build *b, const char *target, mode_t mode)
{
	int r = 0;

	if (mkdirat(b->root_fd, relative(target), mode) == 0 || errno == EEXIST)
		return 0;
	if (errno == ENOENT)
		r = make_parents(b, target);
	if (r < 0)
		return r;
	return mkdirat(b->root_fd, relative(target), mode) < 0 && errno != EEXIST ? -errno : 0;
}

/* An empty file, to mount over. */
static int make_own_file(const struct build *b, const char *target)
{
	return mknodat(b->root_fd, relative(target), S_IFREG | 0644, 0) < 0 ? -errno : 0;
}

static int apply_host(const struct build *b, struct mount_row *row, struct err *e)
{
	auto_close int mount_fd = -1;
	char link[PATH_MAX];
	struct stat st;
	ssize_t n = readlink(row->target, link, sizeof(link) - 1);
	int r;

	/* A link needs no rule of its own, its target has one; neither does what is absent. */
	if (n > 0 || errno != EINVAL)
		row->access = ACCESS_NONE;
	if (n > 0) {
		link[n] = '\0';
		return symlinkat(link, b->root_fd, relative(row->target)) < 0 ?
			failed(-errno, row, "copy the link", e) : 0;
	}
	if (n < 0 && errno != EINVAL)
		return row->optional && (errno == ENOENT || errno == ENOTDIR) ? 0 :
			failed(-errno, row, "look at it on the host", e);
	mount_fd = mount_clone(AT_FDCWD, row->target, true);
	if (mount_fd < 0 || fstat(mount_fd, &st) < 0)
		return failed(mount_fd < 0 ? mount_fd : -errno, row, "clone the host's", e);
	r = mount_change(mount_fd, row->attributes, 0, true);
	if (r == 0 && S_ISDIR(st.st_mode))
		r = make_own_directory(b, row->target, 0755);
	else if (r == 0)
		r = make_own_file(b, row->target);
	return r < 0 ? failed(r, row, "prepare the mount", e) : attach_own(b, mount_fd, row, e);
}

static int apply_link(const struct build *b, struct mount_row *row, struct err *e)
{
	if (symlinkat(row->source, b->root_fd, relative(row->target)) < 0)
		return failed(-errno, row, "make the link", e);
	return 0;
}

static int apply_private(const struct build *b, struct mount_row *row, struct err *e)
{
	auto_close int mount_fd = -1;
	int r = make_own_directory(b, row->target, row->mode);

	if (r < 0)
		return failed(r, row, "make the directory", e);
	mount_fd = mount_clone(b->root_fd, relative(row->target), false);
	r = mount_fd < 0 ? mount_fd : mount_change(mount_fd, row->attributes,
						   (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC) & ~row->attributes, false);
	return r < 0 ? failed(r, row, "bind the directory", e) : attach_own(b, mount_fd, row, e);
}

/* An inode takes about a kilobyte of kernel memory that the size does not count: one for each page, and no more. */
static void tmpfs_limits(uint64_t bytes, char size[32], char inodes[32])
{
	snprintf(size, 32, "%" PRIu64, bytes);
	snprintf(inodes, 32, "%" PRIu64, bytes / 4096 + 1024);
}

static int apply_new(const struct build *b, struct mount_row *row, struct err *e)
{
	char size[32], inodes[32];
	const struct mount_option tmpfs[] = { { "size", size }, { "nr_inodes", inodes }, { "mode", "0777" }, { 0 } };
	const struct mount_option devpts[] = { { "newinstance", NULL }, { "ptmxmode", "0666" }, { "mode", "0620" },
					     { "max", "256" }, { 0 } };
	const struct mount_option *options = str_eq(row->source, "tmpfs")  ? tmpfs :
					     str_eq(row->source, "devpts") ? devpts : NULL;
	auto_close int mount_fd = -1, target_fd = -1;
	int r;

	tmpfs_limits(row->size, size, inodes);
	mount_fd = mount_new(row->source, options, row->attributes, e);
	if (mount_fd < 0)
		return err_in(e, "%s", row->target);
	if (options != tmpfs)
		return attach_own(b, mount_fd, row, e);
	target_fd = open_target(b, row->target, true, e);
	if (target_fd < 0)
		return target_fd;
	r = mount_attach(mount_fd, target_fd);
	return r < 0 ? failed(r, row, "attach the mount", e) : 0;
}

/* Where no node of our own lies there already. */
static int apply_device(const struct build *b, struct mount_row *row, struct err *e)
{
	auto_close int mount_fd = b->own_nodes ? -1 : mount_clone(AT_FDCWD, row->target, false);
	struct stat st;
	int r;

	if (b->own_nodes)
		return 0;
	if (mount_fd < 0 || fstat(mount_fd, &st) < 0)
		return failed(mount_fd < 0 ? mount_fd : -errno, row, "clone the host's device", e);
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(row->major, row->minor)) {
		err_set(e, ENODEV, "%s: the host's is not the character device %u:%u", row->target, row->major,
			row->minor);
		return err_fix(e, "mknod -m 666 %s c %u %u", row->target, row->major, row->minor);
	}
	r = mount_change(mount_fd, row->attributes, 0, false);
	if (r == 0)
		r = make_own_file(b, row->target);
	return r < 0 ? failed(r, row, "prepare the mount", e) : attach_own(b, mount_fd, row, e);
}

/*
 * One call for a mask, there are many: mount(2), relative to our own root, where no name is anybody else's. The
 * mount has the attributes of the one that it is a copy of: those of the device row for a file; a directory's has
 * yet to become read-only. The kernel's list differs from host to host: what is absent needs no mask.
 */
static int apply_mask(const struct build *b, struct mount_row *row, struct err *e)
{
	struct mount_attr attr = { .attr_set = row->attributes };

	if (mount(relative(row->source), relative(row->target), NULL, MS_BIND, NULL) < 0)
		return errno == ENOENT ? 0 : failed(-errno, row, "hide it", e);
	if (str_eq(row->source, "/dev/null"))
		return 0;
	if (sys_mount_setattr(b->root_fd, relative(row->target), 0, &attr) < 0)
		return failed(-errno, row, "make what hides it read-only", e);
	return 0;
}

static int apply_freeze(const struct build *b, struct mount_row *row, struct err *e)
{
	const bool hides = str_eq(row->target, "/dev") && !b->own_nodes; /* the devices that are bound there */
	auto_close int mount_fd = hides ? -ENOENT : mount_clone(b->root_fd, relative(row->target), false);
	int r;

	if (hides || (mount_fd == -ENOENT && row->optional))
		return 0;
	r = mount_fd < 0 ? mount_fd :
			   mount_change(mount_fd, row->attributes, MOUNT_ATTR_NODEV & ~row->attributes, false);
	if (r < 0)
		return failed(r, row, "make it read-only", e);
	return attach_own(b, mount_fd, row, e);
}

/* The name by which the kernel knows what @fd was opened to: "/proc/self/fd" tells without a second look-up. */
static int canonical(int fd, char path[PATH_MAX])
{
	char self[32];
	ssize_t n;

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	n = readlink(self, path, PATH_MAX - 1);
	if (n < 0)
		return -errno;
	path[n] = '\0';
	return 0;
}

static bool is_same(const char *path, const struct stat *st)
{
	struct stat other;

	/* What cannot be looked at may be the same; what is not there is not. */
	if (stat(path, &other) < 0)
		return errno != ENOENT && errno != ENOTDIR;
	return other.st_dev == st->st_dev && other.st_ino == st->st_ino;
}

static bool is_closed(const struct stat *st)
{
	for (const char *const *path = check_closed; *path; path++)
		if (is_same(*path, st))
			return true;
	return false;
}

/* The root, or any directory on the way from it to a closed one. */
static bool holds_closed(const struct stat *st)
{
	if (is_same("/", st))
		return true;
	for (const char *const *path = check_closed; *path; path++) {
		char above[PATH_MAX];

		snprintf(above, sizeof(above), "%s", *path);
		for (char *slash = strrchr(above, '/'); slash > above; slash = strrchr(above, '/')) {
			*slash = '\0';
			if (is_same(above, st))
				return true;
		}
	}
	return false;
}

/*
 * Another name may lead to a closed directory: a bind mount of it. So the directory itself and all above it are
 * looked at.
 */
static bool lies_in_closed(int source_fd, const char *path)
{
	auto_close int at = dup(source_fd);
	struct stat st, above;

	if (at < 0 || fstat(at, &st) < 0)
		return true;
	if (!S_ISDIR(st.st_mode)) {
		auto_free char *directory = mem_dup_n(path, (size_t)(path_name(path) - path));

		close(at);
		at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (at < 0 || fstat(at, &st) < 0)
			return true;
	}
	while (!is_closed(&st)) {
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		if (up < 0 || fstat(up, &above) < 0)
			return true;
		close(at);
		at = up;
		if (above.st_dev == st.st_dev && above.st_ino == st.st_ino)
			return false;
		st = above;
	}
	return true;
}

/* Whoever can write there decides what the next command takes for a record of its own. */
static bool holds_state(const struct build *b, const char *path)
{
	char state[PATH_MAX];

	if (b->state_fd < 0)
		return false;
	return canonical(b->state_fd, state) < 0 || path_is_under(state, path) || path_is_under(path, state);
}

/* The verdict over a source falls on the descriptor that is bound, whatever its spelling led through. */
static int open_source(const struct build *b, const struct mount_row *row, struct stat *ret_st, struct err *e)
{
	auto_close int fd = open(row->source, O_PATH | O_CLOEXEC);
	char path[PATH_MAX];
	const char *why;
	int r;

	if (fd < 0) {
		err_sys(e, "%s: open the source %s", row->target, row->source);
		if (e->code == ENOENT)
			err_fix(e, "mkdir -p '%s'", row->source);
		return -e->code;
	}
	r = fstat(fd, ret_st) < 0 ? -errno : canonical(fd, path);
	if (r < 0)
		return failed(r, row, "look at the source", e);
	why = check_source(path);
	if (!why && (holds_closed(ret_st) || lies_in_closed(fd, path)))
		why = "it is, by another name, a directory with the host's secrets, devices or sockets";
	if (!why && holds_state(b, path))
		why = "it holds, or lies in, the directory where nucleus keeps its state";
	if (!why && !S_ISDIR(ret_st->st_mode) && !S_ISREG(ret_st->st_mode))
		why = "it is neither a directory nor a regular file";
	if (why) {
		err_set(e, EPERM, "%s: source %s is refused", row->target, path);
		return err_why(e, "%s", why);
	}
	return take_fd(fd);
}

static int apply_bind(const struct build *b, struct mount_row *row, struct err *e)
{
	auto_close int source_fd = take_fd(row->source_fd), mount_fd = -1, target_fd = -1;
	struct stat st;
	int r;

	if (fstat(source_fd, &st) < 0)
		return failed(-errno, row, "look at the source", e);
	/* The target first, see apply_mask(). */
	target_fd = open_target(b, row->target, S_ISDIR(st.st_mode), e);
	if (target_fd < 0)
		return target_fd;
	mount_fd = mount_clone(source_fd, "", true);
	r = mount_fd < 0 ? mount_fd : mount_change(mount_fd, row->attributes, 0, true);
	if (r == 0)
		r = mount_attach(mount_fd, target_fd);
	return r < 0 ? failed(r, row, "bind the source", e) : 0;
}

static int (*const appliers[])(const struct build *, struct mount_row *, struct err *) = {
	[MOUNT_HOST] = apply_host,     [MOUNT_LINK] = apply_link, [MOUNT_PRIVATE] = apply_private,
	[MOUNT_NEW] = apply_new,       [MOUNT_DEVICE] = apply_device, [MOUNT_MASK] = apply_mask,
	[MOUNT_FREEZE] = apply_freeze, [MOUNT_BIND] = apply_bind,
};

/* Directories that exist although nothing is mounted on them. */
static const struct {
	const char *path;
	mode_t mode;
} directories[] = {
	{ "/proc", 0755 }, { "/sys", 0755 }, { "/etc", 0755 }, { "/etc/ssl", 0755 }, { "/dev", 0755 },
	{ "/dev/pts", 0755 }, { "/dev/mqueue", 0755 }, { "/dev/shm", 01777 }, { "/var", 0755 }, { "/var/empty", 0755 },
};

static int make_root(struct build *b, struct err *e)
{
	char size[32], inodes[32];
	const struct mount_option options[] = { { "size", size }, { "nr_inodes", inodes }, { "mode", "0755" }, { 0 } };
	struct mount_attr private = { .propagation = MS_PRIVATE };
	struct stat st;

	/* The umask of the caller has no say in what the table promises; identity sets the workload's. */
	umask(0);
	/* Nothing that is mounted from here on may reach the host, nor the other way round. */
	if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, &private) < 0)
		return err_sys(e, "make the host's mounts private");
	tmpfs_limits(b->s->rootfs_size, size, inodes);
	b->root_fd = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, e);
	if (b->root_fd < 0)
		return err_in(e, "/");
	/*
	 * Over the root, where it hides nothing of the host's from absolute names without "..": path look-up starts
	 * below what is mounted there.
	 */
	if (sys_move_mount(b->root_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "/: attach the new root");
	if (fstat(b->root_fd, &st) < 0)
		return err_sys(e, "/: look at the new root");
	b->device = st.st_dev;
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++)
		if (mkdirat(b->root_fd, relative(directories[i].path), directories[i].mode) < 0)
			return err_sys(e, "%s: make the directory", directories[i].path);
	return fchdir(b->root_fd) < 0 ? err_sys(e, "/: enter the new root") : 0;
}

/*
 * Before the new root lies over "/": a link with enough ".." in it arrives at "/", and would step onto what is
 * mounted there.
 */
static int open_sources(const struct build *b, struct mount_plan *p, struct err *e)
{
	struct stat st;

	for (size_t i = 0; i < p->count; i++) {
		if (p->rows[i].kind != MOUNT_BIND)
			continue;
		p->rows[i].source_fd = open_source(b, &p->rows[i], &st, e);
		if (p->rows[i].source_fd < 0)
			return p->rows[i].source_fd;
	}
	return 0;
}

/*
 * Nodes of our own save a mount each. All or none: in a user namespace we may not make them, nor where the device
 * cgroup of the host forbids one.
 */
static bool make_nodes(const struct build *b, const struct mount_plan *p)
{
	bool made = true;

	for (const struct mount_row *row = p->rows; row < p->rows + p->count; row++)
		if (made && row->kind == MOUNT_DEVICE)
			made = mknodat(b->root_fd, relative(row->target), S_IFCHR | 0666,
				       makedev(row->major, row->minor)) == 0;
	for (const struct mount_row *row = p->rows; !made && row < p->rows + p->count; row++)
		if (row->kind == MOUNT_DEVICE)
			unlinkat(b->root_fd, relative(row->target), 0);
	return made;
}

int rootfs_build(const struct spec *s, struct mount_plan *p, int state_fd, int *ret_root_fd, struct err *e)
{
	struct build b = { .s = s, .state_fd = state_fd, .root_fd = -1 };
	int r = open_sources(&b, p, e);

	if (r == 0)
		r = make_root(&b, e);
	b.own_nodes = r == 0 && make_nodes(&b, p);
	for (size_t i = 0; i < p->count && r == 0; i++)
		r = appliers[p->rows[i].kind](&b, &p->rows[i], e);
	if (r < 0 && b.root_fd >= 0)
		close(b.root_fd);
	else if (r == 0)
		*ret_root_fd = b.root_fd;
	return r;
}
