#include "run/probe_namespace.h"
#include "base/defer.h"
#include "base/kernel.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define APPARMOR_SWITCH "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
#define CLONE_SWITCH "/proc/sys/kernel/unprivileged_userns_clone"
#define MAX_SWITCH "/proc/sys/user/max_user_namespaces"

/* Made is not enough: AppArmor lets it be made and then denies every capability in it. */
static void power_in_userns(const struct probe *p, struct fact *f)
{
	(void)p;
	if (unshare(CLONE_NEWUTS) < 0)
		fact_errno(f, errno, "made, but without capabilities in it: unshare");
	else
		fact_ok(f, "made and mapped, with power in it");
}

static long number_in(const char *path, long otherwise)
{
	auto_free char *line = probe_read_line(path);

	return line ? strtol(line, NULL, 10) : otherwise;
}

/* A profile is for one path; it must be one that survives quoting, and not that of an image in memory. */
static void own_path(char path[static PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", path, PATH_MAX - 1);

	path[n > 0 ? n : 0] = '\0';
	if (n <= 0 || n > 160 || str_starts(path, "/memfd:") ||
	    strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+") != (size_t)n)
		memcpy(path, "/usr/bin/nucleus", sizeof("/usr/bin/nucleus"));
}

static void blame_apparmor(struct fact *f)
{
	char path[PATH_MAX];

	own_path(path);
	fact_cause(f, "AppArmor keeps user namespaces from programs without a profile that allows them");
	fact_fix(f,
		 "printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile nucleus %s flags=(unconfined) {\\n  "
		 "userns,\\n}\\n' | sudo tee /etc/apparmor.d/nucleus && sudo apparmor_parser -r "
		 "/etc/apparmor.d/nucleus",
		 path);
}

/* The first switch that is in the way; the row's own cause (not built) stands where none is. */
static void blame(struct fact *f)
{
	if (number_in(MAX_SWITCH, 1) == 0) {
		fact_cause(f, "user.max_user_namespaces is 0");
		fact_fix(f, "echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/50-nucleus.conf && "
			    "sudo sysctl -p /etc/sysctl.d/50-nucleus.conf");
	} else if (probe_is_rootless() && number_in(CLONE_SWITCH, 1) == 0) {
		fact_cause(f, "kernel.unprivileged_userns_clone is 0: user namespaces are for root alone");
		fact_fix(f, "echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/50-nucleus.conf && "
			    "sudo sysctl -p /etc/sysctl.d/50-nucleus.conf");
	} else if (probe_is_rootless() && number_in(APPARMOR_SWITCH, 0) != 0) {
		blame_apparmor(f);
	} else if (strstr(f->detail, strerror(EPERM))) {
		/* a kernel without them says EINVAL */
		fact_cause(f, "a chroot, a seccomp filter or another policy around this process forbids it");
		fact_fix(f, "ls -di /; grep Seccomp /proc/self/status # then leave the chroot or container");
	} else {
		/* what probe.c says of any namespace ("mend the user namespace first") would be no help here */
		f->cause[0] = f->fix[0] = '\0';
	}
}

void probe_user_namespace(const struct probe *p, struct fact *f)
{
	probe_in_namespaces(CLONE_NEWUSER, power_in_userns, p, f);
	if (f->status != FACT_OK)
		blame(f);
}

static void be_in_namespace(const struct probe *p, struct fact *f)
{
	if (p->number == CLONE_NEWPID && getpid() != 1)
		fact_missing(f, "made, but the first process in it is not number 1");
	else
		fact_ok(f, "made");
}

void probe_namespace(const struct probe *p, struct fact *f)
{
	probe_in_namespaces(p->number, be_in_namespace, p, f);
	if (f->status == FACT_OK && probe_is_rootless())
		fact_ok(f, "made, inside a user namespace");
}

/* A switch in the way is a gap only where it does stop us: root, or a program with a profile, passes. */
static void judge_switch(const struct probe *p, struct fact *f, const char *state)
{
	struct fact trial = { 0 };

	probe_user_namespace(p, &trial);
	if (trial.status == FACT_OK)
		fact_ok(f, "%s, and does not stop %s", state, probe_is_rootless() ? "this program" : "root");
	else
		fact_degraded(f, "%s, and no user namespace can be had", state);
}

void probe_userns_apparmor(const struct probe *p, struct fact *f)
{
	auto_free char *line = probe_read_line(APPARMOR_SWITCH);

	if (!line || str_eq(line, "0"))
		fact_ok(f, line ? "off" : "not known to this kernel");
	else
		judge_switch(p, f, "on");
	if (f->status != FACT_OK)
		blame_apparmor(f);
}

void probe_userns_clone(const struct probe *p, struct fact *f)
{
	auto_free char *line = probe_read_line(CLONE_SWITCH);

	if (!line || !str_eq(line, "0"))
		fact_ok(f, line ? "on" : "not known to this kernel");
	else
		judge_switch(p, f, "off");
}

void probe_userns_max(const struct probe *p, struct fact *f)
{
	auto_free char *line = probe_read_line(MAX_SWITCH);

	(void)p;
	if (!line)
		fact_missing(f, "no such sysctl");
	else if (str_eq(line, "0"))
		fact_degraded(f, "0: nobody may make one");
	else
		fact_ok(f, "%.32s", line);
}
