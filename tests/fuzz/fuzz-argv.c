/* libFuzzer: words between NULs as an argument vector. The first byte chooses the subcommand. */
#include "base/mem.h"
#include "base/str.h"
#include "spec/option.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* The operands are the last words of the vector, as they stand there. */
static void check(const struct spec *s, int argc, char **argv)
{
	must(s->command.count <= (size_t)argc);
	for (size_t i = 0; i < s->command.count; i++)
		must(s->command.items[i] == argv[(size_t)argc - s->command.count + i]);
	must(option_given(s, "command") == (s->command.count > 0));
	must(s->network <= NETWORK_GVISOR_HOST && s->service_mode <= MODE_PRODUCTION &&
	     s->format <= FORMAT_JSON);
	must(s->config_fd == -1 || s->config_fd > 2);
}

static void parse(int argc, char **argv, unsigned scope)
{
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };
	int r;

	spec_init(&s);
	r = option_parse(argc, argv, scope, &s, &e);
	if (r == 0)
		check(&s, argc, argv);
	else
		must(r == -e.code && e.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned scopes[] = { FOR_RUN,	FOR_DOCTOR, FOR_CONFIG, FOR_FEATURES,
					   FOR_VERSION, FOR_PLAIN,  FOR_ANY };
	auto_free char *text = NULL, **argv = NULL;
	int argc = 0;

	if (!size)
		return 0;
	text = mem_dup_n((const char *)data + 1, size - 1);
	for (size_t at = 0; at < size - 1; at += strlen(text + at) + 1) {
		argv = mem_grow(argv, (size_t)argc, sizeof(*argv));
		argv[argc++] = text + at;
	}
	parse(argc, argv, scopes[data[0] % (sizeof(scopes) / sizeof(*scopes))]);
	return 0;
}
