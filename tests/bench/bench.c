/* Starting, timing and counting. See bench.h. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <libgen.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void args_add(struct args *a, ...)
{
	va_list texts;
	const char *text;

	va_start(texts, a);
	while ((text = va_arg(texts, const char *)) && a->n + 1 < BENCH_ARGS)
		a->v[a->n++] = text;
	va_end(texts);
	a->v[a->n] = NULL;
}

void args_append(struct args *a, const struct args *more)
{
	for (size_t i = 0; i < more->n; i++)
		args_add(a, more->v[i], NULL);
}

void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

char *text_of(const char *fmt, ...)
{
	va_list values;
	char *text = NULL;

	va_start(values, fmt);
	must(vasprintf(&text, fmt, values) >= 0, "text");
	va_end(values);
	return text;
}

double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void sleep_ms(double ms)
{
	struct timespec t = { .tv_sec = (time_t)(ms / 1e3),
			      .tv_nsec = (long)(fmod(ms, 1e3) * 1e6) };

	nanosleep(&t, NULL);
}

/* ----------------------------------------------------------- one command */

/*
 * In the child of vfork: raw calls, since libc's set*id functions keep books in the parent's
 * memory.
 */
static _Noreturn void child(const struct command *c, int out, char *const *env)
{
	if (c->mount_ns >= 0 && setns(c->mount_ns, CLONE_NEWNS))
		_exit(124);
	if (out >= 0 && (dup2(out, 1) < 0 || dup2(out, 2) < 0))
		_exit(124);
	if (c->uid &&
	    (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, c->uid, c->uid, c->uid) ||
	     syscall(SYS_setresuid, c->uid, c->uid, c->uid)))
		_exit(124);
	/*
	 * After the change of identity, which clears it: an interrupted benchmark leaves nothing
	 * running.
	 */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execve(c->argv.v[0], (char *const *)c->argv.v, env);
	if (out >= 0)
		dprintf(2, "%s: %m\n", c->argv.v[0]);
	_exit(127);
}

pid_t command_start(const struct command *c, int out)
{
	char *const *env = c->env.n ? (char *const *)c->env.v : environ;
	pid_t pid = vfork();

	if (!pid)
		child(c, out, env);
	return pid < 0 ? -errno : pid;
}

void adopt_orphans(void)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static double cpu_ms(const struct rusage *u)
{
	return (double)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1e3 +
	       (double)(u->ru_utime.tv_usec + u->ru_stime.tv_usec) / 1e3;
}

double reap_orphans(unsigned limit_ms)
{
	double sum = 0, end = now_ms() + limit_ms;
	struct rusage u;
	pid_t pid;

	while ((pid = wait4(-1, NULL, WNOHANG | __WALL, &u)) >= 0 && now_ms() < end) {
		if (pid)
			sum += cpu_ms(&u);
		else
			sleep_ms(0.05);
	}
	return sum;
}

int command_run(const struct command *c, struct sample *ret)
{
	double start = now_ms();
	struct rusage u;
	int status;
	pid_t pid = command_start(c, -1);

	if (pid < 0)
		return pid;
	while (wait4(pid, &status, 0, &u) < 0)
		if (errno != EINTR)
			return -errno;
	ret->wall = now_ms() - start;
	ret->rss = (double)u.ru_maxrss / 1024;
	ret->cpu = cpu_ms(&u) + reap_orphans(100);
	return status;
}

/* The last line of what was printed, or how it ended where nothing was. */
static void reason_set(char *reason, char *text, size_t len, int status)
{
	char *line;

	text[len] = '\0';
	while (len && text[len - 1] == '\n')
		text[--len] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	for (char *p = line; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	if (WIFSIGNALED(status))
		snprintf(reason, BENCH_REASON, "signal %d%s%.180s", WTERMSIG(status),
			 *line ? ": " : "", line);
	else
		snprintf(reason, BENCH_REASON, "status %d%s%.180s", WEXITSTATUS(status),
			 *line ? ": " : "", line);
}

/* Waits with a limit; a command that does not end is killed and said to have timed out. */
static bool wait_limited(pid_t pid, int *status, unsigned limit_ms)
{
	double end = now_ms() + limit_ms;
	pid_t got;

	while (!(got = waitpid(pid, status, WNOHANG)) && now_ms() < end)
		sleep_ms(1);
	if (got == pid)
		return true;
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return false;
}

bool command_probe(struct command *c, unsigned limit_ms)
{
	char text[4096];
	ssize_t len;
	int status = 0, out;
	pid_t pid;

	if (*c->reason)
		return false;
	out = memfd_create("output", MFD_CLOEXEC);
	pid = command_start(c, out);
	if (pid < 0) {
		snprintf(c->reason, BENCH_REASON, "%s", strerror(-pid));
	} else if (!wait_limited(pid, &status, limit_ms)) {
		snprintf(c->reason, BENCH_REASON, "did not end within %u ms", limit_ms);
	} else if (status) {
		len = pread(out, text, sizeof(text) - 1, 0);
		reason_set(c->reason, text, len > 0 ? (size_t)len : 0, status);
	}
	close(out);
	reap_orphans(200);
	return !*c->reason;
}

void command_measure(struct command *c, unsigned round)
{
	struct sample s = { .round = round }, *grown;
	int status = command_run(c, &s);

	if (status) {
		snprintf(c->reason, BENCH_REASON, "failed in round %u with wait status %#x", round,
			 (unsigned)status);
		return;
	}
	if (c->count == c->size) {
		c->size = c->size ? 2 * c->size : 256;
		grown = realloc(c->samples, c->size * sizeof(*grown));
		must(grown, "memory");
		c->samples = grown;
	}
	c->samples[c->count++] = s;
}

void command_free(struct command *c)
{
	free(c->samples);
	c->samples = NULL;
	c->count = c->size = 0;
}

/* ------------------------------------------------------------ statistics */

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double quantile(double *v, size_t n, double q)
{
	double at = q * (double)(n ? n - 1 : 0);
	size_t low = (size_t)at;

	if (!n)
		return NAN;
	qsort(v, n, sizeof(*v), by_value);
	return low + 1 < n ? v[low] + (at - (double)low) * (v[low + 1] - v[low]) : v[low];
}

double median(double *v, size_t n)
{
	return quantile(v, n, 0.5);
}

static double metric_of(const struct sample *s, enum metric m)
{
	return m == WALL ? s->wall : m == CPU ? s->cpu : s->rss;
}

static bool counts(const struct sample *s, const bool *keep)
{
	return !keep || keep[s->round];
}

size_t command_count(const struct command *c, const bool *keep)
{
	size_t n = 0;

	for (size_t i = 0; i < c->count; i++)
		n += counts(&c->samples[i], keep);
	return n;
}

double command_quantile(const struct command *c, enum metric m, double q, const bool *keep)
{
	double *v = calloc(c->count + 1, sizeof(*v)), result;
	size_t n = 0;

	must(v, "memory");
	for (size_t i = 0; i < c->count; i++)
		if (counts(&c->samples[i], keep))
			v[n++] = metric_of(&c->samples[i], m);
	result = quantile(v, n, q);
	free(v);
	return result;
}

double paired_ratio(const struct command *c, const struct command *ref, enum metric m,
		    const bool *keep)
{
	double *v = calloc(c->count + 1, sizeof(*v)), result;
	size_t n = 0, j = 0;

	must(v, "memory");
	/* Both lists are in the order of rounds. */
	for (size_t i = 0; i < c->count; i++) {
		while (j < ref->count && ref->samples[j].round < c->samples[i].round)
			j++;
		if (j < ref->count && ref->samples[j].round == c->samples[i].round &&
		    counts(&c->samples[i], keep) && metric_of(&ref->samples[j], m) > 0)
			v[n++] = metric_of(&c->samples[i], m) / metric_of(&ref->samples[j], m);
	}
	result = median(v, n);
	free(v);
	return result;
}

/* Jiffies used and jiffies in all, of every CPU together. */
static void machine_times(double *used, double *all)
{
	double t[8] = { 0 };
	FILE *f = fopen("/proc/stat", "re");

	*used = *all = 0;
	if (!f)
		return;
	if (fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0], &t[1], &t[2], &t[3], &t[4],
		   &t[5], &t[6], &t[7]) == 8)
		for (size_t i = 0; i < COUNT(t); i++)
			*all += t[i];
	*used = *all - t[3] - t[4];
	fclose(f);
}

double machine_busy(unsigned ms)
{
	double used[2], all[2];

	machine_times(&used[0], &all[0]);
	sleep_ms(ms);
	machine_times(&used[1], &all[1]);
	return all[1] > all[0] ? (used[1] - used[0]) / (all[1] - all[0]) : 0;
}

void bar_print(const char *name, double measured, double bar, double stretch, const char *unit)
{
	if (isnan(measured)) {
		printf("  %-64s    -    bar %g%s: not measured\n", name, bar, unit);
		return;
	}
	printf("  %-64s %7.3f%s, bar %g%s: %s", name, measured, unit, bar, unit,
	       measured <= bar ? "met" : "NOT met");
	if (stretch > 0)
		printf(" (stretch %g%s: %s)", stretch, unit,
		       measured <= stretch ? "met" : "NOT met");
	printf("\n");
}

/* ---------------------------------------------------- files and programs */

char *program_find(const char *name)
{
	const char *path = getenv("PATH");
	char *list = text_of("%s:/usr/sbin:/sbin:/usr/local/sbin", path ? path : "/usr/bin:/bin");
	char *found = NULL, *rest = NULL;

	for (char *dir = strtok_r(list, ":", &rest); dir && !found;
	     dir = strtok_r(NULL, ":", &rest)) {
		char *file = text_of("%s/%s", dir, name);

		if (!access(file, X_OK))
			found = realpath(file, NULL);
		free(file);
	}
	free(list);
	return found;
}

char *program_beside(const char *name)
{
	char *self = realpath("/proc/self/exe", NULL), *file;

	must(self, "/proc/self/exe");
	file = text_of("%s/%s", dirname(self), name);
	free(self);
	return file;
}

char *scratch_make(void)
{
	const char *tmp = getenv("TMPDIR");
	char *dir;

	if (!tmp)
		tmp = access("/run", W_OK) ? "/tmp" : "/run";
	dir = text_of("%s/nucleus-bench-XXXXXX", tmp);
	must(mkdtemp(dir) && !chmod(dir, 0755), dir);
	return dir;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	remove(path);
	return 0;
}

void scratch_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

/* Where the host has merged /bin into /usr, so has the sandbox. */
static void bwrap_system_dir(struct args *a, const char *dir, const char *merged)
{
	struct stat st;

	if (lstat(dir, &st))
		return;
	if (S_ISLNK(st.st_mode))
		args_add(a, "--symlink", merged, dir, NULL);
	else
		args_add(a, "--ro-bind", dir, dir, NULL);
}

void bwrap_args(struct args *a, const char *bwrap)
{
	args_add(a, bwrap, "--unshare-all", "--die-with-parent", "--ro-bind", "/usr", "/usr", NULL);
	bwrap_system_dir(a, "/bin", "usr/bin");
	bwrap_system_dir(a, "/sbin", "usr/sbin");
	bwrap_system_dir(a, "/lib", "usr/lib");
	bwrap_system_dir(a, "/lib64", "usr/lib64");
	args_add(a, "--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev", "--tmpfs",
		 "/tmp", NULL);
}
