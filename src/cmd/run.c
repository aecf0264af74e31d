/* nucleus run: from the arguments to an exit status. */
#include "base/defer.h"
#include "base/fd.h"
#include "base/image.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/command.h"
#include "run/console.h"
#include "run/native.h"
#include "run/result.h"
#include "run/supervise.h"
#include "spec/check.h"
#include "spec/load.h"
#include "spec/option.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool host_file_exists(void)
{
	return access(LOAD_HOST_FILE, F_OK) == 0 || errno != ENOENT;
}

/*
 * Built-in < host file < launch document < flags. The flags are read first, since they name the document. On failure
 * @s is what was understood until then: it may say where the result is wanted.
 */
static int load_spec(int argc, char **argv, struct spec *s, struct err *e)
{
	auto_spec struct spec flags;
	struct ceilings ceilings;
	bool found = false;
	int r;

	spec_init(&flags);
	spec_init(s);
	r = option_parse(argc, argv, FOR_RUN, &flags, e);
	if (r < 0 || (!flags.config && flags.config_fd < 0 && !host_file_exists())) {
		struct spec empty = *s;

		*s = flags;
		flags = empty;
		return r;
	}
	r = option_parse(argc, argv, FOR_RUN, s, e);
	if (r == 0)
		r = load_config(&flags, FOR_RUN, s, e);
	if (r == 0)
		r = load_host_file(LOAD_HOST_FILE, s, &ceilings, &found, e);
	return r == 0 && found ? load_check_ceilings(s, &ceilings, e) : r;
}

/* Violated rules are printed as they are found; the first one is kept for the result. */
struct violations {
	struct err first;
	int count;
};

static void report_violation(const struct err *e, void *arg)
{
	struct violations *v = arg;

	if (v->count++ == 0)
		v->first = *e;
	log_err(e);
}

/* Opened before anything happens, so that a result that cannot be written is no surprise at the end. */
static int open_result(const struct spec *s, int *ret_fd, struct err *e)
{
	if (s->result_fd >= 0) {
		if (fcntl(s->result_fd, F_SETFD, FD_CLOEXEC) < 0)
			return err_sys(e, "option --result-fd %d", s->result_fd);
		*ret_fd = s->result_fd;
	} else if (s->result) {
		/* Not through a link: it may lie where a workload could leave one. */
		*ret_fd = open(s->result, O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0644);
		if (*ret_fd < 0)
			err_sys(e, "option --result %s", s->result);
		if (*ret_fd < 0)
			return e->code == ELOOP ? err_fix(e, "name a file, not a link; or --result-fd 3 3>FILE") :
				-e->code;
	}
	return 0;
}

static void write_result(int fd, const struct spec *s, const struct buf *text)
{
	struct err e;
	int r = s->result && ftruncate(fd, 0) < 0 && errno != EINVAL ? -errno : fd_write_all(fd, text->text, text->len);

	if (r < 0) {
		errno = -r;
		err_sys(&e, "write the result");
		log_err(&e);
	}
}

static int failed_status(const struct container *c, const struct err *e)
{
	if (c->interrupted)
		return 128 + c->interrupted;
	if (c->failed_stage != native_exec_stage)
		return EXIT_SETUP;
	return e->code == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXEC;
}

/* What the user asked for in so many words, and does not get, is told once; what is merely absent is in the result. */
static void warn_degraded(const struct container *c)
{
	for (int i = 0; i < c->degraded_count; i++)
		if (option_given(c->spec, c->degraded[i].what))
			log_warn("--%s is not enforced: %s", c->degraded[i].what, c->degraded[i].err.text);
	if (!c->shared->landlock_abi)
		log_warn("Landlock is not enforced (--allow-degraded-security)");
	if (!c->shared->seccomp)
		log_warn("the system call filter is not enforced (--allow-degraded-security)");
}

static int launch(struct container *c, struct outcome *o, struct err *e)
{
	int r = plan_run(&native_plan, c, e);

	guard_release();
	/* While the workload runs we have time to look for what the dead left behind. */
	state_collect();
	if (r < 0)
		return r;
	warn_degraded(c);
	r = supervise(c, o, e);
	if (r < 0)
		plan_undo(&native_plan, c);
	return r;
}

/* Runs it, tells the result, undoes what is left on the host. Returns the exit status; errors are printed here. */
static int run_and_tell(struct container *c, int result_fd)
{
	struct outcome o = { .verdict = VERDICT_SETUP_FAILED, .code = -1, .memory_peak = -1, .cpu_us = -1,
			     .oom_kills = -1, .pids_refused = -1,
			     .bytes_in = -1, .bytes_out = -1 };
	auto_buf struct buf text = { 0 };
	struct err e = { 0 };
	int r;

	if (!c->spec->tty)
		console_remember();
	r = launch(c, &o, &e);
	console_give_back();

	if (r < 0) {
		o.status = failed_status(c, &e);
		log_err(&e);
	}
	if (result_fd >= 0 || c->spec->keep)
		result_json(c, &native_plan, &o, r < 0 ? &e : NULL, &text);
	if (result_fd >= 0)
		write_result(result_fd, c->spec, &text);
	if (r == 0 && c->spec->keep)
		c->result = text.text;
	plan_undo(&native_plan, c);
	return o.status;
}

static int run_spec(const struct spec *s, int result_fd, struct err *e)
{
	struct container c;
	int status = container_init(&c, s, -1, e), signal_fd = -1;

	/*
	 * Reading --env-fd may wait for whoever writes it; only then are signals ours. Nothing is made on the host
	 * before.
	 */
	if (status == 0)
		status = signal_fd = c.signal_fd = supervise_signals(e);
	if (signal_fd >= 0) {
		if (s->dry_run) {
			auto_buf struct buf text = { 0 };

			describe_plan(&c, &native_plan, s->format, &text);
			status = command_print(text.text, e);
		} else {
			status = run_and_tell(&c, result_fd);
		}
		container_free(&c);
	}
	if (signal_fd >= 0)
		close(signal_fd);
	return status;
}

/* A launch that fails before there is a container has a result all the same. Returns the exit status. */
static int tell_refused(const struct spec *s, int result_fd, const struct err *e)
{
	struct container none = { .spec = s, .failed_stage = -1, .privileged = geteuid() == 0 };
	struct outcome o = { .verdict = VERDICT_SETUP_FAILED, .code = -1, .status = EXIT_SETUP, .memory_peak = -1,
			     .cpu_us = -1,
			     .oom_kills = -1, .pids_refused = -1, .bytes_in = -1, .bytes_out = -1 };
	auto_buf struct buf text = { 0 };

	if (result_fd < 0)
		return EXIT_SETUP;
	result_json(&none, &native_plan, &o, e, &text);
	write_result(result_fd, s, &text);
	return EXIT_SETUP;
}

int cmd_run(int argc, char **argv, struct err *e)
{
	struct violations v = { 0 };
	auto_spec struct spec s;
	struct err unwritable;
	int result_fd = -1, r;

	r = load_spec(argc, argv, &s, e);
	if (r == 0 && s.help)
		return help_command ? help_command(command_find("run"), e) : image_exec_full(e);
	if (!s.dry_run && open_result(&s, &result_fd, r < 0 ? &unwritable : e) < 0)
		return r < 0 ? r : -e->code;
	if (r == 0 && spec_check(&s, report_violation, &v) > 0)
		return tell_refused(&s, result_fd, &v.first);
	if (r == 0)
		r = run_spec(&s, result_fd, e);
	if (r >= 0)
		return r;
	log_err(e);
	return tell_refused(&s, result_fd, e);
}
