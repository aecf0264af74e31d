/*
 * Probes of what gives an ordinary user more than one id: subuid(5), subgid(5) and the helpers newuidmap(1),
 * newgidmap(1).
 */
#pragma once

#include "run/probe.h"

#include <stddef.h>

/*
 * Of /etc/subuid or /etc/subgid: how many ids the lines for the user (login name, or number) grant. @name may be NULL.
 * Lines that are not NAME:START:COUNT with numbers that fit 32 bits grant nothing and are counted in *ret_malformed.
 */
uint64_t probe_subids(const char *text, const char *name, unsigned id, size_t *ret_malformed);

/* Of /etc/passwd: the login name of @id, or NULL. The caller owns the result. */
char *probe_login_name(const char *text, unsigned id);

probe_function probe_subordinate_ids; /* the row's word: the file */
probe_function probe_id_helper;       /* the row's word: the program */
