/*
 * What the benchmarks share: starting one command and waiting for it with its cost, statistics over
 * samples, the argument lists of the peers, and the lines in which a bar is reported.
 *
 * Honest figures are the purpose. Commands are compared within one round, never across runs; a peer
 * that cannot run is reported with its reason; processes that outlive their parent are reaped too
 * and their CPU time counted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
enum { BENCH_ARGS = 64, BENCH_REASON = 256 };

/* An argument or environment list; the texts are borrowed. Always terminated. */
struct args {
	const char *v[BENCH_ARGS];
	size_t n;
};

/* Appends texts up to a NULL. */
void args_add(struct args *a, ...) __attribute__((sentinel));
void args_append(struct args *a, const struct args *more);

struct sample {
	double wall, cpu, rss; /* ms, ms, MiB */
	unsigned round;
};

/* One thing to start. What is zero is not asked for, except mount_ns: -1 for none. */
struct command {
	const char *name;
	struct args argv, env;
	uid_t uid;           /* 0: as the caller; else this user and group, no others */
	int mount_ns;        /* enter this mount namespace first; borrowed */
	unsigned every;      /* takes part in each n-th round only: for the slow ones */
	char reason[BENCH_REASON]; /* why it is not measured; empty: it is */
	struct sample *samples;    /* owned */
	size_t count, size;
};

/* Exits with the errno of what failed: a benchmark without its scratch files has nothing to say. */
void must(bool ok, const char *what);
/* A formatted text. Free it. */
char *text_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

double now_ms(void);
void sleep_ms(double ms);

/*
 * A child running @c, its output on @out (or where the caller's goes: -1). Negative errno if there
 * is none.
 */
pid_t command_start(const struct command *c, int out);

/*
 * Starts, waits, reaps orphans (the caller must be a subreaper). Returns the wait status, or a
 * negative errno.
 */
int command_run(const struct command *c, struct sample *ret);

/*
 * Runs it once with a time limit, and on failure fills @c->reason from what it printed. True if it
 * works.
 */
bool command_probe(struct command *c, unsigned limit_ms);

/* Runs and keeps the sample; a failure ends the measuring of this command with a reason. */
void command_measure(struct command *c, unsigned round);
void command_free(struct command *c);

/*
 * Become the parent of every orphan below; afterwards reap_orphans() returns their CPU time in ms.
 */
void adopt_orphans(void);
double reap_orphans(unsigned limit_ms);
enum metric { WALL, CPU, RSS };

/* Sorts @v. NAN for no values. */
double quantile(double *v, size_t n, double q);
double median(double *v, size_t n);
/* @keep: rounds that count, indexed by round; NULL: all of them. */
double command_quantile(const struct command *c, enum metric m, double q, const bool *keep);
size_t command_count(const struct command *c, const bool *keep);
/*
 * The median of what @c took in units of what @ref took in the same round. NAN where they share no
 * round.
 */
double paired_ratio(const struct command *c, const struct command *ref, enum metric m,
		    const bool *keep);

/* Fraction of the machine's CPU time that was used during the next @ms milliseconds. */
double machine_busy(unsigned ms);

/* "name  measured  bar  met"; NAN is "not measured". @stretch 0: none. */
void bar_print(const char *name, double measured, double bar, double stretch, const char *unit);

/* Full path of a program in PATH and the sbin directories, or NULL. Free it. */
char *program_find(const char *name);
/* The path of @name beside the running executable. Free it. */
char *program_beside(const char *name);
/* A new directory on /run, or where TMPDIR says. Free it. Exits on failure. */
char *scratch_make(void);
void scratch_remove(const char *dir);

/*
 * Bubblewrap with every namespace, /usr and /etc read-only, /proc, /dev and /tmp; no command yet.
 */
void bwrap_args(struct args *a, const char *bwrap);
