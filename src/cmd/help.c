/* Help, made from the command table and the option table. */
#include "base/fd.h"
#include "base/str.h"
#include "cmd/command.h"
#include "spec/option.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { LINE_WIDTH = 96, TERM_WIDTH = 26 };

/* The option table is in the order of these titles; each begins at the row with this name. */
static const struct {
	const char *first, *title;
} groups[] = {
	{ "name", "What runs" },
	{ "workspace", "What it sees" },
	{ "network", "What it may use" },
	{ "service-mode", "How strictly" },
	{ "config", "Documents and reports" },
};

/* What only some commands have to say. */
static const struct {
	unsigned scope;
	const char *text;
} notes[] = {
	{ FOR_RUN,
	  "\n"
	  "Options end at COMMAND or at \"--\". Long ones are also keys of a launch document,\n"
	  "written with \"_\" for \"-\". A flag overrides the document, the document the defaults.\n"
	  "\n"
	  "Exit status: that of COMMAND; 128+N if signal N ended it; 124 on --timeout; 125 if\n"
	  "nucleus failed before COMMAND ran; 126 if it cannot be executed; 127 if not found.\n"
	  "\n"
	  "  nucleus run --workspace . -it -- bash\n"
	  "  nucleus run --memory 512M --timeout 30s -- python3 -c 'print(1)'\n" },
	{ FOR_DOCTOR, "\nExit status: 0 if the mode asked for can run here, 1 if it cannot.\n" },
	{ FOR_CONFIG,
	  "\n"
	  "A FILE that ends in .conf is read as the host file, any other as a launch document,\n"
	  "TOML or JSON.\n"
	  "\n"
	  "Exit status: 0 if all are valid, else 1.\n\n  nucleus config check agent.toml\n" },
};

/* Text in lines that begin at column @indent; the first is already there, up to column @column. */
static void wrap(struct buf *b, const char *text, size_t column, size_t indent)
{
	while (*text) {
		size_t n = strcspn(text, " ");

		if (column > indent && column + 1 + n > LINE_WIDTH) {
			buf_printf(b, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_puts(b, " ");
			column++;
		}
		buf_add(b, text, n);
		column += n;
		text += n + (text[n] == ' ');
	}
	buf_puts(b, "\n");
}

/* A term and its explanation in two columns; a long term has a line of its own. */
static void entry(struct buf *b, const char *term, const char *text)
{
	const size_t indent = TERM_WIDTH + 4;

	if (strlen(term) > TERM_WIDTH)
		buf_printf(b, "  %s\n%*s", term, (int)indent, "");
	else
		buf_printf(b, "  %-*s  ", TERM_WIDTH, term);
	wrap(b, text, indent, indent);
}

/* The choices, where the row's sentence does not already name them all. */
static void add_choices(struct buf *b, const struct option *o)
{
	bool told = true;

	for (size_t i = 0; o->choices && o->choices[i]; i++)
		told = told && strstr(o->help, o->choices[i]);
	if (told || o->value)
		return;
	for (size_t i = 0; o->choices[i]; i++)
		buf_printf(b, "%s%s", i ? ", " : "; one of ", o->choices[i]);
}

static void option_entry(struct buf *b, const struct option *o, unsigned scope)
{
	auto_buf struct buf term = { 0 }, text = { 0 };

	if (o->letter && option_by_letter(o->letter, scope) == o)
		buf_printf(&term, "-%c, ", o->letter);
	else
		buf_puts(&term, "    ");
	buf_printf(&term, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
	buf_puts(&text, o->help);
	add_choices(&text, o);
	if (o->flags & OPTION_LIST)
		buf_puts(&text, " (repeatable)");
	entry(b, term.text, text.text);
}

static const char *group_title(const struct option *o)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++)
		if (str_eq(groups[i].first, o->name))
			return groups[i].title;
	return NULL;
}

static size_t count_options(unsigned scope)
{
	size_t n = 0;

	for (size_t i = 0; i < options_count; i++)
		n += (options[i].scope & scope) && !(options[i].flags & OPTION_DOCUMENT_ONLY);
	return n;
}

static void option_entries(struct buf *b, unsigned scope)
{
	/* A handful of options needs no titles. */
	const char *due = "Options", *title;
	bool grouped = count_options(scope) > 10;

	for (size_t i = 0; i < options_count; i++) {
		title = grouped ? group_title(&options[i]) : NULL;
		due = title ? title : due;
		if (!(options[i].scope & scope) || (options[i].flags & OPTION_DOCUMENT_ONLY))
			continue;
		if (due)
			buf_printf(b, "\n%s:\n", due);
		due = NULL;
		option_entry(b, &options[i], scope);
	}
}

int help_command(const struct command *c, struct err *e)
{
	auto_buf struct buf b = { 0 };
	unsigned scope = c->scope ? c->scope : FOR_PLAIN;

	buf_printf(&b, "Usage: nucleus %s%s%s%s\n", c->name,
		   count_options(scope) > 1 ? " [OPTION...]" : "", *c->usage ? " " : "", c->usage);
	if (c->alias)
		buf_printf(&b, "Alias: %s\n", c->alias);
	buf_puts(&b, "\n");
	wrap(&b, c->summary, 0, 0);
	option_entries(&b, scope);
	for (size_t i = 0; i < sizeof(notes) / sizeof(*notes); i++)
		if (notes[i].scope == c->scope)
			buf_puts(&b, notes[i].text);
	return command_print(b.text, e);
}

static int help_overview(struct err *e)
{
	auto_buf struct buf b = { 0 };

	buf_puts(&b, "Usage: nucleus [GLOBAL OPTION...] COMMAND [OPTION...] [--] [ARG...]\n\n"
		     "Runs untrusted commands in a hardened Linux sandbox, as root and without.\n\n"
		     "Commands:\n");
	for (size_t i = 0; i < commands_count; i++) {
		auto_buf struct buf term = { 0 };

		buf_printf(&term, "%s%s%s", commands[i].name, commands[i].alias ? ", " : "",
			   commands[i].alias ? commands[i].alias : "");
		entry(&b, term.text, commands[i].summary);
	}
	buf_puts(&b, "\nGlobal options:\n");
	entry(&b, "-h, --help [COMMAND]", "print this, or help on one command");
	entry(&b, "-V, --version", "print the version");
	entry(&b, "-q, --quiet", "say nothing but errors");
	entry(&b, "    --verbose", "say what is being done");
	buf_puts(&b, "\n\"nucleus help COMMAND\" lists the options of a command.\n");
	return command_print(b.text, e);
}

static const char *command_name(size_t i)
{
	return commands[i].name;
}

int cmd_help(int argc, char **argv, struct err *e)
{
	const struct command *c;
	const char *near;

	/* "help --help" and "--help --help" are the overview as well. */
	while (argc > 0 && (str_eq(argv[0], "--help") || str_eq(argv[0], "--")))
		argv++, argc--;
	if (argc < 1)
		return help_overview(e);
	c = command_find(argv[0]);
	if (c)
		return help_command(c, e);
	near = str_nearest(argv[0], command_name, commands_count);
	err_set(e, EINVAL, "no command is called %s", argv[0]);
	return near ? err_fix(e, "nucleus help %s", near) : err_fix(e, "nucleus help");
}
