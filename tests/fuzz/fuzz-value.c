/* libFuzzer: the first byte chooses a row of the option table, the rest is a value for it. */
#include "base/mem.h"
#include "base/str.h"
#include "spec/option.h"
#include "spec/value.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static uint64_t number(const struct option *o, const struct spec *s)
{
	return *(const uint64_t *)((const char *)s + o->offset);
}

static const char *string(const struct option *o, const struct spec *s)
{
	return *(const char *const *)((const char *)s + o->offset);
}

static void check(const struct option *o, const char *text, const struct spec *s)
{
	if (o->parse == value_size)
		must(number(o, s) > 0 && number(o, s) <= INT64_MAX);
	if (o->parse == value_count)
		must(number(o, s) > 0 && number(o, s) <= INT_MAX);
	if (o->parse == value_cpus)
		must(number(o, s) >= 10 && number(o, s) < 1000000000);
	if (o->parse == value_duration)
		must(number(o, s) > 0 && number(o, s) <= INT64_MAX / 1000000);
	if (o->parse == value_name || o->parse == value_hostname)
		must(str_eq(string(o, s), text) && strlen(text) <= 64 && !strchr(text, '/') &&
		     text[0] != '.');
	if (o->parse == value_path || o->parse == value_inside)
		must(string(o, s)[0] == '/');
	if (o->parse == value_env)
		must(s->env.count == 1 && str_eq(s->env.items[0], text) &&
		     !value_is_loader_variable(text));
	if (o->parse == value_volume)
		must(s->volumes.count == 1 && s->volumes.items[0].destination[0] == '/');
	if (o->parse == value_tmpfs)
		must(s->tmpfs.count == 1 && s->rootfs_size == UINT64_C(1) << 30);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_spec struct spec s = { 0 };
	auto_free char *text = NULL;
	struct err e = { 0 };
	const struct option *o;
	int r;

	if (!size)
		return 0;
	o = &options[data[0] % options_count];
	text = mem_dup_n((const char *)data + 1, size - 1);
	spec_init(&s);
	r = option_set(o, text, &s, &e);
	must(option_given(&s, o->name) == (r == 0));
	if (r == 0)
		check(o, text, &s);
	else
		must(r == -e.code && e.text[0]);
	return 0;
}
