/* The last step: a process becomes the program of the workload. */
#pragma once

#include "base/err.h"

/*
 * Resets signal dispositions and mask, and executes @argv[0], found in the PATH of @envp where it has no slash.
 * Returns only on failure: ENOENT where there is no such program, anything else where there is one that cannot be
 * executed. See execve(2); unlike execvp(3) an empty element of PATH is not the working directory, and nothing is run
 * by a shell.
 */
int program_exec(char **argv, char **envp, struct err *e);
