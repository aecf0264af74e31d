/*
 * Probes of what bridge networking needs. nftables is asked in a network namespace of its own, so no rule of the host
 * is near.
 */
#pragma once

#include "run/probe.h"

probe_function probe_nftables;
probe_function probe_tun;
