/*
 * One launch: the spec it follows, and everything that came into being for it, each with its owner. Both processes
 * have one: the child's is a copy from the moment of the spawn, its arrays are the parent's where memory is shared.
 */
#pragma once

#include "run/state.h"
#include "sandbox/cgroup.h"
#include "sandbox/guard.h"
#include "sandbox/rootfs.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum lane { LANE_PARENT, LANE_CHILD };

enum { STAGES_MAX = 32, DEGRADED_MAX = 8 };

/* A page that both processes see, until exec: what the child measured and could not do. */
struct shared {
	uint32_t stage_us[STAGES_MAX]; /* by row of the stage table */
	int landlock_abi;	       /* that is enforced; 0: none */
	bool seccomp;		       /* is enforced */
};

/* Something asked for that is not enforced. */
struct degradation {
	const char *what; /* static: the option or the mechanism */
	struct err err;
};

struct container {
	const struct spec *spec; /* borrowed */
	char id[13];		 /* 12 hex digits */
	const char *hostname;	 /* borrowed from the spec, or id */
	char **argv, **envp;	 /* the arrays are owned and NULL-terminated, the strings of argv borrowed */
	struct mount_plan mounts; /* owned */
	uid_t uid;		 /* of the caller; inside a new user namespace nobody knows it any more */
	gid_t gid;
	bool privileged;	 /* no user namespace is needed */

	struct state state;	 /* the record, owned */
	struct cgroup cgroup;	 /* the leaf, owned */

	enum lane lane;		 /* which half this is */
	int guard_fd;		 /* parent: pidfd of our child, the guard, owned; -1 */
	pid_t pid;		 /* parent: of the container's first process, once it runs; never for signals */
	int pid_fd;		 /* parent: pidfd of it, owned; -1 */
	int baton_fd;		 /* this half's end, owned; -1 */
	int child_baton_fd;	 /* before the spawn: the other end; -1 */
	int console_fd;		 /* this half's end of the pair that the terminal travels over, owned; -1 */
	int child_console_fd;
	int status_fd;		 /* this half's end of the pair over which the end is told, owned; -1: see guard.h */
	int child_status_fd;
	int signal_fd;		 /* borrowed from the caller: the signals that the supervisor hears */
	int work_fd;		 /* child: the pair to the guard while it helps, owned; -1 */
	int root_fd;		 /* child: the new root, until it is entered; -1 */

	struct shared *shared;
	struct degradation degraded[DEGRADED_MAX];
	int degraded_count;

	const char *result;	 /* borrowed: what the record keeps at the end; NULL: the record goes */

	int reached;		 /* the last row of the stage table that was begun; -1 */
	uint64_t row_began;	 /* microseconds, CLOCK_MONOTONIC */
	int failed_stage;	 /* -1: none */
	int interrupted;	 /* the signal that ended the set-up; 0 */
	uint64_t deferred;	 /* signals, as bits, that came during the set-up and do not end it */
};

/* Fails with ENOMEM or what getrandom(2) says. On success container_free() releases it. */
int container_init(struct container *c, const struct spec *s, int signal_fd, struct err *e);
void container_free(struct container *c);

/* Notes that @what is not enforced, and why. */
void container_degrade(struct container *c, const char *what, const struct err *why);
