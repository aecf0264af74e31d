/*
 * A seccomp profile of the OCI runtime specification as a list of rules with numbers in place of names:
 * what the compiler and the verifier of the default filter have in common. Both are programs of the build.
 *
 * runc, crun and libseccomp differ in what they make of contradictory profiles, so here a profile must read
 * the same in all of them: the groups that name a call agree on the action and differ from the default; a
 * call without conditions is named once; conditions of one group are on different arguments. Anything else
 * is an error.
 */
#pragma once

#include "base/err.h"

#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PROFILE_ARGS = 6 };

/* One call of one group. The action is a value of SECCOMP_RET_*, which SCMP_ACT_* equal. */
struct profile_rule {
	char *name; /* owned */
	int nr;
	uint32_t action;
	unsigned condition_count;
	struct scmp_arg_cmp conditions[PROFILE_ARGS]; /* all must hold */
};

/* All zero is an empty one. */
struct profile {
	uint32_t arch; /* of the machine that builds: AUDIT_ARCH_*, which SCMP_ARCH_* equal */
	uint32_t default_action;
	int newest; /* the highest number that the profile names */
	struct profile_rule *rules; /* owned; without the calls that this architecture does not have */
	size_t rule_count;
};

/*
 * Reads @path into @p. Unknown fields, values and names are errors (EINVAL); a name that libseccomp knows
 * for other architectures is passed over. Returns 0 or -e->code; @p is to be freed in either case.
 */
int profile_read(struct profile *p, const char *path, struct err *e);
void profile_free(struct profile *p);

/*
 * Numbers from 424 on are the same on every architecture, and a number above the newest one that the
 * profile names was not thought of when it was written: ENOSYS, upon which programs fall back, as before
 * that kernel. Numbers with bit 30 are not new but x32's.
 */
static inline bool profile_is_newer(const struct profile *p, uint32_t nr)
{
	return nr > (uint32_t)p->newest && nr < 0x40000000;
}
