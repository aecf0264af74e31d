/* Parsers of option values: strict, whole-text, with a sentence that says what would have been accepted. */
#pragma once

#include "spec/option.h"

value_parser value_switch;   /* bool; "true" or "false" */
value_parser value_choice;   /* enum; one of o->choices */
value_parser value_string;   /* const char *; not empty, no control characters */
value_parser value_path;     /* const char *; on the host: made absolute */
value_parser value_inside;   /* const char *; an absolute path inside the container */
value_parser value_name;     /* const char *; [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 63 characters */
value_parser value_hostname; /* const char *; RFC 1123, at most 64 characters (HOST_NAME_MAX) */
value_parser value_size;     /* uint64_t bytes; K M G T, Ki Mi Gi Ti, all binary */
value_parser value_count;    /* uint64_t, at least 1 */
value_parser value_duration; /* uint64_t milliseconds; seconds, or a number with ms s m h */
value_parser value_cpus;     /* uint64_t thousandths; a decimal number above 0 */
value_parser value_fd;	     /* int; a descriptor number above 2 */
value_parser value_list;     /* struct list */
value_parser value_fds;	     /* struct list of descriptor numbers above 2 */
value_parser value_env;	     /* struct list; K=V or K; the loader variables of ld.so are refused */
value_parser value_volume;   /* struct volumes; SRC:DST[:OPTIONS] */
value_parser value_tmpfs;    /* struct tmpfses; DST[:size=SIZE] */

/* Decimal digits alone, no sign, no overflow. Returns 0, -EINVAL or -ERANGE. */
int value_digits(const char *text, uint64_t *ret);

/* An environment variable that changes which code the dynamic loader runs. */
bool value_is_loader_variable(const char *assignment);
