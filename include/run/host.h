/*
 * THE PROBE TABLE: all that Nucleus needs of a host, each primitive with what it serves, how it is tried, why it may be
 * missing, what to do about it, and what each service mode makes of that. doctor and features are two ways to print it.
 */
#pragma once

#include "run/probe.h"
#include "spec/spec.h"

#include <stddef.h>

enum { HOST_PROBES_MAX = 64, HOST_MODES = 3 };

extern const struct probe host_probes[];
extern const size_t host_probes_count; /* at most HOST_PROBES_MAX */

/* Asks all, in table order. A fact that is not FACT_OK has cause and fix; another has neither. */
void host_ask(struct fact facts[HOST_PROBES_MAX]);

/* True where the mode cannot run for want of this. */
bool host_stops(const struct probe *p, const struct fact *f, enum service_mode mode);

/* True where this version of Nucleus has the mode at all. */
bool host_mode_is_built(enum service_mode mode);
const char *host_mode_name(enum service_mode mode);
