#include "run/program.h"
#include "run/environment.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int reset_signals(struct err *e)
{
	const uint64_t by_default[4] = { 0 }; /* as the kernel has struct sigaction: handler, flags, restorer, mask */
	sigset_t none;

	/*
	 * Handlers go at exec; what was ignored would stay so. Not by signal(3): the C library keeps two or three
	 * signals to itself, which a caller may have ignored all the same. SIGKILL and SIGSTOP refuse, and need
	 * nothing.
	 */
	for (int s = 1; s < NSIG; s++)
		(void)syscall(SYS_rt_sigaction, s, by_default, NULL, sizeof(uint64_t));
	sigemptyset(&none);
	return sigprocmask(SIG_SETMASK, &none, NULL) < 0 ? err_sys(e, "unblock the signals") : 0;
}

/* As execvp(3), in the PATH of the container; returns only with errno of the most telling failure. */
static void exec_in_path(const char *name, char *const *argv, char **envp)
{
	const char *path = environment_get(envp, "PATH");
	int telling = ENOENT;

	if (strchr(name, '/') || !path) {
		execve(name, argv, envp);
		return;
	}
	while (*path) {
		size_t n = strcspn(path, ":");
		char candidate[4096];

		/* An empty element would be the working directory, which is the workspace: not searched. */
		if (n && snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)n, path, name) < (int)sizeof(candidate))
			execve(candidate, argv, envp);
		if (n && errno != ENOENT && errno != ENOTDIR)
			telling = errno;
		path += n + (path[n] == ':');
	}
	errno = telling;
}

/* What the errno of execve(2) means to a user. */
static int exec_failed(const char *name, struct err *e)
{
	err_sys(e, "%s", name);
	if (e->code == ENOENT && strchr(name, '/') && access(name, F_OK) == 0) {
		e->code = ENOEXEC; /* found, so not 127 */
		return err_why(e, "it is there, but its interpreter or dynamic loader is not");
	}
	if (e->code == ENOENT) {
		err_why(e, "the container has no such program in its PATH");
		return err_fix(e, "install it on the host under /usr, or add --volume for it");
	}
	if (e->code == ENOEXEC)
		return err_why(e, "it is neither a program for this machine nor a script with a #! line");
	if (e->code == EACCES) {
		err_why(e, "it is not executable, or lies where nothing may be executed");
		return err_fix(e, "chmod +x it; in the workspace: --workspace-exec; in a volume: the option exec");
	}
	return -e->code;
}

int program_exec(char **argv, char **envp, struct err *e)
{
	int r = reset_signals(e);

	if (r < 0)
		return r;
	exec_in_path(argv[0], argv, envp);
	return exec_failed(argv[0], e);
}
