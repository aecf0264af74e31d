/*
 * An OCI bundle in a new directory scratch/name, equivalent to what bubblewrap is given: the same
 * namespaces, /usr and /etc read-only, /proc, /dev and /tmp, no capabilities; and in addition the
 * masks of `runc spec`. It runs `busybox true`. With @uid a user namespace in which that user is
 * root; with @profile a seccomp profile, which is OCI JSON already. Free the path. Exits on
 * failure.
 */
#pragma once

#include <sys/types.h>

char *bundle_make(const char *scratch, const char *name, const char *busybox, uid_t uid,
		  const char *profile);
