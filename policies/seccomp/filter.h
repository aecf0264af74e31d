/* A profile as a program of classic BPF that is quick to install and to run. */
#pragma once

#include "policies/seccomp/profile.h"

#include <linux/filter.h>

/* The program is the caller's to free. Returns 0 or -e->code (E2BIG). See seccomp(2). */
int filter_build(const struct profile *p, struct sock_filter **ret_code, unsigned short *ret_len,
		 struct err *e);
