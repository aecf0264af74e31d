/*
 * What the user asked for: one value for every subcommand, filled by the option table from flags, a launch document
 * and the host file, then checked and read-only. It holds wishes, never results: no pids, no descriptors made by
 * us. Strings are borrowed from argv or from the spec's arena and live as long as the spec.
 */
#pragma once

#include "base/defer.h"
#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum service_mode { MODE_AGENT, MODE_STRICT_AGENT, MODE_PRODUCTION };
enum network_kind { NETWORK_NONE, NETWORK_HOST, NETWORK_BRIDGE, NETWORK_GVISOR_HOST };
enum workspace_mode { WORKSPACE_BIND_RW, WORKSPACE_BIND_RO, WORKSPACE_COPY_IN_OUT };
enum output_format { FORMAT_TEXT, FORMAT_JSON };

/* A list of strings, in the order given. */
struct list {
	const char **items;
	size_t count;
};

struct volume {
	const char *source;	 /* on the host, absolute and clean */
	const char *destination; /* inside, absolute and clean */
	bool read_only, exec;
};

struct tmpfs {
	const char *destination;
	uint64_t size; /* bytes */
};

struct volumes {
	struct volume *items;
	size_t count;
};

struct tmpfses {
	struct tmpfs *items;
	size_t count;
};

struct spec {
	struct arena arena;
	uint64_t given[2]; /* bit i: row i of the option table was set by a flag or document */

	struct list command; /* the operands: a command and its arguments */

	enum service_mode service_mode;
	bool allow_degraded_security;

	const char *name;	/* NULL: the id alone */
	const char *hostname;	/* NULL: the name, else the id */
	const char *workdir;	/* NULL: /workspace where there is one, else the home */
	const char *home;
	struct list env;	/* K=V, or K to take the value from our own environment */
	struct list env_file;
	struct list env_fd;
	bool interactive, tty, init;
	bool rm, keep;
	uint64_t timeout_ms;	/* 0: none */

	struct volumes volumes;
	struct tmpfses tmpfs;
	const char *workspace;	/* NULL: none */
	enum workspace_mode workspace_mode;
	bool workspace_exec;
	uint64_t rootfs_size;	/* bytes; the limit of each private tmpfs */
	bool proc_rw, sysfs;

	enum network_kind network;
	bool time_namespace;

	uint64_t memory;	/* bytes; 0: no limit */
	uint64_t pids;		/* tasks */
	uint64_t cpus_milli;	/* thousandths of a CPU; 0: no limit */

	const char *config;
	int config_fd;		/* -1: none */
	const char *result;
	int result_fd;		/* -1: none */
	bool dry_run;
	enum output_format format;
	bool help;
};

/* The built-in defaults. */
void spec_init(struct spec *s);
void spec_free(struct spec *s);
#define auto_spec auto_(spec_free)
