#include "run/probe_cgroup.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/str.h"
#include "sandbox/cgroup.h"

#include <errno.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { FILE_LIMIT = 4 << 20 };

/*
 * One word of a line, with mountinfo's \ooo decoded. Returns what follows, or NULL where there is no word or it is
 * too long.
 */
static const char *next_word(const char *p, char word[static PATH_MAX])
{
	size_t n = 0;

	while (*p == ' ')
		p++;
	if (!*p || *p == '\n')
		return NULL;
	while (*p && *p != ' ' && *p != '\n' && n < PATH_MAX - 1) {
		if (p[0] == '\\' && strspn(p + 1, "01234567") >= 3) {
			word[n++] = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			word[n++] = *p++;
		}
	}
	word[n] = '\0';
	return n < PATH_MAX - 1 ? p : NULL;
}

/* "31 23 0:29 ROOT MOUNT rw,relatime shared:4 - TYPE SOURCE OPTIONS"; see proc_pid_mountinfo(5) */
static bool mount_is(const char *line, struct cgroup_place *ret, char type[static PATH_MAX])
{
	char word[PATH_MAX];
	const char *p = line;

	for (int i = 0; i < 3 && p; i++)
		p = next_word(p, word);
	p = p ? next_word(p, ret->root) : NULL;
	p = p ? next_word(p, ret->mount) : NULL;
	while (p && (p = next_word(p, word)) && !str_eq(word, "-"))
		;
	return p && next_word(p, type) && ret->mount[0] == '/';
}

bool probe_cgroup_mount(const char *mountinfo, struct cgroup_place *ret)
{
	bool found = false, hybrid = false;
	char type[PATH_MAX];

	for (const char *line = mountinfo; *line;) {
		struct cgroup_place place;
		size_t len = strcspn(line, "\n");

		if (mount_is(line, &place, type)) {
			hybrid = hybrid || str_eq(type, "cgroup");
			if (!found && str_eq(type, "cgroup2")) {
				*ret = place;
				found = true;
			}
		}
		line += len + (line[len] == '\n');
	}
	ret->hybrid = hybrid;
	return found;
}

static bool find_place(struct cgroup_place *ret)
{
	auto_free char *text = NULL;
	size_t len;

	return file_read("/proc/self/mountinfo", FILE_LIMIT, &text, &len) == 0 && probe_cgroup_mount(text, ret);
}

void probe_cgroup2(const struct probe *p, struct fact *f)
{
	struct cgroup_place place;

	(void)p;
	if (!find_place(&place))
		fact_missing(f, "not mounted");
	else
		fact_ok(f, "%.200s%s", place.mount, place.hybrid ? ", beside version 1" : "");
}

/*
 * A leaf of our own. Whoever opens it is the child of a probe, with signals blocked, and closes it before it answers.
 */
struct leaf {
	char parent[512];
	int parent_fd, fd;
	char name[48];
};

static int make_leaf(struct leaf *leaf)
{
	struct timespec now;
	int r = 0;

	leaf->parent_fd = open(leaf->parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (leaf->parent_fd < 0)
		return -errno;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(leaf->name, sizeof(leaf->name), "nucleus-doctor-%d-%lx", getpid(), (unsigned long)now.tv_nsec);
	if (mkdirat(leaf->parent_fd, leaf->name, 0755) < 0)
		r = -errno;
	else
		leaf->fd = openat(leaf->parent_fd, leaf->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0)
		close(take_fd(leaf->parent_fd));
	return r;
}

/* A cgroup is busy for a moment after its last process is gone. */
static void remove_leaf(struct leaf *leaf)
{
	for (int i = 0; i < 200 && unlinkat(leaf->parent_fd, leaf->name, AT_REMOVEDIR) < 0 && errno == EBUSY; i++)
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	close(leaf->fd);
	close(leaf->parent_fd);
}

static void explain_leaf(const char *parent, int error, struct fact *f)
{
	if (error == EROFS) {
		fact_cause(f, "the hierarchy is read-only here, as it is inside most containers");
		fact_fix(f, "mount -o remount,rw \"$(findmnt -nt cgroup2 -o TARGET | head -n1)\"");
		return;
	}
	if (!probe_is_rootless())
		return;
	fact_cause(f, "the cgroup of this process was not delegated to this user");
	/*
	 * both give the right to what is started from then on: a scope of the user manager, or a cgroup for this
	 * shell
	 */
	if (access("/run/systemd/system", F_OK) == 0)
		fact_fix(f, "systemd-run --user --scope -p Delegate=yes nucleus doctor");
	else
		fact_fix(f, "d=%.120s/user-$(id -u); sudo sh -c \"mkdir -p $d && chown -R $(id -u) $d && "
			    "echo $$ >$d/cgroup.procs\"",
			 parent);
}

/* With a leaf in hand, where a launch would make it, or the fact answered. */
static bool take_leaf(struct leaf *leaf, struct fact *f)
{
	struct err e = { 0 };
	int r = cgroup_find(leaf->parent, &e);

	if (r < 0) {
		fact_missing(f, "%.250s", e.text);
		fact_cause(f, "%.250s", e.why[0] ? e.why : e.text);
		fact_fix(f, "%s", e.fix);
		return false;
	}
	r = make_leaf(leaf);
	if (r < 0) {
		fact_missing(f, "mkdir in %.160s: %s", leaf->parent, strerror(-r));
		explain_leaf(leaf->parent, -r, f);
	}
	return r == 0;
}

static void try_leaf(const struct probe *p, struct fact *f)
{
	struct leaf leaf;

	(void)p;
	if (!take_leaf(&leaf, f))
		return;
	remove_leaf(&leaf);
	fact_ok(f, "made and removed in %.200s", leaf.parent);
}

void probe_cgroup_leaf(const struct probe *p, struct fact *f)
{
	probe_in_child(try_leaf, p, f);
}

/* A process born in the leaf, waiting to be killed. -1 with errno. */
static pid_t born_in(const struct leaf *leaf)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)leaf->fd };
	pid_t pid = sys_clone3(&args, sizeof(args));

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	return pid;
}

static void try_clone(const struct probe *p, struct fact *f)
{
	struct leaf leaf;
	pid_t pid;

	(void)p;
	if (!take_leaf(&leaf, f))
		return;
	pid = born_in(&leaf);
	if (pid < 0)
		fact_errno(f, errno, "clone3(CLONE_INTO_CGROUP)");
	else
		fact_ok(f, "a process was born in its cgroup");
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	remove_leaf(&leaf);
}

void probe_cgroup_clone(const struct probe *p, struct fact *f)
{
	probe_in_child(try_clone, p, f);
}

static void try_kill(const struct probe *p, struct fact *f)
{
	struct leaf leaf;
	int status = 0, r;
	pid_t pid;

	(void)p;
	if (!take_leaf(&leaf, f))
		return;
	pid = born_in(&leaf);
	r = file_write_at(leaf.fd, "cgroup.kill", "1");
	if (r < 0 && pid > 0)
		kill(pid, SIGKILL);
	if (pid > 0)
		waitpid(pid, &status, 0);
	if (r < 0)
		fact_errno(f, -r, "cgroup.kill");
	else if (pid > 0 && WIFSIGNALED(status))
		fact_ok(f, "killed what was in the leaf");
	else
		fact_ok(f, "can be written");
	remove_leaf(&leaf);
}

void probe_cgroup_kill(const struct probe *p, struct fact *f)
{
	probe_in_child(try_kill, p, f);
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = text; (p = strstr(p, word)); p += len)
		if ((p == text || p[-1] == ' ') && (p[len] == ' ' || !p[len]))
			return true;
	return false;
}

static void explain_controllers(const struct cgroup_place *place, struct fact *f)
{
	if (place->hybrid) {
		fact_cause(f, "the missing ones belong to cgroup v1 on this host");
		fact_fix(f, "sudo sed -i 's/^GRUB_CMDLINE_LINUX=\"/&systemd.unified_cgroup_hierarchy=1 "
			    "cgroup_no_v1=all /' "
			    "/etc/default/grub && sudo update-grub && sudo reboot");
	} else if (probe_is_rootless()) {
		fact_cause(f, "they are not delegated to this user");
		fact_fix(f, "sudo mkdir -p /etc/systemd/system/user@.service.d && printf "
			    "'[Service]\\nDelegate=cpu cpuset io "
			    "memory pids\\n' | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && "
			    "sudo systemctl daemon-reload");
	}
}

static void read_controllers(const struct probe *p, struct fact *f)
{
	static const char *const wanted[] = { "memory", "pids", "cpu", "io" };
	auto_free char *line = NULL;
	char path[544], lacks[64] = "";
	struct cgroup_place place;
	struct leaf leaf;
	size_t len = 0;

	(void)p;
	if (!take_leaf(&leaf, f))
		return;
	remove_leaf(&leaf);
	snprintf(path, sizeof(path), "%s/cgroup.controllers", leaf.parent);
	line = probe_read_line(path);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		if (!line || !has_word(line, wanted[i]))
			len += (size_t)snprintf(lacks + len, sizeof(lacks) - len, "%s%s", len ? ", " : "", wanted[i]);
	if (!len)
		fact_ok(f, "memory, pids, cpu, io");
	else if (strstr(lacks, "memory") || strstr(lacks, "pids"))
		fact_missing(f, "without %s", lacks);
	else
		fact_degraded(f, "without %s", lacks);
	if (len && find_place(&place))
		explain_controllers(&place, f);
}

void probe_cgroup_controllers(const struct probe *p, struct fact *f)
{
	probe_in_child(read_controllers, p, f);
}
