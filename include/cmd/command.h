/*
 * THE COMMAND TABLE (src/main.c): one row per subcommand. Help, completions and the manual's lint come from it.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>

enum {
	EXIT_OK = 0,
	EXIT_NEGATIVE = 1,	/* the question was answered with no; or a command other than run failed */
	EXIT_USAGE = 2,		/* bad arguments of a command other than run */
	EXIT_TIMEOUT = 124,	/* run: --timeout */
	EXIT_SETUP = 125,	/* run: Nucleus failed before the workload ran */
	EXIT_CANNOT_EXEC = 126, /* run: found but not executable */
	EXIT_NOT_FOUND = 127,	/* run: not found */
};

struct command {
	const char *name, *alias;
	const char *usage;	/* operands, for help; "" for none */
	const char *summary;	/* one line */
	unsigned scope;		/* of its rows in the option table */

	/*
	 * Gets what follows the subcommand's name. Returns the exit status, or a negative value with @e filled, which
	 * main prints once and turns into a status.
	 */
	int (*run)(int argc, char **argv, struct err *e);
};

extern const struct command commands[];
extern const size_t commands_count;

/* By name or alias, or NULL. */
const struct command *command_find(const char *name);

/*
 * The launch image holds what starting a container takes, and no more; the other commands are absent from it, and main
 * asks the full image for them. See base/image.h.
 */
#define FULL_IMAGE __attribute__((weak))

int cmd_run(int argc, char **argv, struct err *e);
int cmd_rm(int argc, char **argv, struct err *e);
int cmd_doctor(int argc, char **argv, struct err *e) FULL_IMAGE;
int cmd_features(int argc, char **argv, struct err *e) FULL_IMAGE;
int cmd_config(int argc, char **argv, struct err *e) FULL_IMAGE;
int cmd_version(int argc, char **argv, struct err *e) FULL_IMAGE;
int cmd_help(int argc, char **argv, struct err *e) FULL_IMAGE;
int cmd_completion(int argc, char **argv, struct err *e) FULL_IMAGE;
int cmd_schema(int argc, char **argv, struct err *e) FULL_IMAGE;

/* help of one command to stdout: for `help NAME` and `NAME --help`. Returns EXIT_OK or fails on a closed stdout. */
int help_command(const struct command *c, struct err *e) FULL_IMAGE;

/* Writes a finished report to stdout; a stdout that cannot take it is an error, not a silence. */
int command_print(const char *text, struct err *e);
