/* Probes of the namespaces, and of the switches by which distributions keep user namespaces from ordinary users. */
#pragma once

#include "run/probe.h"

probe_function probe_user_namespace;
probe_function probe_namespace; /* the row's number: its CLONE_NEW* flag */

/* sysctls that can be read alone, but judged only together with whether a user namespace can be had */
probe_function probe_userns_apparmor;
probe_function probe_userns_clone;
probe_function probe_userns_max;
