/*
 * What outlives the process: a record for each container, locked for as long as its supervisor lives, and made before
 * what it describes. The kernel drops the lock at the supervisor's death, and whoever gets it next removes what was
 * left behind.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

struct state {
	int root_fd;  /* the directory of all records, owned; -1 */
	int fd;	      /* the lock of this container's, owned; -1. Whoever has a copy keeps it locked */
	char id[13];   /* "" where there is no record */
	char name[64]; /* "" for none */
};

/*
 * Opens /run/nucleus, or for an ordinary user $XDG_RUNTIME_DIR/nucleus, /run/user/UID/nucleus or /tmp/nucleus-UID: made
 * where missing, refused (EPERM) where it belongs to somebody else or is open to others.
 */
int state_open_root(int *ret_root_fd, struct err *e);

/* Makes and locks the record of @id. EEXIST where a living or kept container has @name (NULL: none). */
int state_claim(const char *id, const char *name, struct state *ret, struct err *e);

/* Notes the cgroup below which the leaf is going to be made. */
int state_note_cgroup(const struct state *s, const char *parent, struct err *e);

/* Removes the record, or with @result (a JSON text) keeps it for later. Closes the state. */
void state_finish(struct state *s, const char *result);

/* Removes the records, and the cgroups in them, of supervisors that died. Problems are left for the next. */
void state_collect(void);

/* Removes the record of a finished container, by id or name. ENOENT, EBUSY where it lives. */
int state_remove(const char *word, struct err *e);
