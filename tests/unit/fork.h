/*
 * For tests that give up rights, enter namespaces or change who they are: they do it in a child, whose verdict its parent
 * asserts. In the child nothing of cmocka may be called (its assertions jump into the parent's past); must() ends it with
 * a message instead.
 *
 *	static void body(void *arg) { must(landlock_restrict(...) == 0); }
 *	...
 *	assert_int_equal(in_child(body, NULL), 0);
 */
#pragma once

#include "base/err.h"
#include "sandbox/namespace.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHILD_SKIPPED = 77, ORDINARY_USER = 4242 };

#define must(condition) \
	do { \
		if (!(condition)) \
			child_fails(__FILE__, __LINE__, #condition); \
	} while (0)

static inline _Noreturn void child_fails(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: not so: %s (errno: %s)\n", file, line, condition, strerror(errno));
	_exit(1);
}

/* 0 where @body returned, CHILD_SKIPPED where it could not be tried, else its exit status, or 128 and its signal. */
static inline int in_child(void (*body)(void *arg), void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		body(arg);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a test: says so where everybody can see it. */
#define skip_test(name, reason) \
	do { \
		printf("SKIP %s: %s\n", name, reason); \
		fflush(stdout); \
		skip(); \
	} while (0)

/* In a test: asserts the child's verdict, or skips with it. */
#define assert_child(name, reason, body, arg) \
	do { \
		int verdict_ = in_child(body, arg); \
		if (verdict_ == CHILD_SKIPPED) \
			skip_test(name, reason); \
		assert_int_equal(verdict_, 0); \
	} while (0)

/* In a child: an ordinary user from here on, if it was root; its files in /proc stay its own. */
static inline void become_ordinary(void)
{
	if (geteuid() != 0)
		return;
	must(setgroups(0, NULL) == 0);
	must(setresgid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0);
	must(setresuid(ORDINARY_USER, ORDINARY_USER, ORDINARY_USER) == 0);
	must(prctl(PR_SET_DUMPABLE, 1) == 0);
}

/* In a child: all capabilities over new namespaces (@flags), in a user namespace where it takes one; or skips. */
static inline void own_namespaces(int flags)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct err e;

	if (unshare((uid == 0 ? 0 : CLONE_NEWUSER) | flags) < 0)
		_exit(CHILD_SKIPPED);
	must(uid == 0 || namespace_map_self(uid, gid, &e) == 0);
}
