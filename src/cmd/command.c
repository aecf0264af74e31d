#include "cmd/command.h"
#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int command_print(const char *text, struct err *e)
{
	int r = fd_write_all(STDOUT_FILENO, text, strlen(text));

	if (r == 0)
		return EXIT_OK;
	errno = -r;
	return err_sys(e, "write to standard output");
}
