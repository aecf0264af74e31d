/* sandbox/landlock: what a plan allows is allowed, and nothing else. */
#include "sandbox/landlock.h"
#include "base/kernel.h"

#include "tests/unit/fork.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cmocka.h>

static char place[] = "/tmp/nucleus-test-landlock.XXXXXX";
static const char *const names[] = { "none", "list", "read", "run", "write", "all" };
static const enum mount_access accesses[] = { ACCESS_NONE, ACCESS_LIST, ACCESS_READ, ACCESS_READ_EXEC, ACCESS_WRITE,
					      ACCESS_WRITE_EXEC };
enum { PLACES = sizeof(names) / sizeof(*names) };
static char paths[PLACES][64];

static bool opens(const char *dir, const char *name, int flags)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0755);
	must(fd >= 0 || errno == EACCES);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Of a program that does not even load: what matters is whether the kernel lets it begin. */
static bool executes(const char *dir)
{
	char path[512], *argv[] = { path, NULL };

	snprintf(path, sizeof(path), "%s/file", dir);
	must(execve(path, argv, argv + 1) < 0);
	must(errno == EACCES || errno == ENOEXEC);
	return errno == ENOEXEC;
}

/* Rows for what lies in the place; the host's root, /etc and /dev have the rules that every plan has. */
static void restrict_to_places(void)
{
	static struct mount_row rows[PLACES + 1];
	const struct mount_plan plan = { .rows = rows, .count = PLACES + 1 };
	struct err e = { 0 };

	for (size_t i = 0; i < PLACES; i++)
		rows[i] = (struct mount_row){ .target = paths[i], .access = accesses[i] };
	rows[PLACES] = (struct mount_row){ .target = "/nonexistent/optional", .access = ACCESS_READ };
	if (!landlock_abi())
		_exit(CHILD_SKIPPED);
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	must(landlock_restrict(&plan, &e) == 0);
}

static void each_access(void *arg)
{
	(void)arg;
	restrict_to_places();
	for (size_t i = 0; i < PLACES; i++) {
		enum mount_access a = accesses[i];

		/* Names are no secret, see landlock_restrict(). */
		must(opens(paths[i], "", O_RDONLY | O_DIRECTORY));
		must(opens(paths[i], "file", O_RDONLY) == (a >= ACCESS_READ));
		must(opens(paths[i], "file", O_WRONLY) == (a >= ACCESS_WRITE));
		must(opens(paths[i], "file", O_WRONLY | O_TRUNC) == (a >= ACCESS_WRITE));
		must(opens(paths[i], "new", O_WRONLY | O_CREAT) == (a >= ACCESS_WRITE));
		must(executes(paths[i]) == (a == ACCESS_READ_EXEC || a == ACCESS_WRITE_EXEC));
	}
}

static void each_access_gives_what_it_says(void **state)
{
	(void)state;
	assert_child("landlock", "this kernel has no Landlock", each_access, NULL);
}

static void elsewhere(void *arg)
{
	(void)arg;
	restrict_to_places();
	must(!opens("/usr", "bin/env", O_RDONLY));
	must(opens("/usr", "", O_RDONLY | O_DIRECTORY));
	must(opens("/etc", "passwd", O_RDONLY));
	must(!opens("/tmp", "nucleus-test-landlock-new", O_WRONLY | O_CREAT));
	must(opens("/dev", "null", O_RDWR));
	must(!opens("/proc", "self/status", O_RDONLY));
}

static void elsewhere_there_are_names_alone(void **state)
{
	(void)state;
	assert_child("landlock", "this kernel has no Landlock", elsewhere, NULL);
}

static void kinds(void *arg)
{
	(void)arg;
	restrict_to_places();
	must(chdir(paths[4]) == 0);
	must(mkdir("dir", 0755) == 0 && rmdir("dir") == 0);
	must(symlink("file", "link") == 0 && unlink("link") == 0);
	must(mkfifo("fifo", 0644) == 0 && unlink("fifo") == 0);
	must(rename("file", "other") == 0 && rename("other", "file") == 0);
	/* Device nodes are made by nobody; before Landlock asks, an ordinary user is refused already. */
	must(mknod("device", S_IFCHR | 0644, 0x103) < 0 && (errno == EACCES || errno == EPERM));
	must(mkdir("../read/dir", 0755) < 0 && errno == EACCES);
	must(unlink("../read/file") < 0 && errno == EACCES);
	must(rename("file", "../read/moved") < 0);
}

static void everything_but_devices_is_made_where_writing_is_allowed(void **state)
{
	(void)state;
	assert_child("landlock", "this kernel has no Landlock", kinds, NULL);
}

static void scoped(void *arg)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0nucleus-test-landlock" };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)arg;
	if (landlock_abi() < 6)
		_exit(CHILD_SKIPPED);
	must(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(listener, 1) == 0);
	restrict_to_places();
	must(connect(s, (struct sockaddr *)&address, sizeof(address)) < 0 && errno == EPERM);
	must(kill(getppid(), 0) < 0 && errno == EPERM);
	must(kill(getpid(), 0) == 0);
}

static void signals_and_abstract_sockets_stay_inside(void **state)
{
	(void)state;
	assert_child("landlock", "this kernel's Landlock has no scopes (ABI 6)", scoped, NULL);
}

static void too_early(void *arg)
{
	const struct mount_plan nothing = { 0 };
	struct err e = { 0 };

	(void)arg;
	if (!landlock_abi())
		_exit(CHILD_SKIPPED);
	become_ordinary();
	must(landlock_restrict(&nothing, &e) == -EPERM);
	must(e.text[0]);
}

static void it_comes_after_no_new_privs(void **state)
{
	(void)state;
	assert_child("landlock", "this kernel has no Landlock", too_early, NULL);
}

static int make_places(void **state)
{
	(void)state;
	if (!mkdtemp(place))
		return -1;
	for (size_t i = 0; i < PLACES; i++) {
		char file[512];
		int fd;

		snprintf(paths[i], sizeof(paths[i]), "%s/%s", place, names[i]);
		snprintf(file, sizeof(file), "%s/file", paths[i]);
		if (mkdir(paths[i], 0755) < 0 || (fd = open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 0755)) < 0)
			return -1;
		/* No program of any kind. */
		if (write(fd, "\1\2\3\4", 4) != 4)
			return -1;
		close(fd);
	}
	return 0;
}

static int remove_places(void **state)
{
	(void)state;
	for (size_t i = 0; i < PLACES; i++) {
		static const char *const files[] = { "file", "new" };
		char file[512];

		for (size_t j = 0; j < 2; j++) {
			snprintf(file, sizeof(file), "%s/%s", paths[i], files[j]);
			unlink(file);
		}
		rmdir(paths[i]);
	}
	return rmdir(place);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_access_gives_what_it_says),
		cmocka_unit_test(elsewhere_there_are_names_alone),
		cmocka_unit_test(everything_but_devices_is_made_where_writing_is_allowed),
		cmocka_unit_test(signals_and_abstract_sockets_stay_inside),
		cmocka_unit_test(it_comes_after_no_new_privs),
	};

	return cmocka_run_group_tests(tests, make_places, remove_places);
}
