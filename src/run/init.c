#include "run/init.h"
#include "base/fd.h"
#include "base/image.h"

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
	prctl(PR_SET_NAME, "nucleus-init");
}

static _Noreturn void reap(pid_t workload, int status_fd, const sigset_t *all)
{
	for (;;) {
		siginfo_t info;
		int status;
		pid_t pid;

		if (sigwaitinfo(all, &info) != SIGCHLD) {
			kill(workload, info.si_signo);
			continue;
		}
		while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
			if (pid == workload) {
				(void)fd_write_all(status_fd, &status, sizeof(status));
				/* The kernel ends everything else in the namespace with us. */
				_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
			}
	}
}

int init_fork(int status_fd, int baton_fd)
{
	sigset_t all, none;
	pid_t pid;

	sigfillset(&all);
	sigemptyset(&none);
	if (sigprocmask(SIG_SETMASK, &all, NULL) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		close(status_fd);
		/* A group of its own, in the foreground of its terminal: what the keyboard sends reaches it once, not through us too. */
		if (setpgid(0, 0) == 0 && isatty(STDIN_FILENO))
			tcsetpgrp(STDIN_FILENO, getpid());
		sigprocmask(SIG_SETMASK, &none, NULL);
		return 0;
	}
	prctl(PR_SET_DUMPABLE, 0);
	close(baton_fd);
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	forget_host();
	reap(pid, status_fd, &all);
}
