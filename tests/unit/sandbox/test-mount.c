/* sandbox/mount: detached mounts, their attributes, and where they are attached. */
#include "sandbox/mount.h"
#include "base/kernel.h"

#include "tests/unit/fork.h"

#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

#include <cmocka.h>

static const char reason[] = "this user cannot make a mount namespace";
static char place[] = "/tmp/nucleus-test-mount.XXXXXX";

/* A tmpfs at the place, in a mount namespace that goes with the child. */
static void enter(void)
{
	static const struct mount_option options[] = { { "size", "1048576" }, { "mode", "0755" }, { 0 } };
	struct err e = { 0 };
	int mount_fd, target_fd;

	own_namespaces(CLONE_NEWNS);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	mount_fd = mount_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, &e);
	must(mount_fd >= 0);
	must(fcntl(mount_fd, F_GETFD) == FD_CLOEXEC);
	target_fd = open(place, O_PATH | O_CLOEXEC);
	must(mount_attach(mount_fd, target_fd) == 0);
	must(chdir(place) == 0);
}

static void make_file(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	must(fd >= 0);
	close(fd);
}

static void fresh(void *arg)
{
	struct statfs fs;
	struct statvfs flags;

	(void)arg;
	enter();
	must(statfs(".", &fs) == 0 && fs.f_type == TMPFS_MAGIC);
	must(fs.f_blocks * (uint64_t)fs.f_bsize == 1048576);
	must(statvfs(".", &flags) == 0);
	must(flags.f_flag & ST_NOSUID);
	must(flags.f_flag & ST_NODEV);
	must(!(flags.f_flag & ST_NOEXEC));
	make_file("f");
}

static void a_new_file_system_has_its_options_and_attributes(void **state)
{
	(void)state;
	assert_child("mount", reason, fresh, NULL);
}

static void refused(void *arg)
{
	static const struct mount_option options[] = { { "size", "banana" }, { 0 } };
	struct err e = { 0 };

	(void)arg;
	own_namespaces(CLONE_NEWNS);
	must(mount_new("tmpfs", options, 0, &e) == -EINVAL);
	must(e.code == EINVAL && strstr(e.text, "tmpfs"));
	must(strstr(e.why, "size"));
	e = (struct err){ 0 };
	must(mount_new("nonesuchfs", NULL, 0, &e) == -ENODEV);
	must(strstr(e.text, "nonesuchfs"));
}

static void a_refusal_comes_with_the_kernels_own_words(void **state)
{
	(void)state;
	assert_child("mount", reason, refused, NULL);
}

static void cloned(void *arg)
{
	int clone_fd, target_fd;

	(void)arg;
	enter();
	must(mkdir("source", 0755) == 0 && mkdir("target", 0755) == 0);
	clone_fd = mount_clone(AT_FDCWD, "source", false);
	must(clone_fd >= 0 && fcntl(clone_fd, F_GETFD) == FD_CLOEXEC);
	must(mount_change(clone_fd, MOUNT_ATTR_RDONLY, 0, false) == 0);
	target_fd = open("target", O_PATH | O_CLOEXEC);
	must(mount_attach(clone_fd, target_fd) == 0);
	make_file("source/f");
	must(access("target/f", F_OK) == 0);
	must(open("target/g", O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS);
	must(mount_change(clone_fd, 0, MOUNT_ATTR_RDONLY, false) == 0);
	make_file("target/g");
	must(mount_clone(AT_FDCWD, "absent", false) == -ENOENT);
	must(mount_change(target_fd, MOUNT_ATTR_RDONLY, 0, false) == -EINVAL);
}

static void a_clone_is_restricted_by_itself(void **state)
{
	(void)state;
	assert_child("mount", reason, cloned, NULL);
}

static void below(void *arg)
{
	struct err e = { 0 };
	int inner, clone_fd;

	(void)arg;
	enter();
	must(mkdir("source", 0755) == 0 && mkdir("source/inner", 0755) == 0 && mkdir("target", 0755) == 0);
	inner = mount_new("tmpfs", NULL, 0, &e);
	must(inner >= 0 && mount_attach(inner, open("source/inner", O_PATH | O_CLOEXEC)) == 0);
	make_file("source/inner/f");
	clone_fd = mount_clone(AT_FDCWD, "source", true);
	must(clone_fd >= 0 && mount_change(clone_fd, MOUNT_ATTR_RDONLY, 0, true) == 0);
	must(mount_attach(clone_fd, open("target", O_PATH | O_CLOEXEC)) == 0);
	must(access("target/inner/f", F_OK) == 0);
	must(open("target/inner/g", O_WRONLY | O_CREAT, 0644) < 0 && errno == EROFS);
	make_file("source/inner/h");
}

static void what_is_mounted_below_comes_along_and_is_restricted(void **state)
{
	(void)state;
	assert_child("mount", reason, below, NULL);
}

static void files(void *arg)
{
	struct stat st;
	int fd;

	(void)arg;
	enter();
	make_file("target");
	fd = mount_clone(AT_FDCWD, "/dev/null", false);
	must(fd >= 0 && mount_attach(fd, open("target", O_PATH | O_CLOEXEC)) == 0);
	must(stat("target", &st) == 0 && S_ISCHR(st.st_mode));
	must(symlink("/etc", "link") == 0);
	fd = mount_clone(AT_FDCWD, "link", false);
	must(fd < 0 || (fstat(fd, &st) == 0 && S_ISLNK(st.st_mode)));
}

static void a_file_is_mounted_over_a_file_and_links_are_not_followed(void **state)
{
	(void)state;
	assert_child("mount", reason, files, NULL);
}

static int make_place(void **state)
{
	(void)state;
	return mkdtemp(place) ? 0 : -1;
}

static int remove_place(void **state)
{
	(void)state;
	return rmdir(place);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_system_has_its_options_and_attributes),
		cmocka_unit_test(a_refusal_comes_with_the_kernels_own_words),
		cmocka_unit_test(a_clone_is_restricted_by_itself),
		cmocka_unit_test(what_is_mounted_below_comes_along_and_is_restricted),
		cmocka_unit_test(a_file_is_mounted_over_a_file_and_links_are_not_followed),
	};

	return cmocka_run_group_tests(tests, make_place, remove_place);
}
