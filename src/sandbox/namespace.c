#include "sandbox/namespace.h"
#include "base/fd.h"
#include "base/kernel.h"

#include <errno.h>
#include <stdalign.h>
#include <stdio.h>

uint64_t namespace_flags(bool privileged, bool time)
{
	return CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP |
	       (privileged ? 0U : (uint64_t)CLONE_NEWUSER) | (time ? CLONE_NEWTIME : 0U);
}

static int spawn_failed(struct err *e)
{
	err_sys(e, "create the namespaces");
	if (e->code == EPERM) {
		err_why(e, "this user may not create a user namespace");
		return err_fix(e, "nucleus doctor (see sysctl kernel.unprivileged_userns_clone, "
				  "kernel.apparmor_restrict_unprivileged_userns)");
	}
	if (e->code == ENOSPC || e->code == EUSERS) {
		err_why(e, "the limit of namespaces is reached");
		return err_fix(e, "sysctl user.max_user_namespaces=15000 (and user.max_net_namespaces, ...)");
	}
	if (e->code == EAGAIN)
		return err_why(e, "a limit of processes is reached: RLIMIT_NPROC, pids.max or kernel.pid_max");
	return -e->code;
}

/* Of a child that shares our memory. Only what is touched costs anything. */
static alignas(16) char stack[256 << 10];

pid_t namespace_spawn(const struct spawn *s, int *ret_pidfd, struct err *e)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = CLONE_PIDFD | s->namespaces | (s->cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = s->cgroup_fd >= 0 ? (uint64_t)s->cgroup_fd : 0,
	};
	pid_t pid = sys_clone3_start(&args, stack, sizeof(stack), s->start, s->arg);

	if (pid < 0)
		return spawn_failed(e);
	if (pid > 0)
		*ret_pidfd = pidfd;
	return pid;
}

static int write_map(const char *name, unsigned id, struct err *e)
{
	char map[32];
	int r;

	snprintf(map, sizeof(map), "0 %u 1\n", id);
	r = file_write_at(AT_FDCWD, name, map);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "write %s", name);
	}
	return 0;
}

int namespace_map_self(uid_t uid, gid_t gid, struct err *e)
{
	int r = file_write_at(AT_FDCWD, "/proc/self/setgroups", "deny");

	if (r < 0) {
		errno = -r;
		return err_sys(e, "write /proc/self/setgroups");
	}
	r = write_map("/proc/self/uid_map", uid, e);
	return r < 0 ? r : write_map("/proc/self/gid_map", gid, e);
}
