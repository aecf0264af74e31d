/* Who the workload is, and what of the caller does not reach it. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct identity {
	bool user_namespace; /* in one of our own: groups cannot be set there, see namespace_map_self() */
	uint64_t processes;  /* RLIMIT_NPROC in a user namespace: a fence that needs no cgroup; 0: none */
};

/*
 * Clears the supplementary groups, joins a new session keyring, opens a session of its own (no controlling terminal),
 * resets umask and limits. Source: credentials(7), keyrings(7).
 */
int identity_apply(const struct identity *id, struct err *e);
