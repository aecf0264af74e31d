/* What is told about a launch: before (--dry-run) and after it (--result). */
#pragma once

#include "base/str.h"
#include "run/plan.h"
#include "run/supervise.h"

/* One JSON object, one line, never ambiguous. @failure is the error of a set-up that failed, or NULL. */
void result_json(const struct container *c, const struct plan *p, const struct outcome *o, const struct err *failure,
		 struct buf *out);

/* The plan: stages, mounts, limits, environment names; as text or as one JSON object. */
void describe_plan(const struct container *c, const struct plan *p, enum output_format format, struct buf *out);
