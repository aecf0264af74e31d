/* Probes of single system calls, and of what confines: Landlock, seccomp, and the kernel's own switches. */
#pragma once

#include "run/probe.h"

probe_function probe_clone3;
probe_function probe_pidfd;
probe_function probe_close_range;
probe_function probe_openat2;
probe_function probe_statmount;

probe_function probe_landlock;        /* that a rule denies */
probe_function probe_landlock_rights; /* which rights the running ABI has */

probe_function probe_seccomp_filter;
probe_function probe_seccomp_action; /* the row's number: SECCOMP_RET_* */

probe_function probe_lockdown;
probe_function probe_yama;

/* What ABI @abi lacks of the rights that Nucleus uses, for people ("" from ABI 6 on). */
void probe_landlock_lacks(int abi, char *text, unsigned long size);
