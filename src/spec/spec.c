#include "spec/spec.h"

#include <stdlib.h>

void spec_init(struct spec *s)
{
	*s = (struct spec){
		.home = "/home/agent",
		.rootfs_size = UINT64_C(1) << 30,
		.pids = 512,
		.config_fd = -1,
		.result_fd = -1,
	};
}

void spec_free(struct spec *s)
{
	free(s->command.items);
	free(s->env.items);
	free(s->env_file.items);
	free(s->env_fd.items);
	free(s->volumes.items);
	free(s->tmpfs.items);
	arena_free(&s->arena);
}
