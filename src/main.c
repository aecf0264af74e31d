/* The command table: find the row, call it, print the error once, turn it into an exit status. */
#include "base/fd.h"
#include "base/image.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/command.h"
#include "spec/option.h"

#include <errno.h>
#include <signal.h>

const struct command commands[] = {
	{ "run", "create", "[--] COMMAND [ARG...]", "run a command in a sandbox", FOR_RUN, cmd_run },
	{ "doctor", NULL, "", "what this host can enforce, what is missing, and how to mend it", FOR_DOCTOR,
	  cmd_doctor },
	{ "features", NULL, "", "what this kernel and this build support", FOR_FEATURES, cmd_features },
	{ "rm", "delete", "NAME|ID...", "remove the records of containers that have ended", FOR_RM, cmd_rm },
	{ "config", NULL, "check FILE...", "check launch documents and the host file", FOR_CONFIG, cmd_config },
	{ "schema", NULL, "", "JSON Schema of the launch document", FOR_PLAIN, cmd_schema },
	{ "completion", NULL, "bash|zsh|fish", "shell completions", FOR_PLAIN, cmd_completion },
	{ "help", NULL, "[COMMAND]", "this overview, or one command", FOR_PLAIN, cmd_help },
	{ "version", NULL, "", "version of the program and its parts", FOR_VERSION, cmd_version },
};

const size_t commands_count = sizeof(commands) / sizeof(*commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_count; i++)
		if (str_eq(commands[i].name, name) || (commands[i].alias && str_eq(commands[i].alias, name)))
			return &commands[i];
	return NULL;
}

static const char *command_name(size_t i)
{
	return commands[i].name;
}

/* Global options are words for commands, as people type them, and the level of what we say. */
static const char *global_option(const char *word)
{
	if (str_eq(word, "--help") || str_eq(word, "-h"))
		return "help";
	if (str_eq(word, "--version") || str_eq(word, "-V"))
		return "version";
	if (str_eq(word, "--quiet") || str_eq(word, "-q"))
		log_set(LOG_QUIET);
	else if (str_eq(word, "--verbose"))
		log_set(LOG_INFO);
	else
		return NULL;
	return "";
}

static int unknown_command(const char *word, struct err *e)
{
	const char *near = str_nearest(word, command_name, commands_count);

	err_set(e, EINVAL, word[0] == '-' ? "unknown global option %s" : "unknown command %s", word);
	if (near && word[0] != '-')
		return err_fix(e, "did you mean nucleus %s?", near);
	return err_fix(e, "nucleus help");
}

static int dispatch(char **argv, const struct command **ret_row, struct err *e)
{
	const char *name = "help";
	int argc = 0;

	while (*argv && (*argv)[0] == '-') {
		name = global_option(*argv);
		if (!name)
			return unknown_command(*argv, e);
		argv++;
		if (*name)
			goto found;
	}
	if (!*argv)
		return err_set(e, EINVAL, "no command given"), err_fix(e, "nucleus help");
	name = *argv++;
found:
	*ret_row = command_find(name);
	if (!*ret_row)
		return unknown_command(name, e);
	if (!(*ret_row)->run)
		return image_exec_full(e);
	while (argv[argc])
		argc++;
	return (*ret_row)->run(argc, argv, e);
}

static int exit_status(const struct command *row, int code)
{
	if (row && row->scope == FOR_RUN)
		return EXIT_SETUP;
	return code == EINVAL ? EXIT_USAGE : EXIT_NEGATIVE;
}

int main(int argc, char **argv)
{
	const struct command *row = NULL;
	struct err e = { 0 };
	int status;

	/*
	 * A closed pipe and a limit of file sizes are errors of write(), told with their three parts, not silent
	 * deaths.
	 */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* A caller that ignores it would have our children vanish before we can wait for them. */
	signal(SIGCHLD, SIG_DFL);
	if (argc < 1 || fd_ensure_standard() < 0)
		return EXIT_SETUP;
	image_init(argv);
	status = dispatch(argv + 1, &row, &e);
	if (status >= 0)
		return status;
	log_err(&e);
	return exit_status(row, e.code);
}
