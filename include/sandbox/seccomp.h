/* The system call filter. Source: seccomp(2), Documentation/userspace-api/seccomp_filter.rst. */
#pragma once

#include "base/err.h"

/* Installs the built-in filter (policies/seccomp/default.json, compiled at build time). no_new_privs must be set. */
int seccomp_install_default(struct err *e);
