/*
 * A profile as a program made by libseccomp: thrice as slow to install as filter.c makes it, but by other hands,
 * which is what the verifier wants. It has no answer of its own for numbers newer than the profile.
 */
#pragma once

#include "policies/seccomp/profile.h"

#include <linux/filter.h>

/* The program is the caller's to free. Returns 0 or -e->code. See seccomp_rule_add(3). */
int reference_build(const struct profile *p, struct sock_filter **ret_code, size_t *ret_len, struct err *e);
