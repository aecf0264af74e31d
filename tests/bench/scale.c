/*
 * Many sandboxes: scale NUCLEUS [ALIVE]
 *
 * First, starts per second of a payload that ends at once, with one and with two launchers, each a
 * process that starts the next when the last has ended. Settings take turns, several passes,
 * medians.
 *
 * Then ALIVE (1000) sandboxes at once, as many being started at a time as there are CPUs. The
 * payload says one byte when it runs and sleeps; so "alive" is what the payload says, not what its
 * launcher believes. Memory per sandbox is what the whole machine lost, all in: once as the drop of
 * MemAvailable and once as the growth of the kernel's own accounts (slab, stacks, page tables,
 * per-CPU, anonymous and shared pages). The larger of both is held to the bar; other work on the
 * machine can disturb either, so there are several crowds. Supervisors are all processes of a
 * launch but the payload.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
enum { ALIVE_DEFAULT = 1000, CROWDS = 3, START_LIMIT_MS = 10000 };
enum { PASSES = 5, PASS_MS = 1200, LAUNCHERS = 2 };
enum setting { PLAIN, BWRAP, NUCLEUS, SETTINGS };
static const char *const names[] = {
	[PLAIN] = "plain", [BWRAP] = "bwrap", [NUCLEUS] = "nucleus run",
};

struct study {
	struct command once[SETTINGS], stay[SETTINGS];
	char *bwrap, *payload, *inside, *volume; /* owned */
	const char *nucleus;
};

/* ---------------------------------------------------------- the commands */

static void command_init(struct study *s, enum setting setting, bool stay)
{
	struct command *c = stay ? &s->stay[setting] : &s->once[setting];

	*c = (struct command){ .name = names[setting], .mount_ns = -1, .every = 1 };
	if (setting == BWRAP && !s->bwrap) {
		snprintf(c->reason, sizeof(c->reason), "bwrap is not installed");
		return;
	}
	if (setting == BWRAP) {
		bwrap_args(&c->argv, s->bwrap);
		args_add(&c->argv, "--ro-bind", s->payload, s->inside, "--", NULL);
	} else if (setting == NUCLEUS) {
		args_add(&c->argv, s->nucleus, "run", "-v", s->volume, "--", NULL);
	}
	args_add(&c->argv, setting == PLAIN ? s->payload : s->inside, stay ? "stay" : NULL, NULL);
}

static void study_init(struct study *s, const char *nucleus)
{
	s->nucleus = nucleus;
	s->bwrap = program_find("bwrap");
	s->payload = program_beside("true");
	must(!access(s->payload, X_OK), s->payload);
	s->inside = text_of("/bench-true");
	s->volume = text_of("%s:%s:ro,exec", s->payload, s->inside);
	for (unsigned i = 0; i < SETTINGS; i++) {
		command_init(s, i, false);
		command_init(s, i, true);
		if (!command_probe(&s->once[i], 10000))
			snprintf(s->stay[i].reason, sizeof(s->stay[i].reason), "%s",
				 s->once[i].reason);
	}
}

static void study_free(struct study *s)
{
	free(s->bwrap);
	free(s->payload);
	free(s->inside);
	free(s->volume);
}

/* ----------------------------------------------------- starts per second */

/* In a process of its own: starts after starts until the time is up; tells how many on @out. */
static _Noreturn void launcher(const struct command *c, double end, int out)
{
	struct sample s;
	unsigned n = 0;

	adopt_orphans();
	for (; now_ms() < end; n++)
		if (command_run(c, &s))
			_exit(1);
	_exit(write(out, &n, sizeof(n)) != sizeof(n));
}

/* Starts per second with @launchers; NAN if one of them failed. */
static double rate_measure(const struct command *c, unsigned launchers)
{
	double end = now_ms() + PASS_MS, sum = 0;
	pid_t pids[LAUNCHERS];
	unsigned n;
	int ends[2], status;
	bool ok = true;

	must(!pipe2(ends, O_CLOEXEC), "pipe");
	fflush(stdout);
	for (unsigned i = 0; i < launchers; i++) {
		pids[i] = fork();
		if (!pids[i])
			launcher(c, end, ends[1]);
	}
	close(ends[1]);
	for (unsigned i = 0; i < launchers; i++)
		ok = pids[i] > 0 && waitpid(pids[i], &status, 0) == pids[i] && !status && ok;
	while (ok && read(ends[0], &n, sizeof(n)) == sizeof(n))
		sum += n;
	close(ends[0]);
	return ok ? sum / PASS_MS * 1e3 : NAN;
}

static void rates_print(struct study *s)
{
	double rate[SETTINGS][LAUNCHERS][PASSES];

	for (unsigned pass = 0; pass < PASSES; pass++)
		for (unsigned i = 0; i < SETTINGS; i++)
			for (unsigned l = 0; l < LAUNCHERS && !*s->once[i].reason; l++)
				rate[i][l][pass] = rate_measure(&s->once[i], l + 1);
	printf("\n  %-16s %14s %14s %10s   (medians of %u passes of %.1f s)\n", "starts/s",
	       "1 launcher", "2 launchers", "scaling", PASSES, PASS_MS / 1e3);
	for (unsigned i = 0; i < SETTINGS; i++) {
		double one, two;

		if (*s->once[i].reason) {
			printf("  %-16s not measured: %s\n", names[i], s->once[i].reason);
			continue;
		}
		one = median(rate[i][0], PASSES);
		two = median(rate[i][1], PASSES);
		printf("  %-16s %14.0f %14.0f %10.2f\n", names[i], one, two, two / one);
	}
	fflush(stdout);
}

/* ------------------------------------------------- memory of the machine */
enum account { AVAILABLE, FREE, SLAB, STACKS, TABLES, PERCPU, ANON, SHMEM, ACCOUNTS };

/* KiB. Accounts this kernel does not have are zero. */
static void memory_read(double *kib)
{
	static const char *const fields[] = {
		[AVAILABLE] = "MemAvailable:", [FREE] = "MemFree:", [SLAB] = "Slab:",
		[STACKS] = "KernelStack:", [TABLES] = "PageTables:", [PERCPU] = "Percpu:",
		[ANON] = "AnonPages:", [SHMEM] = "Shmem:",
	};
	FILE *f = fopen("/proc/meminfo", "re");
	char field[64], rest[64];
	double value;

	must(f, "/proc/meminfo");
	memset(kib, 0, ACCOUNTS * sizeof(*kib));
	while (fscanf(f, "%63s %lf%63[^\n]", field, &value, rest) >= 2)
		for (size_t i = 0; i < ACCOUNTS; i++)
			if (!strcmp(field, fields[i]))
				kib[i] = value;
	fclose(f);
}

struct process_memory {
	double pss, rss; /* KiB */
};

static bool process_memory_read(pid_t pid, struct process_memory *ret)
{
	char path[64], line[256];
	double value;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	f = fopen(path, "re");
	if (!f)
		return false;
	*ret = (struct process_memory){ 0 };
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Rss: %lf", &value) == 1)
			ret->rss = value;
		else if (sscanf(line, "Pss: %lf", &value) == 1)
			ret->pss = value;
	}
	fclose(f);
	return true;
}

static bool is_payload(pid_t pid, const struct study *s)
{
	char path[64], target[4096];
	const char *name;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	len = readlink(path, target, sizeof(target) - 1);
	if (len < 0)
		return true; /* gone, or the kernel's */
	target[len] = '\0';
	name = strrchr(target, '/');
	return !strcmp(target, s->payload) || !strcmp(target, s->inside) ||
	       (name && !strcmp(name, "/true"));
}

/* Two processes with one memory: each would account for all of it. */
static bool same_memory(pid_t a, pid_t b)
{
	return a && syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0;
}

/*
 * Sums what the processes of one launch use, the payload aside. Recursion is as deep as the launch.
 */
static void supervisors_sum(pid_t pid, pid_t parent, const struct study *s,
			    struct process_memory *sum, unsigned *count)
{
	struct process_memory one;
	char path[64];
	int child;
	FILE *f;

	if (!is_payload(pid, s) && process_memory_read(pid, &one)) {
		bool known = same_memory(parent, pid);

		sum->pss += known ? 0 : one.pss;
		sum->rss += known ? 0 : one.rss;
		++*count;
	}
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		supervisors_sum(child, pid, s, sum, count);
	if (f)
		fclose(f);
}

/* ------------------------------------------------------------ many alive */

/* What a crowd comes to: the columns of the table. Memory in KiB per sandbox. */
enum result { START, RATE, STOP, LOST, LOST_FREE, ACCOUNTED, BY_SLAB,
	      BY_SHMEM = BY_SLAB + SHMEM - SLAB, PROCESSES, ITS_PSS, ITS_RSS, RESULTS };

struct crowd {
	pid_t *pids; /* owned */
	unsigned wanted, started, alive;
	int ready[2];
	double before[ACCOUNTS], after[ACCOUNTS];
	double result[RESULTS];
};

/* Waits for one more payload to speak. False after the limit. */
static bool crowd_hear(struct crowd *w)
{
	struct pollfd p = { .fd = w->ready[0], .events = POLLIN };
	char bytes[64];
	ssize_t n;

	if (poll(&p, 1, START_LIMIT_MS) <= 0)
		return false;
	n = read(w->ready[0], bytes, sizeof(bytes));
	w->alive += n > 0 ? (unsigned)n : 0;
	return n > 0;
}

static bool crowd_start(struct crowd *w, const struct command *c)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	double start = now_ms();

	while (w->alive < w->wanted) {
		bool room = w->started < w->wanted &&
			    w->started - w->alive < (unsigned)(cpus > 0 ? cpus : 1);

		if (!room && !crowd_hear(w))
			return false;
		if (!room)
			continue;
		w->pids[w->started] = command_start(c, w->ready[1]);
		if (w->pids[w->started] < 0)
			return false;
		w->started++;
	}
	w->result[START] = (now_ms() - start) / 1e3;
	w->result[RATE] = w->wanted / w->result[START];
	return true;
}

/*
 * Kills the launchers only: that their death takes the sandbox with it is part of what is measured.
 */
static void crowd_stop(struct crowd *w)
{
	double start = now_ms();
	int status;

	for (unsigned i = 0; i < w->started; i++)
		kill(w->pids[i], SIGKILL);
	for (unsigned i = 0; i < w->started; i++)
		waitpid(w->pids[i], &status, 0);
	reap_orphans(30000);
	w->result[STOP] = (now_ms() - start) / 1e3;
}

static void crowd_weigh(struct crowd *w, const struct study *s)
{
	double *pss = calloc(3 * (size_t)w->started + 1, sizeof(*pss)), *rss = pss + w->started;
	double *count = rss + w->started;

	must(pss, "memory");
	for (unsigned i = 0; i < w->started; i++) {
		struct process_memory sum = { 0 };
		unsigned n = 0;

		supervisors_sum(w->pids[i], 0, s, &sum, &n);
		pss[i] = sum.pss;
		rss[i] = sum.rss;
		count[i] = n;
	}
	w->result[ITS_PSS] = median(pss, w->started);
	w->result[ITS_RSS] = median(rss, w->started);
	w->result[PROCESSES] = median(count, w->started);
	free(pss);
}

static void crowd_account(struct crowd *w)
{
	double grown;

	w->result[LOST] = (w->before[AVAILABLE] - w->after[AVAILABLE]) / w->wanted;
	w->result[LOST_FREE] = (w->before[FREE] - w->after[FREE]) / w->wanted;
	w->result[ACCOUNTED] = 0;
	for (unsigned a = SLAB; a < ACCOUNTS; a++) {
		grown = (w->after[a] - w->before[a]) / w->wanted;
		w->result[BY_SLAB + a - SLAB] = grown;
		w->result[ACCOUNTED] += grown;
	}
}

/* Starts, weighs and kills a crowd. False, with a reason in @c, if not all came alive. */
static bool crowd_measure(struct crowd *w, const struct study *s, struct command *c)
{
	bool ok;

	w->pids = calloc(w->wanted, sizeof(*w->pids));
	must(w->pids && !pipe2(w->ready, O_CLOEXEC), "crowd");
	memory_read(w->before);
	ok = crowd_start(w, c);
	sleep_ms(1000); /* deferred frees of the start are no part of being alive */
	memory_read(w->after);
	crowd_account(w);
	if (ok)
		crowd_weigh(w, s);
	else
		snprintf(c->reason, sizeof(c->reason), "only %u of %u came alive", w->alive,
			 w->wanted);
	crowd_stop(w);
	close(w->ready[0]);
	close(w->ready[1]);
	free(w->pids);
	return ok;
}

/* What killed supervisors leave on the host (records, cgroups) is collected by the next command. */
static void leftovers_collect(const struct study *s, bool tell)
{
	struct command c = { .name = "nucleus run", .mount_ns = -1, .every = 1 };
	double start = now_ms();

	args_add(&c.argv, s->nucleus, "run", "--", "/bin/true", NULL);
	if (!command_probe(&c, 60000))
		printf("  nucleus run after killing the supervisors failed: %s\n", c.reason);
	else if (tell)
		printf("  nucleus run collected what the killed supervisors left in %.2f s\n",
		       (now_ms() - start) / 1e3);
}

/*
 * Several crowds one after the other; every column is its median. False if one did not come alive.
 */
static bool crowds_measure(const struct study *s, enum setting setting, struct command *c,
			   unsigned alive, double *ret)
{
	double results[RESULTS][CROWDS];

	for (unsigned pass = 0; pass < CROWDS; pass++) {
		struct crowd w = { .wanted = alive };
		bool ok = crowd_measure(&w, s, c);

		if (setting == NUCLEUS)
			leftovers_collect(s, pass + 1 == CROWDS);
		if (!ok)
			return false;
		for (unsigned i = 0; i < RESULTS; i++)
			results[i][pass] = w.result[i];
		sleep_ms(2000); /* network namespaces are freed later, by the kernel's own thread */
	}
	for (unsigned i = 0; i < RESULTS; i++)
		ret[i] = median(results[i], CROWDS);
	return true;
}

static void results_print(const char *name, const double *r)
{
	printf("  %-12s %7.2f %7.0f %7.2f %7.0f %7.0f %7.0f", name, r[START], r[RATE], r[STOP],
	       r[LOST], r[LOST_FREE], r[ACCOUNTED]);
	for (unsigned i = BY_SLAB; i <= BY_SHMEM; i++)
		printf(" %6.0f", r[i]);
	printf(" %6.0f %7.0f %7.0f\n", r[PROCESSES], r[ITS_PSS], r[ITS_RSS]);
	fflush(stdout);
}

static void alive_print(struct study *s, unsigned alive)
{
	double result[SETTINGS][RESULTS];
	const double *ours = result[NUCLEUS];
	bool ok = false;

	printf("\n  %u alive, medians of %u crowds; KiB per sandbox: what the machine lost, "
	       "accounts, supervisors\n",
	       alive, CROWDS);
	printf("  %-12s %7s %7s %7s %7s %7s %7s %6s %6s %6s %6s %6s %6s %6s %7s %7s\n", "",
	       "start s", "per s", "kill s", "avail", "free", "sum of", "slab", "stack", "tables",
	       "percpu", "anon", "shmem", "procs", "PSS", "RSS");
	for (unsigned i = 0; i < SETTINGS; i++) {
		ok = !*s->stay[i].reason && crowds_measure(s, i, &s->stay[i], alive, result[i]);
		if (ok)
			results_print(names[i], result[i]);
		else
			printf("  %-12s not measured: %s\n", names[i], s->stay[i].reason);
	}
	printf("\n  Bars\n");
	bar_print("supervisor PSS of an idle sandbox, median", ok ? ours[ITS_PSS] : NAN, 150, 0,
		  " KiB");
	bar_print("memory per sandbox, all in (larger of avail and sum)",
		  ok ? fmax(ours[LOST], ours[ACCOUNTED]) / 1024 : NAN, 0.6, 0, " MiB");
}

int main(int argc, char **argv)
{
	struct study s = { .bwrap = NULL };
	long alive = argc > 2 ? strtol(argv[2], NULL, 10) : ALIVE_DEFAULT;

	if (argc < 2 || argc > 3 || alive < 1 || alive > 10000) {
		fprintf(stderr, "usage: scale NUCLEUS [ALIVE]\n");
		return 2;
	}
	adopt_orphans();
	study_init(&s, argv[1]);
	printf("scale: payload: a small static program, which ends at once or sleeps\n");
	rates_print(&s);
	alive_print(&s, (unsigned)alive);
	study_free(&s);
	return 0;
}
