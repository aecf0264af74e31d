#include "run/container.h"
#include "base/mem.h"
#include "run/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

int container_init(struct container *c, const struct spec *s, int signal_fd, struct err *e)
{
	unsigned char random[6];

	*c = (struct container){
		.spec = s, .uid = geteuid(), .gid = getegid(), .privileged = geteuid() == 0,
		.state = { .root_fd = -1, .fd = -1 }, .cgroup = { .fd = -1 },
		.lane = LANE_PARENT, .pid_fd = -1, .baton_fd = -1, .child_baton_fd = -1, .console_fd = -1,
		.child_console_fd = -1, .status_fd = -1, .child_status_fd = -1, .signal_fd = signal_fd, .work_fd = -1,
		.guard_fd = -1, .root_fd = -1,
		.reached = -1, .failed_stage = -1,
	};
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_sys(e, "get random bytes for the id");
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(c->id + 2 * i, 3, "%02x", random[i]);
	c->hostname = s->hostname ? s->hostname : s->name ? s->name : c->id;
	c->shared = mmap(NULL, sizeof(*c->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (c->shared == MAP_FAILED) {
		c->shared = NULL;
		return err_sys(e, "map the shared page");
	}
	c->argv = mem_alloc((s->command.count + 1) * sizeof(*c->argv));
	for (size_t i = 0; i < s->command.count; i++)
		c->argv[i] = (char *)s->command.items[i];
	mount_plan_make(s, &c->mounts);
	return environment_make(s, c->hostname, &c->envp, e);
}

void container_free(struct container *c)
{
	mount_plan_free(&c->mounts);
	environment_free(c->envp);
	free(c->argv);
	if (c->shared)
		munmap(c->shared, sizeof(*c->shared));
	c->shared = NULL;
	c->argv = c->envp = NULL;
}

void container_degrade(struct container *c, const char *what, const struct err *why)
{
	if (c->degraded_count < DEGRADED_MAX)
		c->degraded[c->degraded_count++] = (struct degradation){ .what = what, .err = *why };
}
