/*
 * The terminal of a container started with --tty. The pseudo-terminal is made in the container's own devpts by the
 * child, which sends the master up; the supervisor copies between it and its own standard input and output, raw, and
 * restores its own terminal on every way out that the kernel leaves it.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* One direction. At most sizeof(data) bytes are on their way; a write never blocks (poll says there is room). */
struct pump {
	int from_fd, to_fd; /* borrowed; from_fd -1: closed for good */
	size_t start, end;
	int64_t total; /* bytes written so far */
	char data[4096];
};

struct console {
	int master_fd;	/* owned; -1: none yet */
	int out_fd;	/* our standard output opened anew, owned; -1: it is no terminal */
	bool raw;	/* our own terminal was changed */
	struct pump in, out;
};

/*
 * In the child, inside the new root: opens a terminal pair, makes the slave its standard streams and controlling
 * terminal (with no input, reads from it give nothing that we do not write), and sends the master over @socket_fd.
 */
int console_open(int socket_fd, struct err *e);

/* In the parent: takes the master from @socket_fd, sets its size, makes our terminal raw if @interactive. */
int console_take(struct console *c, int socket_fd, bool interactive, struct err *e);

/* The size of our terminal goes to the container's. */
void console_resize(const struct console *c);

/*
 * Moves what can be moved without blocking. *ret_signal: which signal a key among the bytes moved in stands for, or
 * 0.
 */
void console_pump_in(struct console *c, int *ret_signal);
void console_pump_out(struct console *c);

/* The process group in the foreground of the container's terminal, as we number it; or -1. */
pid_t console_foreground(const struct console *c);

/*
 * For a command without a terminal of its own that may write to ours: it can also set it. console_remember keeps the
 * settings of our terminal, if we have one; console_give_back restores them where they differ, and lets others open
 * it again.
 */
void console_remember(void);
void console_give_back(void);

/* Restores our terminal and closes the master. Safe to call twice. */
void console_close(struct console *c);
