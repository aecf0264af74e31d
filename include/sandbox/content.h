/*
 * The files of a minimal /etc: nothing of the host's but its time zone. Written into the root before it becomes
 * read-only.
 */
#pragma once

#include "base/err.h"

struct content {
	const char *hostname;
	const char *home; /* of the workload, for passwd */
};

int content_write(int root_fd, const struct content *c, struct err *e);
