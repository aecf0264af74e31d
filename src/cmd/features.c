/* What this kernel and this build support, as facts: the answers of doctor without its advice. Always succeeds. */
#include "base/str.h"
#include "cmd/command.h"
#include "data/emit.h"
#include "run/host.h"
#include "spec/option.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

struct features {
	struct fact facts[HOST_PROBES_MAX];
	struct utsname kernel;
};

/* What the rule table (spec/check.c) lets through in this version. */
static const char networks[] = "none";
static const char workspace_modes[] = "bind-rw, bind-ro";

static const char *caller(void)
{
	return geteuid() == 0 ? "root" : "ordinary user";
}

static void text_features(struct buf *b, const struct features *x)
{
	static const char *const words[] = { "yes", "partly", "no" };

	buf_printf(b, "%-33s %s %s\n", "kernel", x->kernel.release, x->kernel.machine);
	buf_printf(b, "%-33s %s\n", "asked as", caller());
	for (int mode = 0; mode < HOST_MODES; mode++)
		buf_printf(b, "mode %-28s %s\n", host_mode_name((enum service_mode)mode),
			   host_mode_is_built((enum service_mode)mode) ? "yes" : "not built in this version");
	buf_printf(b, "%-33s %s\n%-33s %s\n\n", "networks built", networks, "workspace modes built", workspace_modes);
	for (size_t i = 0; i < host_probes_count; i++) {
		buf_printf(b, "%-33s %-6s ", host_probes[i].name, words[x->facts[i].status]);
		buf_escaped(b, x->facts[i].detail, strlen(x->facts[i].detail));
		buf_puts(b, "\n");
	}
}

static void json_features(struct buf *b, const struct features *x)
{
	static const char *const statuses[] = { "ok", "degraded", "missing" };
	struct emit j = { .out = b, .pretty = true };

	emit_open(&j, NULL, '{');
	emit_int(&j, "schema_version", 1);
	emit_string(&j, "kernel", x->kernel.release);
	emit_string(&j, "machine", x->kernel.machine);
	emit_bool(&j, "root", geteuid() == 0);
	emit_open(&j, "modes", '{');
	for (int mode = 0; mode < HOST_MODES; mode++)
		emit_bool(&j, host_mode_name((enum service_mode)mode), host_mode_is_built((enum service_mode)mode));
	emit_close(&j, '}');
	emit_string(&j, "networks", networks);
	emit_string(&j, "workspace_modes", workspace_modes);
	emit_open(&j, "features", '[');
	for (size_t i = 0; i < host_probes_count; i++) {
		emit_open(&j, NULL, '{');
		emit_string(&j, "name", host_probes[i].name);
		emit_string(&j, "status", statuses[x->facts[i].status]);
		emit_string(&j, "detail", x->facts[i].detail);
		emit_close(&j, '}');
	}
	emit_close(&j, ']');
	emit_close(&j, '}');
	buf_puts(b, "\n");
}

static int list_features(enum output_format format, struct err *e)
{
	auto_buf struct buf b = { 0 };
	struct features x = { 0 };

	if (uname(&x.kernel) < 0)
		return err_sys(e, "uname");
	host_ask(x.facts);
	if (format == FORMAT_JSON)
		json_features(&b, &x);
	else
		text_features(&b, &x);
	return command_print(b.text, e);
}

int cmd_features(int argc, char **argv, struct err *e)
{
	auto_spec struct spec s = { 0 };
	int r;

	spec_init(&s);
	r = option_parse(argc, argv, FOR_FEATURES, &s, e);
	if (r < 0)
		return r;
	if (s.help)
		return help_command(command_find("features"), e);
	if (s.command.count)
		return err_set(e, EINVAL, "features takes no operand, but got %s", s.command.items[0]);
	return list_features(s.format, e);
}
