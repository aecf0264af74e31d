/*
 * How this host is questioned: one probe is a row with a function that tries the primitive for real, and a fact is
 * its answer. What a probe makes (namespaces, mounts, a cgroup leaf) lives in a child that is gone when the probe
 * returns; nothing is left on the host, except that the kernel may have loaded a module it was asked for.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum fact_status {
	FACT_OK,
	FACT_DEGRADED, /* there, but less than Nucleus can use */
	FACT_MISSING,
};

/* Flat, so that a child sends it to its parent as it stands. */
struct fact {
	enum fact_status status;
	char detail[256];
	char cause[256]; /* empty: the row's */
	char fix[512];
};

/* What a service mode makes of a missing fact. */
enum need {
	NEED_NO,       /* nothing: told for information */
	NEED_OPTIONAL, /* it runs, with less */
	NEED_ROOTLESS, /* required of an ordinary user, optional for root */
	NEED_REQUIRED,
};

struct probe;
typedef void probe_function(const struct probe *p, struct fact *f);

struct probe {
	const char *name;
	const char *serves;    /* what Nucleus does with it */
	probe_function *ask;
	uint64_t number;       /* for functions that serve several rows: a clone flag, a seccomp action, ... */
	const char *word;      /* likewise: a file, a program, ... */
	const char *cause, *fix; /* where the probe itself knows no better; the fix is a command to paste */
	enum need need[3];     /* by enum service_mode */
};

/* The answers. fact_errno is a missing thing for which the kernel gave @error. */
void fact_ok(struct fact *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fact_degraded(struct fact *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fact_missing(struct fact *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fact_errno(struct fact *f, int error, const char *what);
void fact_cause(struct fact *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void fact_fix(struct fact *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool probe_is_rootless(void);

/* Lets @body answer in a plain child. Signals are blocked there, so that what it makes it also takes away. */
void probe_in_child(probe_function *body, const struct probe *p, struct fact *f);

/*
 * The same in new namespaces (CLONE_NEW*), made by the call that a launch uses: clone3(2). An ordinary user gets a
 * user namespace around them, with the own ids mapped to 0, as in user_namespaces(7).
 */
void probe_in_namespaces(uint64_t flags, probe_function *body, const struct probe *p, struct fact *f);

/* Reads a one-line file of /proc or /sys; returns NULL where there is none. The caller owns the result. */
char *probe_read_line(const char *path);
