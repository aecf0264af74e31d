/*
 * Capabilities: none, in none of the five sets, and no way back: securebits are locked so that neither uid 0 nor a
 * set-user-ID program regains any. Source: capabilities(7).
 */
#pragma once

#include "base/err.h"

/* Locks the securebits and empties the bounding set; needs CAP_SETPCAP, so before the identity changes. */
int caps_bound(struct err *e);

/* Empties the ambient, inheritable, permitted and effective sets. */
int caps_drop(struct err *e);
