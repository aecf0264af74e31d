/*
 * Landlock: what the mount plan promises, enforced a second time, by path, in the kernel. The rights that are
 * handled are all that the running kernel knows (asked at run time, ABI 1 to 7 and above); a right that the kernel
 * lacks is reported, never assumed. Source: Documentation/userspace-api/landlock.rst.
 */
#pragma once

#include "base/err.h"
#include "sandbox/rootfs.h"

/* The ABI version of the running kernel, or 0 where Landlock is missing or disabled. */
int landlock_abi(void);

/*
 * In the child, inside the new root: a rule for each row of the plan with an access, nothing else is allowed;
 * signals and abstract UNIX sockets do not leave the sandbox (ABI 6). no_new_privs must be set. ENOSYS or EOPNOTSUPP
 * in e->code where the kernel has no Landlock.
 */
int landlock_restrict(const struct mount_plan *p, struct err *e);
