#include "run/state.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"
#include "sandbox/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

/*
 * What lies in the state directory. "lock": a file that stays; who supervises container ID holds a lock on byte ID of
 * it. "ID": a hard link to that file, the record of a container that is there; making and removing one touches no
 * inode, which matters where the directory is on a disk. "ID.result": the JSON of a kept one. "@NAME": a symlink to
 * the id that has the name. "%HASH": symlinks to each cgroup below which leaves were ever made; they are few and
 * stay, so that a launch writes nothing about its leaf, and whoever collects a record knows all the places where the
 * leaf can be.
 */

static char *root_path(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	char user[64];
	struct stat st;

	if (geteuid() == 0)
		return mem_dup("/run/nucleus");
	if (runtime && runtime[0] == '/')
		return mem_printf("%s/nucleus", runtime);
	snprintf(user, sizeof(user), "/run/user/%u", geteuid());
	if (stat(user, &st) == 0 && st.st_uid == geteuid())
		return mem_printf("%s/nucleus", user);
	return mem_printf("/tmp/nucleus-%u", geteuid());
}

int state_open_root(int *ret_root_fd, struct err *e)
{
	auto_free char *path = root_path();
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd < 0 && errno == ENOENT) {
		if (mkdir(path, 0700) < 0 && errno != EEXIST) {
			err_sys(e, "make the state directory %s", path);
			return geteuid() == 0 ? -e->code : err_fix(e, "export XDG_RUNTIME_DIR=/run/user/$(id -u)");
		}
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	}
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open the state directory %s", path);
	if (st.st_uid != geteuid() || (st.st_mode & 077)) {
		err_set(e, EPERM, "the state directory %s belongs to somebody else or is open to others", path);
		return err_fix(e, "ls -ld %s; then remove it, or: chmod 700 %s", path, path);
	}
	*ret_root_fd = take_fd(fd);
	return 0;
}

static bool is_id(const char *text)
{
	return strlen(text) == 12 && strspn(text, "0123456789abcdef") == 12;
}

/* Text of the symlink @name under @dir_fd. */
static bool read_link(int dir_fd, const char *name, char *text, size_t size)
{
	ssize_t n = readlinkat(dir_fd, name, text, size - 1);

	if (n < 0)
		return false;
	text[n] = '\0';
	return true;
}

/* Names are looked at, and then taken or removed; whoever does holds this byte, above those of all ids. */
static const off_t NAMES_BYTE = (off_t)1 << 48;

static off_t byte_of(const char *id)
{
	return (off_t)strtoull(id, NULL, 16);
}

/*
 * Sets an open-file-description lock of @type on one byte, at once (F_OFD_SETLK) or when it can be had (F_OFD_SETLKW):
 * fcntl(2). Returns 0 or -errno; EAGAIN where somebody else holds it.
 */
static int set_lock(int lock_fd, int command, short type, off_t byte)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };
	int r;

	do
		r = fcntl(lock_fd, command, &lock);
	while (r < 0 && errno == EINTR);
	return r < 0 ? -errno : 0;
}

static int lock_id(int lock_fd, const char *id)
{
	return set_lock(lock_fd, F_OFD_SETLK, F_WRLCK, byte_of(id));
}

/* Waits. There is no lock to be had only where the kernel is out of memory for one. */
static void lock_names(int lock_fd)
{
	(void)set_lock(lock_fd, F_OFD_SETLKW, F_WRLCK, NAMES_BYTE);
}

static int open_lock(int root_fd)
{
	int fd = openat(root_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);

	return fd < 0 ? -errno : fd;
}

static void result_name(char name[24], const char *id)
{
	snprintf(name, 24, "%.12s.result", id);
}

static bool is_kept(int root_fd, const char *id)
{
	char name[24];
	struct stat st;

	result_name(name, id);
	return fstatat(root_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

static DIR *list(int root_fd)
{
	/* A duplicate shares its position with the original, hence a descriptor of its own. */
	int fd = openat(root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* Ends and removes the leaf of @id wherever it may be; false where one resists. */
static bool remove_leaves(int root_fd, const char *id)
{
	DIR *dir = list(root_fd);
	struct dirent *entry;
	bool gone = dir != NULL;

	while (dir && (entry = readdir(dir))) {
		char parent[512], path[540];
		struct err e;

		if (entry->d_name[0] != '%' || !read_link(root_fd, entry->d_name, parent, sizeof(parent)))
			continue;
		snprintf(path, sizeof(path), "%s/nucleus-%s", parent, id);
		gone = cgroup_remove(path, &e) == 0 && gone;
	}
	if (dir)
		closedir(dir);
	return gone;
}

/*
 * Takes over a record whose supervisor is dead: ends what is left, then removes it. True if it is gone; false where its
 * supervisor lives, or something could not be ended and a later command has to try again. The lock is asked for on the
 * record itself, which is another file than "lock" where somebody removed that.
 */
static bool collect_record(int root_fd, const char *id)
{
	auto_close int fd = openat(root_fd, id, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return errno == ENOENT;
	if (lock_id(fd, id) < 0 || !remove_leaves(root_fd, id))
		return false;
	return unlinkat(root_fd, id, 0) == 0 || errno == ENOENT;
}

static void link_name(char link[80], const char *name)
{
	snprintf(link, 80, "@%s", name);
}

static int name_taken(const char *name, const char *id, bool kept, struct err *e)
{
	err_set(e, EEXIST, "name %s is taken by container %s", name, id);
	err_why(e, kept ? "it has ended, and its record is kept" : "it is running");
	return kept ? err_fix(e, "nucleus rm %s", name) : err_fix(e, "choose another --name");
}

/* A name belongs to whoever made its link; a link to nothing, or to the dead, is taken over. */
static int claim_name(int root_fd, const char *name, const char *id, struct err *e)
{
	char link[80], owner[64];

	link_name(link, name);
	for (int attempt = 0; attempt < 3; attempt++) {
		if (symlinkat(id, root_fd, link) == 0)
			return 0;
		if (errno != EEXIST)
			return err_sys(e, "take the name %s", name);
		if (!read_link(root_fd, link, owner, sizeof(owner)))
			continue;
		if (is_id(owner) && is_kept(root_fd, owner))
			return name_taken(name, owner, true, e);
		if (is_id(owner) && !collect_record(root_fd, owner))
			return name_taken(name, owner, false, e);
		unlinkat(root_fd, link, 0);
	}
	return err_set(e, EEXIST, "name %s is being taken by another command", name);
}

/* The lock before the record: a record without a lock is a dead one's. */
static int make_record(int root_fd, int lock_fd, const char *id)
{
	int r = lock_fd < 0 ? lock_fd : lock_id(lock_fd, id);
	struct stat held, st;

	if (r == 0 && linkat(root_fd, "lock", root_fd, id, 0) < 0)
		r = -errno;
	/* Another file may be in the lock's place by now; the record has to be a link to the one that we hold. */
	if (r == 0 && (fstat(lock_fd, &held) < 0 || fstatat(root_fd, id, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		       held.st_ino != st.st_ino)) {
		unlinkat(root_fd, id, 0);
		r = -ESTALE;
	}
	return r;
}

static int claim_record(int root_fd, const char *id, int *ret_lock_fd)
{
	int r = -ESTALE;

	for (int attempt = 0; attempt < 10 && (r == -ESTALE || r == -ENOENT); attempt++) {
		auto_close int fd = open_lock(root_fd);

		r = make_record(root_fd, fd, id);
		if (r == 0)
			*ret_lock_fd = take_fd(fd);
	}
	return r;
}

int state_claim(const char *id, const char *name, struct state *ret, struct err *e)
{
	struct state s = { .root_fd = -1, .fd = -1 };
	int r = state_open_root(&s.root_fd, e);

	if (r < 0)
		return r;
	r = claim_record(s.root_fd, id, &s.fd);
	if (r < 0) {
		errno = -r;
		r = err_sys(e, "make the record %s", id);
	} else {
		snprintf(s.id, sizeof(s.id), "%s", id);
		if (name)
			lock_names(s.fd);
		r = name ? claim_name(s.root_fd, name, id, e) : 0;
		if (name)
			(void)set_lock(s.fd, F_OFD_SETLK, F_UNLCK, NAMES_BYTE);
	}
	if (r == 0 && name)
		snprintf(s.name, sizeof(s.name), "%s", name);
	*ret = s;
	if (r < 0)
		state_finish(ret, NULL);
	return r;
}

int state_note_cgroup(const struct state *s, const char *parent, struct err *e)
{
	uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a, for a short name; the text is in the link */
	char link[24];

	for (const char *p = parent; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
	snprintf(link, sizeof(link), "%%%016" PRIx64, hash);
	if (symlinkat(parent, s->root_fd, link) < 0 && errno != EEXIST)
		return err_sys(e, "note the cgroup %s", parent);
	return 0;
}

void state_finish(struct state *s, const char *result)
{
	char link[80], kept[24];

	result_name(kept, s->id);
	link_name(link, s->name);
	/* Until the lock is closed: the name must not be seen without record and without result. */
	if (s->name[0])
		lock_names(s->fd);
	/* A record that cannot be kept is removed like any other: the result has gone to the caller already. */
	if (s->id[0] && result && file_create_at(s->root_fd, kept, 0600, result, strlen(result)) < 0) {
		unlinkat(s->root_fd, kept, 0);
		result = NULL;
	}
	if (s->name[0] && !result)
		unlinkat(s->root_fd, link, 0);
	if (s->id[0])
		unlinkat(s->root_fd, s->id, 0);
	/* Closing it drops the lock. */
	if (s->fd >= 0)
		close(s->fd);
	if (s->root_fd >= 0)
		close(s->root_fd);
	*s = (struct state){ .root_fd = -1, .fd = -1 };
}

enum { COLLECT_MAX = 256 };

/* After the records: names whose container is gone. */
static void collect_names(int root_fd, DIR *dir)
{
	struct dirent *entry;

	rewinddir(dir);
	while ((entry = readdir(dir))) {
		char owner[64];
		struct stat st;

		if (entry->d_name[0] == '@' && read_link(root_fd, entry->d_name, owner, sizeof(owner)) &&
		    fstatat(root_fd, owner, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT &&
		    !is_kept(root_fd, owner))
			unlinkat(root_fd, entry->d_name, 0);
	}
}

/* Whether somebody holds the byte of @id: asked through one descriptor for all records that are links to the lock. */
static bool is_locked(int lock_fd, const char *id)
{
	if (lock_id(lock_fd, id) < 0)
		return true;
	(void)set_lock(lock_fd, F_OFD_SETLK, F_UNLCK, byte_of(id));
	return false;
}

/*
 * Asks each record for its lock; who gets one has found a dead supervisor's. (Not by way of /proc/locks: reading that
 * waits for an RCU grace period.) With very many records alive a command looks at a random run of them, so that it
 * costs each launch no more than a fraction of a millisecond, beside its child.
 */
void state_collect(void)
{
	auto_close int root_fd = -1;
	struct err e;
	struct dirent *entry;
	DIR *dir = state_open_root(&root_fd, &e) < 0 ? NULL : list(root_fd);
	auto_close int lock_fd = dir ? open_lock(root_fd) : -1;
	long count = 0, first = 0;
	bool names = false;
	struct stat lock;

	if (!dir)
		return;
	if (lock_fd < 0 || fstat(lock_fd, &lock) < 0)
		lock.st_ino = 0;
	while ((entry = readdir(dir))) {
		names = names || entry->d_name[0] == '@';
		count++;
	}
	if (count > COLLECT_MAX && getrandom(&first, sizeof(first), GRND_NONBLOCK) == sizeof(first))
		first = (first & LONG_MAX) % (count - COLLECT_MAX + 1);
	rewinddir(dir);
	for (long i = 0; (entry = readdir(dir)) && i < first + COLLECT_MAX; i++)
		if (i >= first && is_id(entry->d_name) &&
		    (entry->d_ino != lock.st_ino || !is_locked(lock_fd, entry->d_name)))
			(void)collect_record(root_fd, entry->d_name);
	if (names && lock_fd >= 0) {
		lock_names(lock_fd);
		collect_names(root_fd, dir);
	}
	closedir(dir);
}

static void remove_names(int root_fd, const char *id)
{
	DIR *dir = list(root_fd);
	struct dirent *entry;
	char owner[64];

	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] == '@' && read_link(root_fd, entry->d_name, owner, sizeof(owner)) &&
		    str_eq(owner, id))
			unlinkat(root_fd, entry->d_name, 0);
	if (dir)
		closedir(dir);
}

int state_remove(const char *word, struct err *e)
{
	auto_close int root_fd = -1, lock_fd = -1;
	char link[80], id[64], kept[24];
	int r = state_open_root(&root_fd, e);

	if (r < 0)
		return r;
	lock_fd = open_lock(root_fd);
	if (lock_fd >= 0)
		lock_names(lock_fd);
	link_name(link, word);
	if (!read_link(root_fd, link, id, sizeof(id)))
		snprintf(id, sizeof(id), "%s", word);
	if (!is_id(id))
		return err_set(e, ENOENT, "no container %s", word);
	result_name(kept, id);
	if (!collect_record(root_fd, id)) {
		err_set(e, EBUSY, "container %s is running", word);
		return err_fix(e, "end it first: its nucleus run hears SIGTERM");
	}
	if (unlinkat(root_fd, kept, 0) < 0)
		return err_set(e, ENOENT, "no container %s", word);
	remove_names(root_fd, id);
	return 0;
}
