/*
 * Mounts by descriptor: every mount is made detached (fsopen, open_tree), restricted while nobody can reach it
 * (mount_setattr), and only then attached (move_mount) to a target that was itself opened once. Sources: the manual
 * pages of these calls in man-pages 6.x, and Documentation/filesystems/mount_api.rst.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct mount_option {
	const char *key, *value; /* value NULL: a flag */
};

/*
 * A new file system of @type, detached, with @attributes (MOUNT_ATTR_*). @options end with a NULL key. Returns the
 * descriptor of its mount, owned by the caller, or fails with the kernel's own message where it gives one.
 */
int mount_new(const char *type, const struct mount_option *options, unsigned attributes, struct err *e);

/* A detached copy of the mount at @path under @dir_fd ("" for the descriptor itself). The descriptor or -errno. */
int mount_clone(int dir_fd, const char *path, bool recursive);

/* Sets and clears MOUNT_ATTR_* on a mount, on everything below it too where @recursive. Returns 0 or -errno. */
int mount_change(int mount_fd, unsigned set, unsigned clear, bool recursive);

/* Attaches over @target_fd (O_PATH; a directory, or a file for the mount of a file). Returns 0 or -errno. */
int mount_attach(int mount_fd, int target_fd);
