/*
 * Namespaces: one clone3 that makes them all, with the child born in its cgroup. Source: clone(2), namespaces(7),
 * user_namespaces(7).
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct spawn {
	uint64_t namespaces; /* CLONE_NEW* */
	int cgroup_fd;	     /* the leaf to be born in, or -1 */
	void (*start)(void *arg); /* NULL: the child has copies of our memory, as after fork(2) */
	void *arg;
};

/*
 * Returns the pid and a close-on-exec pidfd to the parent, or fails. Without @start the child returns too, with 0.
 * With it the child shares the memory of its parent, and calls @start on a stack of its own, which must not return;
 * the parent may do no more than wait until the child has executed a program or is dead. Not with CLONE_NEWTIME, which
 * forbids sharing. That saves the copy, a tenth of a launch.
 */
pid_t namespace_spawn(const struct spawn *s, int *ret_pidfd, struct err *e);

/* Which namespaces the one clone3 makes; not the network's, see sandbox/guard.h. */
uint64_t namespace_flags(bool privileged, bool time);

/*
 * In the child, in a new user namespace: maps root inside to @uid and @gid, the parent's effective ids, which needs no
 * privilege. setgroups(2) is closed for good, as the kernel demands of an unprivileged map.
 */
int namespace_map_self(uid_t uid, gid_t gid, struct err *e);
