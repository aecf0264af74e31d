/*
 * libFuzzer: any bytes as a launch document. It fills a spec in which everything holds what its
 * parser promises, or it fails with an error that has a code and a text.
 */
#include "base/path.h"
#include "base/str.h"
#include "spec/load.h"
#include "spec/option.h"
#include "spec/value.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void must_be_clean(const char *path)
{
	auto_free char *clean = path_clean("/", path);

	must(path[0] == '/' && str_eq(clean, path) && str_is_printable(path));
}

static void check(const struct spec *s)
{
	must(s->network <= NETWORK_GVISOR_HOST && s->service_mode <= MODE_PRODUCTION &&
	     s->pids > 0);
	must(s->memory <= INT64_MAX && s->rootfs_size > 0 && s->rootfs_size <= INT64_MAX);
	must_be_clean(s->home);
	if (s->workspace)
		must(s->workspace[0] == '/');
	for (size_t i = 0; i < s->volumes.count; i++) {
		must(s->volumes.items[i].source[0] == '/');
		must_be_clean(s->volumes.items[i].destination);
	}
	for (size_t i = 0; i < s->tmpfs.count; i++)
		must_be_clean(s->tmpfs.items[i].destination);
	for (size_t i = 0; i < s->env.count; i++)
		must(!value_is_loader_variable(s->env.items[i]));
	/* What belongs to the command line cannot come from a document. */
	must(!s->config && s->config_fd == -1 && s->result_fd == -1 && !s->dry_run && !s->help);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_spec struct spec s = { 0 };
	auto_free char *exact = malloc(size ? size : 1);
	struct err e = { 0 };
	int r;

	if (size)
		memcpy(exact, data, size);
	spec_init(&s);
	r = load_document("fuzz", exact, size, FOR_RUN, &s, &e);
	if (r == 0)
		check(&s);
	else
		must(r == -e.code && e.text[0] && (e.code == EINVAL || e.code == EFBIG));
	return 0;
}
