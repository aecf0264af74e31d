#include "run/lifecycle.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

enum {
	REC_OPEN = REC_CREATING | REC_CREATED | REC_RUNNING | REC_EXITED,
	SUP_CHILD = SUP_SPAWN | SUP_ATTACH | SUP_NETWORK | SUP_CREATED | SUP_RELEASE | SUP_RUNNING,
	SUP_ON = SUP_LOCK | SUP_CLAIM | SUP_CGROUP | SUP_CHILD | SUP_REAP | SUP_EXITED | SUP_UNNET |
		 SUP_UNCGROUP,
	JAN_ON = JAN_LOCK | JAN_KILL | JAN_UNNET | JAN_UNCGROUP,
};

_Static_assert(offsetof(struct lifecycle, crashes) == LIFECYCLE_FIELDS * sizeof(uint16_t),
	       "each field is reached by its number");

const struct lifecycle lifecycle_first = {
	.sup = SUP_OFF, .jan = JAN_OFF, .lock = LOCK_FREE, .rec = REC_NONE, .exit = STATUS_NONE,
	.proc = PROC_NONE, .inside = FLAG_NO, .armed = FLAG_NO, .cgroup = FLAG_NO, .net = FLAG_NO,
};

const struct lifecycle_rule lifecycle_rules[] = {
	/*
	 * Up. The lock before the record: with it in hand, an open record that nobody has locked is
	 * the mark of a dead supervisor, and a janitor needs no other. Only a name that is free is
	 * taken; what a predecessor left is collected and removed first.
	 */
	{ LIFECYCLE_LOCK, "Lock", BY_SUPERVISOR,
	  .when = { .sup = SUP_OFF, .lock = LOCK_FREE, .rec = REC_NONE },
	  .then = { .sup = SUP_LOCK, .lock = LOCK_SUP } },

	/* Before what it describes: a thing on the host that no record names is not found again. */
	{ LIFECYCLE_CLAIM, "Claim", BY_SUPERVISOR,
	  .when = { .sup = SUP_LOCK },
	  .then = { .sup = SUP_CLAIM, .rec = REC_CREATING } },

	{ LIFECYCLE_CGROUP, "Cgroup", BY_SUPERVISOR,
	  .when = { .sup = SUP_CLAIM },
	  .then = { .sup = SUP_CGROUP, .cgroup = FLAG_YES } },

	/*
	 * Born in the cgroup, or it would be outside of what a janitor kills if we died right here.
	 * Not armed: only the child itself can ask to die with its parent, and has not run yet.
	 */
	{ LIFECYCLE_SPAWN, "Spawn", BY_SUPERVISOR,
	  .when = { .sup = SUP_CGROUP },
	  .then = { .sup = SUP_SPAWN, .proc = PROC_HELD, .inside = FLAG_YES, .armed = FLAG_NO } },

	/* What is left of moving it in, now it is born there: to see it there. The dead are not. */
	{ LIFECYCLE_ATTACH, "Attach", BY_SUPERVISOR,
	  .when = { .sup = SUP_SPAWN, .proc = PROC_HELD },
	  .then = { .sup = SUP_ATTACH, .inside = FLAG_YES } },
	{ LIFECYCLE_ATTACH, "Attach", BY_SUPERVISOR,
	  .when = { .sup = SUP_SPAWN, .proc = PROC_NONE | PROC_RUNNING | PROC_DEAD },
	  .then = { .sup = SUP_ATTACH, .inside = FLAG_NO } },

	{ LIFECYCLE_NETWORK, "Network", BY_SUPERVISOR,
	  .when = { .sup = SUP_ATTACH },
	  .then = { .sup = SUP_NETWORK, .net = FLAG_YES } },

	/* On disk before the workload's first instruction: nothing runs that no record tells of. */
	{ LIFECYCLE_CREATED, "Created", BY_SUPERVISOR,
	  .when = { .sup = SUP_NETWORK },
	  .then = { .sup = SUP_CREATED, .rec = REC_CREATED } },

	/*
	 * The last word to the child, which execs on it. Only once it has told that it is armed: a
	 * workload that is not would go on after us, with nobody to enforce its timeout.
	 */
	{ LIFECYCLE_RELEASE, "Release", BY_SUPERVISOR,
	  .when = { .sup = SUP_CREATED, .proc = PROC_HELD, .armed = FLAG_YES },
	  .then = { .sup = SUP_RELEASE, .proc = PROC_RUNNING } },

	{ LIFECYCLE_RUNNING, "Running", BY_SUPERVISOR,
	  .when = { .sup = SUP_RELEASE },
	  .then = { .sup = SUP_RUNNING, .rec = REC_RUNNING } },

	/* From any row that has a child: failed launch and ended workload go the same way down. */
	{ LIFECYCLE_REAP, "Reap", BY_SUPERVISOR,
	  .when = { .sup = SUP_CHILD, .proc = PROC_DEAD },
	  .then = { .sup = SUP_REAP, .proc = PROC_NONE, .inside = FLAG_NO } },

	/*
	 * Down. The exit status goes to disk before the teardown: waitid(2) has told it to us
	 * alone, and what follows takes time enough to be killed in.
	 */
	{ LIFECYCLE_EXITED, "Exited", BY_SUPERVISOR,
	  .when = { .sup = SUP_REAP },
	  .then = { .sup = SUP_EXITED, .rec = REC_EXITED, .exit = STATUS_KNOWN } },

	{ LIFECYCLE_UNNET, "Unnet", BY_SUPERVISOR,
	  .when = { .sup = SUP_EXITED },
	  .then = { .sup = SUP_UNNET, .net = FLAG_NO } },

	{ LIFECYCLE_UNCGROUP, "Uncgroup", BY_SUPERVISOR,
	  .when = { .sup = SUP_UNNET },
	  .then = { .sup = SUP_UNCGROUP, .cgroup = FLAG_NO } },

	/* Last of all, since it is the promise that nothing is left; then the lock goes. */
	{ LIFECYCLE_STOPPED, "Stopped", BY_SUPERVISOR,
	  .when = { .sup = SUP_UNCGROUP },
	  .then = { .sup = SUP_OFF, .lock = LOCK_FREE, .rec = REC_STOPPED, .exit = STATUS_KNOWN } },

	/*
	 * The workload, in the kernel's hands. The signal that follows a parent's death is asked
	 * for by the child; getppid(2) afterwards tells whether the parent was gone before it
	 * asked.
	 */
	{ LIFECYCLE_ARM, "Arm", BY_KERNEL,
	  .when = { .sup = SUP_ON, .proc = PROC_HELD, .armed = FLAG_NO },
	  .then = { .armed = FLAG_YES } },

	{ LIFECYCLE_EXIT, "Exit", BY_KERNEL,
	  .when = { .sup = SUP_ON, .proc = PROC_RUNNING },
	  .then = { .proc = PROC_DEAD } },

	/* Also when we killed it ourselves, since the launch failed or was interrupted. */
	{ LIFECYCLE_FAIL, "Fail", BY_KERNEL,
	  .when = { .sup = SUP_ON, .proc = PROC_HELD },
	  .then = { .proc = PROC_DEAD } },

	/*
	 * The supervisor is gone. Before exec the child finds the end of file where the baton was
	 * due, armed or not; after it only the armed die. Somebody else's init reaps.
	 */
	{ LIFECYCLE_ORPHAN, "Orphan", BY_KERNEL,
	  .when = { .sup = SUP_OFF, .proc = PROC_HELD },
	  .then = { .proc = PROC_NONE, .inside = FLAG_NO, .armed = FLAG_NO } },
	{ LIFECYCLE_ORPHAN, "Orphan", BY_KERNEL,
	  .when = { .sup = SUP_OFF, .proc = PROC_RUNNING | PROC_DEAD, .armed = FLAG_YES },
	  .then = { .proc = PROC_NONE, .inside = FLAG_NO, .armed = FLAG_NO } },

	/*
	 * The janitor: any command that gets the lock of a record which is not final. Under the
	 * lock alone, so that of two there is one, and a living supervisor is left in peace.
	 */
	{ LIFECYCLE_JLOCK, "JLock", BY_JANITOR,
	  .when = { .jan = JAN_OFF, .lock = LOCK_FREE, .rec = REC_OPEN },
	  .then = { .jan = JAN_LOCK, .lock = LOCK_JAN } },

	/*
	 * Processes first, since they use the rest. By cgroup, not by pid, which may be somebody
	 * else's by now; and done only when the cgroup says that it is empty.
	 */
	{ LIFECYCLE_JKILL, "JKill", BY_JANITOR,
	  .when = { .jan = JAN_LOCK, .inside = FLAG_YES },
	  .then = { .jan = JAN_KILL, .proc = PROC_NONE, .inside = FLAG_NO } },
	{ LIFECYCLE_JKILL, "JKill", BY_JANITOR,
	  .when = { .jan = JAN_LOCK, .inside = FLAG_NO },
	  .then = { .jan = JAN_KILL } },

	{ LIFECYCLE_JUNNET, "JUnnet", BY_JANITOR,
	  .when = { .jan = JAN_KILL },
	  .then = { .jan = JAN_UNNET, .net = FLAG_NO } },

	/* The kernel refuses to remove a cgroup with a process in it. */
	{ LIFECYCLE_JUNCGROUP, "JUncgroup", BY_JANITOR,
	  .when = { .jan = JAN_UNNET, .inside = FLAG_NO },
	  .then = { .jan = JAN_UNCGROUP, .cgroup = FLAG_NO } },

	/* An exit status that reached the disk is kept; where there is none, it is lost. */
	{ LIFECYCLE_JSTOPPED, "JStopped", BY_JANITOR,
	  .when = { .jan = JAN_UNCGROUP, .exit = STATUS_KNOWN },
	  .then = { .jan = JAN_OFF, .lock = LOCK_FREE, .rec = REC_STOPPED } },
	{ LIFECYCLE_JSTOPPED, "JStopped", BY_JANITOR,
	  .when = { .jan = JAN_UNCGROUP, .exit = STATUS_NONE | STATUS_LOST },
	  .then = { .jan = JAN_OFF, .lock = LOCK_FREE, .rec = REC_STOPPED, .exit = STATUS_LOST } },

	/* Only what is final: an open record is the one trace of what may still be there. */
	{ LIFECYCLE_REMOVE, "Remove", BY_USER,
	  .when = { .lock = LOCK_FREE, .rec = REC_STOPPED },
	  .then = { .rec = REC_NONE, .exit = STATUS_NONE, .armed = FLAG_NO } },

	/* SIGKILL at any point. The kernel drops the lock; a zombie goes to init, and is reaped. */
	{ LIFECYCLE_CRASH, "Crash", BY_CRASH,
	  .when = { .sup = SUP_ON, .proc = PROC_DEAD },
	  .then = { .sup = SUP_OFF, .lock = LOCK_FREE, .proc = PROC_NONE, .inside = FLAG_NO } },
	{ LIFECYCLE_CRASH, "Crash", BY_CRASH,
	  .when = { .sup = SUP_ON, .proc = PROC_NONE | PROC_HELD | PROC_RUNNING },
	  .then = { .sup = SUP_OFF, .lock = LOCK_FREE } },

	{ LIFECYCLE_JCRASH, "JCrash", BY_CRASH,
	  .when = { .jan = JAN_ON },
	  .then = { .jan = JAN_OFF, .lock = LOCK_FREE } },
};

const int lifecycle_rule_count = sizeof(lifecycle_rules) / sizeof(*lifecycle_rules);

bool lifecycle_rule_allows(const struct lifecycle_rule *r, const struct lifecycle *s)
{
	for (int i = 0; i < LIFECYCLE_FIELDS; i++)
		if (r->when.field[i] && !(r->when.field[i] & s->field[i]))
			return false;
	return true;
}

void lifecycle_rule_apply(const struct lifecycle_rule *r, struct lifecycle *s)
{
	for (int i = 0; i < LIFECYCLE_FIELDS; i++)
		if (r->then.field[i])
			s->field[i] = r->then.field[i];
	/* A count is no set of values. It belongs to one container: with its record it goes. */
	if (r->by == BY_CRASH)
		s->crashes++;
	if (r->then.rec == REC_NONE)
		s->crashes = 0;
}

static const struct lifecycle_rule *find(const struct lifecycle *s, enum lifecycle_action a)
{
	for (int i = 0; i < lifecycle_rule_count; i++)
		if (lifecycle_rules[i].action == a && lifecycle_rule_allows(&lifecycle_rules[i], s))
			return &lifecycle_rules[i];
	return NULL;
}

bool lifecycle_may(const struct lifecycle *s, enum lifecycle_action a)
{
	return find(s, a) != NULL;
}

int lifecycle_step(struct lifecycle *s, enum lifecycle_action a)
{
	const struct lifecycle_rule *r = find(s, a);

	if (!r)
		return -EPROTO;
	lifecycle_rule_apply(r, s);
	return 0;
}

const char *lifecycle_action_name(enum lifecycle_action a)
{
	for (int i = 0; i < lifecycle_rule_count; i++)
		if (lifecycle_rules[i].action == a)
			return lifecycle_rules[i].name;
	return "nothing";
}

/*
 * A launch without a child is taken for one whose child was stillborn. The state then claims more
 * than there is, which removing tolerates; and its end is known, as that of any failed launch.
 */
int lifecycle_give_up(struct lifecycle *s)
{
	static const enum lifecycle_action way[] = { LIFECYCLE_CGROUP, LIFECYCLE_SPAWN,
						     LIFECYCLE_FAIL, LIFECYCLE_EXIT };

	if (s->sup == SUP_LOCK)
		return lifecycle_step(s, LIFECYCLE_CRASH);
	for (size_t i = 0; i < sizeof(way) / sizeof(*way); i++)
		if (lifecycle_may(s, way[i]))
			(void)lifecycle_step(s, way[i]);
	return lifecycle_may(s, LIFECYCLE_REAP) ? 0 : -EPROTO;
}

struct lifecycle lifecycle_found(enum record_state rec, bool status_known)
{
	struct lifecycle s = lifecycle_first;

	s.rec = rec;
	s.exit = status_known ? STATUS_KNOWN : STATUS_NONE;
	s.proc = PROC_RUNNING;
	s.inside = s.armed = s.cgroup = s.net = FLAG_YES;
	return s;
}

static const struct {
	enum record_state state;
	const char *name;
} records[] = {
	{ REC_CREATING, "creating" }, { REC_CREATED, "created" }, { REC_RUNNING, "running" },
	{ REC_EXITED, "exited" },     { REC_STOPPED, "stopped" },
};

const char *lifecycle_record_name(enum record_state r)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++)
		if (records[i].state == r)
			return records[i].name;
	return "none";
}

int lifecycle_record_parse(const char *name, enum record_state *ret)
{
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		if (strcmp(records[i].name, name) == 0) {
			*ret = records[i].state;
			return 0;
		}
	}
	return -EINVAL;
}
