#include "run/console.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

/* atexit() has no argument; this is the terminal to restore, saved once. */
static struct termios saved;
static bool saved_valid;

/* The same terminal as a command without one of its own found it. */
static struct termios before;
static bool before_valid;

static void restore(void)
{
	if (saved_valid)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	saved_valid = false;
}

/* The size of our terminal, wherever we have one, is that of the container's. */
static void copy_size(int master_fd)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0 || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master_fd, TIOCSWINSZ, &size);
}

int console_open(int socket_fd, struct err *e)
{
	auto_close int master_fd = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	auto_close int slave_fd = -1;
	int unlock = 0, r;

	if (master_fd < 0 || ioctl(master_fd, TIOCSPTLCK, &unlock) < 0)
		return err_sys(e, "open a terminal");
	/* Before the first program looks at it. */
	copy_size(master_fd);
	/* By number, not by name: nothing is looked up in a directory. ioctl_tty(2) */
	slave_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave_fd < 0)
		return err_sys(e, "open the other side of the terminal");
	if (ioctl(slave_fd, TIOCSCTTY, 0) < 0)
		return err_sys(e, "make it the controlling terminal");
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave_fd, fd) < 0)
			return err_sys(e, "make the terminal descriptor %d", fd);
	r = fd_send(socket_fd, master_fd);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "send the terminal");
	}
	return 0;
}

static int make_raw(struct console *c, struct err *e)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &saved) < 0)
		return 0; /* not a terminal: input is a file or pipe, copied as it is */
	raw = saved;
	cfmakeraw(&raw);
	saved_valid = true;
	atexit(restore);
	if (tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) < 0)
		return err_sys(e, "make the terminal raw");
	c->raw = true;
	return 0;
}

/*
 * A terminal that says there is room may have less of it than we write, and then the write blocks, and with it the loop
 * that hears signals and the clock. The master is ours to set; our own standard output is shared with others, so a
 * terminal there is opened a second time. (Pipes take PIPE_BUF bytes without blocking when poll says so, and a pump
 * has no more.)
 */
static int no_blocking(struct console *c)
{
	if (fcntl(c->master_fd, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
		return -errno;
	if (!isatty(STDOUT_FILENO))
		return 0;
	/* A terminal of somebody else, as after su(1), cannot be opened anew; then it has to do as it is. */
	c->out_fd = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return c->out_fd < 0 && errno != EACCES ? -errno : 0;
}

int console_take(struct console *c, int socket_fd, bool interactive, struct err *e)
{
	int fd = fd_receive(socket_fd), r;

	if (fd < 0) {
		errno = -fd;
		return err_sys(e, "receive the terminal");
	}
	c->master_fd = fd;
	r = no_blocking(c);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "open the terminal for writing");
	}
	c->in = (struct pump){ .from_fd = interactive ? STDIN_FILENO : -1, .to_fd = fd };
	c->out = (struct pump){ .from_fd = fd, .to_fd = c->out_fd >= 0 ? c->out_fd : STDOUT_FILENO };
	console_resize(c);
	return interactive ? make_raw(c, e) : 0;
}

void console_resize(const struct console *c)
{
	if (c->master_fd >= 0)
		copy_size(c->master_fd);
}

static bool ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

/* False once the source has ended. */
static bool fill(struct pump *p)
{
	ssize_t n;

	if (p->start < p->end || !ready(p->from_fd, POLLIN))
		return true;
	n = read(p->from_fd, p->data, sizeof(p->data));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	p->start = 0;
	p->end = n > 0 ? (size_t)n : 0;
	return n > 0;
}

static void drain(struct pump *p)
{
	ssize_t n;

	if (p->start == p->end || !ready(p->to_fd, POLLOUT))
		return;
	n = write(p->to_fd, p->data + p->start, p->end - p->start);
	if (n > 0) {
		p->start += (size_t)n;
		p->total += n;
	} else if (n < 0 && errno != EINTR && errno != EAGAIN) {
		p->start = p->end; /* nobody reads it any more */
	}
}

void console_pump_in(struct console *c, int *ret_signal)
{
	struct termios t;
	bool more = fill(&c->in);

	*ret_signal = 0;
	if (tcgetattr(c->master_fd, &t) < 0)
		return;
	for (size_t i = c->in.start; (t.c_lflag & ISIG) && !*ret_signal && i < c->in.end; i++)
		if ((cc_t)c->in.data[i] == t.c_cc[VINTR])
			*ret_signal = SIGINT;
		else if ((cc_t)c->in.data[i] == t.c_cc[VQUIT])
			*ret_signal = SIGQUIT;
	if (!more) {
		/* The end of our input is the end of the container's: its terminal says so by this character. */
		c->in.from_fd = -1;
		c->in.data[0] = (char)t.c_cc[VEOF];
		c->in.start = 0;
		c->in.end = 1;
	}
	drain(&c->in);
}

void console_pump_out(struct console *c)
{
	if (!fill(&c->out))
		c->out.from_fd = -1;
	drain(&c->out);
}

pid_t console_foreground(const struct console *c)
{
	pid_t group = -1;

	return ioctl(c->master_fd, TIOCGPGRP, &group) < 0 ? -1 : group;
}

static int terminal_of_ours(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (isatty(fd))
			return fd;
	return -1;
}

void console_remember(void)
{
	int fd = terminal_of_ours();

	before_valid = fd >= 0 && tcgetattr(fd, &before) == 0;
}

void console_give_back(void)
{
	int fd = before_valid ? terminal_of_ours() : -1;
	struct termios now;

	if (fd < 0 || tcgetattr(fd, &now) < 0)
		return;
	/* From the background it would stop us. */
	signal(SIGTTOU, SIG_IGN);
	ioctl(fd, TIOCNXCL);
	if (now.c_iflag != before.c_iflag || now.c_oflag != before.c_oflag || now.c_cflag != before.c_cflag ||
	    now.c_lflag != before.c_lflag || memcmp(now.c_cc, before.c_cc, sizeof(now.c_cc)) != 0)
		tcsetattr(fd, TCSANOW, &before);
}

void console_close(struct console *c)
{
	restore();
	if (c->master_fd >= 0)
		close(c->master_fd);
	c->master_fd = -1;
	if (c->out_fd >= 0)
		close(c->out_fd);
	c->out_fd = -1;
}
