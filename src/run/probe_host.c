#include "run/probe_host.h"
#include "base/defer.h"
#include "base/mem.h"
#include "spec/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static bool is_safe(const struct stat *st)
{
	return st->st_uid == 0 && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

bool probe_find_program(const char *name, char **ret_path, struct fact *f)
{
	/* the wrappers come first: on NixOS the plain newuidmap is not setuid */
	static const char *const directories[] = { "/run/wrappers/bin", "/usr/bin", "/usr/sbin", "/usr/local/bin",
						   "/usr/local/sbin", "/bin", "/sbin", "/run/current-system/sw/bin",
						   "/nix/var/nix/profiles/default/bin" };

	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories); i++) {
		auto_free char *path = mem_printf("%s/%s", directories[i], name);
		struct stat st;

		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || !(st.st_mode & 0111))
			continue;
		if (!is_safe(&st)) {
			fact_missing(f, "%s does not belong to root alone", path);
			fact_cause(f, "owned by user %u with mode %04o: others could replace it", st.st_uid,
				   st.st_mode & 07777);
			fact_fix(f, "sudo chown root:root %s && sudo chmod go-w %s", path, path);
			return false;
		}
		*ret_path = take_ptr(path);
		return true;
	}
	fact_missing(f, "not in the system's directories");
	return false;
}

void probe_program(const struct probe *p, struct fact *f)
{
	auto_free char *path = NULL;

	if (probe_find_program(p->word, &path, f))
		fact_ok(f, "%s", path);
}

void probe_systemd(const struct probe *p, struct fact *f)
{
	struct stat st;

	(void)p;
	/* sd_booted(3) */
	if (lstat("/run/systemd/system", &st) == 0 && S_ISDIR(st.st_mode))
		fact_ok(f, "runs the system");
	else
		fact_missing(f, "does not run here");
}

/* Connecting says more than a file does: a manager that died leaves its socket. Nothing is sent. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_close int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
}

void probe_user_manager(const struct probe *p, struct fact *f)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	auto_free char *path = mem_printf("%s/systemd/private", runtime ? runtime : "");
	int r;

	(void)p;
	if (!runtime || runtime[0] != '/') {
		if (probe_is_rootless())
			fact_missing(f, "XDG_RUNTIME_DIR is not set");
		else
			fact_ok(f, "none for root, who asks the system's manager");
		return;
	}
	r = connect_to(path);
	if (r < 0)
		fact_errno(f, -r, path);
	else
		fact_ok(f, "answers at %s", path);
}

/* The directory above that of state_open_root(), which makes what is missing and so cannot be asked itself. */
static char *state_parent(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	auto_free char *user = mem_printf("/run/user/%u", geteuid());
	struct stat st;

	if (!probe_is_rootless())
		return mem_dup("/run");
	if (runtime && runtime[0] == '/')
		return mem_dup(runtime);
	return stat(user, &st) == 0 && st.st_uid == geteuid() ? take_ptr(user) : NULL;
}

static void explain_state(const char *path, int error, struct fact *f)
{
	fact_errno(f, error, path);
	if (error == EPERM || error == ENOTDIR || error == ELOOP) {
		fact_missing(f, "%s is no directory of mode 0700 of this user", path);
		fact_cause(f, "it belongs to somebody else or is open to others");
		fact_fix(f, "ls -ld %s # then remove it, or: chmod 700 %s", path, path);
	}
}

void probe_state_directory(const struct probe *p, struct fact *f)
{
	auto_free char *parent = state_parent();
	auto_free char *path = parent ? mem_printf("%s/nucleus", parent) : mem_printf("/tmp/nucleus-%u", geteuid());
	auto_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int error = errno;
	struct stat st;

	(void)p;
	if (fd >= 0)
		error = fstat(fd, &st) < 0 ? errno : st.st_uid != geteuid() || (st.st_mode & 077) ? EPERM : 0;
	else if (error == ENOENT && faccessat(AT_FDCWD, parent ? parent : "/tmp", W_OK | X_OK, AT_EACCESS) == 0)
		error = 0;
	else if (error == ENOENT)
		error = errno;
	if (error)
		explain_state(path, error, f);
	else
		fact_ok(f, "%s%s", path, fd >= 0 ? "" : " can be made");
}

/* Read as a launch reads it: what doctor accepts is what run accepts. */
void probe_host_file(const struct probe *p, struct fact *f)
{
	auto_spec struct spec s = { 0 };
	struct ceilings ceilings;
	struct err e = { 0 };
	bool found = false;

	(void)p;
	spec_init(&s);
	if (load_host_file(LOAD_HOST_FILE, &s, &ceilings, &found, &e) < 0) {
		fact_missing(f, "%.250s", e.text);
		fact_cause(f, "%s", e.why);
		fact_fix(f, "%s", e.fix);
	} else {
		fact_ok(f, found ? LOAD_HOST_FILE : "none: built-in defaults, no ceilings");
	}
}
