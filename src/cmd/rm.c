/* nucleus rm: removes the records that --keep left. */
#include "base/image.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/command.h"
#include "run/state.h"
#include "spec/option.h"

#include <errno.h>

int cmd_rm(int argc, char **argv, struct err *e)
{
	auto_spec struct spec s;
	int status = EXIT_OK, r;

	spec_init(&s);
	r = option_parse(argc, argv, FOR_RM, &s, e);
	if (r < 0)
		return r;
	if (s.help)
		return help_command ? help_command(command_find("rm"), e) : image_exec_full(e);
	if (s.command.count == 0)
		return err_set(e, EINVAL, "no container named");
	for (size_t i = 0; i < s.command.count; i++)
		if (state_remove(s.command.items[i], e) < 0) {
			log_err(e);
			status = EXIT_NEGATIVE;
		}
	return status;
}
