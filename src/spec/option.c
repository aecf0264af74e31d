/* The option table and what walks it. */
#include "spec/option.h"
#include "base/str.h"
#include "spec/value.h"

#include <errno.h>
#include <string.h>

static const char *const service_modes[] = { "agent", "strict-agent", "production", NULL };
static const char *const network_kinds[] = { "none", "host", "bridge", "gvisor-host", NULL };
static const char *const workspace_modes[] = { "bind-rw", "bind-ro", "copy-in-out", NULL };
static const char *const output_formats[] = { "text", "json", NULL };

#define AT(field) .offset = offsetof(struct spec, field)
#define FOR_REPORTS (FOR_DOCTOR | FOR_FEATURES | FOR_VERSION)

const struct option options[] = {
	/* what runs */
	{ "command", 0, "ARGV", value_list, AT(command), .scope = FOR_RUN, .flags = OPTION_LIST | OPTION_DOCUMENT_ONLY,
	  .help = "the command and its arguments" },
	{ "name", 0, "NAME", value_name, AT(name), .scope = FOR_RUN,
	  .help = "name of the container, unique among living ones" },
	{ "workdir", 'w', "DIR", value_inside, AT(workdir), .scope = FOR_RUN,
	  .help = "working directory inside (default: /workspace with a workspace, else the home)" },
	{ "hostname", 'h', "NAME", value_hostname, AT(hostname), .scope = FOR_RUN,
	  .help = "host name inside (default: the name, else the id)" },
	{ "home", 0, "DIR", value_inside, AT(home), .scope = FOR_RUN,
	  .help = "private home inside (default: /home/agent)" },
	{ "env", 'e', "K[=V]", value_env, AT(env), .scope = FOR_RUN, .flags = OPTION_LIST,
	  .help = "set a variable; K alone takes the caller's value" },
	{ "env-file", 0, "FILE", value_list, AT(env_file), .scope = FOR_RUN, .flags = OPTION_LIST,
	  .help = "read K=V lines from a file" },
	{ "env-fd", 0, "N", value_fds, AT(env_fd), .scope = FOR_RUN, .flags = OPTION_LIST | OPTION_NUMBER,
	  .help = "read K=V lines, or NUL-separated K=V, from a descriptor" },
	{ "interactive", 'i', NULL, value_switch, AT(interactive), .scope = FOR_RUN,
	  .help = "keep standard input open" },
	{ "tty", 't', NULL, value_switch, AT(tty), .scope = FOR_RUN, .help = "give the command a terminal of its own" },
	{ "init", 0, NULL, value_switch, AT(init), .scope = FOR_RUN,
	  .help = "run a small init as PID 1 that reaps and forwards signals" },
	{ "timeout", 0, "TIME", value_duration, AT(timeout_ms), .scope = FOR_RUN, .flags = OPTION_NUMBER,
	  .help = "kill the container after this time, exit 124" },
	{ "rm", 0, NULL, value_switch, AT(rm), .scope = FOR_RUN,
	  .help = "remove the record at exit (default)" },
	{ "keep", 0, NULL, value_switch, AT(keep), .scope = FOR_RUN,
	  .help = "keep the record and the result after exit, until nucleus rm" },

	/* what it sees */
	{ "workspace", 0, "DIR", value_path, AT(workspace), .scope = FOR_RUN, .help = "bind DIR to /workspace" },
	{ "workspace-mode", 0, "MODE", value_choice, AT(workspace_mode), .choices = workspace_modes, .scope = FOR_RUN,
	  .help = "bind-rw (default) or bind-ro; copy-in-out is not in this version" },
	{ "workspace-exec", 0, NULL, value_switch, AT(workspace_exec), .scope = FOR_RUN,
	  .help = "let files of the workspace be executed" },
	{ "volume", 'v', "SRC:DST[:OPT]", value_volume, AT(volumes), .scope = FOR_RUN, .flags = OPTION_LIST,
	  .help = "bind SRC to DST; OPT of ro, rw, exec, noexec, nosuid" },
	{ "tmpfs", 0, "DST[:size=N]", value_tmpfs, AT(tmpfs), .scope = FOR_RUN, .flags = OPTION_LIST,
	  .help = "mount an empty private tmpfs" },
	{ "rootfs-size", 0, "SIZE", value_size, AT(rootfs_size), .scope = FOR_RUN,
	  .flags = OPTION_NUMBER | OPTION_CEILING,
	  .help = "limit of all private directories together, and of each --tmpfs (default: 1G)" },
	{ "proc-rw", 0, NULL, value_switch, AT(proc_rw), .scope = FOR_RUN,
	  .help = "let the command write to its own entries in /proc" },
	{ "sysfs", 0, NULL, value_switch, AT(sysfs), .scope = FOR_RUN, .help = "mount /sys, read-only" },

	/* what it may use */
	{ "network", 0, "KIND", value_choice, AT(network), .choices = network_kinds, .scope = FOR_RUN,
	  .help = "none (default): loopback alone; the others are not in this version" },
	{ "time-namespace", 0, NULL, value_switch, AT(time_namespace), .scope = FOR_RUN,
	  .help = "a time namespace of its own" },
	{ "memory", 'm', "SIZE", value_size, AT(memory), .scope = FOR_RUN, .flags = OPTION_NUMBER | OPTION_CEILING,
	  .help = "memory limit of the whole container" },
	{ "pids", 0, "N", value_count, AT(pids), .scope = FOR_RUN, .flags = OPTION_NUMBER | OPTION_CEILING,
	  .help = "limit of processes and threads (default: 512)" },
	{ "cpus", 0, "N", value_cpus, AT(cpus_milli), .scope = FOR_RUN, .flags = OPTION_NUMBER | OPTION_CEILING,
	  .help = "CPU time per time, such as 1.5" },

	/* how strictly */
	{ "service-mode", 0, "MODE", value_choice, AT(service_mode), .choices = service_modes,
	  .scope = FOR_RUN | FOR_DOCTOR, .help = "agent (default); the others are not in this version" },
	{ "strict-agent", 0, NULL, value_choice, AT(service_mode), .value = "strict-agent", .choices = service_modes,
	  .scope = FOR_RUN | FOR_DOCTOR, .flags = OPTION_FLAG_ONLY, .help = "the same as --service-mode strict-agent" },
	{ "allow-degraded-security", 0, NULL, value_switch, AT(allow_degraded_security), .scope = FOR_RUN,
	  .help = "run even where Landlock or seccomp cannot be installed" },

	/* where it is written */
	{ "config", 0, "FILE", value_path, AT(config), .scope = FOR_RUN, .flags = OPTION_FLAG_ONLY,
	  .help = "launch document, TOML or JSON" },
	{ "config-fd", 0, "N", value_fd, AT(config_fd), .scope = FOR_RUN, .flags = OPTION_FLAG_ONLY,
	  .help = "launch document from a descriptor" },
	{ "result", 0, "FILE", value_path, AT(result), .scope = FOR_RUN,
	  .help = "write one JSON object about the end" },
	{ "result-fd", 0, "N", value_fd, AT(result_fd), .scope = FOR_RUN, .flags = OPTION_FLAG_ONLY,
	  .help = "the same to a descriptor" },
	{ "dry-run", 0, NULL, value_switch, AT(dry_run), .scope = FOR_RUN, .flags = OPTION_FLAG_ONLY,
	  .help = "print the plan and stop" },
	{ "format", 0, "FORMAT", value_choice, AT(format), .choices = output_formats, .scope = FOR_RUN | FOR_REPORTS,
	  .flags = OPTION_FLAG_ONLY, .help = "text (default) or json" },
	{ "help", 'h', NULL, value_switch, AT(help), .scope = FOR_ANY, .flags = OPTION_FLAG_ONLY,
	  .help = "print this and stop" },
};

const size_t options_count = sizeof(options) / sizeof(*options);

_Static_assert(sizeof(options) / sizeof(*options) <= 128, "struct spec has 128 bits in `given`");

static bool has_flag(const struct option *o, unsigned scope)
{
	return (o->scope & scope) && !(o->flags & OPTION_DOCUMENT_ONLY);
}

const struct option *option_by_name(const char *name, size_t len, unsigned scope)
{
	for (size_t i = 0; i < options_count; i++)
		if (has_flag(&options[i], scope) && strlen(options[i].name) == len &&
		    !memcmp(options[i].name, name, len))
			return &options[i];
	return NULL;
}

const struct option *option_by_letter(char letter, unsigned scope)
{
	for (size_t i = 0; i < options_count; i++)
		if (letter && has_flag(&options[i], scope) && options[i].letter == letter)
			return &options[i];
	return NULL;
}

void option_key(const struct option *o, char key[OPTION_KEY_MAX])
{
	size_t i = 0;

	for (; o->name[i] && i < OPTION_KEY_MAX - 1; i++)
		key[i] = o->name[i] == '-' ? '_' : o->name[i];
	key[i] = '\0';
}

const struct option *option_by_key(const char *key, unsigned scope)
{
	char own[OPTION_KEY_MAX];

	for (size_t i = 0; i < options_count; i++) {
		option_key(&options[i], own);
		if ((options[i].scope & scope) && !(options[i].flags & OPTION_FLAG_ONLY) && str_eq(own, key))
			return &options[i];
	}
	return NULL;
}

bool option_given(const struct spec *s, const char *name)
{
	for (size_t i = 0; i < options_count; i++)
		if (str_eq(options[i].name, name))
			return s->given[i / 64] >> (i % 64) & 1;
	return false;
}

/* Rows of one field are one option under two names: --strict-agent must stand against service_mode of a document. */
static void mark_given(size_t offset, struct spec *s)
{
	for (size_t i = 0; i < options_count; i++)
		if (options[i].offset == offset)
			s->given[i / 64] |= UINT64_C(1) << (i % 64);
}

int option_set(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	int r = o->parse(o, text, s, e);

	if (r == 0)
		mark_given(o->offset, s);
	return r;
}

/* One scan of argv; the functions below take from its front. */
struct scan {
	int argc;
	char **argv;
	unsigned scope;
	struct spec *s;
};

/* The nearest flag is sought among those of the same subcommand; @scope travels in the name list below. */
static const char *flag_name(size_t i)
{
	return options[i].flags & OPTION_DOCUMENT_ONLY ? NULL : options[i].name;
}

static int unknown(const char *flag, size_t len, unsigned scope, struct err *e)
{
	char word[OPTION_KEY_MAX] = "";
	const char *near;

	err_set(e, EINVAL, "unknown option %.*s", (int)len, flag);
	if (len < 3 || len - 2 >= sizeof(word))
		return err_fix(e, "nucleus help");
	memcpy(word, flag + 2, len - 2);
	near = str_nearest(word, flag_name, options_count);
	if (near && option_by_name(near, strlen(near), scope))
		return err_fix(e, "did you mean --%s?", near);
	return err_fix(e, "nucleus help");
}

static int set_named(const struct option *o, const char *text, struct spec *s, struct err *e)
{
	int r = option_set(o, text, s, e);

	return r < 0 ? err_in(e, "option --%s", o->name) : 0;
}

/* The argument of @o: what follows in the same word, or the next word. */
static int set_with_argument(struct scan *sc, const struct option *o, const char *attached, struct err *e)
{
	if (!attached && sc->argc < 1)
		return err_set(e, EINVAL, "option --%s needs an argument %s", o->name, o->arg);
	if (!attached) {
		attached = *sc->argv++;
		sc->argc--;
	}
	return set_named(o, attached, sc->s, e);
}

static int long_option(struct scan *sc, const char *word, struct err *e)
{
	size_t len = strcspn(word, "=");
	const char *attached = word[len] ? word + len + 1 : NULL;
	const struct option *o = option_by_name(word + 2, len - 2, sc->scope);

	if (!o)
		return unknown(word, len, sc->scope, e);
	if (o->arg)
		return set_with_argument(sc, o, attached, e);
	if (attached && o->value)
		return err_set(e, EINVAL, "option --%s takes no argument", o->name);
	return set_named(o, attached ? attached : o->value ? o->value : "true", sc->s, e);
}

/* -it, -e K=V, -eK=V: letters may share a word, the last may have its argument in it. */
static int short_options(struct scan *sc, const char *word, struct err *e)
{
	for (const char *p = word + 1; *p; p++) {
		const struct option *o = option_by_letter(*p, sc->scope);
		int r;

		if (!o) {
			err_set(e, EINVAL, "unknown option -%c", *p);
			return err_fix(e, "nucleus help");
		}
		if (o->arg)
			return set_with_argument(sc, o, p[1] ? p + 1 : NULL, e);
		r = set_named(o, "true", sc->s, e);
		if (r < 0)
			return r;
	}
	return 0;
}

static void set_operands(struct scan *sc)
{
	struct list *l = &sc->s->command;

	if (sc->argc < 1)
		return;
	/* A command on the command line replaces that of a document, whichever is read first. */
	l->count = 0;
	mark_given(offsetof(struct spec, command), sc->s);
	for (int i = 0; i < sc->argc; i++) {
		l->items = mem_grow(l->items, l->count, sizeof(*l->items));
		l->items[l->count++] = sc->argv[i];
	}
}

int option_parse(int argc, char **argv, unsigned scope, struct spec *s, struct err *e)
{
	struct scan sc = { argc, argv, scope, s };

	while (sc.argc > 0) {
		const char *word = *sc.argv;
		int r;

		if (word[0] != '-' || !word[1])
			break;
		sc.argv++;
		sc.argc--;
		if (str_eq(word, "--"))
			break;
		r = word[1] == '-' ? long_option(&sc, word, e) : short_options(&sc, word, e);
		if (r < 0)
			return r;
	}
	set_operands(&sc);
	return 0;
}
