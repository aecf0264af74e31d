#include "spec/check.h"
#include "base/path.h"
#include "base/str.h"
#include "spec/option.h"

#include <errno.h>

/* What a rule found: the option it is about, and the value; both may stay NULL. */
struct finding {
	const char *subject;
	const char *why;
};

enum { AGENT = 1 << MODE_AGENT, STRICT = 1 << MODE_STRICT_AGENT, PRODUCTION = 1 << MODE_PRODUCTION, ALL = 7 };

struct rule {
	unsigned modes;
	bool (*violated)(const struct spec *s, struct finding *f);
	const char *sentence; /* one %s: the subject */
	const char *fix;
};

const char *check_destination(const char *path)
{
	static const char *const covered[] = { "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix",
					       "/proc", "/sys", "/dev" };

	if (str_eq(path, "/") || str_eq(path, "/etc") || str_eq(path, "/var"))
		return "it would cover a directory of the sandbox itself";
	for (size_t i = 0; i < sizeof(covered) / sizeof(*covered); i++)
		if (path_is_under(path, covered[i]))
			return "it lies in a system directory, which is read-only and not to be covered";
	return NULL;
}

const char *const check_closed[] = { "/boot", "/dev", "/etc", "/proc", "/root", "/run", "/sys", "/var/log",
				     "/var/run", "/var/lib/docker", "/var/lib/containerd", NULL };

const char *check_source(const char *path)
{
	if (str_eq(path, "/"))
		return "it is the host's root";
	for (const char *const *closed = check_closed; *closed; closed++)
		if (path_is_under(path, *closed) || path_is_under(*closed, path))
			return "it is, lies in, or contains a directory that holds the host's secrets, devices or "
			       "sockets";
	return NULL;
}

static bool no_command(const struct spec *s, struct finding *f)
{
	(void)f;
	return s->command.count == 0 || !s->command.items[0][0];
}

static bool other_mode(const struct spec *s, struct finding *f)
{
	f->subject = s->service_mode == MODE_PRODUCTION ? "production" : "strict-agent";
	return s->service_mode != MODE_AGENT;
}

static bool other_network(const struct spec *s, struct finding *f)
{
	(void)f;
	return s->network != NETWORK_NONE;
}

static bool other_workspace(const struct spec *s, struct finding *f)
{
	(void)f;
	return s->workspace_mode == WORKSPACE_COPY_IN_OUT;
}

static bool workspace_option_alone(const struct spec *s, struct finding *f)
{
	f->subject = s->workspace_exec ? "--workspace-exec" : "--workspace-mode";
	return !s->workspace && (s->workspace_exec || option_given(s, "workspace-mode"));
}

static bool format_alone(const struct spec *s, struct finding *f)
{
	(void)f;
	return option_given(s, "format") && !s->dry_run;
}

static bool rm_and_keep(const struct spec *s, struct finding *f)
{
	(void)f;
	return s->rm && s->keep;
}

static bool two_documents(const struct spec *s, struct finding *f)
{
	(void)f;
	return s->config && s->config_fd >= 0;
}

static bool bad_home(const struct spec *s, struct finding *f)
{
	f->subject = s->home;
	f->why = check_destination(s->home);
	return f->why != NULL;
}

static bool bad_destination(const struct spec *s, struct finding *f)
{
	for (size_t i = 0; i < s->volumes.count && !f->why; i++)
		f->why = check_destination(f->subject = s->volumes.items[i].destination);
	for (size_t i = 0; i < s->tmpfs.count && !f->why; i++)
		f->why = check_destination(f->subject = s->tmpfs.items[i].destination);
	return f->why != NULL;
}

static bool bad_source(const struct spec *s, struct finding *f)
{
	if (s->workspace)
		f->why = check_source(f->subject = s->workspace);
	for (size_t i = 0; i < s->volumes.count && !f->why; i++)
		f->why = check_source(f->subject = s->volumes.items[i].source);
	return f->why != NULL;
}

static const char *destination(const struct spec *s, size_t i)
{
	if (i < s->volumes.count)
		return s->volumes.items[i].destination;
	i -= s->volumes.count;
	if (i < s->tmpfs.count)
		return s->tmpfs.items[i].destination;
	i -= s->tmpfs.count;
	return i == 0 ? s->home : i == 1 && s->workspace ? "/workspace" : NULL;
}

static bool covers_home(const struct spec *s, struct finding *f)
{
	for (size_t i = 0; (f->subject = destination(s, i)); i++)
		if (path_is_under(s->home, f->subject) && !str_eq(s->home, f->subject))
			return true;
	return false;
}

static bool destination_twice(const struct spec *s, struct finding *f)
{
	for (size_t i = 0; (f->subject = destination(s, i)); i++)
		for (size_t j = i + 1; destination(s, j); j++)
			if (str_eq(f->subject, destination(s, j)))
				return true;
	return false;
}

static const struct rule rules[] = {
	{ ALL, no_command, "no command to run%s", "nucleus run -- COMMAND, or the key command in the launch document" },
	{ ALL, other_mode, "service mode %s is not part of this version",
	  "use --service-mode agent, and know that it does not fail closed on missing cgroup limits" },
	{ ALL, other_network, "only --network none is part of this version%s", "leave --network out" },
	{ ALL, other_workspace, "--workspace-mode copy-in-out is not part of this version%s",
	  "--workspace-mode bind-ro, or bind-rw on a copy of the directory" },
	{ ALL, workspace_option_alone, "%s has no effect without a workspace", "add --workspace DIR" },
	{ ALL, format_alone, "--format has no effect without --dry-run%s", "add --dry-run" },
	{ ALL, rm_and_keep, "--rm and --keep contradict each other%s", "leave one out" },
	{ ALL, two_documents, "--config and --config-fd name two launch documents%s", "leave one out" },
	{ ALL, bad_home, "--home %s is refused", "--home /home/NAME" },
	{ ALL, bad_destination, "destination %s is refused", "use a directory such as /data or /srv/NAME" },
	{ ALL, covers_home, "a mount on %s would hide the home", "mount below it, or choose another --home" },
	{ ALL, destination_twice, "%s is the destination of two mounts", "leave one out" },
	{ ALL, bad_source, "source %s is refused", "copy what is needed to a directory of its own" },
};

int spec_check(const struct spec *s, void (*report)(const struct err *e, void *arg), void *arg)
{
	int count = 0;

	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		struct finding f = { 0 };
		struct err e = { 0 };

		if (!(rules[i].modes >> s->service_mode & 1) || !rules[i].violated(s, &f))
			continue;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		err_set(&e, EINVAL, rules[i].sentence, f.subject ? f.subject : "");
#pragma GCC diagnostic pop
		if (f.why)
			err_why(&e, "%s", f.why);
		err_fix(&e, "%s", rules[i].fix);
		report(&e, arg);
		count++;
	}
	return count;
}
