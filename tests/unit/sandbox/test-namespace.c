/* sandbox/namespace: the one clone3, and who the child is in what it makes. */
#include "sandbox/namespace.h"
#include "base/kernel.h"

#include "tests/unit/fork.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char reason[] = "this user cannot make the namespaces";

static void a_user_namespace_is_for_those_who_need_one(void **state)
{
	const uint64_t always = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;

	(void)state;
	assert_int_equal(namespace_flags(true, false), always);
	assert_int_equal(namespace_flags(false, false), always | CLONE_NEWUSER);
	assert_int_equal(namespace_flags(true, true), always | CLONE_NEWTIME);
}

static void link_of(const char *name, char text[64])
{
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	n = readlink(path, text, 63);
	must(n > 0);
	text[n] = '\0';
}

struct world {
	uid_t uid;
	gid_t gid;
	char names[5][64];
};

static const char *const kinds[] = { "mnt", "uts", "ipc", "cgroup", "user" };

static void look_around(const struct world *outside)
{
	struct err e = { 0 };
	gid_t group = 0;

	must(getpid() == 1);
	must(namespace_map_self(outside->uid, outside->gid, &e) == 0);
	must(getuid() == 0 && getgid() == 0);
	/* As the kernel demands of an unprivileged map: groups that stand for less cannot be dropped. */
	must(setgroups(1, &group) < 0 && errno == EPERM);
	must(sethostname("inside", 6) == 0);
	for (size_t i = 0; i < 5; i++) {
		char now[64];

		link_of(kinds[i], now);
		must(strcmp(now, outside->names[i]) != 0);
	}
}

static void spawned(void *arg)
{
	const struct spawn s = { .namespaces = namespace_flags(false, false), .cgroup_fd = -1 };
	struct world outside;
	siginfo_t info = { 0 };
	struct err e = { 0 };
	int pidfd = -1;
	pid_t pid;

	(void)arg;
	become_ordinary();
	outside.uid = getuid();
	outside.gid = getgid();
	for (size_t i = 0; i < 5; i++)
		link_of(kinds[i], outside.names[i]);
	pid = namespace_spawn(&s, &pidfd, &e);
	if (pid < 0)
		_exit(CHILD_SKIPPED);
	if (pid == 0) {
		look_around(&outside);
		_exit(42);
	}
	must(fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
	must(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0);
	must(info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 42);
}

static void the_child_is_the_first_process_of_namespaces_of_its_own(void **state)
{
	(void)state;
	assert_child("namespace", reason, spawned, NULL);
}

static struct {
	volatile pid_t pid;
	const void *volatile stack;
} told;

static void tell(void *arg)
{
	told.pid = getpid();
	told.stack = __builtin_frame_address(0);
	_exit(*(const int *)arg);
}

static void sharing(void *arg)
{
	static const int code = 43;
	const struct spawn s = { .namespaces = CLONE_NEWPID, .cgroup_fd = -1, .start = tell, .arg = (void *)&code };
	siginfo_t info = { 0 };
	struct err e = { 0 };
	int pidfd = -1;
	pid_t pid;

	(void)arg;
	pid = namespace_spawn(&s, &pidfd, &e);
	if (pid < 0)
		_exit(CHILD_SKIPPED);
	must(fcntl(pidfd, F_GETFD) == FD_CLOEXEC);
	must(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0);
	must(info.si_code == CLD_EXITED && info.si_status == 43);
#ifdef __x86_64__
	/* What it wrote is here, and it was not written on our stack. */
	must(told.pid == 1);
	must(((uintptr_t)told.stack >> 20) != ((uintptr_t)&info >> 20));
#endif
}

static void a_child_that_starts_elsewhere_shares_our_memory(void **state)
{
	(void)state;
	assert_child("pid namespace", reason, sharing, NULL);
}

/* Where namespaces are used up the error says so; the limit is that of a namespace of our own. */
static void limited(void *arg)
{
	const struct spawn s = { .namespaces = CLONE_NEWUTS, .cgroup_fd = -1 };
	struct err e = { 0 };
	int pidfd = -1, fd;

	(void)arg;
	become_ordinary();
	own_namespaces(CLONE_NEWNS);
	fd = open("/proc/sys/user/max_uts_namespaces", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		_exit(CHILD_SKIPPED);
	must(namespace_spawn(&s, &pidfd, &e) == -ENOSPC);
	must(pidfd == -1 && e.code == ENOSPC);
	must(e.why[0] && strstr(e.fix, "sysctl"));
}

static void a_limit_of_namespaces_is_explained(void **state)
{
	(void)state;
	assert_child("namespace", "the limits of namespaces cannot be set", limited, NULL);
}

static void without_rights(void *arg)
{
	const struct spawn s = { .namespaces = CLONE_NEWNS, .cgroup_fd = -1 };
	struct err e = { 0 };
	int pidfd = -1;

	(void)arg;
	become_ordinary();
	must(namespace_spawn(&s, &pidfd, &e) == -EPERM);
	must(strstr(e.fix, "nucleus doctor"));
}

static void a_refusal_names_the_doctor(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_rights, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_namespace_is_for_those_who_need_one),
		cmocka_unit_test(the_child_is_the_first_process_of_namespaces_of_its_own),
		cmocka_unit_test(a_child_that_starts_elsewhere_shares_our_memory),
		cmocka_unit_test(a_limit_of_namespaces_is_explained),
		cmocka_unit_test(a_refusal_names_the_doctor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
