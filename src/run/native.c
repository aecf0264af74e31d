/*
 * THE STAGE TABLE of the native runtime, and the adapters that bind each mechanism to its row. Why the rows stand in
 * this order is said beside them.
 */
#include "run/native.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/str.h"
#include "run/console.h"
#include "run/init.h"
#include "run/program.h"
#include "run/streams.h"
#include "sandbox/caps.h"
#include "sandbox/content.h"
#include "sandbox/identity.h"
#include "sandbox/landlock.h"
#include "sandbox/namespace.h"
#include "sandbox/pivot.h"
#include "sandbox/seccomp.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static bool want_userns(const struct container *c)
{
	return !c->privileged;
}

/* sysfs shows the network devices of the namespace that mounts it, and is refused to strangers of that. */
static bool want_network_early(const struct container *c)
{
	return c->spec->sysfs;
}

static bool want_network_late(const struct container *c)
{
	return !c->spec->sysfs;
}

static bool want_streams(const struct container *c)
{
	return !c->spec->tty;
}

static bool want_tty(const struct container *c)
{
	return c->spec->tty;
}

/* Should: claim id and name before anything else exists. Mustn't: leave a record behind when it fails. */
static int apply_state(struct container *c, struct err *e)
{
	return state_claim(c->id, c->spec->name, &c->state, e);
}

static void undo_state(struct container *c)
{
	state_finish(&c->state, c->result);
}

/* The guard and the mini-init count with the workload's; the limit that the user set is for the workload alone. */
static uint64_t own_processes(const struct container *c)
{
	return c->spec->init ? 2 : 1;
}

static void note_limit(const char *limit, const struct err *e, void *arg)
{
	struct container *c = arg;

	/* In a user namespace RLIMIT_NPROC does the same, see identity_apply(). */
	if (!c->privileged && str_eq(limit, "pids"))
		return;
	container_degrade(c, limit, e);
}

/*
 * Should: make the leaf where that is ours to do, with the limits set before anything runs in it. Mustn't: fail in
 * agent mode; what is missing is noted.
 */
static int apply_cgroup(struct container *c, struct err *e)
{
	const struct spec *s = c->spec;
	const struct cgroup_limits limits = { .memory = s->memory, .pids = s->pids + own_processes(c),
					      .cpus_milli = s->cpus_milli };
	char parent[512];
	int r = cgroup_find(parent, e);

	if (r == 0 && state_note_cgroup(&c->state, parent, e) < 0)
		return -e->code;
	if (r == 0)
		r = cgroup_create(parent, c->id, &c->cgroup, e);
	if (r < 0)
		container_degrade(c, "cgroup", e);
	cgroup_limit(&c->cgroup, &limits, note_limit, c);
	return 0;
}

static void undo_cgroup(struct container *c)
{
	struct err e;

	/* Every process in it was in the PID namespace whose first one is reaped: it is empty, and goes at once. */
	if (c->cgroup.fd >= 0 && rmdir(c->cgroup.path) < 0)
		(void)cgroup_remove(c->cgroup.path, &e);
	cgroup_close(&c->cgroup);
}

static int make_pair(int *ret_ours, int *ret_childs, struct err *e)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "make a socket pair");
	*ret_ours = fds[0];
	*ret_childs = fds[1];
	return 0;
}

static void keep_end(int *end, int *other, bool childs)
{
	if (*other < 0)
		return;
	close(childs ? *end : *other);
	if (childs)
		*end = *other;
	*other = -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* In each half: its own ends stay, the other's are closed, so that an end of file can be seen. */
static void keep_own_ends(struct container *c)
{
	bool child = c->lane == LANE_CHILD;

	keep_end(&c->baton_fd, &c->child_baton_fd, child);
	keep_end(&c->console_fd, &c->child_console_fd, child);
	keep_end(&c->status_fd, &c->child_status_fd, child);
	/* The lock of the record says that the supervisor lives: a child that hangs must not hold it. */
	if (child)
		close_fd(&c->state.fd);
}

extern const bool heap_is_ours __attribute__((weak)); /* base/heap.c; the full image has the C library's allocator */

/*
 * Until exec the child, guard and all, may use our memory instead of a copy: we do nothing but wait for it. Not the
 * mini-init, which stays in the container; not in a new time namespace, where the kernel refuses; not where the
 * allocator is the C library's, which a child that is killed in the middle might leave broken.
 */
static bool shares_memory(const struct container *c)
{
	return &heap_is_ours && !c->spec->init && !c->spec->time_namespace;
}

/*
 * The kernel ends all that share a victim's memory when memory runs out, and the guard is in the cgroup that is
 * limited: the supervisor has to survive, to say so.
 */
static bool shares_supervisors(const struct container *c)
{
	return shares_memory(c) && !c->spec->memory;
}

static struct container childs; /* where memory is shared: as after fork(2), a copy for each */

static int begin_child(struct container *c, struct err *e)
{
	c->lane = LANE_CHILD;
	keep_own_ends(c);
	return guard_arm(e);
}

static void start_child(void *arg)
{
	struct container *c = arg;
	struct err e = { 0 };

	plan_resume(&native_plan, c, begin_child(c, &e), &e);
}

/* Should: return in both lanes, or start the child's. Mustn't: let the child outlive a failure; undo kills it. */
static int apply_spawn(struct container *c, struct err *e)
{
	const struct spawn s = { .namespaces = namespace_flags(c->privileged, c->spec->time_namespace),
				 .cgroup_fd = c->cgroup.fd,
				 .start = shares_supervisors(c) ? start_child : NULL, .arg = &childs };
	int r = make_pair(&c->baton_fd, &c->child_baton_fd, e);
	pid_t pid;

	if (r == 0 && c->spec->tty)
		r = make_pair(&c->console_fd, &c->child_console_fd, e);
	if (r == 0)
		r = make_pair(&c->status_fd, &c->child_status_fd, e);
	if (r < 0)
		return r;
	childs = *c;
	pid = namespace_spawn(&s, &c->guard_fd, e);
	if (pid == 0)
		return begin_child(c, e);
	if (pid > 0)
		keep_own_ends(c);
	return pid > 0 ? 0 : (int)pid;
}

static void undo_spawn(struct container *c)
{
	siginfo_t info;

	if (c->guard_fd >= 0) {
		sys_pidfd_send_signal(c->guard_fd, SIGKILL);
		waitid(P_PIDFD, (id_t)c->guard_fd, &info, WEXITED);
	}
	close_fd(&c->guard_fd);
	close_fd(&c->pid_fd);
	close_fd(&c->baton_fd);
	close_fd(&c->child_baton_fd);
	close_fd(&c->console_fd);
	close_fd(&c->child_console_fd);
	close_fd(&c->status_fd);
	close_fd(&c->child_status_fd);
}

static int apply_idmap(struct container *c, struct err *e)
{
	return namespace_map_self(c->uid, c->gid, e);
}

/* Should: keep the workload from looking into this half. Mustn't: come before idmap, whose files it closes to us. */
static int apply_undumpable(struct container *c, struct err *e)
{
	(void)c;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? err_sys(e, "become undumpable") : 0;
}

static int apply_hostname(struct container *c, struct err *e)
{
	return sethostname(c->hostname, strlen(c->hostname)) < 0 ? err_sys(e, "set the host name %s", c->hostname) : 0;
}

static void left_guard(struct container *c)
{
	if (!c->spec->init)
		c->status_fd = -1;
}

static void start_workload(void *arg)
{
	struct container *c = arg;
	struct err e = { 0 };

	left_guard(c);
	plan_resume(&native_plan, c, 0, &e);
}

/*
 * Should: leave the guard behind and go on as the first process of the container's own PID namespace; early, so that
 * the network is ready when it is needed. Mustn't: come before undumpable, which both inherit.
 */
static int apply_guard(struct container *c, struct err *e)
{
	const struct guard_fork how = { .status_fd = c->status_fd, .keep_status = c->spec->init,
					.start = shares_memory(c) ? start_workload : NULL, .arg = c };
	int r = guard_fork(&how, &c->work_fd, e);

	if (r == 0)
		left_guard(c);
	return r;
}

/* Should: leave the host's network for good. Mustn't: let anything run that is not in a namespace of its own. */
static int apply_network(struct container *c, struct err *e)
{
	return guard_enter_network(c->work_fd, e);
}

static int apply_mounts(struct container *c, struct err *e)
{
	return rootfs_build(c->spec, &c->mounts, c->state.root_fd, &c->root_fd, e);
}

static int apply_content(struct container *c, struct err *e)
{
	const struct content content = { .hostname = c->hostname, .home = c->spec->home };

	return content_write(c->root_fd, &content, e);
}

static int apply_pivot(struct container *c, struct err *e)
{
	int r = pivot_enter(c->root_fd, e);

	return r < 0 ? r : guard_unmount(c->work_fd, e);
}

/* Should: leave nothing to write on the root. Mustn't: come before content, which writes there. */
static int apply_seal(struct container *c, struct err *e)
{
	int r = pivot_seal(c->root_fd, e);

	close_fd(&c->root_fd);
	return r;
}

/* Should: see the host's tree gone. Mustn't: come after the filter, which need not allow waiting. */
static int apply_unmount(struct container *c, struct err *e)
{
	return guard_finish(take_fd(c->work_fd), e);
}

static const char *workdir(const struct spec *s)
{
	return s->workdir ? s->workdir : s->workspace ? "/workspace" : s->home;
}

/*
 * Should: enter a directory of the container's. Mustn't: come before the host's tree is unmounted, the descriptors are
 * closed and Landlock is in force: parts of the path may be links that another workload left, and what they lead to
 * has to be inside by then. That it is inside is looked at, too.
 */
static int apply_workdir(struct container *c, struct err *e)
{
	const struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				      .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	const char *dir = workdir(c->spec);
	auto_close int root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	char path[PATH_MAX];

	fd = sys_openat2(root_fd, dir[1] ? dir + 1 : ".", &how);
	if (root_fd < 0 || fd < 0 || fchdir(fd) < 0) {
		err_sys(e, "change to %s", dir);
		return e->code == ENOENT ? err_fix(e, "add --tmpfs %s, or a volume there", dir) : -e->code;
	}
	/* The kernel writes "(unreachable)" before the path of a directory outside of the root. getcwd(2) */
	if (syscall(SYS_getcwd, path, sizeof(path)) < 0 || path[0] != '/')
		return err_set(e, EPERM, "change to %s: it lies outside of the container", dir);
	return 0;
}

static int apply_identity(struct container *c, struct err *e)
{
	const struct identity id = { .user_namespace = !c->privileged, .processes = c->spec->pids + own_processes(c) };

	return identity_apply(&id, e);
}

static int apply_console(struct container *c, struct err *e)
{
	int r = console_open(c->console_fd, e);

	close_fd(&c->console_fd);
	return r;
}

/* Should: write to a terminal outside. Mustn't: leave the workload a descriptor to read what is typed there. */
static int apply_streams(struct container *c, struct err *e)
{
	int r = streams_check(c->spec->interactive, e);

	return r < 0 ? r : streams_write_only(e);
}

/*
 * Should: leave nothing open but the standard streams and our own ends; without --interactive standard input is empty.
 * Mustn't: rely on close-on-exec, since the mini-init does not exec.
 */
static int apply_fds(struct container *c, struct err *e)
{
	int r = c->spec->tty ? 0 : streams_own_null(c->spec->interactive, e);

	if (r < 0)
		return r;
	r = fd_close_others(c->baton_fd, c->status_fd);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "close inherited descriptors");
	}
	return 0;
}

static int apply_no_new_privs(struct container *c, struct err *e)
{
	(void)c;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? err_sys(e, "set no_new_privs") : 0;
}

static int apply_bounding(struct container *c, struct err *e)
{
	(void)c;
	return caps_bound(e);
}

/* A mechanism that cannot be installed at all is fatal, unless the user has said otherwise. */
static int fatal_unless_allowed(struct container *c, struct err *e)
{
	if (c->spec->allow_degraded_security)
		return 0;
	return e->fix[0] ? -e->code : err_fix(e, "nucleus doctor; or, knowing the risk, --allow-degraded-security");
}

static int apply_landlock(struct container *c, struct err *e)
{
	if (landlock_restrict(&c->mounts, e) < 0)
		return fatal_unless_allowed(c, e);
	c->shared->landlock_abi = landlock_abi();
	return 0;
}

static int apply_caps(struct container *c, struct err *e)
{
	(void)c;
	return caps_drop(e);
}

static int apply_seccomp(struct container *c, struct err *e)
{
	if (seccomp_install_default(e) < 0)
		return fatal_unless_allowed(c, e);
	c->shared->seccomp = true;
	return 0;
}

/* Should: become the workload. Mustn't: return but with an error. */
static int apply_exec(struct container *c, struct err *e)
{
	int r = c->spec->init ? init_fork(c->status_fd, c->baton_fd, c->argv) : 0;

	if (r < 0) {
		errno = -r;
		return err_sys(e, "fork the workload");
	}
	return program_exec(c->argv, c->envp, e);
}

/*
 * The order. The host's half first, each row's record written before what it describes. In the child: what needs
 * capabilities before what takes them; what needs the host's names before the pivot; Landlock after the mounts, whose
 * calls it forbids, and on the final paths; descriptors closed before the workload could inherit one and before init
 * stays behind; seccomp last, since it forbids what every row above uses.
 */
static const struct stage stages[] = {
	{ "state", LANE_PARENT, NULL, apply_state, undo_state },
	{ "cgroup", LANE_PARENT, NULL, apply_cgroup, undo_cgroup },
	{ "spawn", LANE_PARENT, NULL, apply_spawn, undo_spawn },
	{ "idmap", LANE_CHILD, want_userns, apply_idmap, NULL },
	{ "undumpable", LANE_CHILD, NULL, apply_undumpable, NULL },
	{ "hostname", LANE_CHILD, NULL, apply_hostname, NULL },
	{ "guard", LANE_CHILD, NULL, apply_guard, NULL },
	{ "network", LANE_CHILD, want_network_early, apply_network, NULL },
	{ "streams", LANE_CHILD, want_streams, apply_streams, NULL },
	{ "mounts", LANE_CHILD, NULL, apply_mounts, NULL },
	{ "network", LANE_CHILD, want_network_late, apply_network, NULL },
	{ "pivot", LANE_CHILD, NULL, apply_pivot, NULL },
	{ "content", LANE_CHILD, NULL, apply_content, NULL },
	{ "seal", LANE_CHILD, NULL, apply_seal, NULL },
	{ "identity", LANE_CHILD, NULL, apply_identity, NULL },
	{ "console", LANE_CHILD, want_tty, apply_console, NULL },
	{ "no-new-privs", LANE_CHILD, NULL, apply_no_new_privs, NULL },
	{ "landlock", LANE_CHILD, NULL, apply_landlock, NULL },
	{ "bounding", LANE_CHILD, NULL, apply_bounding, NULL },
	{ "caps", LANE_CHILD, NULL, apply_caps, NULL },
	{ "unmount", LANE_CHILD, NULL, apply_unmount, NULL },
	{ "fds", LANE_CHILD, NULL, apply_fds, NULL },
	{ "workdir", LANE_CHILD, NULL, apply_workdir, NULL },
	{ "seccomp", LANE_CHILD, NULL, apply_seccomp, NULL },
	{ "exec", LANE_CHILD, NULL, apply_exec, NULL },
};

enum { COUNT = sizeof(stages) / sizeof(*stages), SPAWN = 2 };

_Static_assert((int)COUNT <= (int)STAGES_MAX, "the shared page has a place for each stage");

const struct plan native_plan = { .stages = stages, .count = COUNT, .spawn = SPAWN };
const int native_exec_stage = COUNT - 1;
