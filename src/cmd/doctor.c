/* What this host can enforce, what is missing, why, and how to mend it. */
#include "base/str.h"
#include "cmd/command.h"
#include "data/emit.h"
#include "run/host.h"
#include "spec/option.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct report {
	struct fact facts[HOST_PROBES_MAX];
	enum service_mode mode; /* the one asked for */
	bool colour;
};

static bool can_run(const struct report *r, enum service_mode mode)
{
	bool stopped = !host_mode_is_built(mode);

	for (size_t i = 0; i < host_probes_count; i++)
		stopped = stopped || host_stops(&host_probes[i], &r->facts[i], mode);
	return !stopped;
}

enum mark { MARK_OK, MARK_GAP, MARK_STOP };

/* "!!" is kept for what stops the mode asked for. */
static enum mark mark_of(const struct report *r, size_t i)
{
	if (host_stops(&host_probes[i], &r->facts[i], r->mode))
		return MARK_STOP;
	return r->facts[i].status == FACT_OK ? MARK_OK : MARK_GAP;
}

static void add_mark(struct buf *b, const struct report *r, enum mark mark)
{
	static const char *const marks[] = { "ok", "--", "!!" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[1;31m" };

	if (r->colour)
		buf_printf(b, "%s%s\033[0m", colours[mark], marks[mark]);
	else
		buf_puts(b, marks[mark]);
}

/* Details hold paths and words of files: foreign text. */
static void add_line(struct buf *b, const char *before, const char *text)
{
	buf_puts(b, before);
	buf_escaped(b, text, strlen(text));
	buf_puts(b, "\n");
}

/* A fix is printed as it is, to be pasted, unless foreign text in it could move the cursor. */
static void add_command(struct buf *b, const char *before, const char *text)
{
	if (!str_is_printable(text)) {
		add_line(b, before, text);
		return;
	}
	buf_printf(b, "%s%s\n", before, text);
}

static void text_facts(struct buf *b, const struct report *r)
{
	for (size_t i = 0; i < host_probes_count; i++) {
		add_mark(b, r, mark_of(r, i));
		buf_printf(b, " %-33s ", host_probes[i].name);
		add_line(b, "", r->facts[i].detail);
	}
}

/* The next gap after @i, or host_probes_count. */
static size_t next_gap(const struct report *r, size_t i)
{
	while (i < host_probes_count && mark_of(r, i) == MARK_OK)
		i++;
	return i;
}

/* Neighbours with one cause are told as one: mending it mends them all. */
static bool same_cause(const struct report *r, size_t a, size_t b)
{
	return b < host_probes_count && str_eq(r->facts[a].cause, r->facts[b].cause) &&
	       str_eq(r->facts[a].fix, r->facts[b].fix);
}

static void text_gaps(struct buf *b, const struct report *r)
{
	bool first = true;
	size_t next;

	for (size_t i = next_gap(r, 0); i < host_probes_count; i = next) {
		if (first)
			buf_puts(b, "\n");
		add_mark(b, r, mark_of(r, i));
		buf_printf(b, " %s, for: %s\n", host_probes[i].name, host_probes[i].serves);
		next = next_gap(r, i + 1);
		first = !same_cause(r, i, next);
		if (!first)
			continue;
		add_line(b, "   cause: ", r->facts[i].cause);
		add_command(b, "   fix:   ", r->facts[i].fix);
	}
}

static void text_mode(struct buf *b, const struct report *r, enum service_mode mode)
{
	const char *before = host_mode_is_built(mode) ? "" : "; this host would also lack: ";

	buf_printf(b, "%s: %s", host_mode_name(mode), can_run(r, mode) ? "can run" : "cannot run: ");
	if (!host_mode_is_built(mode))
		buf_puts(b, "not built in this version");
	for (size_t i = 0; i < host_probes_count; i++) {
		if (!host_stops(&host_probes[i], &r->facts[i], mode))
			continue;
		buf_printf(b, "%s%s", before, host_probes[i].name);
		before = ", ";
	}
	buf_puts(b, "\n");
}

static void text_report(struct buf *b, const struct report *r)
{
	text_facts(b, r);
	text_gaps(b, r);
	buf_puts(b, "\n");
	for (int mode = 0; mode < HOST_MODES; mode++)
		text_mode(b, r, (enum service_mode)mode);
}

static void json_fact(struct emit *j, const struct probe *p, const struct fact *f)
{
	static const char *const statuses[] = { "ok", "degraded", "missing" };
	static const char *const needs[] = { "information", "optional", "required without root", "required" };

	emit_open(j, NULL, '{');
	emit_string(j, "name", p->name);
	emit_string(j, "status", statuses[f->status]);
	emit_string(j, "detail", f->detail);
	emit_string(j, "cause", f->cause[0] ? f->cause : NULL);
	emit_string(j, "fix", f->fix[0] ? f->fix : NULL);
	emit_string(j, "serves", p->serves);
	emit_open(j, "needs", '{');
	for (int mode = 0; mode < HOST_MODES; mode++)
		emit_string(j, host_mode_name((enum service_mode)mode), needs[p->need[mode]]);
	emit_close(j, '}');
	emit_close(j, '}');
}

static void json_mode(struct emit *j, const struct report *r, enum service_mode mode)
{
	emit_open(j, host_mode_name(mode), '{');
	emit_bool(j, "can_run", can_run(r, mode));
	emit_bool(j, "built", host_mode_is_built(mode));
	emit_open(j, "missing", '[');
	for (size_t i = 0; i < host_probes_count; i++)
		if (host_stops(&host_probes[i], &r->facts[i], mode))
			emit_string(j, NULL, host_probes[i].name);
	emit_close(j, ']');
	emit_close(j, '}');
}

static void json_report(struct buf *b, const struct report *r)
{
	struct emit j = { .out = b, .pretty = true };

	emit_open(&j, NULL, '{');
	emit_int(&j, "schema_version", 1);
	emit_string(&j, "service_mode", host_mode_name(r->mode));
	emit_open(&j, "probes", '[');
	for (size_t i = 0; i < host_probes_count; i++)
		json_fact(&j, &host_probes[i], &r->facts[i]);
	emit_close(&j, ']');
	emit_open(&j, "modes", '{');
	for (int mode = 0; mode < HOST_MODES; mode++)
		json_mode(&j, r, (enum service_mode)mode);
	emit_close(&j, '}');
	emit_close(&j, '}');
	buf_puts(b, "\n");
}

static int examine(const struct spec *s, struct err *e)
{
	auto_buf struct buf b = { 0 };
	struct report r = { .mode = s->service_mode };
	const char *no_colour = getenv("NO_COLOR");
	int status;

	/* https://no-color.org: set, and not empty */
	r.colour = isatty(STDOUT_FILENO) && (!no_colour || !no_colour[0]);
	host_ask(r.facts);
	if (s->format == FORMAT_JSON)
		json_report(&b, &r);
	else
		text_report(&b, &r);
	status = command_print(b.text, e);
	if (status != EXIT_OK)
		return status;
	return can_run(&r, r.mode) ? EXIT_OK : EXIT_NEGATIVE;
}

int cmd_doctor(int argc, char **argv, struct err *e)
{
	auto_spec struct spec s = { 0 };
	int r;

	spec_init(&s);
	r = option_parse(argc, argv, FOR_DOCTOR, &s, e);
	if (r < 0)
		return r;
	if (s.help)
		return help_command(command_find("doctor"), e);
	if (s.command.count)
		return err_set(e, EINVAL, "doctor takes no operand, but got %s", s.command.items[0]);
	return examine(&s, e);
}
