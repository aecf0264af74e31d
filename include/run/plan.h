/*
 * THE STAGE TABLES and the walker. A launch is a list of rows; two processes walk it.
 *
 * Theory of operation. Until the row that spawns there is one process; after it there are two, and both go on walking
 * the same rows, each skipping those of the other lane. It is always one lane's turn. Where neighbouring rows change
 * lane, the one whose turn ends hands the baton (one byte) over a close-on-exec SEQPACKET pair, and the other waits
 * for it. A child that fails sends its error instead and leaves. A child that dies says nothing: the end of file
 * where a turn was due is the failure. Before the last row, which becomes the workload, the child hands over once
 * more; from then on the end of file means that exec has closed the pair. There is no other message, hence no
 * protocol to keep in step. On failure, and at the end, undo runs upward over the parent's rows that were begun, and
 * tolerates half-done work.
 */
#pragma once

#include "base/err.h"
#include "run/container.h"

struct stage {
	const char *name;	/* in errors, --dry-run and results */
	enum lane lane;
	bool (*want)(const struct container *c); /* NULL: always */
	int (*apply)(struct container *c, struct err *e);
	void (*undo)(struct container *c); /* NULL: leaves nothing on the host */
};

struct plan {
	const struct stage *stages;
	int count, spawn; /* the index of the row that makes the child */
};

/*
 * Walks the plan. Returns 0 in the parent once the workload runs; in the child it does not return. On failure
 * everything is undone, and e, c->failed_stage and c->interrupted say why.
 */
int plan_run(const struct plan *p, struct container *c, struct err *e);

/*
 * For a row that starts a process elsewhere than at its own return, with this half's work to go on with (see
 * namespace_spawn): goes on there as if the row had returned @r.
 */
_Noreturn void plan_resume(const struct plan *p, struct container *c, int r, struct err *e);

/* Undoes the rows that were begun, last first. */
void plan_undo(const struct plan *p, struct container *c);

/*
 * Called before each row that a process carries out; a failure fails the row. Absent from releases: tests link one in
 * that fails, pauses or kills at a row of their choice.
 */
int plan_hook(const struct stage *stage, struct err *e) __attribute__((weak));
