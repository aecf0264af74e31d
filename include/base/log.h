/*
 * What Nucleus says about itself: to stderr, one line each, prefixed "nucleus: ", nothing on success. This and
 * the arguments kept by base/image are the only globals of the program.
 */
#pragma once

#include "base/err.h"

enum log_level { LOG_QUIET, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set(enum log_level level);
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The three parts of an error, each on its line; every byte of foreign origin escaped. Printed at any level. */
void log_err(const struct err *e);
