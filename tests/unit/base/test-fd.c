/* base/fd: descriptors, and files read without surprises. */
#include "base/fd.h"
#include "base/defer.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cmocka.h>

/* A directory for one test, and the descriptor of it. */
struct place {
	char path[64];
	int fd;
};

static int make_place(void **state)
{
	struct place *p = mem_new(struct place);

	snprintf(p->path, sizeof(p->path), "/tmp/nucleus-test-fd.XXXXXX");
	if (!mkdtemp(p->path))
		return -1;
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return p->fd < 0 ? -1 : 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;

	unlinkat(p->fd, "f", 0);
	unlinkat(p->fd, "link", 0);
	close(p->fd);
	rmdir(p->path);
	free(p);
	return 0;
}

static char *in_place(struct place *p, const char *name)
{
	return mem_printf("%s/%s", p->path, name);
}

static void a_file_is_created_once_and_read_back(void **state)
{
	struct place *p = *state;
	auto_free char *path = in_place(p, "f"), *text = NULL;
	size_t len = 0;
	struct stat st;

	assert_int_equal(file_create_at(p->fd, "f", 0600, "a\0b", 3), 0);
	assert_int_equal(file_create_at(p->fd, "f", 0600, "x", 1), -EEXIST);
	assert_int_equal(fstatat(p->fd, "f", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(file_read(path, 3, &text, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(text, "a\0b", 4);
}

static void a_link_is_not_created_through(void **state)
{
	struct place *p = *state;

	assert_int_equal(symlinkat("f", p->fd, "link"), 0);
	assert_int_equal(file_create_at(p->fd, "link", 0600, "x", 1), -EEXIST);
	assert_int_equal(faccessat(p->fd, "f", F_OK, 0), -1);
}

static void the_limit_is_the_most_that_is_read(void **state)
{
	struct place *p = *state;
	auto_free char *path = in_place(p, "f"), *data = mem_alloc(10000), *text = NULL;
	size_t len = 7;

	memset(data, 'x', 10000);
	assert_int_equal(file_create_at(p->fd, "f", 0600, data, 10000), 0);
	assert_int_equal(file_read(path, 9999, &text, &len), -EFBIG);
	assert_null(text);
	assert_int_equal(len, 7);
	assert_int_equal(file_read(path, 10000, &text, &len), 0);
	assert_int_equal(len, 10000);
	assert_memory_equal(text, data, 10000);
	assert_int_equal(text[10000], '\0');
}

static void only_regular_files_are_read(void **state)
{
	struct place *p = *state;
	auto_free char *path = in_place(p, "f"), *text = NULL;

	assert_int_equal(mkfifoat(p->fd, "f", 0600), 0);
	alarm(5);
	assert_int_equal(file_read(path, 10, &text, NULL), -EINVAL);
	alarm(0);
	assert_int_equal(file_read(p->path, 10, &text, NULL), -EISDIR);
	assert_int_equal(file_read("/dev/zero", 10, &text, NULL), -EINVAL);
	assert_int_equal(file_read("/nonexistent/x", 10, &text, NULL), -ENOENT);
	assert_null(text);
}

static void control_files_are_written_in_one_go(void **state)
{
	struct place *p = *state;
	auto_free char *path = in_place(p, "f"), *text = NULL;

	assert_int_equal(file_write_at(p->fd, "f", "1"), -ENOENT);
	assert_int_equal(file_create_at(p->fd, "f", 0600, "", 0), 0);
	assert_int_equal(file_write_at(p->fd, "f", "max"), 0);
	assert_int_equal(file_read(path, 10, &text, NULL), 0);
	assert_string_equal(text, "max");
}

static void a_pipe_is_read_to_its_end(void **state)
{
	auto_free char *text = NULL;
	size_t len = 0;
	int ends[2];

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(fd_write_all(ends[1], "hello", 5), 0);
	close(ends[1]);
	assert_int_equal(fd_read_all(ends[0], 100, &text, &len), 0);
	assert_int_equal(len, 5);
	assert_string_equal(text, "hello");
	close(ends[0]);
}

static void what_cannot_be_written_is_told(void **state)
{
	auto_close int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	int ends[2];

	(void)state;
	assert_int_equal(fd_write_all(full, "x", 1), -ENOSPC);
	assert_int_equal(fd_write_all(full, "", 0), 0);
	assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	assert_int_equal(fd_write_all(ends[1], "x", 1), -EPIPE);
	close(ends[1]);
}

static void a_descriptor_passes_and_is_close_on_exec(void **state)
{
	auto_close int a = -1, b = -1, sent = -1, got = -1;
	struct stat before, after;
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	a = pair[0];
	b = pair[1];
	sent = open("/dev/null", O_RDONLY);
	assert_int_equal(fd_send(a, sent), 0);
	got = fd_receive(b);
	assert_true(got >= 0);
	assert_int_not_equal(got, sent);
	assert_int_equal(fcntl(got, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(sent, &before), 0);
	assert_int_equal(fstat(got, &after), 0);
	assert_int_equal(before.st_rdev, after.st_rdev);
	assert_int_equal(write(a, "x", 1), 1);
	assert_int_equal(fd_receive(b), -ENOMSG);
}

static void the_end_of_a_socket_is_no_descriptor(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	close(pair[0]);
	assert_int_equal(fd_receive(pair[1]), -ENOMSG);
	assert_int_equal(fd_send(pair[1], STDIN_FILENO), -EPIPE);
	close(pair[1]);
}

static int open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 200; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void a_second_descriptor_is_not_leaked(void **state)
{
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &byte,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	const int both[2] = { STDIN_FILENO, STDIN_FILENO };
	int pair[2], before, got;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(both));
	memcpy(CMSG_DATA(c), both, sizeof(both));
	assert_int_equal(sendmsg(pair[0], &m, 0), 1);
	before = open_descriptors();
	got = fd_receive(pair[1]);
	assert_int_equal(open_descriptors(), before + (got >= 0));
	if (got >= 0)
		close(got);
	close(pair[0]);
	close(pair[1]);
}

/* In a child, for the test needs its own standard streams. */
static int with_closed_streams(void)
{
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (fd_ensure_standard() < 0)
		return 1;
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return 2;
	if (fcntl(3, F_GETFD) >= 0 && open("/dev/null", O_RDONLY) < 3)
		return 3;
	/* Output that was closed is an error still. */
	return fd_write_all(STDOUT_FILENO, "x", 1) == -EBADF ? 0 : 4;
}

static void standard_streams_are_open_afterwards(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(with_closed_streams());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define in_its_place(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		in_its_place(a_file_is_created_once_and_read_back),
		in_its_place(a_link_is_not_created_through),
		in_its_place(the_limit_is_the_most_that_is_read),
		in_its_place(only_regular_files_are_read),
		in_its_place(control_files_are_written_in_one_go),
		cmocka_unit_test(a_pipe_is_read_to_its_end),
		cmocka_unit_test(what_cannot_be_written_is_told),
		cmocka_unit_test(a_descriptor_passes_and_is_close_on_exec),
		cmocka_unit_test(the_end_of_a_socket_is_no_descriptor),
		cmocka_unit_test(a_second_descriptor_is_not_leaked),
		cmocka_unit_test(standard_streams_are_open_afterwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
