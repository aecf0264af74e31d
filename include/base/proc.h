/* Other processes, as /proc tells of them. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether @signal does anything to the first process of a PID namespace: it has a handler, has blocked it (and will
 * take it with sigwait), or has chosen to ignore it. True where that cannot be found out. @pid is a child not yet
 * reaped.
 */
bool proc_hears(pid_t pid, int signal);
