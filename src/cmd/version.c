/* What this program is, and which of its parts this image of it has (base/image.h). */
#include "base/str.h"
#include "cmd/command.h"
#include "data/emit.h"
#include "data/tree.h"
#include "spec/option.h"

#include <errno.h>
#include <sys/utsname.h>

/* Asked for by address only: absent from the launch image. */
extern const char *gnu_get_libc_version(void);
#pragma weak gnu_get_libc_version
#pragma weak json_parse
#pragma weak ini_parse

struct fact {
	const char *name, *value;
};

struct part {
	const char *name;
	bool present;
};

enum { FACTS = 5, PARTS = 2 };

static void text_version(struct buf *b, const struct fact facts[FACTS],
			 const struct part parts[PARTS])
{
	buf_printf(b, "nucleus %s\n", facts[0].value);
	for (size_t i = 1; i < FACTS; i++)
		buf_printf(b, "%-10s %s\n", facts[i].name, facts[i].value);
	for (size_t i = 0; i < PARTS; i++)
		buf_printf(b, "%-10s %s\n", parts[i].name,
			   parts[i].present ? "yes" : "in the full image");
}

static void json_version(struct buf *b, const struct fact facts[FACTS],
			 const struct part parts[PARTS])
{
	struct emit j = { .out = b, .pretty = true };

	emit_open(&j, NULL, '{');
	emit_int(&j, "schema_version", 1);
	for (size_t i = 0; i < FACTS; i++)
		emit_string(&j, facts[i].name, facts[i].value);
	emit_open(&j, "libraries", '{');
	for (size_t i = 0; i < PARTS; i++)
		emit_bool(&j, parts[i].name, parts[i].present);
	emit_close(&j, '}');
	emit_close(&j, '}');
	buf_puts(b, "\n");
}

static int print_version(enum output_format format, struct err *e)
{
	auto_buf struct buf b = { 0 };
	struct utsname host;
	const struct part parts[PARTS] = { { "cjson", json_parse }, { "iniparser", ini_parse } };
	const struct fact facts[FACTS] = {
		{ "version", NUCLEUS_VERSION },
		{ "image", json_parse && ini_parse ? "full" : "launch" },
		{ "compiler", __VERSION__ },
		{ "libc", gnu_get_libc_version ? "glibc" : "musl" },
		{ "arch", uname(&host) == 0 ? host.machine : "unknown" },
	};

	if (format == FORMAT_JSON)
		json_version(&b, facts, parts);
	else
		text_version(&b, facts, parts);
	return command_print(b.text, e);
}

int cmd_version(int argc, char **argv, struct err *e)
{
	auto_spec struct spec s = { 0 };
	int r = option_parse(argc, argv, FOR_VERSION, &s, e);

	if (r < 0)
		return r;
	if (s.help)
		return help_command(command_find("version"), e);
	if (s.command.count)
		return err_set(e, EINVAL, "version takes no operand, but got %s",
			       s.command.items[0]);
	return print_version(s.format, e);
}
