/*
 * One cgroup v2 leaf per container, below our own cgroup. The mount is found also on hybrid hosts. Processes are born
 * in the leaf (CLONE_INTO_CGROUP): moving them there would wait for an RCU grace period. Source:
 * Documentation/admin-guide/cgroup-v2.rst.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct cgroup_limits {
	uint64_t memory;     /* bytes; 0: none */
	uint64_t pids;	     /* tasks; 0: none */
	uint64_t cpus_milli; /* thousandths of a CPU; 0: none */
};

struct cgroup {
	char path[512]; /* of the leaf; "" where there is none */
	int fd;		/* of the leaf, owned; -1 where there is none */
};

/* What was measured; each -1 where the kernel or its controllers do not tell. */
struct cgroup_usage {
	int64_t memory_peak;   /* bytes */
	int64_t cpu_us;
	int64_t oom_kills;
	int64_t pids_refused;
};

/* The cgroup below which leaves are made: the mount and our own place in it. Fails with ENOENT where there is none. */
int cgroup_find(char path[512], struct err *e);

/* Makes the leaf @parent/nucleus-@id. EACCES, EROFS, ENOENT where that is not ours to do. */
int cgroup_create(const char *parent, const char *id, struct cgroup *ret, struct err *e);

/*
 * Sets the limits. A limit whose file is missing or refuses is not set: report(name, error, arg) is called for each,
 * and the number of them is returned.
 */
int cgroup_limit(const struct cgroup *cg, const struct cgroup_limits *limits,
		 void (*report)(const char *limit, const struct err *e, void *arg), void *arg);

void cgroup_usage(const struct cgroup *cg, struct cgroup_usage *ret);

/* Kills what is left in the leaf, waits for its end on the events file, removes it. Tolerates one that is gone. */
int cgroup_remove(const char *path, struct err *e);
void cgroup_close(struct cgroup *cg);
