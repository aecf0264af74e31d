#include "sandbox/cgroup.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

/* The two places where distributions mount it; looking there first saves reading the mount table of the host. */
static const char *const usual[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

static bool is_cgroup2(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && (unsigned long)fs.f_type == CGROUP2_SUPER_MAGIC;
}

/* The mount point in a line of mountinfo(5) whose file system is cgroup2 and whose root is "/", or NULL. */
static char *mount_point(char *line)
{
	char *fields[5], *type = strstr(line, " - ");

	if (!type || !str_starts(type + 3, "cgroup2 "))
		return NULL;
	for (int i = 0; i < 5; i++)
		if (!(fields[i] = strsep(&line, " ")))
			return NULL;
	return str_eq(fields[3], "/") ? fields[4] : NULL;
}

static char *find_mount(void)
{
	auto_free char *text = NULL;
	char *rest, *line;

	for (size_t i = 0; i < sizeof(usual) / sizeof(*usual); i++)
		if (is_cgroup2(usual[i]))
			return mem_dup(usual[i]);
	if (file_read("/proc/self/mountinfo", 16 << 20, &text, NULL) < 0)
		return NULL;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *point = mount_point(line);

		if (point && is_cgroup2(point))
			return mem_dup(point);
	}
	return NULL;
}

int cgroup_find(char path[512], struct err *e)
{
	auto_free char *mount = find_mount(), *text = NULL;
	char *own = NULL, *rest, *line;

	if (!mount) {
		err_set(e, ENOENT, "no cgroup v2 is mounted");
		return err_fix(e, "mount -t cgroup2 none /sys/fs/cgroup/unified");
	}
	if (file_read("/proc/self/cgroup", 1 << 20, &text, NULL) < 0)
		return err_sys(e, "read /proc/self/cgroup");
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (str_starts(line, "0::/"))
			own = line + 3;
	if (!own || str_starts(own, "/.."))
		return err_set(e, ENOENT, "our own cgroup is outside of what is mounted at %s", mount);
	if (snprintf(path, 512, "%s%s", mount, str_eq(own, "/") ? "" : own) >= 512)
		return err_set(e, ENAMETOOLONG, "the path of our own cgroup is too long");
	return 0;
}

int cgroup_create(const char *parent, const char *id, struct cgroup *ret, struct err *e)
{
	struct cgroup cg = { .fd = -1 };

	if (snprintf(cg.path, sizeof(cg.path), "%s/nucleus-%s", parent, id) >= (int)sizeof(cg.path))
		return err_set(e, ENAMETOOLONG, "the path of the cgroup is too long");
	if (mkdir(cg.path, 0755) < 0)
		return err_sys(e, "make the cgroup %s", cg.path);
	cg.fd = open(cg.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (cg.fd < 0) {
		err_sys(e, "open the cgroup %s", cg.path);
		(void)rmdir(cg.path);
		return -e->code;
	}
	*ret = cg;
	return 0;
}

/* One limit is one file: the name, the value as it is written, and whether it was asked for. */
struct limit {
	const char *option, *file;
	char value[48];
	bool wanted;
};

int cgroup_limit(const struct cgroup *cg, const struct cgroup_limits *l,
		 void (*report)(const char *limit, const struct err *e, void *arg), void *arg)
{
	struct limit limits[] = {
		{ .option = "memory", .file = "memory.max", .wanted = l->memory },
		{ .option = "memory", .file = "memory.swap.max", .wanted = l->memory, .value = "0" },
		{ .option = "memory", .file = "memory.oom.group", .wanted = l->memory, .value = "1" },
		{ .option = "pids", .file = "pids.max", .wanted = l->pids },
		{ .option = "cpus", .file = "cpu.max", .wanted = l->cpus_milli },
	};
	const char *last = NULL;
	int missed = 0;

	snprintf(limits[0].value, sizeof(limits[0].value), "%" PRIu64, l->memory);
	snprintf(limits[3].value, sizeof(limits[3].value), "%" PRIu64, l->pids);
	snprintf(limits[4].value, sizeof(limits[4].value), "%" PRIu64 " 100000", l->cpus_milli * 100);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct err e = { 0 };
		int r;

		/* One report for an option, however many files stand behind it. */
		if (!limits[i].wanted || (last && str_eq(limits[i].option, last)))
			continue;
		r = cg->fd < 0 ? -ENOENT : file_write_at(cg->fd, limits[i].file, limits[i].value);
		if (r == 0 || (r == -ENOENT && str_eq(limits[i].file, "memory.swap.max")))
			continue;
		errno = -r;
		err_sys(&e, "write %s to %s/%s", limits[i].value, cg->path[0] ? cg->path : "(no cgroup)",
			limits[i].file);
		if (r == -ENOENT)
			err_why(&e, "the controller is not available to this cgroup");
		report(limits[i].option, &e, arg);
		last = limits[i].option;
		missed++;
	}
	return missed;
}

/* The number behind @key in a flat keyed file, or the whole file's where key is NULL. */
static int64_t read_number(const struct cgroup *cg, const char *file, const char *key)
{
	auto_close int fd = cg->fd < 0 ? -1 : openat(cg->fd, file, O_RDONLY | O_CLOEXEC);
	auto_free char *text = NULL;
	char *rest, *line;

	if (fd < 0 || fd_read_all(fd, 1 << 16, &text, NULL) < 0)
		return -1;
	if (!key)
		return strtoll(text, NULL, 10);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (str_starts(line, key) && line[strlen(key)] == ' ')
			return strtoll(line + strlen(key) + 1, NULL, 10);
	return -1;
}

void cgroup_usage(const struct cgroup *cg, struct cgroup_usage *ret)
{
	*ret = (struct cgroup_usage){
		.memory_peak = read_number(cg, "memory.peak", NULL),
		.cpu_us = read_number(cg, "cpu.stat", "usage_usec"),
		.oom_kills = read_number(cg, "memory.events", "oom_kill"),
		.pids_refused = read_number(cg, "pids.events", "max"),
	};
}

static int wait_until_empty(int dir_fd, struct err *e)
{
	auto_close int fd = openat(dir_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);

	for (;;) {
		char text[128];
		ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
		struct pollfd changed = { .fd = fd, .events = POLLPRI };

		if (n < 0)
			return err_sys(e, "read cgroup.events");
		text[n] = '\0';
		if (strstr(text, "populated 0"))
			return 0;
		/* The kernel raises POLLPRI when the file changes; the limit is for a task stuck in the kernel. */
		if (poll(&changed, 1, 5000) == 0)
			return err_set(e, EBUSY, "its processes did not end within 5 s of being killed");
	}
}

int cgroup_remove(const char *path, struct err *e)
{
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	struct statfs fs;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (fd < 0 || fstatfs(fd, &fs) < 0)
		return err_sys(e, "open the cgroup %s", path);
	/* Whoever can write into the state directory may have named another place: nothing there is a leaf of ours. */
	if ((unsigned long)fs.f_type != CGROUP2_SUPER_MAGIC || rmdir(path) == 0 || errno == ENOENT)
		return 0;
	r = file_write_at(fd, "cgroup.kill", "1");
	if (r < 0) {
		errno = -r;
		return err_sys(e, "kill what is left in the cgroup %s", path);
	}
	r = wait_until_empty(fd, e);
	if (r < 0)
		return err_in(e, "cgroup %s", path);
	return rmdir(path) < 0 && errno != ENOENT ? err_sys(e, "remove the cgroup %s", path) : 0;
}

void cgroup_close(struct cgroup *cg)
{
	if (cg->fd >= 0)
		close(cg->fd);
	cg->fd = -1;
}
