/* sandbox/guard: the process between. Its part in a launch is proved by tests/cli; here, that what it promises fails well. */
#include "sandbox/guard.h"
#include "base/kernel.h"

#include "tests/unit/fork.h"

#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cmocka.h>

static const char reason[] = "this user cannot make the namespaces";

/* What @inside is told by its supervisor: the end of the status pair, and what the guard says at the end. */
static void guarded(void (*inside)(int work_fd), int want)
{
	struct guard_status status = { 0 };
	siginfo_t info = { 0 };
	struct err e = { 0 };
	int pair[2], pid_fd = -1, pid = 0;
	pid_t guard;

	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	guard = fork();
	if (guard == 0) {
		int work_fd = -1;

		close(pair[0]);
		own_namespaces(CLONE_NEWNS);
		must(guard_fork(&(struct guard_fork){ .status_fd = pair[1] }, &work_fd, &e) == 0);
		must(getpid() == 1);
		must(fcntl(work_fd, F_GETFD) == FD_CLOEXEC);
		inside(work_fd);
		_exit(42);
	}
	close(pair[1]);
	if (guard_receive_workload(pair[0], &pid_fd, &pid, &e) < 0) {
		must(e.text[0]);
		must(waitid(P_PID, (id_t)guard, &info, WEXITED) == 0);
		_exit(info.si_code == CLD_EXITED && info.si_status == CHILD_SKIPPED ? CHILD_SKIPPED : 1);
	}
	/* The pid is not known any more where the process has ended already. */
	must(pid != 0 && fcntl(pid_fd, F_GETFD) == FD_CLOEXEC);
	must(recv(pair[0], &status, sizeof(status), 0) == sizeof(status));
	must(status.teller == GUARD_TELLS);
	must(WIFEXITED(status.status) && WEXITSTATUS(status.status) == want);
}

static void in_network(int work_fd)
{
	struct ifreq request = { .ifr_name = "lo" };
	char before[64] = "", after[64] = "";
	struct err e = { 0 };

	must(readlink("/proc/self/ns/net", before, 63) > 0);
	must(guard_enter_network(work_fd, &e) == 0);
	must(readlink("/proc/self/ns/net", after, 63) > 0 && strcmp(before, after) != 0);
	must(ioctl(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), SIOCGIFFLAGS, &request) == 0);
	must(request.ifr_flags & IFF_UP);
}

static void network_body(void *arg)
{
	(void)arg;
	guarded(in_network, 42);
}

static void the_network_has_its_loopback_and_the_end_is_told(void **state)
{
	(void)state;
	assert_child("guard", reason, network_body, NULL);
}

/* The parent of one that is armed ends as soon as that is so; then the last end of the other pipe goes with it. */
static void armed(void *arg)
{
	struct err e = { 0 };
	int ready[2], life[2];
	char byte;

	(void)arg;
	must(pipe2(ready, O_CLOEXEC) == 0 && pipe2(life, O_CLOEXEC) == 0);
	if (fork() == 0) {
		if (fork() == 0) {
			must(guard_arm(&e) == 0);
			must(write(ready[1], "", 1) == 1);
			for (;;)
				pause();
		}
		must(read(ready[0], &byte, 1) == 1);
		_exit(0);
	}
	close(life[1]);
	must(read(life[0], &byte, 1) == 0);
}

static void it_dies_with_its_parent(void **state)
{
	(void)state;
	alarm(20);
	assert_int_equal(in_child(armed, NULL), 0);
	alarm(0);
}

static void no_guard(void *arg)
{
	struct err e = { 0 };
	int pair[2], pid_fd = -1, pid = 0;

	(void)arg;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	close(pair[1]);
	must(guard_receive_workload(pair[0], &pid_fd, &pid, &e) < 0 && e.text[0]);
	must(pid_fd == -1);
	must(guard_enter_network(pair[0], &e) < 0);
	must(guard_unmount(pair[0], &e) < 0);
	must(guard_finish(pair[0], &e) < 0);
}

static void a_dead_guard_is_a_failure_everywhere(void **state)
{
	(void)state;
	assert_int_equal(in_child(no_guard, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_network_has_its_loopback_and_the_end_is_told),
		cmocka_unit_test(it_dies_with_its_parent),
		cmocka_unit_test(a_dead_guard_is_a_failure_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
