/*
 * Keeping a running container: one loop over signals, the child's pidfd, the terminal and the clock, until the
 * workload has ended; then what is known about the end.
 */
#pragma once

#include "base/err.h"
#include "run/container.h"

#include <signal.h>

enum verdict { VERDICT_EXIT, VERDICT_SIGNAL, VERDICT_TIMEOUT, VERDICT_OOM, VERDICT_SETUP_FAILED };

struct outcome {
	enum verdict verdict;
	int code;   /* exit status of the workload; -1 where it has none */
	int signal; /* that ended it; 0: none */
	int status; /* the exit status of nucleus run */
	int64_t memory_peak, cpu_us; /* bytes, microseconds; -1 unknown */
	int64_t oom_kills, pids_refused; /* -1 unknown */
	int64_t bytes_in, bytes_out; /* through the terminal; -1 without one */
};

/*
 * The signals that the supervisor hears through a signalfd; blocked from the first moment on. Fails or returns the
 * descriptor.
 */
int supervise_signals(struct err *e);

/* Returns 0 with the outcome once the workload has ended and is reaped. */
int supervise(struct container *c, struct outcome *ret, struct err *e);

const char *verdict_name(enum verdict v);
