/*
 * Descriptors and the small files behind them. Every descriptor made here is close-on-exec from birth; every
 * variable that holds one is called x_fd and is -1 when empty.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Makes sure that 0, 1 and 2 are open, on /dev/null where they are not. Returns 0 or -errno. */
int fd_ensure_standard(void);

/* Writes all of it, over interruptions and short writes. Returns 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t len);

/*
 * Reads to the end. @limit is the most bytes that are accepted; more is EFBIG. The text is terminated (not
 * counted in @ret_len) and owned by the caller. Returns 0 or -errno.
 */
int fd_read_all(int fd, size_t limit, char **ret_text, size_t *ret_len);

/* As fd_read_all for a path; O_NONBLOCK, so that a FIFO does not hang, and regular files only (EINVAL otherwise). */
int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_len);

/* Writes @text into @name under @dir_fd in one write, as /proc and cgroup files want it. Returns 0 or -errno. */
int file_write_at(int dir_fd, const char *name, const char *text);

/* Creates @name under @dir_fd (O_EXCL) with @mode and this content. Returns 0 or -errno. */
int file_create_at(int dir_fd, const char *name, mode_t mode, const char *text, size_t len);

/* Closes every descriptor above 2 but these two (-1: none). Returns 0 or -errno. See close_range(2). */
int fd_close_others(int keep_fd, int keep_too_fd);

/* Sends or receives one descriptor over a UNIX socket. fd_receive gives the descriptor or -errno. */
int fd_send(int socket_fd, int fd);
int fd_receive(int socket_fd);
