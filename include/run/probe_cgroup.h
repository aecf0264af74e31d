/* Probes of cgroup v2, in leaves made where a launch would make its own, and removed again. */
#pragma once

#include "run/probe.h"

#include <limits.h>

struct cgroup_place {
	char mount[PATH_MAX]; /* where the hierarchy is mounted */
	char root[PATH_MAX];  /* which of its cgroups is seen there; "/" for all of it */
	bool hybrid;          /* hierarchies of version 1 are mounted too */
};

/* The cgroup2 mount in the text of /proc/self/mountinfo; false where there is none. Malformed lines are passed over. */
bool probe_cgroup_mount(const char *mountinfo, struct cgroup_place *ret);

probe_function probe_cgroup2;
probe_function probe_cgroup_leaf;
probe_function probe_cgroup_controllers;
probe_function probe_cgroup_kill;
probe_function probe_cgroup_clone;
