/* From the host's tree to the one that rootfs_build() made. Source: pivot_root(2). */
#pragma once

#include "base/err.h"

/*
 * Makes it the root of the process. The host's tree still lies over it, out of the reach of paths, until
 * pivot_unmount_host(), which any process of the same mount namespace may call.
 */
int pivot_enter(int root_fd, struct err *e);
int pivot_unmount_host(struct err *e);

/* The root is read-only from here on. */
int pivot_seal(int root_fd, struct err *e);
