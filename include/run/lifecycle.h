/*
 * THE TRANSITION TABLE: what may happen to one container, and in which order, until its name is
 * free again. Actions, fields and values bear the names of a TLA+ model, Lifecycle, whose
 * properties were checked over its whole graph; a unit test holds that this table has the same.
 *
 * The supervisor takes each step here before it does the real thing: one that is not due is a bug
 * in our own order, found at the spot and not after the crash that it would have made
 * unrecoverable. A janitor does the same with what it finds. Nothing here touches the system.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Every value is a bit, see struct lifecycle. */
enum supervisor_step {
	SUP_OFF = 0x1, SUP_LOCK = 0x2, SUP_CLAIM = 0x4, SUP_CGROUP = 0x8, SUP_SPAWN = 0x10,
	SUP_ATTACH = 0x20, SUP_NETWORK = 0x40, SUP_CREATED = 0x80, SUP_RELEASE = 0x100,
	SUP_RUNNING = 0x200, SUP_REAP = 0x400, SUP_EXITED = 0x800, SUP_UNNET = 0x1000,
	SUP_UNCGROUP = 0x2000,
};
enum janitor_step { JAN_OFF = 1, JAN_LOCK = 2, JAN_KILL = 4, JAN_UNNET = 8, JAN_UNCGROUP = 16 };
enum lock_state { LOCK_FREE = 1, LOCK_SUP = 2, LOCK_JAN = 4 };
enum record_state {
	REC_NONE = 1, REC_CREATING = 2, REC_CREATED = 4, REC_RUNNING = 8, REC_EXITED = 16,
	REC_STOPPED = 32,
};
enum status_state { STATUS_NONE = 1, STATUS_KNOWN = 2, STATUS_LOST = 4 };
enum proc_state { PROC_NONE = 1, PROC_HELD = 2, PROC_RUNNING = 4, PROC_DEAD = 8 };
enum flag_state { FLAG_NO = 1, FLAG_YES = 2 };

enum { LIFECYCLE_FIELDS = 10 };
/*
 * A state has one value in each field. A guard lists those that are fine, 0: any. An effect has the
 * new one, 0: as it was. A zeroed state allows nothing.
 */
struct lifecycle {
	union {
		struct {
			uint16_t sup;	 /* the last thing the supervisor has done */
			uint16_t jan;	 /* the last thing a janitor has done */
			uint16_t lock;	 /* who holds the record's lock */
			uint16_t rec;	 /* what the record on disk says */
			uint16_t exit;	 /* the exit status in the record */
			uint16_t proc;	 /* the workload; held: made, not yet past exec */
			uint16_t inside; /* the workload is in the cgroup */
			uint16_t armed;	 /* the workload dies with the supervisor */
			uint16_t cgroup; /* exists */
			uint16_t net;	 /* something of the host's network is taken */
		};
		uint16_t field[LIFECYCLE_FIELDS];
	};
	uint32_t crashes; /* since the name was free */
};

enum lifecycle_action {
	LIFECYCLE_LOCK, LIFECYCLE_CLAIM, LIFECYCLE_CGROUP, LIFECYCLE_SPAWN, LIFECYCLE_ATTACH,
	LIFECYCLE_NETWORK, LIFECYCLE_CREATED, LIFECYCLE_RELEASE, LIFECYCLE_RUNNING, LIFECYCLE_REAP,
	LIFECYCLE_EXITED, LIFECYCLE_UNNET, LIFECYCLE_UNCGROUP, LIFECYCLE_STOPPED, LIFECYCLE_ARM,
	LIFECYCLE_EXIT, LIFECYCLE_FAIL, LIFECYCLE_ORPHAN, LIFECYCLE_JLOCK, LIFECYCLE_JKILL,
	LIFECYCLE_JUNNET, LIFECYCLE_JUNCGROUP, LIFECYCLE_JSTOPPED, LIFECYCLE_REMOVE,
	LIFECYCLE_CRASH, LIFECYCLE_JCRASH, LIFECYCLE_ACTIONS,
};

/* What the workload does is the kernel's: it happens, and we learn of it. */
enum lifecycle_actor { BY_SUPERVISOR, BY_JANITOR, BY_KERNEL, BY_USER, BY_CRASH };

/* A row. An action whose effect depends on the state has several, of which one at most applies. */
struct lifecycle_rule {
	enum lifecycle_action action;
	const char *name;
	enum lifecycle_actor by;
	struct lifecycle when, then;
};

extern const struct lifecycle lifecycle_first; /* nothing is there, the name is free */
extern const struct lifecycle_rule lifecycle_rules[];
extern const int lifecycle_rule_count;
bool lifecycle_rule_allows(const struct lifecycle_rule *r, const struct lifecycle *s);
void lifecycle_rule_apply(const struct lifecycle_rule *r, struct lifecycle *s);
bool lifecycle_may(const struct lifecycle *s, enum lifecycle_action a);

/* Returns 0, or -EPROTO with @s untouched where @a is not due. */
int lifecycle_step(struct lifecycle *s, enum lifecycle_action a);

const char *lifecycle_action_name(enum lifecycle_action a); /* static */

/*
 * For a launch that fails or is cut short: goes on to where its child, born or not, is dead and
 * LIFECYCLE_REAP is due; to the end where nothing was claimed. -EPROTO once reaped, or before all.
 */
int lifecycle_give_up(struct lifecycle *s);

/* What a janitor has to assume behind an open record: that all which may be there is. */
struct lifecycle lifecycle_found(enum record_state rec, bool status_known);

/* "creating" ... "stopped", static; for anything else "none", which no record says. */
const char *lifecycle_record_name(enum record_state r);
/* The reverse, of a name exactly as written. -EINVAL for any other text, and *ret is untouched. */
int lifecycle_record_parse(const char *name, enum record_state *ret);
