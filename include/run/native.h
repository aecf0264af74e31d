/* The native runtime: its stage table. */
#pragma once

#include "run/plan.h"

extern const struct plan native_plan;

/* The index of the row that becomes the workload: its failures are "not found" and "not executable". */
extern const int native_exec_stage;
