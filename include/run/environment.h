/*
 * The environment of the workload: PATH, HOME, HOSTNAME, with a terminal TERM, and what was asked for; nothing is
 * inherited. Later assignments win: files, then descriptors, then --env.
 */
#pragma once

#include "base/err.h"
#include "spec/spec.h"

/* *ret is NULL-terminated and released by environment_free(). */
int environment_make(const struct spec *s, const char *hostname, char ***ret, struct err *e);
void environment_free(char **envp);

/* The value of @name, or NULL. Borrowed. */
const char *environment_get(char **envp, const char *name);
