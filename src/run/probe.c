/* The answers, and the children that find them. */
#include "run/probe.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>

enum {
	NAMESPACES = CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
		     CLONE_NEWCGROUP | CLONE_NEWTIME,
	PATIENCE = 2, /* seconds that a child gets; it needs milliseconds */
};

static void answer(struct fact *f, enum fact_status status, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void answer(struct fact *f, enum fact_status status, const char *fmt, va_list args)
{
	f->status = status;
	vsnprintf(f->detail, sizeof(f->detail), fmt, args);
}

#define ANSWER(f, status, fmt)                      \
	do {                                        \
		va_list args_;                      \
		va_start(args_, fmt);               \
		answer(f, status, fmt, args_);      \
		va_end(args_);                      \
	} while (0)

void fact_ok(struct fact *f, const char *fmt, ...)
{
	ANSWER(f, FACT_OK, fmt);
}

void fact_degraded(struct fact *f, const char *fmt, ...)
{
	ANSWER(f, FACT_DEGRADED, fmt);
}

void fact_missing(struct fact *f, const char *fmt, ...)
{
	ANSWER(f, FACT_MISSING, fmt);
}

void fact_errno(struct fact *f, int error, const char *what)
{
	fact_missing(f, "%s: %s", what, strerror(error));
}

void fact_cause(struct fact *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->cause, sizeof(f->cause), fmt, args);
	va_end(args);
}

void fact_fix(struct fact *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(f->fix, sizeof(f->fix), fmt, args);
	va_end(args);
}

bool probe_is_rootless(void)
{
	return geteuid() != 0;
}

char *probe_read_line(const char *path)
{
	char *text = NULL;
	size_t len;

	if (file_read(path, 4096, &text, &len) < 0)
		return NULL;
	text[strcspn(text, "\n")] = '\0';
	return text;
}

/* Why the kernel refuses namespaces that it knows; where it does not know them, the row's own cause stands. */
static void explain(uint64_t flags, int error, struct fact *f)
{
	if (error == ENOSYS) {
		fact_cause(f, "no clone3(2): a kernel before 5.3, or a seccomp filter around this process");
		fact_fix(f, "uname -r; grep Seccomp /proc/self/status");
	} else if (error == ENOSPC || error == EUSERS) {
		fact_cause(f, "a limit under user.max_*_namespaces is reached, or namespaces are nested 32 deep");
		fact_fix(f, "sysctl -a 2>/dev/null | grep '^user.max_.*_namespaces'");
	} else if (error == EPERM && (flags & CLONE_NEWUSER)) {
		fact_cause(f, "a user namespace is needed for it, and that is refused or has no power here");
		fact_fix(f, "mend the user namespace first: nucleus doctor | grep -A3 'user namespace'");
	} else if (error == EPERM) {
		fact_cause(f, "root has no CAP_SYS_ADMIN here: this is itself a container");
		fact_fix(f, "run nucleus as an ordinary user, or give the outer container CAP_SYS_ADMIN");
	}
}

/* Not a default action: PID 1 of a namespace, which a child may be, is immune to those. */
static void give_up(int signal)
{
	(void)signal;
	_exit(ETIMEDOUT);
}

/* A child must not be stopped between making a thing and taking it away, except by its own clock. */
static void set_clock(void)
{
	struct sigaction action = { .sa_handler = give_up };
	sigset_t all;

	sigaction(SIGALRM, &action, NULL);
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	sigprocmask(SIG_SETMASK, &all, NULL);
	alarm(PATIENCE);
}

static int write_proc(const char *path, const char *text)
{
	return file_write_at(AT_FDCWD, path, text);
}

/* A process may map its own ids without help, once setgroups(2) is out of reach. */
static int map_self(uid_t uid, gid_t gid)
{
	char line[64];
	int r;

	r = write_proc("/proc/self/setgroups", "deny");
	if (r < 0)
		return r;
	snprintf(line, sizeof(line), "0 %u 1\n", uid);
	r = write_proc("/proc/self/uid_map", line);
	if (r < 0)
		return r;
	snprintf(line, sizeof(line), "0 %u 1\n", gid);
	return write_proc("/proc/self/gid_map", line);
}

struct question {
	probe_function *body;
	const struct probe *probe;
	uint64_t flags;
	uid_t uid;
	gid_t gid;
};

__attribute__((noreturn)) static void child(const struct question *q, int answer_fd)
{
	struct fact f = { 0 };
	int r = 0;

	set_clock();
	if (q->flags & CLONE_NEWUSER)
		r = map_self(q->uid, q->gid);
	if (r < 0) {
		fact_errno(&f, -r, "the new user namespace takes no id map");
		explain(q->flags, EPERM, &f);
	} else {
		q->body(q->probe, &f);
	}
	_exit(fd_write_all(answer_fd, &f, sizeof(f)) < 0 ? EIO : 0);
}

static void listen_to(pid_t pid, int fd, struct fact *f)
{
	size_t have = 0;
	ssize_t n;
	int status;

	while (have < sizeof(*f) &&
	       ((n = read(fd, (char *)f + have, sizeof(*f) - have)) > 0 || (n < 0 && errno == EINTR)))
		have += n > 0 ? (size_t)n : 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (have == sizeof(*f))
		return;
	*f = (struct fact){ 0 };
	if (WIFSIGNALED(status))
		fact_missing(f, "the probe was killed by signal %d", WTERMSIG(status));
	else
		fact_missing(f, "the probe did not answer in %d s", PATIENCE);
}

static void ask(const struct question *q, struct fact *f)
{
	struct clone_args args = { .flags = q->flags, .exit_signal = SIGCHLD };
	auto_close int in = -1;
	auto_close int out = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		fact_errno(f, errno, "pipe2");
		return;
	}
	in = ends[0];
	out = ends[1];
	/* fork() where it will do: what asks for no namespace must not fail for want of clone3. */
	pid = q->flags ? sys_clone3(&args, sizeof(args)) : fork();
	if (pid == 0)
		child(q, out);
	if (pid < 0) {
		int error = errno;

		fact_errno(f, error, q->flags ? "clone3" : "fork");
		explain(q->flags, error, f);
		return;
	}
	close(take_fd(out));
	listen_to(pid, in, f);
}

void probe_in_child(probe_function *body, const struct probe *p, struct fact *f)
{
	ask(&(struct question){ .body = body, .probe = p }, f);
}

void probe_in_namespaces(uint64_t flags, probe_function *body, const struct probe *p, struct fact *f)
{
	struct question q = { body, p, flags & NAMESPACES, geteuid(), getegid() };

	if (probe_is_rootless())
		q.flags |= CLONE_NEWUSER;
	ask(&q, f);
}
