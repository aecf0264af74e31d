/*
 * Completions for three shells, made from the command table and the option table. Each walks the
 * line as option_parse() does: the first word that is no option is the command, options end at the
 * first operand.
 */
#include "base/str.h"
#include "cmd/command.h"
#include "spec/option.h"
#include "spec/value.h"

#include <errno.h>
#include <string.h>

/* What can be proposed for the argument of an option. */
enum argument { ARGUMENT_NONE, ARGUMENT_ANY, ARGUMENT_CHOICE, ARGUMENT_DIRECTORY, ARGUMENT_FILE };

static enum argument argument_of(const struct option *o)
{
	if (!o->arg)
		return ARGUMENT_NONE;
	if (o->choices)
		return ARGUMENT_CHOICE;
	if (o->parse == value_path && str_starts(o->arg, "DIR"))
		return ARGUMENT_DIRECTORY;
	if (o->parse == value_path || o->parse == value_volume || str_eq(o->arg, "FILE"))
		return ARGUMENT_FILE;
	return ARGUMENT_ANY;
}

static unsigned scope_of(const struct command *c)
{
	return c->scope ? c->scope : FOR_PLAIN;
}

/* The next row with a flag for @scope at or after @i, or NULL. */
static const struct option *next_flag(size_t *i, unsigned scope)
{
	while (*i < options_count) {
		const struct option *o = &options[(*i)++];

		if ((o->scope & scope) && !(o->flags & OPTION_DOCUMENT_ONLY))
			return o;
	}
	return NULL;
}

static char letter_of(const struct option *o, unsigned scope)
{
	return option_by_letter(o->letter, scope) == o ? o->letter : 0;
}

static void add_choices(struct buf *b, const struct option *o)
{
	for (size_t i = 0; o->choices[i]; i++)
		buf_printf(b, "%s%s", i ? " " : "", o->choices[i]);
}

static void add_commands(struct buf *b, const char *separator)
{
	for (size_t i = 0; i < commands_count; i++) {
		buf_printf(b, "%s%s", i ? separator : "", commands[i].name);
		if (commands[i].alias)
			buf_printf(b, "%s%s", separator, commands[i].alias);
	}
}

static void add_pattern(struct buf *b, const struct command *c)
{
	buf_printf(b, "%s%s%s", c->name, c->alias ? "|" : "", c->alias ? c->alias : "");
}

/* bash: two functions of the command, what it has and what its options take; then a fixed walk. */
static void bash_flags(struct buf *b)
{
	const struct option *o;

	buf_puts(b, "_nucleus_flags()\n{\n\tcase $1 in\n");
	for (size_t c = 0; c < commands_count; c++) {
		buf_puts(b, "\t");
		add_pattern(b, &commands[c]);
		buf_puts(b, ") echo '--help");
		for (size_t i = 0; (o = next_flag(&i, scope_of(&commands[c])));) {
			char letter = letter_of(o, scope_of(&commands[c]));

			if (!str_eq(o->name, "help"))
				buf_printf(b, " --%s", o->name);
			if (letter)
				buf_printf(b, " -%c", letter);
		}
		buf_puts(b, "' ;;\n");
	}
	buf_puts(b, "\tesac\n}\n\n");
}

static void bash_argument(struct buf *b, const struct command *c, const struct option *o)
{
	static const char *const words[] = {
		[ARGUMENT_ANY] = "any",
		[ARGUMENT_DIRECTORY] = "directory",
		[ARGUMENT_FILE] = "file",
	};
	char letter = letter_of(o, scope_of(c));

	buf_printf(b, "\t%s:--%s", c->name, o->name);
	if (letter)
		buf_printf(b, "|%s:-%c", c->name, letter);
	buf_puts(b, ") echo '");
	if (argument_of(o) == ARGUMENT_CHOICE) {
		buf_puts(b, "choice ");
		add_choices(b, o);
	} else {
		buf_puts(b, words[argument_of(o)]);
	}
	buf_puts(b, "' ;;\n");
}

static void bash_arguments(struct buf *b)
{
	const struct option *o;

	buf_puts(b, "# What the option $2 of command $1 takes; nothing where it is a switch.\n"
		    "_nucleus_argument()\n{\n\tcase $1:$2 in\n");
	for (size_t c = 0; c < commands_count; c++)
		for (size_t i = 0; (o = next_flag(&i, scope_of(&commands[c])));)
			if (o->arg)
				bash_argument(b, &commands[c], o);
	buf_puts(b, "\tesac\n}\n\n");
}

static void bash_canonical(struct buf *b)
{
	buf_puts(b, "_nucleus_canonical()\n{\n\tcase $1 in\n");
	for (size_t c = 0; c < commands_count; c++)
		if (commands[c].alias)
			buf_printf(b, "\t%s) echo %s ;;\n", commands[c].alias, commands[c].name);
	buf_puts(b, "\t*) echo \"$1\" ;;\n\tesac\n}\n\n");
}

static const char bash_walk[] =
	"_nucleus_files()\n"
	"{\n"
	"\tcompopt -o filenames 2>/dev/null\n"
	"\tmapfile -t COMPREPLY < <(compgen \"$@\" -- \"$cur\")\n"
	"}\n"
	"\n"
	"_nucleus_value()\n"
	"{\n"
	"\tcase $1 in\n"
	"\tchoice) mapfile -t COMPREPLY < <(compgen -W \"${*:2}\" -- \"$cur\") ;;\n"
	"\tdirectory) _nucleus_files -d ;;\n"
	"\tfile) _nucleus_files -f ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"# The operand with number $2 of command $1.\n"
	"_nucleus_operand()\n"
	"{\n"
	"\tcase $1:$2 in\n"
	"\trun:0) _nucleus_files -c -f ;;\n"
	"\tconfig:0) _nucleus_value choice check ;;\n"
	"\tcompletion:0) _nucleus_value choice bash zsh fish ;;\n"
	"\thelp:0) _nucleus_value choice \"$_nucleus_commands\" ;;\n"
	"\trun:*|config:*) _nucleus_files -f ;;\n"
	"\tesac\n"
	"}\n"
	"\n"
	"_nucleus()\n"
	"{\n"
	"\tlocal cur=${COMP_WORDS[COMP_CWORD]} word command= kind pending= operands=-1 i\n"
	"\tCOMPREPLY=()\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\tif [[ -z $command ]]; then\n"
	"\t\t\t[[ $word == -* ]] || command=$(_nucleus_canonical \"$word\")\n"
	"\t\telif ((operands >= 0)); then\n"
	"\t\t\t((operands++))\n"
	"\t\telif [[ -n $pending ]]; then\n"
	"\t\t\t# The shell splits --name=value into three words.\n"
	"\t\t\t[[ $word == = ]] || pending=\n"
	"\t\telif [[ $word == -- ]]; then\n"
	"\t\t\toperands=0\n"
	"\t\telif [[ $word == -?* ]]; then\n"
	"\t\t\tpending=$(_nucleus_argument \"$command\" \"$word\")\n"
	"\t\telse\n"
	"\t\t\toperands=1\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tif [[ -z $command ]]; then\n"
	"\t\t_nucleus_value choice \"$_nucleus_commands --help --version --quiet --verbose\"\n"
	"\telif [[ -n $pending ]]; then\n"
	"\t\t[[ $cur == = ]] && cur=\n"
	"\t\t_nucleus_value $pending\n"
	"\telif ((operands >= 0)); then\n"
	"\t\t_nucleus_operand \"$command\" $operands\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\t_nucleus_value choice \"$(_nucleus_flags \"$command\")\"\n"
	"\telse\n"
	"\t\t_nucleus_operand \"$command\" 0\n"
	"\tfi\n"
	"}\n"
	"\n"
	"complete -F _nucleus nucleus\n";

static void bash(struct buf *b)
{
	buf_puts(b, "# bash completion for nucleus: eval \"$(nucleus completion bash)\"\n\n"
		    "_nucleus_commands='");
	add_commands(b, " ");
	buf_puts(b, "'\n\n");
	bash_canonical(b);
	bash_flags(b);
	bash_arguments(b);
	buf_puts(b, bash_walk);
}

/*
 * Inside single quotes; @also are characters that the shell's own notation wants a backslash
 * before.
 */
static void quoted(struct buf *b, const char *text, const char *also)
{
	for (; *text; text++) {
		if (strchr(also, *text))
			buf_puts(b, "\\");
		if (*text == '\'')
			buf_puts(b, "'\\''");
		else
			buf_add(b, text, 1);
	}
}

static void zsh_action(struct buf *b, const struct option *o)
{
	buf_puts(b, ":");
	quoted(b, o->arg, ":[]\\");
	buf_puts(b, ":");
	switch (argument_of(o)) {
	case ARGUMENT_CHOICE:
		buf_puts(b, "(");
		add_choices(b, o);
		buf_puts(b, ")");
		break;
	case ARGUMENT_DIRECTORY:
		buf_puts(b, "_files -/");
		break;
	case ARGUMENT_FILE:
		buf_puts(b, "_files");
		break;
	case ARGUMENT_ANY:
	case ARGUMENT_NONE:
		break;
	}
}

/*
 * One form of an option: '*--env=[help]:K:'. "*" says that it may come again, "+" and "=" where its
 * argument may stand.
 */
static void zsh_option(struct buf *b, const struct option *o, char letter)
{
	buf_printf(b, " \\\n\t\t\t'%s", o->flags & OPTION_LIST ? "*" : "");
	if (letter)
		buf_printf(b, "-%c%s[", letter, o->arg ? "+" : "");
	else
		buf_printf(b, "--%s%s[", o->name, o->arg ? "=" : "");
	quoted(b, o->help, ":[]\\");
	buf_puts(b, "]");
	if (o->arg)
		zsh_action(b, o);
	buf_puts(b, "'");
}

static const char *zsh_operands(const struct command *c)
{
	if (str_eq(c->name, "run"))
		return " \\\n\t\t\t'(-)1:command:_command_names -e' '*::argument:_normal'";
	if (str_eq(c->name, "config"))
		return " \\\n\t\t\t'1:action:(check)' '*:file:_files'";
	if (str_eq(c->name, "completion"))
		return " \\\n\t\t\t'1:shell:(bash zsh fish)'";
	if (str_eq(c->name, "help"))
		return " \\\n\t\t\t'1:command:($_nucleus_commands)'";
	return "";
}

static void zsh_command(struct buf *b, const struct command *c)
{
	const struct option *o;

	buf_puts(b, "\t");
	add_pattern(b, c);
	buf_puts(b, ")\n\t\t_arguments -s -S");
	for (size_t i = 0; (o = next_flag(&i, scope_of(c)));) {
		zsh_option(b, o, 0);
		if (letter_of(o, scope_of(c)))
			zsh_option(b, o, letter_of(o, scope_of(c)));
	}
	buf_printf(b, "%s\n\t\t;;\n", zsh_operands(c));
}

static void zsh(struct buf *b)
{
	buf_puts(b, "#compdef nucleus\n\n_nucleus() {\n"
		    "\tlocal curcontext=$curcontext state line\n"
		    "\tlocal -A opt_args\n"
		    "\tlocal -a described _nucleus_commands\n"
		    "\t_nucleus_commands=(");
	add_commands(b, " ");
	buf_puts(b, ")\n\tdescribed=(");
	for (size_t i = 0; i < commands_count; i++) {
		buf_printf(b, "\n\t\t'%s:", commands[i].name);
		quoted(b, commands[i].summary, "");
		buf_puts(b, "'");
	}
	buf_puts(b, "\n\t)\n"
		    "\t_arguments -C \\\n"
		    "\t\t'(- *)'{-h,--help}'[help]' '(- *)'{-V,--version}'[version]' \\\n"
		    "\t\t'(-q --quiet)'{-q,--quiet}'[say nothing but errors]' \\\n"
		    "\t\t'--verbose[say what is being done]' \\\n"
		    "\t\t'1:command:->command' '*::argument:->argument' && return\n"
		    "\tif [[ $state == command ]]; then\n"
		    "\t\t_describe command described\n\t\treturn\n\tfi\n"
		    "\tcase $words[1] in\n");
	for (size_t i = 0; i < commands_count; i++)
		zsh_command(b, &commands[i]);
	/* Autoloaded, this is the function's first call; evaluated, it has to be registered. */
	buf_puts(b, "\tesac\n}\n\n"
		    "if [[ $funcstack[1] == _nucleus ]]; then\n\t_nucleus \"$@\"\n"
		    "else\n\tcompdef _nucleus nucleus\nfi\n");
}

static void fish_option(struct buf *b, const struct option *o, char letter)
{
	enum argument argument = argument_of(o);

	buf_printf(b, " -l %s", o->name);
	if (letter)
		buf_printf(b, " -s %c", letter);
	if (argument == ARGUMENT_FILE || argument == ARGUMENT_DIRECTORY)
		buf_puts(b, " -r -F");
	else if (argument != ARGUMENT_NONE)
		buf_puts(b, " -x");
	if (argument == ARGUMENT_CHOICE) {
		buf_puts(b, " -a '");
		add_choices(b, o);
		buf_puts(b, "'");
	}
	buf_puts(b, " -d '");
	/* In fish a backslash quotes inside single quotes. */
	for (const char *p = o->help; *p; p++)
		buf_printf(b, "%s%c", strchr("'\\", *p) ? "\\" : "", *p);
	buf_puts(b, "'\n");
}

static void fish_command(struct buf *b, const struct command *c)
{
	const struct option *o;

	buf_printf(b, "complete -c nucleus -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
		   c->summary);
	for (size_t i = 0; (o = next_flag(&i, scope_of(c)));) {
		buf_printf(b, "complete -c nucleus -n '__fish_seen_subcommand_from %s%s%s'",
			   c->name, c->alias ? " " : "", c->alias ? c->alias : "");
		fish_option(b, o, letter_of(o, scope_of(c)));
	}
}

#define FISH "complete -c nucleus "
#define FISH_FIRST FISH "-n __fish_use_subcommand "
#define FISH_AFTER(commands) FISH "-n '__fish_seen_subcommand_from " commands "' "

static const char fish_global[] =
	"# fish completion for nucleus: nucleus completion fish | source\n"
	FISH "-f\n"
	FISH_FIRST "-s h -l help -d 'help'\n"
	FISH_FIRST "-s V -l version -d 'version'\n"
	FISH_FIRST "-s q -l quiet -d 'say nothing but errors'\n"
	FISH_FIRST "-l verbose -d 'say what is being done'\n";

static void fish(struct buf *b)
{
	buf_puts(b, fish_global);
	for (size_t i = 0; i < commands_count; i++)
		fish_command(b, &commands[i]);
	buf_puts(b, FISH_AFTER("run create") "-F -a '(__fish_complete_command)'\n"
		    FISH_AFTER("config") "-F -a check\n"
		    FISH_AFTER("completion") "-a 'bash zsh fish'\n"
		    FISH_AFTER("help") "-a '");
	add_commands(b, " ");
	buf_puts(b, "'\n");
}

static int print_completion(const char *shell, struct err *e)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *b);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	auto_buf struct buf b = { 0 };

	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		if (str_eq(shells[i].name, shell)) {
			shells[i].write(&b);
			return command_print(b.text, e);
		}
	err_set(e, EINVAL, "no completion for the shell %s", shell);
	return err_fix(e, "nucleus completion bash, zsh or fish");
}

int cmd_completion(int argc, char **argv, struct err *e)
{
	auto_spec struct spec s = { 0 };
	int r = option_parse(argc, argv, FOR_PLAIN, &s, e);

	if (r < 0)
		return r;
	if (s.help)
		return help_command(command_find("completion"), e);
	if (s.command.count != 1) {
		err_set(e, EINVAL, "completion takes one operand, the shell");
		return err_fix(e, "nucleus completion bash");
	}
	return print_completion(s.command.items[0], e);
}
