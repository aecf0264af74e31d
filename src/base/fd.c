#include "base/fd.h"
#include "base/defer.h"
#include "base/kernel.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

int fd_ensure_standard(void)
{
	/*
	 * The lowest free number is what open() returns: one that is closed, when those below it are open. Read-only,
	 * so that writing to a stdout that was closed stays the error it was.
	 */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDONLY) < 0)
			return -errno;
	return 0;
}

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_read_all(int fd, size_t limit, char **ret_text, size_t *ret_len)
{
	auto_free char *text = NULL;
	size_t len = 0, size = 4096;

	text = mem_alloc(size);
	for (;;) {
		ssize_t n = read(fd, text + len, size - len - 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
		if (len > limit)
			return -EFBIG;
		if (size - len < 2) {
			char *larger = mem_alloc(size *= 2);

			memcpy(larger, text, len);
			free(text);
			text = larger;
		}
	}
	text[len] = '\0';
	*ret_text = take_ptr(text);
	if (ret_len)
		*ret_len = len;
	return 0;
}

int file_read(const char *path, size_t limit, char **ret_text, size_t *ret_len)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return fd_read_all(fd, limit, ret_text, ret_len);
}

int file_write_at(int dir_fd, const char *name, const char *text)
{
	auto_close int fd = openat(dir_fd, name, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, strlen(text));
	if (n < 0)
		return -errno;
	return (size_t)n == strlen(text) ? 0 : -EIO;
}

int file_create_at(int dir_fd, const char *name, mode_t mode, const char *text, size_t len)
{
	auto_close int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	return fd < 0 ? -errno : fd_write_all(fd, text, len);
}

static int close_between(int after, int before)
{
	if (after + 1 > before - 1)
		return 0;
	return sys_close_range((unsigned)after + 1, (unsigned)before - 1, 0) < 0 ? -errno : 0;
}

int fd_close_others(int keep_fd, int keep_too_fd)
{
	int low = keep_fd < keep_too_fd ? keep_fd : keep_too_fd;
	int high = keep_fd < keep_too_fd ? keep_too_fd : keep_fd;
	int last = high > STDERR_FILENO ? high : STDERR_FILENO, r = 0;

	if (low > STDERR_FILENO)
		r = close_between(STDERR_FILENO, low);
	if (r == 0 && high > STDERR_FILENO)
		r = close_between(low > STDERR_FILENO ? low : STDERR_FILENO, high);
	if (r == 0 && sys_close_range((unsigned)last + 1, ~0U, 0) < 0)
		r = -errno;
	return r;
}

union one_fd {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

int fd_send(int socket_fd, int fd)
{
	union one_fd control = { 0 };
	struct iovec byte = { .iov_base = "", .iov_len = 1 };
	struct msghdr m = { .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(socket_fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int fd_receive(int socket_fd)
{
	union one_fd control = { 0 };
	char byte;
	struct iovec iov = { .iov_base = &byte, .iov_len = 1 };
	/* CMSG_SPACE(), padded, has room for a second descriptor, which nobody would close. */
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			    .msg_controllen = CMSG_LEN(sizeof(int)) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(socket_fd, &m, MSG_CMSG_CLOEXEC) < 0)
		return -errno;
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -ENOMSG;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}
