/*
 * The default system call filter, compiled. Its source is policies/seccomp/default.json; the build turns
 * that into this array (policies/seccomp/compile.c) and proves that the two say the same
 * (policies/seccomp/verify.c), so that a start pays for neither JSON nor libseccomp.
 *
 * It is for the architecture of the build alone and ends a process that calls through any other. Install it
 * with SECCOMP_SET_MODE_FILTER as the last thing before exec: it refuses what the launch itself needs. See
 * seccomp(2).
 */
#pragma once

#include <linux/filter.h>

extern const struct sock_filter seccomp_default_filter[];
extern const unsigned short seccomp_default_filter_len; /* in instructions, as struct sock_fprog has it */
