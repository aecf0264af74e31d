/*
 * run/console: a terminal that travels, and what is copied over it. Our own standard streams are pipes here, or a terminal
 * made for the test.
 */
#include "run/console.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "sandbox/mount.h"

#include "tests/unit/fork.h"

#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <termios.h>

#include <cmocka.h>

/* In the container-to-be: its own devpts, then the terminal; then a dialogue. */
static _Noreturn void inside(int socket_fd)
{
	static const struct mount_option options[] = { { "newinstance", NULL }, { "ptmxmode", "0666" }, { 0 } };
	struct err e = { 0 };
	char line[64] = "";
	int mount_fd;

	own_namespaces(CLONE_NEWNS);
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	mount_fd = mount_new("devpts", options, 0, &e);
	must(mount_fd >= 0 && mount_attach(mount_fd, open("/dev/pts", O_PATH | O_CLOEXEC)) == 0);
	must(setsid() > 0);
	must(console_open(socket_fd, &e) == 0);
	must(isatty(0) && isatty(1) && isatty(2));
	must(tcgetsid(0) == getpid());
	must(write(1, "ready\n", 6) == 6);
	must(read(0, line, sizeof(line) - 1) == 5 && strcmp(line, "ping\n") == 0);
	must(write(1, "pong\n", 5) == 5);
	must(read(0, line, sizeof(line) - 1) == 0);
	must(write(1, "ended\n", 6) == 6);
	_exit(0);
}

/* Copies both ways until @text has come out, for at most five seconds. */
static void pump_until(struct console *c, int out_fd, const char *text)
{
	char got[4096] = "";
	size_t len = 0;

	for (int i = 0; i < 500 && !strstr(got, text); i++) {
		struct pollfd out = { .fd = out_fd, .events = POLLIN };
		int signal;

		console_pump_out(c);
		console_pump_in(c, &signal);
		must(signal == 0);
		if (poll(&out, 1, 10) == 1) {
			ssize_t n = read(out_fd, got + len, sizeof(got) - 1 - len);

			must(n > 0);
			len += (size_t)n;
		}
	}
	must(strstr(got, text));
}

static void dialogue(void *arg)
{
	struct console c = { .master_fd = -1, .out_fd = -1 };
	struct err e = { 0 };
	int pair[2], in[2], out[2], status;
	pid_t pid;

	(void)arg;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		inside(pair[1]);
	}
	close(pair[1]);
	must(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
	must(dup2(in[0], 0) == 0 && dup2(out[1], 1) == 1);
	if (console_take(&c, pair[0], true, &e) < 0) {
		must(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == CHILD_SKIPPED);
		_exit(CHILD_SKIPPED);
	}
	must(fcntl(c.master_fd, F_GETFD) == FD_CLOEXEC);
	must(!c.raw); /* a pipe is no terminal */
	pump_until(&c, out[0], "ready\r\n");
	must(write(in[1], "ping\n", 5) == 5);
	pump_until(&c, out[0], "pong\r\n");
	must(c.in.total == 5);
	close(in[1]);
	pump_until(&c, out[0], "ended\r\n");
	must(c.in.from_fd == -1);
	must(waitpid(pid, &status, 0) == pid && status == 0);
	console_close(&c);
	console_close(&c);
	must(c.master_fd == -1);
}

static void the_terminal_travels_and_carries_both_directions(void **state)
{
	(void)state;
	assert_child("console", "this user cannot make a mount namespace", dialogue, NULL);
}

static void no_terminal(void *arg)
{
	struct console c = { .master_fd = -1, .out_fd = -1 };
	struct err e = { 0 };
	int pair[2];

	(void)arg;
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	close(pair[1]);
	must(console_take(&c, pair[0], true, &e) < 0 && e.text[0]);
	must(c.master_fd == -1);
}

static void a_dead_child_sends_none(void **state)
{
	(void)state;
	assert_int_equal(in_child(no_terminal, NULL), 0);
}

/* What the keys in @text stand for, by the settings of the container's terminal. */
static int signal_of(const char *text, bool signals)
{
	struct console c = { .out_fd = -1 };
	struct termios t;
	int slave, in[2], signal = -1;

	must(openpty(&c.master_fd, &slave, NULL, NULL, NULL) == 0);
	must(tcgetattr(slave, &t) == 0);
	if (!signals)
		t.c_lflag &= ~(tcflag_t)ISIG;
	must(tcsetattr(slave, TCSANOW, &t) == 0);
	must(pipe2(in, O_CLOEXEC) == 0);
	c.in = (struct pump){ .from_fd = in[0], .to_fd = c.master_fd };
	must(write(in[1], text, strlen(text)) == (ssize_t)strlen(text));
	console_pump_in(&c, &signal);
	must(c.in.total == (int64_t)strlen(text));
	console_close(&c);
	close(slave);
	return signal;
}

static void keys(void *arg)
{
	(void)arg;
	must(signal_of("abc\r\n", true) == 0);
	must(signal_of("ab\003c", true) == SIGINT);
	must(signal_of("\034", true) == SIGQUIT);
	must(signal_of("x\034\003", true) == SIGQUIT);
	must(signal_of("\003\034", false) == 0);
}

static void keys_that_signal_are_told(void **state)
{
	(void)state;
	assert_int_equal(in_child(keys, NULL), 0);
}

static void own_terminal(void *arg)
{
	const struct winsize size = { .ws_row = 33, .ws_col = 77 };
	struct console c = { .master_fd = -1, .out_fd = -1 };
	struct termios before, t;
	struct winsize seen;
	struct err e = { 0 };
	int ours, our_slave, theirs, their_slave, pair[2];

	(void)arg;
	must(openpty(&ours, &our_slave, NULL, NULL, &size) == 0 && openpty(&theirs, &their_slave, NULL, NULL, NULL) == 0);
	must(dup2(our_slave, 0) == 0 && tcgetattr(0, &before) == 0);
	must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	must(fd_send(pair[1], theirs) == 0);
	must(console_take(&c, pair[0], true, &e) == 0);
	must(c.raw && tcgetattr(0, &t) == 0);
	must(!(t.c_lflag & (ICANON | ECHO | ISIG)));
	must(ioctl(their_slave, TIOCGWINSZ, &seen) == 0 && seen.ws_row == 33 && seen.ws_col == 77);
	seen.ws_col = 99;
	must(ioctl(0, TIOCSWINSZ, &seen) == 0);
	console_resize(&c);
	must(ioctl(their_slave, TIOCGWINSZ, &seen) == 0 && seen.ws_col == 99);
	console_close(&c);
	must(tcgetattr(0, &t) == 0);
	must(t.c_lflag == before.c_lflag && t.c_iflag == before.c_iflag && t.c_oflag == before.c_oflag);
}

static void our_terminal_is_raw_in_between_and_gives_its_size(void **state)
{
	(void)state;
	assert_int_equal(in_child(own_terminal, NULL), 0);
}

/* A sink that takes nothing must not hold anybody up, and loses nothing. */
static void full_sink(void *arg)
{
	struct console c = { .master_fd = -1, .out_fd = -1 };
	int in[2], out[2];
	char big[4096];

	(void)arg;
	must(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0);
	memset(big, 'x', sizeof(big));
	while (write(out[1], big, sizeof(big)) > 0)
		;
	must(write(in[1], "kept", 4) == 4);
	c.out = (struct pump){ .from_fd = in[0], .to_fd = out[1] };
	alarm(5);
	console_pump_out(&c);
	console_pump_out(&c);
	must(c.out.total == 0 && c.out.end - c.out.start == 4);
	while (read(out[0], big, sizeof(big)) > 0)
		;
	console_pump_out(&c);
	must(c.out.total == 4);
	must(read(out[0], big, sizeof(big)) == 4 && memcmp(big, "kept", 4) == 0);
	close(in[1]);
	console_pump_out(&c);
	must(c.out.from_fd == -1);
}

static void a_full_sink_neither_blocks_nor_loses(void **state)
{
	(void)state;
	assert_int_equal(in_child(full_sink, NULL), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_terminal_travels_and_carries_both_directions),
		cmocka_unit_test(a_dead_child_sends_none),
		cmocka_unit_test(keys_that_signal_are_told),
		cmocka_unit_test(our_terminal_is_raw_in_between_and_gives_its_size),
		cmocka_unit_test(a_full_sink_neither_blocks_nor_loses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
