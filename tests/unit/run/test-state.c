/*
 * run/state: records, names, and what the dead left behind. The tests are an ordinary user with a runtime directory of
 * their own; each runs in a child.
 */
#include "run/state.h"
#include "base/defer.h"
#include "base/kernel.h"

#include "tests/unit/fork.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ID_A "aaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbb"

static char place[64];

static bool there(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

/* An ordinary user whose state directory is the working directory. */
static void enter(void)
{
	auto_close int fd = -1;
	struct err e = { 0 };

	become_ordinary();
	must(setenv("XDG_RUNTIME_DIR", place, 1) == 0);
	must(chdir(place) == 0);
	must(state_open_root(&fd, &e) == 0);
	must(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	must(chdir("nucleus") == 0);
}

static void claim_body(void *arg)
{
	struct state s, t;
	struct err e = { 0 };
	struct stat st;

	(void)arg;
	enter();
	must(lstat(".", &st) == 0 && (st.st_mode & 0777) == 0700);
	must(state_claim(ID_A, NULL, &s, &e) == 0);
	must(lstat(ID_A, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0777) == 0600);
	must(state_claim(ID_B, "web", &t, &e) == 0);
	must(there("@web"));
	state_collect();
	must(there(ID_A) && there(ID_B)); /* they live */
	state_finish(&t, NULL);
	must(!there(ID_B) && !there("@web"));
	must(t.fd == -1 && t.root_fd == -1);
	state_finish(&t, NULL);
	state_finish(&s, NULL);
	must(!there(ID_A));
}

static void a_record_lives_as_long_as_its_owner(void **state)
{
	(void)state;
	assert_int_equal(in_child(claim_body, NULL), 0);
}

static void clash_body(void *arg)
{
	struct state s, t;
	struct err e = { 0 };

	(void)arg;
	enter();
	must(state_claim(ID_A, "web", &s, &e) == 0);
	must(state_claim(ID_B, "web", &t, &e) == -EEXIST);
	must(strstr(e.text, "web") && strstr(e.text, ID_A) && strstr(e.why, "running") && e.fix[0]);
	must(!there(ID_B));
	must(t.fd == -1 && t.root_fd == -1);
	must(state_remove("web", &e) == -EBUSY);
	state_finish(&s, "{}\n");
	must(there(ID_A ".result") && there("@web"));
	must(state_claim(ID_B, "web", &t, &e) == -EEXIST);
	must(strstr(e.why, "kept") && strstr(e.fix, "nucleus rm web"));
	state_collect();
	must(there(ID_A ".result")); /* kept is kept */
	must(state_remove("nobody", &e) == -ENOENT);
	must(state_remove("web", &e) == 0);
	must(!there(ID_A) && !there("@web"));
	must(state_claim(ID_B, "web", &t, &e) == 0);
	state_finish(&t, NULL);
}

static void a_name_belongs_to_one(void **state)
{
	(void)state;
	assert_int_equal(in_child(clash_body, NULL), 0);
}

static void die_with_record(const char *id, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct state s;
		struct err e = { 0 };

		must(state_claim(id, name, &s, &e) == 0);
		kill(getpid(), SIGKILL);
	}
	must(waitpid(pid, NULL, 0) == pid);
}

static void killed_body(void *arg)
{
	struct state s;
	struct err e = { 0 };

	(void)arg;
	enter();
	die_with_record(ID_A, "web");
	must(there(ID_A) && there("@web"));
	state_collect();
	must(!there(ID_A) && !there("@web"));
	/* Without a collection between: whoever wants the name takes it over. */
	die_with_record(ID_A, "web");
	must(state_claim(ID_B, "web", &s, &e) == 0);
	must(!there(ID_A));
	state_finish(&s, NULL);
	must(!there("@web"));
}

static void what_the_dead_left_is_collected(void **state)
{
	(void)state;
	assert_int_equal(in_child(killed_body, NULL), 0);
}

static void touch(const char *name)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	must(fd >= 0);
	close(fd);
}

static void hostile_body(void *arg)
{
	struct state s;
	struct err e = { 0 };

	(void)arg;
	enter();
	must(mkdir("../outside", 0700) == 0);
	touch("../outside/precious");
	must(symlink("../outside", "cccccccccccc") == 0);  /* an id that is a link */
	touch("dddddddddddd");				     /* a record of a lock that somebody removed */
	must(symlink("/nonexistent", "%0000000000000000") == 0); /* a cgroup that is none */
	touch("%1111111111111111");			     /* a note that is no link */
	must(symlink("../outside", "@away") == 0);	     /* a name for what is no id */
	touch("@file");					     /* a name that is no link */
	must(mkdir("eeeeeeeeeeee", 0700) == 0);		     /* a record with more in it than there should be */
	touch("eeeeeeeeeeee/other");
	must(mkdir("stranger", 0700) == 0);
	state_collect();
	must(there("../outside/precious"));
	must(there("cccccccccccc") && there("stranger") && !there("dddddddddddd"));
	must(there("eeeeeeeeeeee/other"));
	must(state_remove("cccccccccccc", &e) < 0);
	must(state_remove("../outside", &e) == -ENOENT);
	must(state_remove("away", &e) == -ENOENT);
	must(there("../outside/precious"));
	/* A name that leads to nothing sound is free. */
	must(state_claim(ID_A, "away", &s, &e) == 0);
	state_finish(&s, NULL);
	must(state_claim("cccccccccccc", NULL, &s, &e) < 0);
	must(there("../outside/precious"));
}

static void hostile_content_is_left_alone_and_does_no_harm(void **state)
{
	(void)state;
	alarm(20);
	assert_int_equal(in_child(hostile_body, NULL), 0);
	alarm(0);
}

static void open_body(void *arg)
{
	struct err e = { 0 };
	int fd = -1;

	(void)arg;
	enter();
	must(chmod(".", 0750) == 0);
	must(state_open_root(&fd, &e) == -EPERM && fd == -1 && e.fix[0]);
	must(chdir("..") == 0 && rmdir("nucleus") == 0);
	must(mkdir("elsewhere", 0700) == 0 && symlink("elsewhere", "nucleus") == 0);
	must(state_open_root(&fd, &e) < 0 && fd == -1);
	must(unlink("nucleus") == 0);
	touch("nucleus");
	must(state_open_root(&fd, &e) < 0 && fd == -1);
}

static void a_directory_that_is_open_or_a_link_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(open_body, NULL), 0);
}

static void foreign_body(void *arg)
{
	char path[96];
	struct err e = { 0 };
	int fd = -1;

	(void)arg;
	if (geteuid() != 0)
		_exit(CHILD_SKIPPED);
	snprintf(path, sizeof(path), "%s/nucleus", place);
	must(mkdir(path, 0755) == 0);
	become_ordinary();
	must(setenv("XDG_RUNTIME_DIR", place, 1) == 0);
	must(state_open_root(&fd, &e) == -EPERM && fd == -1);
	must(strstr(e.text, "somebody else"));
}

static void a_foreign_directory_is_refused(void **state)
{
	(void)state;
	assert_child("state foreign", "only root can make a directory of somebody else's", foreign_body, NULL);
}

/* The one note there is, and where it leads. */
static void read_note(char text[64])
{
	DIR *dir = opendir(".");
	struct dirent *entry;
	int notes = 0;

	must(dir);
	while ((entry = readdir(dir)))
		if (entry->d_name[0] == '%') {
			ssize_t n = readlink(entry->d_name, text, 63);

			must(n > 0);
			text[n] = '\0';
			notes++;
		}
	closedir(dir);
	must(notes == 1);
}

static void cgroup_body(void *arg)
{
	struct state s;
	struct err e = { 0 };
	char text[64] = "";

	(void)arg;
	enter();
	must(state_claim(ID_A, NULL, &s, &e) == 0);
	must(state_note_cgroup(&s, "/sys/fs/cgroup/some/where", &e) == 0);
	must(state_note_cgroup(&s, "/sys/fs/cgroup/some/where", &e) == 0);
	read_note(text);
	must(strcmp(text, "/sys/fs/cgroup/some/where") == 0);
	state_finish(&s, NULL);
}

static void each_parent_of_leaves_is_noted_once(void **state)
{
	(void)state;
	assert_int_equal(in_child(cgroup_body, NULL), 0);
}

/* Many at once: each gets its name or is told that it is taken, and nothing is left. */
static void race_body(void *arg)
{
	int won = 0, status;

	(void)arg;
	enter();
	for (int i = 0; i < 16; i++)
		if (fork() == 0) {
			struct state s;
			struct err e = { 0 };
			char id[13];
			int r;

			snprintf(id, sizeof(id), "%012x", i);
			state_collect();
			r = state_claim(id, "one", &s, &e);
			must(r == 0 || r == -EEXIST);
			usleep(50000);
			state_collect();
			if (r == 0)
				state_finish(&s, NULL);
			_exit(r == 0 ? 10 : 0);
		}
	for (int i = 0; i < 16; i++) {
		must(wait(&status) > 0 && WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 10));
		won += WEXITSTATUS(status) == 10;
	}
	must(won >= 1);
	must(!there("@one"));
	must(unlink("lock") == 0 && chdir("..") == 0 && rmdir("nucleus") == 0);
}

static void many_may_want_one_name(void **state)
{
	(void)state;
	assert_int_equal(in_child(race_body, NULL), 0);
}

static int make_place(void **state)
{
	(void)state;
	snprintf(place, sizeof(place), "/tmp/nucleus-test-state.XXXXXX");
	if (!mkdtemp(place))
		return -1;
	return geteuid() == 0 ? chown(place, ORDINARY_USER, ORDINARY_USER) : 0;
}

static int remove_place(void **state)
{
	char command[96];
	FILE *done;

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s'", place);
	done = popen(command, "r");
	return done ? pclose(done) : -1;
}

#define in_its_place(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		in_its_place(a_record_lives_as_long_as_its_owner),
		in_its_place(a_name_belongs_to_one),
		in_its_place(what_the_dead_left_is_collected),
		in_its_place(hostile_content_is_left_alone_and_does_no_harm),
		in_its_place(a_directory_that_is_open_or_a_link_is_refused),
		in_its_place(a_foreign_directory_is_refused),
		in_its_place(each_parent_of_leaves_is_noted_once),
		in_its_place(many_may_want_one_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
