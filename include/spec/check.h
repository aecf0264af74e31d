/*
 * THE RULE TABLE: what a spec must satisfy before anything is done. Every violated rule is reported, each with its fix;
 * nothing here has a side effect.
 */
#pragma once

#include "base/err.h"
#include "spec/spec.h"

/* Calls report(error, arg) for each violated rule, in table order. Returns how many there were. */
int spec_check(const struct spec *s, void (*report)(const struct err *e, void *arg), void *arg);

/* Why nothing may be mounted over @path (clean, absolute, inside), or NULL. */
const char *check_destination(const char *path);

/* Why @path (on the host, canonical) may not be bound into a container, or NULL. */
const char *check_source(const char *path);

/* The directories that may not, nor what lies in them; NULL-terminated. */
extern const char *const check_closed[];
