/*
 * Probes of what the root of a container is built with. Each works in a mount namespace of its own, which dies with
 * it.
 */
#pragma once

#include "run/probe.h"

probe_function probe_mount_api;
probe_function probe_idmapped_mounts;
probe_function probe_overlay; /* in a user namespace, for root too */
