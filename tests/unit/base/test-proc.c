/* base/proc: whether a process would hear a signal. */
#include "base/proc.h"

#include "tests/unit/fork.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void ignore(int signal)
{
	(void)signal;
}

/* A child with each disposition; it says when it is ready, and stays until its end of the pipe is closed. */
static pid_t start(int *ret_fd)
{
	int ready[2], stay[2];
	sigset_t blocked;
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(stay), 0);
	pid = fork();
	if (pid == 0) {
		close(stay[1]);
		signal(SIGTERM, ignore);
		signal(SIGHUP, SIG_IGN);
		signal(SIGINT, SIG_DFL);
		sigemptyset(&blocked);
		sigaddset(&blocked, SIGUSR1);
		sigaddset(&blocked, SIGRTMAX);
		sigprocmask(SIG_BLOCK, &blocked, NULL);
		must(write(ready[1], "", 1) == 1);
		while (read(stay[0], &byte, 1) < 0)
			;
		_exit(0);
	}
	assert_true(pid > 0);
	close(stay[0]);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	*ret_fd = stay[1];
	return pid;
}

static void each_disposition_is_seen(void **state)
{
	int fd;
	pid_t pid = start(&fd);

	(void)state;
	assert_true(proc_hears(pid, SIGTERM));
	assert_true(proc_hears(pid, SIGHUP));
	assert_true(proc_hears(pid, SIGUSR1));
	assert_true(proc_hears(pid, SIGRTMAX));
	assert_false(proc_hears(pid, SIGINT));
	assert_false(proc_hears(pid, SIGUSR2));
	close(fd);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void nobody_is_taken_to_hear(void **state)
{
	(void)state;
	/* Above every possible kernel.pid_max. */
	assert_true(proc_hears((1 << 22) + 1, SIGINT));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_disposition_is_seen),
		cmocka_unit_test(nobody_is_taken_to_hear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
