/*
 * What a running workload pays for its sandbox, in nanoseconds per system call: steady NUCLEUS
 * [ROUNDS]
 *
 * The program runs itself as the worker: outside with nothing, with a filter of one instruction,
 * with Landlock and with both; inside bubblewrap (other mounts, no filter) and inside `nucleus
 * run`. The worker times batches of each call and prints the lower decile of its batches, since
 * noise only adds. Settings take turns within a round; differences and ratios are taken within the
 * round, and medians over rounds.
 *
 * "filter of one instruction" is the floor: any filter at all makes the kernel take its slow entry
 * path. For a call that is allowed whatever its arguments the kernel keeps a bitmap per filter and
 * does not run the program, so such a call must cost the same under any filter; a filter that the
 * bitmap cannot describe shows here.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
enum { BATCHES = 15, BATCH_CALLS = 2000, ROUNDS_DEFAULT = 31 };

/* --------------------------------------------------------- what is timed */

struct files {
	const char *shallow, *deep;
	int zero, null;
};

static void do_getpid(const struct files *f)
{
	(void)f;
	syscall(SYS_getpid);
}

static void do_getppid(const struct files *f)
{
	(void)f;
	syscall(SYS_getppid);
}

static void do_read(const struct files *f)
{
	char byte;

	if (read(f->zero, &byte, 1) != 1)
		abort();
}

static void do_ioctl(const struct files *f)
{
	struct termios t;

	syscall(SYS_ioctl, f->null, TCGETS, &t);
}

static void open_close(const char *path)
{
	int fd = openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		abort();
	close(fd);
}

static void do_open(const struct files *f)
{
	open_close(f->shallow);
}

static void do_open_deep(const struct files *f)
{
	open_close(f->deep);
}

static void do_stat(const struct files *f)
{
	struct stat st;

	if (stat(f->shallow, &st))
		abort();
}

static void do_stat_deep(const struct files *f)
{
	struct stat st;

	if (stat(f->deep, &st))
		abort();
}
static const struct {
	const char *name;
	void (*call)(const struct files *);
	bool plain; /* allowed without looking at its arguments: the bar is on these */
} calls[] = {
	{ "getpid", do_getpid, true },
	{ "getppid", do_getppid, true },
	{ "read", do_read, true },
	{ "ioctl", do_ioctl, false },
	{ "open", do_open, false },
	{ "open deep", do_open_deep, false },
	{ "stat", do_stat, true },
	{ "stat deep", do_stat_deep, true },
};

static double call_ns(void (*call)(const struct files *), const struct files *f)
{
	double batch[BATCHES];

	for (size_t i = 0; i < BATCHES; i++) {
		double start = now_ms();

		for (unsigned n = 0; n < BATCH_CALLS; n++)
			call(f);
		batch[i] = (now_ms() - start) * 1e6 / BATCH_CALLS;
	}
	return quantile(batch, BATCHES, 0.1);
}

/* ------------------------------------------------------------ the worker */

static bool filter_install(void)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { .len = 1, .filter = &allow };

	return !syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* Rules on what is read here; what costs is the walk from the file up to the rule. */
static bool landlock_install(void)
{
	static const char *const allowed[] = { "/usr", "/dev", "/etc" };
	struct landlock_ruleset_attr all = { .handled_access_fs =
						     (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
	bool ok;

	for (size_t i = 0; i < COUNT(allowed) && ruleset >= 0; i++) {
		struct landlock_path_beneath_attr rule = {
			.allowed_access =
				LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
			.parent_fd = open(allowed[i], O_PATH | O_CLOEXEC),
		};

		syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
		close(rule.parent_fd);
	}
	ok = ruleset >= 0 && !syscall(SYS_landlock_restrict_self, ruleset, 0);
	close(ruleset);
	return ok;
}

/*
 * Prints one number per call. @how: what to put on before, of the letters f (filter) and l
 * (Landlock).
 */
static int worker(const char *how, const char *shallow, const char *deep)
{
	struct files f = { .shallow = shallow,
			   .deep = deep,
			   .zero = open("/dev/zero", O_RDONLY | O_CLOEXEC),
			   .null = open("/dev/null", O_RDONLY | O_CLOEXEC) };

	if (f.zero < 0 || f.null < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
		perror("worker");
		return 1;
	}
	if ((strchr(how, 'l') && !landlock_install()) || (strchr(how, 'f') && !filter_install())) {
		fprintf(stderr, "%s\n", strerror(errno));
		return 1;
	}
	for (size_t i = 0; i < COUNT(calls); i++)
		printf("%.2f ", call_ns(calls[i].call, &f));
	printf("\n");
	return 0;
}

/* ---------------------------------------------------------- the settings */
enum setting { NONE, FILTER, LANDLOCK, BOTH, BWRAP, NUCLEUS, SETTINGS };

static const char *const setting_names[] = {
	[NONE] = "nothing",
	[FILTER] = "filter of one instruction",
	[LANDLOCK] = "Landlock, 3 rules",
	[BOTH] = "that filter and Landlock",
	[BWRAP] = "bwrap",
	[NUCLEUS] = "nucleus run",
};

struct study {
	struct command commands[SETTINGS];
	double *ns[SETTINGS]; /* owned: rounds x calls */
	unsigned rounds;
	char *self, *dir, *inside, *volume, *deep, *bwrap; /* owned */
};

/*
 * Starts a worker and reads its numbers. False, with the command's reason, if it does not deliver.
 */
static bool measure(struct command *c, double *ns)
{
	char text[1024];
	size_t len = 0, count = 0;
	ssize_t got;
	int ends[2], status = 0;
	pid_t pid;

	must(!pipe2(ends, O_CLOEXEC), "pipe");
	pid = command_start(c, ends[1]);
	close(ends[1]);
	while (len + 1 < sizeof(text) &&
	       (got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	reap_orphans(100);
	for (char *at = text, *end; count < COUNT(calls); at = end, count++) {
		ns[count] = strtod(at, &end);
		if (end == at)
			break;
	}
	if (pid > 0 && !status && count == COUNT(calls))
		return true;
	text[strcspn(text, "\n")] = '\0';
	snprintf(c->reason, sizeof(c->reason), "wait status %#x%s%.150s", (unsigned)status,
		 *text ? ": " : "", text);
	return false;
}

/* nftw() carries no context. */
static char *deep_file;

static int deep_visit(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	if (kind != FTW_F || where->level < 7 || !(st->st_mode & S_IROTH))
		return 0;
	deep_file = strdup(path);
	return 1;
}

/* A readable file at least eight components down, in a place every sandbox here shows. */
static char *deep_find(void)
{
	static const char *const roots[] = { "/usr/lib", "/usr/share", "/usr/include" };

	for (size_t i = 0; i < COUNT(roots) && !deep_file; i++)
		nftw(roots[i], deep_visit, 32, FTW_PHYS);
	return deep_file ? deep_file : text_of("/usr/bin/true");
}

static void setting_init(struct study *s, enum setting setting, const char *nucleus)
{
	static const char *const how[] = { [FILTER] = "f", [LANDLOCK] = "l", [BOTH] = "fl" };
	struct command *c = &s->commands[setting];
	bool outside = setting < BWRAP;

	*c = (struct command){ .name = setting_names[setting], .mount_ns = -1, .every = 1 };
	if (setting == BWRAP && !s->bwrap) {
		snprintf(c->reason, sizeof(c->reason), "bwrap is not installed");
		return;
	}
	if (setting == BWRAP) {
		bwrap_args(&c->argv, s->bwrap);
		args_add(&c->argv, "--ro-bind", s->dir, "/bench", "--", NULL);
	} else if (setting == NUCLEUS) {
		args_add(&c->argv, nucleus, "run", "-v", s->volume, "--", NULL);
	}
	args_add(&c->argv, outside ? s->self : s->inside, "--worker",
		 outside && how[setting] ? how[setting] : "-", "/usr/bin/true", s->deep, NULL);
}

static void study_init(struct study *s, const char *nucleus, unsigned rounds)
{
	char *copy;

	s->deep = deep_find();
	s->rounds = rounds;
	s->bwrap = program_find("bwrap");
	s->self = realpath("/proc/self/exe", NULL);
	copy = strdup(s->self);
	s->dir = strdup(dirname(copy));
	s->volume = text_of("%s:/bench:ro,exec", s->dir);
	s->inside = text_of("/bench/%s", basename(s->self));
	for (unsigned i = 0; i < SETTINGS; i++) {
		setting_init(s, i, nucleus);
		s->ns[i] = calloc((size_t)rounds * COUNT(calls), sizeof(double));
		must(s->ns[i], "memory");
	}
	free(copy);
	printf("steady: ns per call; open and stat of /usr/bin/true, deep: %s\n", s->deep);
}

static void study_run(struct study *s)
{
	for (unsigned round = 0; round < s->rounds; round++)
		for (unsigned i = 0; i < SETTINGS; i++) {
			unsigned setting = (i + round) % SETTINGS;

			if (!*s->commands[setting].reason)
				measure(&s->commands[setting],
					s->ns[setting] + round * COUNT(calls));
		}
}

/* ------------------------------------------------------------ the tables */

/*
 * The median over rounds of a call's time, or of its difference to (ratio: in units of) another
 * setting's.
 */
static double over_rounds(const struct study *s, enum setting setting, int ref, bool ratio,
			  size_t call)
{
	double *v = calloc(s->rounds, sizeof(*v)), result;

	must(v, "memory");
	for (unsigned round = 0; round < s->rounds; round++) {
		size_t at = round * COUNT(calls) + call;
		double base = ref < 0 ? 0 : s->ns[ref][at];

		v[round] = ratio ? s->ns[setting][at] / base : s->ns[setting][at] - base;
	}
	result = median(v, s->rounds);
	free(v);
	return result;
}

static void header_print(const char *title)
{
	printf("\n  %-34s", title);
	for (size_t i = 0; i < COUNT(calls); i++)
		printf(" %10s", calls[i].name);
	printf("\n");
}

static void line_print(const struct study *s, const char *name, enum setting setting, int ref,
		       bool ratio)
{
	const char *reason = s->commands[setting].reason;

	if (!*reason && ref >= 0)
		reason = s->commands[ref].reason;
	printf("  %-34s", name);
	if (*reason)
		printf(" not measured: %s", reason);
	for (size_t i = 0; i < COUNT(calls) && !*reason; i++)
		printf(ratio ? " %10.3f" : " %10.1f", over_rounds(s, setting, ref, ratio, i));
	printf("\n");
}

static void study_print(const struct study *s)
{
	header_print("ns per call");
	for (unsigned i = 0; i < SETTINGS; i++)
		line_print(s, setting_names[i], i, -1, false);
	header_print("cost, ns");
	line_print(s, "any filter", FILTER, NONE, false);
	line_print(s, "Landlock", LANDLOCK, NONE, false);
	line_print(s, "nucleus, all", NUCLEUS, NONE, false);
	line_print(s, "nucleus over one instruction", NUCLEUS, FILTER, false);
	line_print(s, "nucleus over filter and Landlock", NUCLEUS, BOTH, false);
	header_print("ratio");
	line_print(s, "nucleus / one instruction", NUCLEUS, FILTER, true);
}

/*
 * The bar says "no more"; 3 % is what the same setting differs from itself between two rounds here.
 */
static void bars_print(const struct study *s)
{
	bool measured = !*s->commands[NUCLEUS].reason && !*s->commands[FILTER].reason;

	printf("\n  Bars: a call without argument checks, nucleus / filter of one instruction (1, "
	       "and 3 %% for noise)\n");
	for (size_t i = 0; i < COUNT(calls); i++)
		if (calls[i].plain)
			bar_print(calls[i].name,
				  measured ? over_rounds(s, NUCLEUS, FILTER, true, i) : NAN, 1.03,
				  0, "");
}

static void study_free(struct study *s)
{
	for (unsigned i = 0; i < SETTINGS; i++)
		free(s->ns[i]);
	free(s->self);
	free(s->dir);
	free(s->inside);
	free(s->volume);
	free(s->deep);
	free(s->bwrap);
}

int main(int argc, char **argv)
{
	struct study s = { .rounds = 0 };
	int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : ROUNDS_DEFAULT;

	if (argc == 5 && !strcmp(argv[1], "--worker"))
		return worker(argv[2], argv[3], argv[4]);
	if (argc < 2 || argc > 3 || rounds < 1 || rounds > 10000) {
		fprintf(stderr, "usage: steady NUCLEUS [ROUNDS]\n");
		return 2;
	}
	adopt_orphans();
	study_init(&s, argv[1], (unsigned)rounds);
	study_run(&s);
	study_print(&s);
	bars_print(&s);
	study_free(&s);
	return 0;
}
