/* spec/load: documents, the host file, and who wins. */
#include "spec/load.h"
#include "base/defer.h"
#include "base/mem.h"
#include "base/str.h"
#include "spec/option.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cmocka.h>

static int load(const char *text, struct spec *s, struct err *e)
{
	*e = (struct err){ 0 };
	return load_document("doc", text, strlen(text), FOR_RUN, s, e);
}

static void loads(const char *text, struct spec *s)
{
	struct err e;

	if (load(text, s, &e) < 0)
		fail_msg("%s", e.text);
}

/* The document fails with @begin at the beginning of the error and @fix in the fix. */
static void refused(const char *text, const char *begin, const char *fix)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	spec_init(&s);
	assert_int_equal(load(text, &s, &e), -EINVAL);
	if (!str_starts(e.text, begin))
		fail_msg("\"%s\" does not begin with \"%s\"", e.text, begin);
	if (!strstr(e.fix, fix))
		fail_msg("\"%s\" is not in \"%s\"", fix, e.fix);
}

static void toml_and_json_say_the_same(void **state)
{
	static const char *const documents[] = {
		"command = [\"ls\", \"\", \"-l\"]\nmemory = 536870912\ntty = true\ncpus = 1.5\nenv = [\"A=1\", \"B\"]\n"
		"env_fd = [3, \"4\"]\nservice_mode = \"production\"\nvolume = [\"/a:/b:ro\"]\ntimeout = 30\n",
		" \n\t{\"command\": [\"ls\", \"\", \"-l\"], \"memory\": \"512M\", \"tty\": true, \"cpus\": \"1.5\",\n"
		"\"env\": [\"A=1\", \"B\"], \"env_fd\": [3, \"4\"], \"service_mode\": \"production\", \"volume\": [\"/a:/b:ro\"],"
		"\"timeout\": \"30s\"}",
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		auto_spec struct spec s = { 0 };

		spec_init(&s);
		loads(documents[i], &s);
		assert_int_equal(s.command.count, 3);
		assert_string_equal(s.command.items[1], "");
		assert_int_equal(s.memory, 512 << 20);
		assert_true(s.tty);
		assert_int_equal(s.cpus_milli, 1500);
		assert_int_equal(s.env.count, 2);
		assert_string_equal(s.env_fd.items[1], "4");
		assert_int_equal(s.service_mode, MODE_PRODUCTION);
		assert_true(s.volumes.items[0].read_only);
		assert_int_equal(s.timeout_ms, 30000);
		assert_true(option_given(&s, "memory"));
		assert_false(option_given(&s, "pids"));
		assert_int_equal(s.pids, 512);
	}
}

static void an_empty_document_changes_nothing(void **state)
{
	static const char *const documents[] = { "",	    "\n\n",    "# only a comment",
						 "{}",	    "  { }\n", "\xef\xbb\xbf{}",
						 "env = []" };

	(void)state;
	for (size_t i = 0; i < sizeof(documents) / sizeof(*documents); i++) {
		auto_spec struct spec s = { 0 };

		spec_init(&s);
		loads(documents[i], &s);
		assert_int_equal(s.pids, 512);
		assert_int_equal(s.env.count, 0);
		assert_string_equal(s.home, "/home/agent");
	}
}

static void errors_name_line_key_and_fix(void **state)
{
	(void)state;
	refused("tty = true\nmemroy = \"1G\"\n", "doc:2:10: unknown key \"memroy\"", "memory");
	refused("{\n\n \"memroy\": 1}", "doc:3:12: unknown key \"memroy\"", "memory");
	refused("env-file = []", "doc:1:12: unknown key \"env-file\"", "env_file");
	refused("xyzzy = 1", "doc:1:9: unknown key \"xyzzy\"", "nucleus schema");
	refused("\"\" = 1", "doc:1:6: unknown key \"\"", "");
	refused("\"name\\u0000x\" = 'a'", "doc:1:", "");
	refused("config = 'x'", "doc:1:10: config has no meaning", "--config");
	refused("dry_run = true", "doc:1:11: dry_run has no meaning", "--dry-run");
	refused("strict_agent = true", "doc:1:16: strict_agent has no meaning", "--strict-agent");
	refused("\n\nname = '-x'", "doc:3:8: name: \"-x\" is not a name", "");
	refused("env = ['LD_PRELOAD=x']", "doc:1:8: env: LD_PRELOAD", "");
	refused("env = ['A=1',\n 'B=2',\n '=3']", "doc:3:2: env: ", "");
	refused("a = ", "doc:1:", "");
	refused("{\"a\"", "doc:1:", "");
	refused("[1]", "doc:1:", "");
	refused("[run]\nmemory = 1", "doc:1:", "nucleus schema");
}

static void types_are_those_of_the_row(void **state)
{
	(void)state;
	refused("tty = 'true'", "doc:1:7: tty: expected true or false, not a string", "tty = true");
	refused("{\"tty\": 1}", "doc:1:9: tty: expected true or false, not an integer",
		"\"tty\": true");
	refused("name = 5", "doc:1:8: name: expected a string, not an integer", "name = \"5\"");
	refused("name = true", "doc:1:8: name: expected a string, not a boolean", "");
	refused("memory = true", "doc:1:10: memory: expected a number or a string, not a boolean",
		"");
	refused("memory = {a = 1}", "doc:1:10: memory: expected a number or a string, not a table",
		"");
	refused("{\"memory\": null}", "doc:1:12: memory: expected a number or a string, not null",
		"");
	refused("memory = 1979-05-27",
		"doc:1:10: memory: expected a number or a string, not a local date", "");
	refused("memory = 0", "doc:1:10: memory: \"0\" is not a size", "");
	refused("memory = -5", "doc:1:10: memory: \"-5\" is not a size", "");
	refused("memory = 1.5", "doc:1:10: memory: \"1.5\" is not a size", "");
	refused("memory = inf", "doc:1:10: memory: \"inf\" is not a size", "");
	refused("cpus = nan", "doc:1:8: cpus: ", "");
	refused("env = 'A=1'", "doc:1:7: env: expected an array, not a string", "env = [\"A=1\"]");
	refused("{\"env\": \"A=1\"}", "doc:1:9: env: expected an array, not a string",
		"\"env\": [\"A=1\"]");
	refused("env = [1]", "doc:1:8: env: expected a string, not an integer", "");
	refused("env = [['A']]", "doc:1:8: env: expected a string, not an array", "");
	refused("env_fd = [2]", "doc:1:11: env_fd: ", "");
	refused("name = ['a']", "doc:1:8: name: expected a string, not an array", "");
	refused("name = \"a\\u0000b\"", "doc:1:8: name: the value holds a NUL", "");
	refused("command = [\"a\\u0000b\"]", "doc:1:12: command: the value holds a NUL", "");
}

static void floats_are_taken_as_they_were_written(void **state)
{
	static const struct {
		const char *text;
		uint64_t milli;
	} cases[] = { { "cpus = 0.1", 100 },
		      { "cpus = 0.123", 123 },
		      { "cpus = 2.0", 2000 },
		      { "cpus = 3", 3000 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_spec struct spec s = { 0 };

		loads(cases[i].text, &s);
		assert_int_equal(s.cpus_milli, cases[i].milli);
	}
	refused("cpus = 0.1234", "doc:1:8: cpus: \"0.1234\" is not", "");
}

static void parse_flags(char **argv, struct spec *s)
{
	struct err e;
	int argc = 0;

	while (argv[argc])
		argc++;
	spec_init(s);
	if (option_parse(argc, argv, FOR_RUN, s, &e) < 0)
		fail_msg("%s", e.text);
}

#define ARGV(...) ((char *[]){ __VA_ARGS__, NULL })

static void flags_win_over_the_document(void **state)
{
	auto_spec struct spec s = { 0 };

	(void)state;
	parse_flags(ARGV("--memory", "1G", "-e", "F=1", "--tty=false", "--strict-agent", "from",
			 "flags"),
		    &s);
	loads("memory = '2G'\npids = 7\nenv = ['D=1', 'D=2']\ntty = true\nservice_mode = 'agent'\ncommand = ['from', 'doc', 'x']\n",
	      &s);
	assert_int_equal(s.memory, 1 << 30);
	assert_int_equal(s.pids, 7);
	assert_int_equal(s.env.count, 1);
	assert_string_equal(s.env.items[0], "F=1");
	assert_false(s.tty);
	assert_int_equal(s.service_mode, MODE_STRICT_AGENT);
	assert_int_equal(s.command.count, 2);
	assert_string_equal(s.command.items[1], "flags");
}

static void what_a_flag_overrides_must_be_valid(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e;

	(void)state;
	parse_flags(ARGV("--memory", "1G"), &s);
	assert_int_equal(load("memory = 'lots'", &s, &e), -EINVAL);
	assert_int_equal(s.memory, 1 << 30);
}

static int load_host(const char *text, struct spec *s, struct ceilings *c, struct err *e)
{
	*e = (struct err){ 0 };
	return load_host_text("host", text, strlen(text), s, c, e);
}

static void the_host_comes_before_the_document_and_after_the_builtin(void **state)
{
	static const char host[] =
		"[defaults]\nmemory = 3G\npids = 9\ntty = true\nnetwork = host\n";
	struct ceilings c;
	struct err e;

	(void)state;
	/* In either order. */
	for (int host_first = 0; host_first < 2; host_first++) {
		auto_spec struct spec s = { 0 };

		parse_flags(ARGV("--network", "none"), &s);
		if (host_first)
			assert_int_equal(load_host(host, &s, &c, &e), 0);
		loads("memory = '2G'", &s);
		if (!host_first)
			assert_int_equal(load_host(host, &s, &c, &e), 0);
		assert_true(s.memory == UINT64_C(2) << 30);
		assert_int_equal(s.pids, 9);
		assert_true(s.tty);
		assert_int_equal(s.network, NETWORK_NONE);
		assert_false(option_given(&s, "pids"));
		assert_int_equal(load_check_ceilings(&s, &c, &e), 0);
	}
}

static void a_bad_host_file_is_refused(void **state)
{
	static const struct {
		const char *text, *begin;
	} cases[] = {
		{ "[defaults]\nmemroy = 1G\n", "host:2:10: unknown key \"memroy\"" },
		{ "[defaults]\nmemory = x\n", "host:2:10: memory: " },
		{ "[defaults]\ntty = yes\n", "host:2:7: tty: " },
		{ "[defaults]\nenv = A=1\n", "host:2:7: env: a list" },
		{ "[defaults]\nconfig = /x\n", "host:2:10: config has no meaning" },
		{ "[ceilings]\nname = x\n", "host:2:8: name may have a default" },
		{ "[ceilings]\nmemory = 0\n", "host:2:10: memory: " },
		{ "[limits]\nmemory = 1G\n", "host:1:" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		auto_spec struct spec s = { 0 };
		struct ceilings c = { .value = { 42 } };
		struct err e;

		spec_init(&s);
		assert_int_equal(load_host(cases[i].text, &s, &c, &e), -EINVAL);
		if (!str_starts(e.text, cases[i].begin))
			fail_msg("\"%s\" does not begin with \"%s\"", e.text, cases[i].begin);
		assert_int_equal(c.value[0], 42);
	}
}

static void a_ceiling_lowers_defaults(void **state)
{
	auto_spec struct spec s = { 0 };
	struct ceilings c;
	struct err e;

	(void)state;
	spec_init(&s);
	assert_int_equal(
		load_host(
			"[ceilings]\nmemory = 1G\ncpus = 1.5\npids = 100\nrootfs_size = 2G\n[defaults]\nmemory = 8G\n",
			&s, &c, &e),
		0);
	assert_int_equal(s.memory, 1 << 30);	   /* the host's own default was higher */
	assert_int_equal(s.cpus_milli, 1500);	   /* was unlimited */
	assert_int_equal(s.pids, 100);		   /* was 512 */
	assert_int_equal(s.rootfs_size, 1 << 30);  /* was lower */
	assert_int_equal(load_check_ceilings(&s, &c, &e), 0);
}

static void exceeds(char **argv, const char *document, const char *text)
{
	auto_spec struct spec s = { 0 };
	struct ceilings c;
	struct err e;

	parse_flags(argv, &s);
	assert_int_equal(
		load_host("[ceilings]\nmemory = 1536M\ncpus = 1.5\npids = 100\nrootfs_size = 2G\n",
			  &s, &c, &e),
		0);
	loads(document, &s);
	assert_int_equal(load_check_ceilings(&s, &c, &e), text ? -EPERM : 0);
	if (text)
		assert_string_equal(e.text, text);
}

static void asking_for_more_than_a_ceiling_is_refused(void **state)
{
	(void)state;
	exceeds(ARGV("--memory", "2G"), "",
		"option --memory: 2G is more than the host allows, 1536M");
	exceeds(ARGV("--memory", "1536M", "--cpus=1.5", "--pids=100", "--rootfs-size=2G"), "",
		NULL);
	exceeds(ARGV("--memory", "1"), "", NULL);
	exceeds(ARGV("--cpus", "1.501"), "",
		"option --cpus: 1.501 is more than the host allows, 1.5");
	exceeds(ARGV("ls"), "pids = 101", "option --pids: 101 is more than the host allows, 100");
	exceeds(ARGV("ls"), "pids = 99", NULL);
	exceeds(ARGV("--tmpfs", "/x:size=3G"), "",
		"option --tmpfs: 3G is more than the host allows, 2G");
	exceeds(ARGV("--tmpfs", "/x:size=2G", "--tmpfs", "/y"), "", NULL);
}

static char *make_file(const char *text, mode_t mode)
{
	char *path = mem_dup("/tmp/nucleus-test-load.XXXXXX");
	auto_close int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	return path;
}

static void the_host_file_is_roots_alone(void **state)
{
	auto_free char *path = make_file("[defaults]\npids = 5\n", 0644);
	auto_spec struct spec s = { 0 };
	struct ceilings c = { .value = { 1 } };
	struct err e = { 0 };
	bool found = false;

	(void)state;
	spec_init(&s);
	if (geteuid() == 0) {
		assert_int_equal(load_host_file(path, &s, &c, &found, &e), 0);
		assert_true(found);
		assert_int_equal(s.pids, 5);
		chmod(path, 0664);
		assert_int_equal(load_host_file(path, &s, &c, &found, &e), -EPERM);
		assert_non_null(strstr(e.fix, "chmod go-w"));
		chmod(path, 0602);
		assert_int_equal(load_host_file(path, &s, &c, &found, &e), -EPERM);
		chmod(path, 0644);
		assert_int_equal(chown(path, 12345, 0), 0);
	}
	assert_int_equal(load_host_file(path, &s, &c, &found, &e), -EPERM);
	assert_non_null(strstr(e.fix, "chown root"));
	unlink(path);
	assert_int_equal(load_host_file(path, &s, &c, &found, &e), 0);
	assert_false(found);
	assert_int_equal(c.value[0], 0);
	alarm(5);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load_host_file(path, &s, &c, &found, &e), -EINVAL);
	alarm(0);
	unlink(path);
}

static void config_files_are_read_or_explained(void **state)
{
	auto_free char *path = make_file("pids = 5\n", 0600);
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };

	(void)state;
	spec_init(&s);
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), 0);
	s.config = path;
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), 0);
	assert_int_equal(s.pids, 5);
	unlink(path);
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), -ENOENT);
	alarm(5);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), -EINVAL);
	assert_non_null(strstr(e.text, "not a regular file"));
	assert_non_null(strstr(e.fix, "--config-fd"));
	alarm(0);
	unlink(path);
	s.config = "/tmp";
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), -EISDIR);
	s.config_fd = 3;
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), -EINVAL);
}

static void a_seekable_descriptor_is_left_where_it_stands(void **state)
{
	static const char text[] = "{} pids = 5\n";
	auto_close int fd = memfd_create("test", MFD_CLOEXEC);
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };

	(void)state;
	spec_init(&s);
	s.config_fd = fd;
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	lseek(fd, 3, SEEK_SET);
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), 0);
	assert_int_equal(s.pids, 5);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 3);
}

static void a_pipe_is_a_document_too(void **state)
{
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };
	int ends[2];

	(void)state;
	spec_init(&s);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "{\"pids\": 6}", 11), 11);
	close(ends[1]);
	s.config_fd = ends[0];
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), 0);
	assert_int_equal(s.pids, 6);
	close(ends[0]);
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), -EBADF);
}

static void too_much_is_refused(void **state)
{
	auto_close int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	auto_spec struct spec s = { 0 };
	struct err e = { 0 };

	(void)state;
	spec_init(&s);
	s.config_fd = zero;
	assert_int_equal(load_config(&s, FOR_RUN, &s, &e), -EFBIG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(toml_and_json_say_the_same),
		cmocka_unit_test(an_empty_document_changes_nothing),
		cmocka_unit_test(errors_name_line_key_and_fix),
		cmocka_unit_test(types_are_those_of_the_row),
		cmocka_unit_test(floats_are_taken_as_they_were_written),
		cmocka_unit_test(flags_win_over_the_document),
		cmocka_unit_test(what_a_flag_overrides_must_be_valid),
		cmocka_unit_test(the_host_comes_before_the_document_and_after_the_builtin),
		cmocka_unit_test(a_bad_host_file_is_refused),
		cmocka_unit_test(a_ceiling_lowers_defaults),
		cmocka_unit_test(asking_for_more_than_a_ceiling_is_refused),
		cmocka_unit_test(the_host_file_is_roots_alone),
		cmocka_unit_test(config_files_are_read_or_explained),
		cmocka_unit_test(a_seekable_descriptor_is_left_where_it_stands),
		cmocka_unit_test(a_pipe_is_a_document_too),
		cmocka_unit_test(too_much_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
