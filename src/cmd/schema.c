/*
 * The launch document for editors and validators: JSON Schema 2020-12 (json-schema.org), from the
 * option table.
 */
#include "base/str.h"
#include "cmd/command.h"
#include "data/emit.h"
#include "spec/option.h"
#include "spec/value.h"

#include <errno.h>

/*
 * What a parser accepts as a string, as far as a pattern can say it. ECMA-262, as the standard
 * wants.
 */
static const struct {
	value_parser *parse;
	const char *pattern;
} patterns[] = {
	{ value_path, "^[^\\u0000]+$" },
	{ value_inside, "^/" },
	{ value_name, "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$" },
	{ value_hostname, "^[a-zA-Z0-9]([a-zA-Z0-9.-]{0,62}[a-zA-Z0-9])?$" },
	{ value_size, "^[0-9]+(B|[KMGT]i?|[kmgt])?$" },
	{ value_count, "^[0-9]+$" },
	{ value_duration, "^[0-9]+(ms|s|m|h)?$" },
	{ value_cpus, "^[0-9]+(\\.[0-9]{1,3})?$" },
	{ value_fds, "^[0-9]+$" },
	{ value_env, "^[^=]" },
	{ value_volume, "^[^:]+:/[^:]*(:[a-z,]*)?$" },
	{ value_tmpfs, "^/[^:]*(:size=[0-9]+(B|[KMGT]i?|[kmgt])?)?$" },
};

static void emit_choices(struct emit *j, const struct option *o)
{
	emit_open(j, "enum", '[');
	for (size_t i = 0; o->choices[i]; i++)
		emit_string(j, NULL, o->choices[i]);
	emit_close(j, ']');
}

/* The type of one value: of the key, or of an item of its array. */
static void emit_type(struct emit *j, const struct option *o)
{
	if (!o->arg) {
		emit_string(j, "type", "boolean");
		return;
	}
	if (o->flags & OPTION_NUMBER) {
		emit_open(j, "type", '[');
		emit_string(j, NULL, o->parse == value_cpus ? "number" : "integer");
		emit_string(j, NULL, "string");
		emit_close(j, ']');
		if (o->parse == value_fds)
			emit_int(j, "minimum", 3);
		else
			emit_int(j, o->parse == value_cpus ? "exclusiveMinimum" : "minimum",
				 o->parse != value_cpus);
	} else {
		emit_string(j, "type", "string");
	}
	if (o->parse == value_choice)
		emit_choices(j, o);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		if (patterns[i].parse == o->parse)
			emit_string(j, "pattern", patterns[i].pattern);
}

static void emit_property(struct emit *j, const struct option *o)
{
	char key[OPTION_KEY_MAX];

	option_key(o, key);
	emit_open(j, key, '{');
	emit_string(j, "description", o->help);
	if (o->flags & OPTION_LIST) {
		emit_string(j, "type", "array");
		emit_open(j, "items", '{');
		emit_type(j, o);
		emit_close(j, '}');
	} else {
		emit_type(j, o);
	}
	emit_close(j, '}');
}

static int print_schema(struct err *e)
{
	auto_buf struct buf b = { 0 };
	struct emit j = { .out = &b, .pretty = true };

	emit_open(&j, NULL, '{');
	emit_string(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	emit_string(&j, "title", "Nucleus launch document");
	emit_string(&j, "description", "What nucleus run --config accepts, as TOML or JSON.");
	emit_string(&j, "type", "object");
	emit_open(&j, "properties", '{');
	for (size_t i = 0; i < options_count; i++)
		if ((options[i].scope & FOR_RUN) && !(options[i].flags & OPTION_FLAG_ONLY))
			emit_property(&j, &options[i]);
	emit_close(&j, '}');
	emit_bool(&j, "additionalProperties", false);
	emit_close(&j, '}');
	buf_puts(&b, "\n");
	return command_print(b.text, e);
}

int cmd_schema(int argc, char **argv, struct err *e)
{
	auto_spec struct spec s = { 0 };
	int r = option_parse(argc, argv, FOR_PLAIN, &s, e);

	if (r < 0)
		return r;
	if (s.help)
		return help_command(command_find("schema"), e);
	if (s.command.count)
		return err_set(e, EINVAL, "schema takes no operand, but got %s",
			       s.command.items[0]);
	return print_schema(e);
}
