/*
 * What it costs to start a command in a sandbox: startup NUCLEUS [ROUNDS] [--seccomp PROFILE]
 * [--gap-ms N]
 * [--no-gap-run]
 *
 * All commands are run once in each round, in a new random order each time (so that no command
 * always follows the same neighbour and inherits the same kernel work from it), and ratios are
 * taken within the round. Rounds are made in slices of ten; before each slice the machine is
 * watched for 100 ms, and only slices that began on a quiet machine count where enough of them are
 * found.
 *
 * The payload is Debian's static busybox, because it lies in /usr, which every sandbox here shows
 * read-only. Rootless commands run as uid 65534 with a runtime directory of their own. CPU time is
 * that of all processes, orphans included; the kernel's own threads (cleaning up network
 * namespaces) are in nobody's account.
 */
#include "bench.h"
#include "bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
enum { NOBODY = 65534, SLICE = 10, GAP_RUN_MS = 20, ROUNDS_LEAST = 200 };
enum row {
	PLAIN, NUCLEUS, NUCLEUS_USER, BWRAP, BWRAP_USER, CRUN, CRUN_NO_CGROUP, CRUN_SECCOMP, CRUN_USER,
	RUNC, RUNC_USER, PODMAN, PLAIN_DYNAMIC, NUCLEUS_DYNAMIC, BWRAP_DYNAMIC, ROWS
};

struct study {
	struct command rows[ROWS];
	char *busybox, *bwrap, *crun, *runc, *podman, *scratch; /* owned */
	char *runtime_env, *bundle, *bundle_user, *bundle_seccomp, *runc_state; /* owned */
	const char *nucleus, *seccomp;
	int v2_mount_ns;
	bool hybrid, tmpfs; /* tmpfs: at /run */
};

struct options {
	const char *nucleus, *seccomp;
	unsigned rounds, gap_ms;
	bool gap_run;
};

/*
 * State directories belong on a tmpfs, and wherever systemd runs /run is one. Where it is not, it
 * becomes one in a mount namespace of our own, for all commands alike. False where that cannot be.
 */
static bool run_is_tmpfs(void)
{
	struct statfs fs;

	if (!statfs("/run", &fs) && fs.f_type == TMPFS_MAGIC)
		return true;
	return !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	       !mount("none", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755");
}

/* ---------------------------------------------------------- the commands */

/*
 * crun refuses a hybrid cgroup tree, and runc would write to ten hierarchies there: both get a
 * mount namespace in which /sys/fs/cgroup is a plain cgroup2. -1 where none is needed or to be had.
 */
static int v2_mount_ns(bool hybrid)
{
	int back, fd = -1;

	if (!hybrid || geteuid())
		return -1;
	back = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (back < 0 || unshare(CLONE_NEWNS))
		return -1;
	if (!mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
	    !mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL))
		fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	must(!setns(back, CLONE_NEWNS), "setns");
	close(back);
	return fd;
}

static void because(struct command *c, const char *reason)
{
	if (!*c->reason)
		snprintf(c->reason, sizeof(c->reason), "%s", reason);
}

/* Gives a row its identity; without root only the rows of an ordinary user can be had. */
static struct command *row_as(struct study *s, enum row row, const char *name, bool user)
{
	struct command *c = &s->rows[row];

	c->name = name;
	c->mount_ns = -1;
	c->every = 1;
	if (user) {
		c->uid = geteuid() ? 0 : NOBODY;
		args_add(&c->env, "PATH=/usr/bin:/bin:/usr/sbin:/sbin", "HOME=/", s->runtime_env,
			 NULL);
	} else if (geteuid()) {
		because(c, "needs root");
	}
	return c;
}

static void nucleus_row(struct study *s, enum row row, const char *name, bool user)
{
	struct command *c = row_as(s, row, name, user);

	args_add(&c->argv, s->nucleus, "run", "--", NULL);
	if (row == NUCLEUS_DYNAMIC)
		args_add(&c->argv, "true", NULL);
	else
		args_add(&c->argv, s->busybox, "true", NULL);
}

static void bwrap_row(struct study *s, enum row row, const char *name, bool user)
{
	struct command *c = row_as(s, row, name, user);

	if (!s->bwrap) {
		because(c, "bwrap is not installed");
		return;
	}
	bwrap_args(&c->argv, s->bwrap);
	if (row == BWRAP_DYNAMIC)
		args_add(&c->argv, "true", NULL);
	else
		args_add(&c->argv, s->busybox, "true", NULL);
}

static void oci_row(struct study *s, enum row row, const char *name, const char *bundle,
		    const struct args *program)
{
	struct command *c = row_as(s, row, name, bundle == s->bundle_user);

	if (!program->v[0]) {
		because(c, row == RUNC || row == RUNC_USER ? "runc is not installed"
							   : "crun is not installed");
		return;
	}
	c->mount_ns = s->v2_mount_ns;
	args_append(&c->argv, program);
	args_add(&c->argv, "run", "--bundle", bundle, "nucleus-bench", NULL);
}

static void oci_rows(struct study *s)
{
	struct args crun = { .n = 0 }, bare = { .n = 0 }, runc = { .n = 0 };

	args_add(&crun, s->crun, NULL);
	args_add(&bare, s->crun, s->crun ? "--cgroup-manager=disabled" : NULL, NULL);
	args_add(&runc, s->runc, s->runc ? "--root" : NULL, s->runc_state, NULL);
	oci_row(s, CRUN, "crun", s->bundle, &crun);
	oci_row(s, CRUN_NO_CGROUP, "crun, no cgroup", s->bundle, &bare);
	if (!s->bundle_seccomp)
		because(&s->rows[CRUN_SECCOMP], "no --seccomp PROFILE given");
	oci_row(s, CRUN_SECCOMP, "crun, with seccomp profile", s->bundle_seccomp, &crun);
	oci_row(s, CRUN_USER, "crun, rootless", s->bundle_user, &crun);
	oci_row(s, RUNC_USER, "runc, rootless", s->bundle_user, &runc);
	runc.n = 0;
	args_add(&runc, s->runc, NULL);
	oci_row(s, RUNC, "runc", s->bundle, &runc);
}

static void podman_row(struct study *s)
{
	struct command *c = row_as(s, PODMAN, "podman", false);

	c->every = 10;
	if (!s->podman) {
		because(c, "podman is not installed");
		return;
	}
	args_add(&c->argv, s->podman, "run", "--rm", "--network", "none", "--read-only", "-v",
		 "/usr:/usr:ro", "--rootfs", NULL);
	args_add(&c->argv, s->bundle, s->busybox, "true", NULL);
}

static void plain_rows(struct study *s)
{
	struct command *c = row_as(s, PLAIN, "plain fork+exec", false);

	*c->reason = '\0';
	args_add(&c->argv, s->busybox, "true", NULL);
	c = row_as(s, PLAIN_DYNAMIC, "plain, dynamic /usr/bin/true", false);
	*c->reason = '\0';
	args_add(&c->argv, "/usr/bin/true", NULL);
}

/* The directories an ordinary user's commands write to, outside of root's reach. */
static void runtime_dir(struct study *s)
{
	char *dir = text_of("%s/runtime", s->scratch);

	must(!mkdir(dir, 0700), dir);
	if (!geteuid())
		must(!chown(dir, NOBODY, NOBODY), dir);
	s->runtime_env = text_of("XDG_RUNTIME_DIR=%s", dir);
	s->runc_state = text_of("%s/runc", dir);
	free(dir);
}

static void study_init(struct study *s, const struct options *o)
{
	struct statfs fs;

	s->nucleus = o->nucleus;
	s->seccomp = o->seccomp;
	s->busybox = program_find("busybox");
	must(s->busybox, "busybox (install busybox-static)");
	s->bwrap = program_find("bwrap");
	s->crun = program_find("crun");
	s->runc = program_find("runc");
	s->podman = program_find("podman");
	s->scratch = scratch_make();
	runtime_dir(s);
	s->bundle = bundle_make(s->scratch, "bundle", s->busybox, 0, NULL);
	s->bundle_user = bundle_make(s->scratch, "bundle-user", s->busybox,
				     geteuid() ? geteuid() : NOBODY, NULL);
	s->bundle_seccomp =
		s->seccomp ? bundle_make(s->scratch, "bundle-seccomp", s->busybox, 0, s->seccomp)
			   : NULL;
	s->hybrid = !statfs("/sys/fs/cgroup", &fs) && fs.f_type != CGROUP2_SUPER_MAGIC;
	s->v2_mount_ns = v2_mount_ns(s->hybrid);
	plain_rows(s);
	nucleus_row(s, NUCLEUS, "nucleus run", false);
	nucleus_row(s, NUCLEUS_USER, "nucleus run, rootless", true);
	nucleus_row(s, NUCLEUS_DYNAMIC, "nucleus run, dynamic true", false);
	bwrap_row(s, BWRAP, "bwrap", false);
	bwrap_row(s, BWRAP_USER, "bwrap, rootless", true);
	bwrap_row(s, BWRAP_DYNAMIC, "bwrap, dynamic true", false);
	oci_rows(s);
	podman_row(s);
}

static void study_free(struct study *s)
{
	char *owned[] = {
		s->busybox, s->bwrap, s->crun, s->runc, s->podman,
		s->runtime_env, s->runc_state, s->bundle, s->bundle_user, s->bundle_seccomp,
	};

	scratch_remove(s->scratch);
	free(s->scratch);
	for (size_t i = 0; i < COUNT(owned); i++)
		free(owned[i]);
	for (size_t i = 0; i < ROWS; i++)
		command_free(&s->rows[i]);
	if (s->v2_mount_ns >= 0)
		close(s->v2_mount_ns);
}

/* ------------------------------------------------------------- measuring */

static void shuffle(unsigned *order, size_t n)
{
	for (size_t i = n - 1; i; i--) {
		size_t j = (size_t)random() % (i + 1);
		unsigned kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

static void round_run(struct study *s, unsigned round, unsigned gap_ms)
{
	unsigned order[ROWS];

	for (unsigned i = 0; i < ROWS; i++)
		order[i] = i;
	shuffle(order, ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		struct command *c = &s->rows[order[i]];

		if (*c->reason || round % c->every)
			continue;
		if (gap_ms)
			sleep_ms(gap_ms);
		command_measure(c, round);
	}
}

/*
 * Rounds until @rounds of them began on a quiet machine, or twice as many in all. Returns how many
 * were made.
 */
static unsigned rounds_run(struct study *s, unsigned rounds, unsigned gap_ms, bool *quiet,
			   unsigned *ret_quiet)
{
	unsigned done = 0, good = 0;

	for (size_t i = 0; i < ROWS; i++)
		s->rows[i].count = 0;
	while (good < rounds && done < 2 * rounds) {
		bool is_quiet = machine_busy(100) <= 0.10;

		for (unsigned i = 0; i < SLICE; i++, done++) {
			quiet[done] = is_quiet;
			good += is_quiet;
			round_run(s, done, gap_ms);
		}
	}
	*ret_quiet = good;
	return done;
}

static void row_print(const struct command *c, const struct command *plain,
		      const struct command *bwrap, const bool *keep)
{
	if (*c->reason) {
		printf("  %-30s not measured: %s\n", c->name, c->reason);
		return;
	}
	printf("  %-30s %5zu %8.2f %8.2f %8.2f %8.2f %8.1f %8.2f %8.3f %8.3f\n", c->name,
	       command_count(c, keep), command_quantile(c, WALL, 0.5, keep),
	       command_quantile(c, WALL, 0.1, keep), command_quantile(c, WALL, 0.9, keep),
	       command_quantile(c, CPU, 0.5, keep), command_quantile(c, RSS, 0.5, keep),
	       paired_ratio(c, plain, WALL, keep), paired_ratio(c, bwrap, WALL, keep),
	       paired_ratio(c, bwrap, CPU, keep));
}

static const struct command *bwrap_for(const struct study *s, size_t row)
{
	bool user =
		row == NUCLEUS_USER || row == BWRAP_USER || row == CRUN_USER || row == RUNC_USER;
	bool dynamic = row == PLAIN_DYNAMIC || row == NUCLEUS_DYNAMIC || row == BWRAP_DYNAMIC;

	return &s->rows[dynamic ? BWRAP_DYNAMIC : user ? BWRAP_USER : BWRAP];
}

static void bars_print(const struct study *s, const bool *keep)
{
	static const struct {
		const char *name;
		enum row row, ref;
		enum metric metric;
		double bar, stretch;
	} bars[] = {
		{ "wall, root: nucleus / bwrap", NUCLEUS, BWRAP, WALL, 0.60, 0.45 },
		{ "wall, rootless: nucleus / bwrap", NUCLEUS_USER, BWRAP_USER, WALL, 0.60, 0.45 },
		{ "wall, root, dynamic true: nucleus / bwrap", NUCLEUS_DYNAMIC, BWRAP_DYNAMIC, WALL, 0.60, 0.45 },
		{ "CPU, root: nucleus / bwrap", NUCLEUS, BWRAP, CPU, 1.00, 0 },
		{ "CPU, rootless: nucleus / bwrap", NUCLEUS_USER, BWRAP_USER, CPU, 1.00, 0 },
		{ "wall, root: nucleus / crun", NUCLEUS, CRUN, WALL, 0.25, 0 },
		{ "wall, root: nucleus / crun without cgroup", NUCLEUS, CRUN_NO_CGROUP, WALL, 0.25, 0 },
		{ "wall, root: nucleus / crun with our seccomp profile", NUCLEUS, CRUN_SECCOMP, WALL, 0.25, 0 },
		{ "wall, rootless: nucleus / crun", NUCLEUS_USER, CRUN_USER, WALL, 0.25, 0 },
	};

	printf("\n  Bars, medians of ratios within a round\n");
	for (size_t i = 0; i < COUNT(bars); i++)
		bar_print(bars[i].name,
			  paired_ratio(&s->rows[bars[i].row], &s->rows[bars[i].ref], bars[i].metric,
				       keep),
			  bars[i].bar, bars[i].stretch, "");
}

static void run_and_print(struct study *s, unsigned rounds, unsigned gap_ms)
{
	bool *quiet = calloc(2 * rounds + SLICE, sizeof(*quiet)), *keep;
	unsigned done, good;

	must(quiet, "memory");
	done = rounds_run(s, rounds, gap_ms, quiet, &good);
	keep = good >= rounds ? quiet : NULL;
	printf("\nStart of busybox true, %u ms idle before each start: %u rounds, %u began on a "
	       "quiet machine, %s count\n",
	       gap_ms, done, good, keep ? "these" : "all");
	printf("  %-30s %5s %8s %8s %8s %8s %8s %8s %8s %8s\n", "", "n", "wall ms", "p10", "p90",
	       "CPU ms", "RSS MiB", "x plain", "x bwrap", "CPU x bw");
	for (size_t i = 0; i < ROWS; i++)
		row_print(&s->rows[i], &s->rows[PLAIN], bwrap_for(s, i), keep);
	bars_print(s, keep);
	fflush(stdout);
	free(quiet);
}

static void study_print(const struct study *s)
{
	printf("startup: x plain, x bwrap: medians of ratios within a round (bwrap of the same "
	       "privilege and payload)\n");
	printf("  RSS is the largest process of the command; a process counts as no smaller than "
	       "its parent was\n");
	printf("  bwrap, crun, runc: no Landlock, and no seccomp unless said; crun, runc: %s\n",
	       s->v2_mount_ns >= 0 ? "in a mount namespace with a pure cgroup2"
				   : "with the host's cgroups");
	printf("  state directories are on %s\n", s->tmpfs ? "a tmpfs" : "the host's file system");
}

static bool number_parse(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end || n > 1000000)
		return false;
	*ret = (unsigned)n;
	return true;
}

static bool options_parse(struct options *o, int argc, char **argv)
{
	*o = (struct options){ .rounds = ROUNDS_LEAST, .gap_run = true };
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--gap-ms") && i + 1 < argc) {
			if (!number_parse(argv[++i], &o->gap_ms))
				return false;
		} else if (!strcmp(argv[i], "--seccomp") && i + 1 < argc) {
			o->seccomp = argv[++i];
		} else if (!strcmp(argv[i], "--no-gap-run")) {
			o->gap_run = false;
		} else if (!o->nucleus) {
			o->nucleus = argv[i];
		} else if (!number_parse(argv[i], &o->rounds) || !o->rounds) {
			return false;
		}
	}
	return o->nucleus;
}

int main(int argc, char **argv)
{
	struct study s = { .v2_mount_ns = -1 };
	struct options o;

	if (!options_parse(&o, argc, argv)) {
		fprintf(stderr, "usage: startup NUCLEUS [ROUNDS] [--seccomp PROFILE] [--gap-ms N] "
				"[--no-gap-run]\n");
		return 2;
	}
	adopt_orphans();
	s.tmpfs = !geteuid() && run_is_tmpfs();
	study_init(&s, &o);
	for (size_t i = 0; i < ROWS; i++)
		command_probe(&s.rows[i], 10000);
	study_print(&s);
	run_and_print(&s, o.rounds, o.gap_ms);
	if (o.gap_run && !o.gap_ms)
		run_and_print(&s, o.rounds < 200 ? SLICE : o.rounds / 4, GAP_RUN_MS);
	study_free(&s);
	return 0;
}
