/*
 * One program, two images. The file `nucleus` is linked statically against musl, so that a plain `run` starts in a
 * fraction of the time that a dynamic loader takes; inside it, as data, lies the same program linked against the
 * system's C library and the libraries of the rarer features (cJSON, iniparser, ...). Functions that need
 * those are weak: where one is absent, this is the launch image, and the caller asks for the full one before it
 * has done anything that cannot be done twice. docs/ARCHITECTURE.md has the measurements behind this.
 */
#pragma once

#include "base/err.h"

/* Keeps main's argument vector for image_exec_full(). Borrowed for the life of the process. */
void image_init(char **argv);

/*
 * Becomes the full image, same arguments and environment. Returns only on failure (the full image, which never needs
 * itself, gets ENOTSUP). See memfd_create(2), fexecve(3).
 */
int image_exec_full(struct err *e);

/* Zeroes the arguments in memory, for a process that stays on among strangers. */
void image_forget(void);
