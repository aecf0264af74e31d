#include "run/init.h"
#include "base/fd.h"
#include "base/image.h"
#include "base/mem.h"
#include "sandbox/guard.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* What is in our memory by inheritance is the host's: the environment and the command line of the supervisor. */
static void forget_host(void)
{
	for (char **p = environ; p && *p; p++)
		explicit_bzero(*p, strlen(*p));
	image_forget();
}

static _Noreturn void reap(pid_t workload, int status_fd, const sigset_t *all)
{
	for (;;) {
		siginfo_t info;
		int status;
		pid_t pid;

		int signal = sigwaitinfo(all, &info);

		if (signal > 0 && signal != SIGCHLD)
			kill(workload, signal);
		if (signal != SIGCHLD)
			continue;
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == workload) {
				const struct guard_status told = { .teller = INIT_TELLS, .status = status };

				(void)fd_write_all(status_fd, &told, sizeof(told));
				/* The kernel ends everything else in the namespace with us. */
				_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
			}
	}
}

int init_fork(int status_fd, int baton_fd, char **argv)
{
	sigset_t all, none;
	pid_t pid;

	for (char **p = argv; *p; p++)
		*p = mem_dup(*p);
	forget_host();
	sigfillset(&all);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(status_fd);
		/*
		 * A group of its own, in the foreground of its terminal: what the keyboard sends reaches it once, not
		 * through us too.
		 */
		if (setpgid(0, 0) == 0 && isatty(STDIN_FILENO))
			tcsetpgrp(STDIN_FILENO, getpid());
		sigprocmask(SIG_SETMASK, &none, NULL);
		return 0;
	}
	prctl(PR_SET_DUMPABLE, 0);
	close(baton_fd);
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	prctl(PR_SET_NAME, "nucleus-init");
	reap(pid, status_fd, &all);
}
