/*
 * The hook before each stage (run/plan.h), for the test binary alone: the environment says at which stage what happens.
 *
 *	NUCLEUS_TEST_FAIL=STAGE		the stage fails with EIO
 *	NUCLEUS_TEST_KILL=STAGE		the process that would carry it out dies
 *	NUCLEUS_TEST_PAUSE=STAGE	it stops there and says so in the first byte of
 *					NUCLEUS_TEST_PAUSE_FILE ('1': the host's half, '2': the child), until that is '3'
 *
 * The file is mapped in the first row, before there is a child: behind a pivot, closed descriptors and a system call
 * filter a page of memory is the way that is left.
 */
#include "base/defer.h"
#include "base/str.h"
#include "run/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>

static volatile char *pause_page;

static bool asked(const char *variable, const struct stage *stage)
{
	const char *name = getenv(variable);

	return name && str_eq(name, stage->name);
}

static int map_pause_file(struct err *e)
{
	const char *path = getenv("NUCLEUS_TEST_PAUSE_FILE");
	auto_close int fd = -1;
	void *page;

	if (pause_page || !path)
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC);
	page = fd < 0 ? MAP_FAILED : mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return err_sys(e, "map %s", path);
	pause_page = page;
	return 0;
}

static _Noreturn void die(void)
{
	const struct rlimit none = { 0 };

	/* The first process of a namespace cannot kill itself by a signal, only by a fault. It shall leave no core. */
	setrlimit(RLIMIT_CORE, &none);
	kill(getpid(), SIGKILL);
	__builtin_trap();
}

static void pause_here(const struct stage *stage)
{
	const struct timespec moment = { .tv_nsec = 2000000 };

	*pause_page = stage->lane == LANE_PARENT ? '1' : '2';
	while (*pause_page != '3')
		nanosleep(&moment, NULL);
}

int plan_hook(const struct stage *stage, struct err *e)
{
	int r = map_pause_file(e);

	if (r < 0)
		return r;
	if (asked("NUCLEUS_TEST_PAUSE", stage))
		pause_here(stage);
	if (asked("NUCLEUS_TEST_KILL", stage))
		die();
	return asked("NUCLEUS_TEST_FAIL", stage) ? err_set(e, EIO, "injected failure") : 0;
}
