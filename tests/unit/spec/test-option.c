/* spec/option: argv of every shape. */
#include "spec/option.h"
#include "base/defer.h"
#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })

static int parse_for(unsigned scope, char **argv, struct spec *s, struct err *e)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	*e = (struct err){ 0 };
	spec_init(s);
	return option_parse(argc, argv, scope, s, e);
}

static int parse(char **argv, struct spec *s, struct err *e)
{
	return parse_for(FOR_RUN, argv, s, e);
}

/* Fails with @text in the error and @fix in the fix. */
static void refused(char **argv, const char *text, const char *fix)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	assert_int_equal(parse(argv, &s, &e), -EINVAL);
	if (!strstr(e.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, e.text);
	if (!strstr(e.fix, fix))
		fail_msg("\"%s\" is not in \"%s\"", fix, e.fix);
}

static void long_options_take_the_next_word_or_what_is_attached(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(
		parse(ARGV("--name", "a", "--hostname=b", "--env=K=V=W", "--env", "-x", "cmd"), &s,
		      &e),
		0);
	assert_string_equal(s.name, "a");
	assert_string_equal(s.hostname, "b");
	assert_int_equal(s.env.count, 2);
	assert_string_equal(s.env.items[0], "K=V=W");
	assert_string_equal(s.env.items[1], "-x");
	assert_int_equal(s.command.count, 1);
	assert_true(option_given(&s, "name"));
	assert_false(option_given(&s, "memory"));
}

static void letters_share_a_word(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(ARGV("-it", "-eK=V", "-e", "B", "-iteC=1", "-m512M"), &s, &e), 0);
	assert_true(s.interactive && s.tty);
	assert_int_equal(s.env.count, 3);
	assert_string_equal(s.env.items[0], "K=V");
	assert_string_equal(s.env.items[1], "B");
	assert_string_equal(s.env.items[2], "C=1");
	assert_int_equal(s.memory, 512 << 20);
}

static void options_end_at_the_first_operand(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(ARGV("-i", "ls", "--name", "-t", "--"), &s, &e), 0);
	assert_int_equal(s.command.count, 4);
	assert_string_equal(s.command.items[1], "--name");
	assert_string_equal(s.command.items[3], "--");
	assert_null(s.name);
	assert_false(s.tty);
}

static void options_end_at_two_dashes(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(ARGV("-i", "--", "--name", "x"), &s, &e), 0);
	assert_int_equal(s.command.count, 2);
	assert_string_equal(s.command.items[0], "--name");
	assert_null(s.name);
}

static void a_dash_and_an_empty_word_are_operands(void **state)
{
	auto_spec struct spec one = { 0 }, two = { 0 }, three = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(ARGV("-", "-i"), &one, &e), 0);
	assert_int_equal(one.command.count, 2);
	assert_int_equal(parse(ARGV("", "-i"), &two, &e), 0);
	assert_int_equal(two.command.count, 2);
	assert_string_equal(two.command.items[0], "");
	assert_int_equal(parse(ARGV("--", "", ""), &three, &e), 0);
	assert_int_equal(three.command.count, 2);
}

static void nothing_is_nothing(void **state)
{
	auto_spec struct spec s = { 0 }, only_dashes = { 0 };
	struct err e;

	(void)state;
	spec_init(&s);
	assert_int_equal(option_parse(0, ARGV(NULL), FOR_RUN, &s, &e), 0);
	assert_int_equal(s.command.count, 0);
	assert_false(option_given(&s, "command"));
	assert_int_equal(parse(ARGV("--"), &only_dashes, &e), 0);
	assert_int_equal(only_dashes.command.count, 0);
	assert_false(option_given(&only_dashes, "command"));
}

static void unknown_options_name_the_nearest(void **state)
{
	auto_free char *long_one = mem_alloc(5000);

	(void)state;
	refused(ARGV("--memroy", "1G"), "unknown option --memroy", "--memory");
	refused(ARGV("--memroy=1G"), "unknown option --memroy", "--memory");
	refused(ARGV("--Name"), "unknown option --Name", "--name");
	refused(ARGV("--work"), "unknown option --work", "--workdir");
	refused(ARGV("--bananas"), "unknown option --bananas", "nucleus help");
	refused(ARGV("--=x"), "unknown option --", "nucleus help");
	refused(ARGV("---"), "unknown option ---", "nucleus help");
	refused(ARGV("-Z"), "unknown option -Z", "nucleus help");
	refused(ARGV("-iZ"), "unknown option -Z", "nucleus help");
	refused(ARGV("--command", "x"), "unknown option --command", "");
	memset(long_one, '-', 4999);
	refused(ARGV(long_one), "...", "nucleus help");
}

static void arguments_are_asked_for_and_judged(void **state)
{
	(void)state;
	refused(ARGV("--name"), "--name needs an argument NAME", "");
	refused(ARGV("-e"), "--env needs an argument K[=V]", "");
	refused(ARGV("--name", ""), "option --name: \"\" is not a name", "");
	refused(ARGV("--name="), "option --name: \"\" is not a name", "");
	refused(ARGV("--tty=maybe"), "option --tty: \"maybe\" is neither", "");
	refused(ARGV("--strict-agent=x"), "--strict-agent takes no argument", "");
	refused(ARGV("--service-mode", "strict"), "is not one of agent, strict-agent, production",
		"");
}

static void switches_can_be_turned_off(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(ARGV("--tty=true", "--init", "--init=false"), &s, &e), 0);
	assert_true(s.tty);
	assert_false(s.init);
	assert_true(option_given(&s, "init"));
}

static void two_names_of_one_field_are_given_together(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(ARGV("--strict-agent"), &s, &e), 0);
	assert_int_equal(s.service_mode, MODE_STRICT_AGENT);
	assert_true(option_given(&s, "strict-agent"));
	assert_true(option_given(&s, "service-mode"));
}

static void each_command_has_its_own_options(void **state)
{
	auto_spec struct spec s = { 0 }, plain = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse_for(FOR_DOCTOR, ARGV("--format", "json", "--help"), &s, &e), 0);
	assert_int_equal(s.format, FORMAT_JSON);
	assert_true(s.help);
	assert_int_equal(parse_for(FOR_DOCTOR, ARGV("--memory", "1G"), &s, &e), -EINVAL);
	assert_int_equal(parse_for(FOR_PLAIN, ARGV("--help"), &plain, &e), 0);
	assert_true(plain.help);
	assert_int_equal(parse_for(FOR_PLAIN, ARGV("--format", "json"), &plain, &e), -EINVAL);
}

static void a_hundred_thousand_operands_are_kept(void **state)
{
	enum { N = 100000 };
	auto_free char **argv = mem_alloc((N + 1) * sizeof(*argv));
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < N; i++)
		argv[i] = (char *)(i % 2 ? "" : "--tty");
	argv[0] = (char *)"cmd";
	assert_int_equal(parse(argv, &s, &e), 0);
	assert_int_equal(s.command.count, N);
	assert_ptr_equal(s.command.items[N - 1], argv[N - 1]);
	assert_true(option_given(&s, "command"));
}

static void keys_and_names_find_each_other(void **state)
{
	char key[OPTION_KEY_MAX];

	(void)state;
	for (size_t i = 0; i < options_count; i++) {
		const struct option *o = &options[i];

		assert_true(strlen(o->name) < sizeof(key));
		option_key(o, key);
		assert_null(strchr(key, '-'));
		assert_ptr_equal(option_by_key(key, o->scope),
				 o->flags & OPTION_FLAG_ONLY ? NULL : o);
		assert_ptr_equal(option_by_name(o->name, strlen(o->name), o->scope),
				 o->flags & OPTION_DOCUMENT_ONLY ? NULL : o);
		if (strchr(o->name, '-'))
			assert_null(option_by_key(o->name, FOR_RUN));
	}
	assert_null(option_by_letter('\0', FOR_RUN));
	assert_null(option_by_name("nam", 3, FOR_RUN));
	assert_null(option_by_name("", 0, FOR_RUN));
}

/* What load.c, help.c and the others rely on in every row. */
static void the_rows_are_well_formed(void **state)
{
	(void)state;
	for (size_t i = 0; i < options_count; i++) {
		const struct option *o = &options[i];

		assert_non_null(o->parse);
		assert_true(o->help && *o->help && o->scope);
		assert_true(!o->value || (!o->arg && (o->flags & OPTION_FLAG_ONLY)));
		assert_true(!(o->flags & OPTION_CEILING) || o->offset % sizeof(uint64_t) == 0);
		for (size_t k = 0; k < i; k++)
			assert_false(str_eq(o->name, options[k].name) &&
				     (o->scope & options[k].scope));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_options_take_the_next_word_or_what_is_attached),
		cmocka_unit_test(letters_share_a_word),
		cmocka_unit_test(options_end_at_the_first_operand),
		cmocka_unit_test(options_end_at_two_dashes),
		cmocka_unit_test(a_dash_and_an_empty_word_are_operands),
		cmocka_unit_test(nothing_is_nothing),
		cmocka_unit_test(unknown_options_name_the_nearest),
		cmocka_unit_test(arguments_are_asked_for_and_judged),
		cmocka_unit_test(switches_can_be_turned_off),
		cmocka_unit_test(two_names_of_one_field_are_given_together),
		cmocka_unit_test(each_command_has_its_own_options),
		cmocka_unit_test(a_hundred_thousand_operands_are_kept),
		cmocka_unit_test(keys_and_names_find_each_other),
		cmocka_unit_test(the_rows_are_well_formed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
