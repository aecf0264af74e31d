/* spec/value: each parser takes what the manual says and refuses everything else with a sentence. */
#include "spec/value.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define AT(field) offsetof(struct spec, field)

/* One text through one parser into a spec that is fresh; the tests below read the field. */
static int parse(value_parser *p, size_t offset, const char *text, struct spec *s, struct err *e)
{
	static const char *const colours[] = { "red", "green", NULL };
	const struct option row = { .name = "x", .arg = "X", .parse = p, .offset = offset, .choices = colours };

	*e = (struct err){ 0 };
	return p(&row, text, s, e);
}

static void number(value_parser *p, const char *text, uint64_t want)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	if (parse(p, AT(memory), text, &s, &e) != 0)
		fail_msg("\"%s\": %s", text, e.text);
	if (s.memory != want)
		fail_msg("\"%s\" is %ju", text, (uintmax_t)s.memory);
}

static void refused(value_parser *p, const char *text)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	if (parse(p, AT(memory), text, &s, &e) >= 0)
		fail_msg("\"%s\" was accepted", text);
	assert_true(e.code > 0);
	assert_true(e.text[0]);
	assert_int_equal(s.memory, 0);
}

static void digits_are_digits(void **state)
{
	uint64_t n = 7;

	(void)state;
	assert_int_equal(value_digits("18446744073709551615", &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(value_digits("0", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(value_digits("18446744073709551616", &n), -ERANGE);
	assert_int_equal(value_digits("99999999999999999999999999", &n), -ERANGE);
	assert_int_equal(value_digits("", &n), -EINVAL);
	assert_int_equal(value_digits("-1", &n), -EINVAL);
	assert_int_equal(value_digits("+1", &n), -EINVAL);
	assert_int_equal(value_digits(" 1", &n), -EINVAL);
	assert_int_equal(value_digits("0x1", &n), -EINVAL);
	assert_int_equal(n, 0);
}

static void sizes_are_binary(void **state)
{
	static const char *const wrong[] = { "", "0", "0K", "-1", "+1", "1.5G", " 1", "1 ", "1 K", "K", "1KB", "1KiB", "1e3",
					     "0x10", "1P", "1ki", "9223372036854775808", "8388608T", "18446744073709551616",
					     "99999999999999999999999999999999", "1\n" };

	(void)state;
	number(value_size, "1", 1);
	number(value_size, "512B", 512);
	number(value_size, "1K", 1024);
	number(value_size, "1k", 1024);
	number(value_size, "3Mi", 3 << 20);
	number(value_size, "2G", UINT64_C(2) << 30);
	number(value_size, "1Ti", UINT64_C(1) << 40);
	number(value_size, "007", 7);
	number(value_size, "9223372036854775807", INT64_MAX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refused(value_size, wrong[i]);
}

static void durations_have_units(void **state)
{
	static const char *const wrong[] = { "", "0", "0ms", "1d", "1.5s", "-1", "s", "1 s", "1S", "9223372036854775807h",
					     "1h30m" };

	(void)state;
	number(value_duration, "30", 30000);
	number(value_duration, "30s", 30000);
	number(value_duration, "250ms", 250);
	number(value_duration, "5m", 300000);
	number(value_duration, "2h", 7200000);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refused(value_duration, wrong[i]);
}

static void cpus_are_thousandths(void **state)
{
	static const char *const wrong[] = { "", "0", "0.0", "0.009", "0.0001", "1.", ".5", "1.2345", "1.5.5", "-1", "1,5", "1e3",
					     "1000000", "1.5 ", "." };

	(void)state;
	number(value_cpus, "1", 1000);
	number(value_cpus, "1.5", 1500);
	number(value_cpus, "0.25", 250);
	number(value_cpus, "0.01", 10);
	number(value_cpus, "2.125", 2125);
	number(value_cpus, "999999.999", 999999999);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refused(value_cpus, wrong[i]);
}

static void counts_are_above_zero(void **state)
{
	static const char *const wrong[] = { "", "0", "-1", "1K", "2147483648", "99999999999999999999" };

	(void)state;
	number(value_count, "1", 1);
	number(value_count, "2147483647", INT_MAX);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		refused(value_count, wrong[i]);
}

static void switches_and_choices_take_their_words_alone(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(value_switch, AT(tty), "true", &s, &e), 0);
	assert_true(s.tty);
	assert_int_equal(parse(value_switch, AT(tty), "false", &s, &e), 0);
	assert_false(s.tty);
	assert_int_equal(parse(value_switch, AT(tty), "yes", &s, &e), -EINVAL);
	assert_int_equal(parse(value_switch, AT(tty), "", &s, &e), -EINVAL);
	assert_int_equal(parse(value_choice, AT(network), "green", &s, &e), 0);
	assert_int_equal(s.network, 1);
	assert_int_equal(parse(value_choice, AT(network), "gree", &s, &e), -EINVAL);
	assert_string_equal(e.text, "\"gree\" is not one of red, green");
}

static void descriptors_are_above_two(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(value_fd, AT(config_fd), "3", &s, &e), 0);
	assert_int_equal(s.config_fd, 3);
	assert_int_equal(parse(value_fd, AT(config_fd), "2", &s, &e), -EINVAL);
	assert_int_equal(parse(value_fd, AT(config_fd), "2147483648", &s, &e), -EINVAL);
	assert_int_equal(parse(value_fd, AT(config_fd), "4294967299", &s, &e), -EINVAL);
	assert_int_equal(s.config_fd, 3);
	assert_int_equal(parse(value_fds, AT(env_fd), "5", &s, &e), 0);
	assert_int_equal(parse(value_fds, AT(env_fd), "0", &s, &e), -EINVAL);
	assert_int_equal(parse(value_fds, AT(env_fd), "five", &s, &e), -EINVAL);
	assert_int_equal(s.env_fd.count, 1);
	assert_string_equal(s.env_fd.items[0], "5");
}

static const char *name_of(size_t len)
{
	static char text[8192];

	memset(text, 'a', len);
	text[len] = '\0';
	return text;
}

static void names_make_good_file_names(void **state)
{
	static const char *const wrong[] = { "", ".", "..", "-a", "_a", "a/b", "a b", "a\n", "\xc3\xa9", "a:b" };
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(value_name, AT(name), "a.b_c-1", &s, &e), 0);
	assert_string_equal(s.name, "a.b_c-1");
	assert_int_equal(parse(value_name, AT(name), name_of(63), &s, &e), 0);
	assert_int_equal(parse(value_name, AT(name), name_of(64), &s, &e), -EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse(value_name, AT(name), wrong[i], &s, &e), -EINVAL);
}

static void host_names_follow_rfc_1123(void **state)
{
	static const char *const wrong[] = { "", "-a", "a-", "a.", ".a", "a_b", "a b", "\xc3\xa9" };
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(value_hostname, AT(hostname), "box-1.example", &s, &e), 0);
	assert_int_equal(parse(value_hostname, AT(hostname), name_of(64), &s, &e), 0);
	assert_int_equal(parse(value_hostname, AT(hostname), name_of(65), &s, &e), -EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse(value_hostname, AT(hostname), wrong[i], &s, &e), -EINVAL);
}

static void host_paths_become_absolute_and_keep_their_dots(void **state)
{
	auto_spec struct spec s = { 0 };
	auto_free char *cwd = getcwd(NULL, 0);
	struct err e;

	(void)state;
	assert_int_equal(parse(value_path, AT(workspace), "/a/../b", &s, &e), 0);
	assert_string_equal(s.workspace, "/a/../b");
	assert_int_equal(parse(value_path, AT(workspace), "x/../y", &s, &e), 0);
	assert_true(str_starts(s.workspace, cwd));
	assert_true(str_ends(s.workspace, "/x/../y"));
	assert_int_equal(parse(value_path, AT(workspace), "", &s, &e), -EINVAL);
	assert_int_equal(parse(value_path, AT(workspace), name_of(PATH_MAX), &s, &e), -ENAMETOOLONG);
}

static void inner_paths_are_absolute_and_clean(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(value_inside, AT(home), "/a/../../b//c/.", &s, &e), 0);
	assert_string_equal(s.home, "/b/c");
	assert_int_equal(parse(value_inside, AT(home), "a", &s, &e), -EINVAL);
	assert_int_equal(parse(value_inside, AT(home), "", &s, &e), -EINVAL);
	assert_int_equal(parse(value_inside, AT(home), "/a\nb", &s, &e), -EINVAL);
}

static void strings_are_not_empty_and_printable(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(value_string, AT(name), "x y", &s, &e), 0);
	assert_int_equal(parse(value_string, AT(name), "", &s, &e), -EINVAL);
	assert_int_equal(parse(value_string, AT(name), "\x1b", &s, &e), -EINVAL);
	assert_string_equal(s.name, "x y");
}

static void variables_of_the_loader_are_refused(void **state)
{
	static const char *const wrong[] = { "LD_PRELOAD=x", "LD_LIBRARY_PATH", "LD_AUDIT=", "GLIBC_TUNABLES=x", "GCONV_PATH=x" };
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(value_env, AT(env), "A=1\n2", &s, &e), 0);
	assert_int_equal(parse(value_env, AT(env), "A", &s, &e), 0);
	assert_int_equal(parse(value_env, AT(env), "A=", &s, &e), 0);
	assert_int_equal(parse(value_env, AT(env), "OLD_LD_PRELOAD=", &s, &e), 0);
	assert_int_equal(parse(value_env, AT(env), "=x", &s, &e), -EINVAL);
	assert_int_equal(parse(value_env, AT(env), "", &s, &e), -EINVAL);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(parse(value_env, AT(env), wrong[i], &s, &e), -EPERM);
	assert_int_equal(s.env.count, 4);
	assert_string_equal(s.env.items[0], "A=1\n2");
}

static void volume(const char *text, const char *source, const char *destination, bool ro, bool exec)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	if (parse(value_volume, AT(volumes), text, &s, &e) < 0)
		fail_msg("%s: %s", text, e.text);
	assert_int_equal(s.volumes.count, 1);
	assert_string_equal(s.volumes.items[0].source, source);
	assert_string_equal(s.volumes.items[0].destination, destination);
	assert_int_equal(s.volumes.items[0].read_only, ro);
	assert_int_equal(s.volumes.items[0].exec, exec);
}

static void volumes_that_can_be_written_are_not_executed(void **state)
{
	static const char *const wrong[] = { "", ":", "a", "a:", ":/b", "a:b", "/a:/b:xx", "/a:/b:ro:rw", "/a:/b:r", "/a:/b:,",
					     "/a:/b:ro,,rw", "/a:/b\n" };

	(void)state;
	volume("/a:/b", "/a", "/b", false, false);
	volume("/a:/b/../c:ro", "/a", "/c", true, true);
	volume("/a:/b:rw,exec", "/a", "/b", false, true);
	volume("/a:/b:exec,ro,noexec", "/a", "/b", true, false);
	volume("/a:/b:ro,nosuid,nodev", "/a", "/b", true, true);
	volume("/a:/b:", "/a", "/b", false, false);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		auto_spec struct spec s = { 0 };
		struct err e;

		if (parse(value_volume, AT(volumes), wrong[i], &s, &e) >= 0)
			fail_msg("\"%s\" was accepted", wrong[i]);
		assert_int_equal(s.volumes.count, 0);
	}
}

static void a_tmpfs_has_a_size_of_its_own(void **state)
{
	static const char *const wrong[] = { "", "a", "/a:", "/a:size=", "/a:size=0", "/a:mode=1", "/a:size=1:size=2" };
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	s.rootfs_size = 5;
	assert_int_equal(parse(value_tmpfs, AT(tmpfs), "/a", &s, &e), 0);
	assert_int_equal(parse(value_tmpfs, AT(tmpfs), "/b/.:size=2K", &s, &e), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (parse(value_tmpfs, AT(tmpfs), wrong[i], &s, &e) >= 0)
			fail_msg("\"%s\" was accepted", wrong[i]);
	assert_int_equal(s.tmpfs.count, 2);
	assert_int_equal(s.tmpfs.items[0].size, 0);
	assert_string_equal(s.tmpfs.items[1].destination, "/b");
	assert_int_equal(s.tmpfs.items[1].size, 2048);
	assert_int_equal(s.rootfs_size, 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(digits_are_digits),
		cmocka_unit_test(sizes_are_binary),
		cmocka_unit_test(durations_have_units),
		cmocka_unit_test(cpus_are_thousandths),
		cmocka_unit_test(counts_are_above_zero),
		cmocka_unit_test(switches_and_choices_take_their_words_alone),
		cmocka_unit_test(descriptors_are_above_two),
		cmocka_unit_test(names_make_good_file_names),
		cmocka_unit_test(host_names_follow_rfc_1123),
		cmocka_unit_test(host_paths_become_absolute_and_keep_their_dots),
		cmocka_unit_test(inner_paths_are_absolute_and_clean),
		cmocka_unit_test(strings_are_not_empty_and_printable),
		cmocka_unit_test(variables_of_the_loader_are_refused),
		cmocka_unit_test(volumes_that_can_be_written_are_not_executed),
		cmocka_unit_test(a_tmpfs_has_a_size_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
