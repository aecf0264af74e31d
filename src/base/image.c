#include "base/image.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/kernel.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

extern char **environ;

/* Provided by the embedded full image (build/full-image.o), which only the launch image is linked with. */
extern const char full_image_start[] __attribute__((weak));
extern const char full_image_end[] __attribute__((weak));

static char **image_argv;

void image_init(char **argv)
{
	image_argv = argv;
}

static int memory_file(void)
{
	int fd = (int)syscall(SYS_memfd_create, "nucleus", 1U /* MFD_CLOEXEC */ | MFD_EXEC);

	/* Before Linux 6.3 every memory file is executable and the flag is unknown. */
	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_memfd_create, "nucleus", 1U);
	return fd;
}

int image_exec_full(struct err *e)
{
	auto_close int fd = -1;
	int r;

	if (!full_image_start)
		return err_set(e, ENOTSUP, "this build of nucleus lacks the libraries for this feature");
	fd = memory_file();
	if (fd < 0)
		return err_sys(e, "load the full image");
	r = fd_write_all(fd, full_image_start, (size_t)(full_image_end - full_image_start));
	if (r < 0) {
		errno = -r;
		return err_sys(e, "load the full image into memory");
	}
	syscall(SYS_execveat, fd, "", image_argv, environ, AT_EMPTY_PATH);
	err_sys(e, "start the full image");
	if (e->code == ENOENT)
		err_why(e, "its dynamic loader (ld-linux) or a library of it is not installed");
	if (e->code == EACCES)
		err_why(e, "sysctl vm.memfd_noexec forbids programs in memory files");
	return -e->code;
}

void image_forget(void)
{
	for (char **p = image_argv; p && *p; p++)
		explicit_bzero(*p, strlen(*p));
}
