#include "run/streams.h"
#include "base/defer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static int may_not(struct err *e)
{
	err_sys(e, "open the terminal for writing alone");
	err_why(e, "it belongs to another user, and the command could read what is typed there");
	return err_fix(e, "let the output go through a pipe: nucleus run ... | cat; or use -t");
}

int streams_check(bool interactive, struct err *e)
{
	for (int fd = interactive ? STDIN_FILENO : STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fcntl(fd, F_GETFL);
		struct stat st;

		if (flags < 0 || fstat(fd, &st) < 0)
			continue; /* closed */
		if (!(flags & O_PATH) && !S_ISDIR(st.st_mode) && !S_ISBLK(st.st_mode) && !S_ISLNK(st.st_mode))
			continue;
		err_set(e, EINVAL, "standard stream %d is a directory, a disk or a mere place in a tree", fd);
		return err_fix(e, "give a file, a pipe, a terminal or /dev/null");
	}
	return 0;
}

int streams_write_only(struct err *e)
{
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++) {
		auto_close int write_fd = -1;
		char path[32];

		if (!isatty(fd) || (fcntl(fd, F_GETFL) & O_ACCMODE) != O_RDWR)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		write_fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
		if (write_fd < 0 || dup2(write_fd, fd) < 0)
			return may_not(e);
	}
	return 0;
}

int streams_own_null(bool interactive, struct err *e)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		bool empty = fd == STDIN_FILENO && !interactive;
		auto_close int null_fd = -1;
		struct stat st;

		if (!empty && (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3)))
			continue;
		null_fd = open("/dev/null", (fd == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
		if (null_fd < 0 || dup2(null_fd, fd) < 0)
			return err_sys(e, "replace standard stream %d by the null device", fd);
	}
	return 0;
}
