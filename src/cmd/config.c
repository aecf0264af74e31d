/* `config check`: what run would say about a document, without running. */
#include "base/image.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "cmd/command.h"
#include "data/tree.h"
#include "spec/check.h"
#include "spec/load.h"
#include "spec/option.h"

#include <errno.h>
#include <string.h>

#pragma weak json_parse
#pragma weak ini_parse

/* The file whose faults are being told. */
static void report_fault(const struct err *fault, void *arg)
{
	struct err e = *fault;

	err_in(&e, "%s", (const char *)arg);
	log_err(&e);
}

/*
 * The whole rule table holds for the file that a run would obey; a draft elsewhere need not be
 * root's yet.
 */
static int check_host_file(const char *path, struct err *e)
{
	auto_spec struct spec s = { 0 };
	auto_free char *text = NULL;
	struct ceilings c;
	bool found = false;
	size_t len = 0;
	int r;

	spec_init(&s);
	if (str_eq(path, LOAD_HOST_FILE)) {
		r = load_host_file(path, &s, &c, &found, e);
		return r == 0 && !found ? err_set(e, ENOENT, "%s: there is no such file", path) : r;
	}
	r = file_read(path, TREE_MAX_BYTES, &text, &len);
	if (r < 0) {
		errno = -r;
		return err_sys(e, "%s", path);
	}
	return load_host_text(path, text, len, &s, &c, e);
}

/* Returns 1 where rules are violated, which are then told; fails on a document that is wrong. */
static int check_document(const char *path, struct err *e)
{
	auto_spec struct spec s = { 0 };
	const struct option *command = option_by_key("command", FOR_RUN);
	int r;

	spec_init(&s);
	s.config = path;
	r = load_config(&s, FOR_RUN, &s, e);
	if (r < 0)
		return r;
	/* A document may leave the command to the command line. */
	s.config = NULL;
	if (!s.command.count && command)
		option_set(command, "true", &s, e);
	return spec_check(&s, report_fault, (void *)path) > 0;
}

static int check_file(const char *path, struct buf *ok)
{
	struct err e = { 0 };
	int r = str_ends(path, ".conf") ? check_host_file(path, &e) : check_document(path, &e);

	if (r < 0)
		log_err(&e);
	if (r == 0) {
		buf_escaped(ok, path, strlen(path));
		buf_puts(ok, ": ok\n");
	}
	return r == 0 ? EXIT_OK : EXIT_NEGATIVE;
}

static int check_files(const struct list *files, struct err *e)
{
	int status = EXIT_OK;

	for (size_t i = 0; i < files->count; i++) {
		auto_buf struct buf ok = { 0 };

		if (check_file(files->items[i], &ok) != EXIT_OK)
			status = EXIT_NEGATIVE;
		else if (command_print(ok.text, e) < 0)
			return -e->code;
	}
	return status;
}

int cmd_config(int argc, char **argv, struct err *e)
{
	auto_spec struct spec s = { 0 };
	bool check = argc > 0 && str_eq(argv[0], "check");
	int r = option_parse(argc - check, argv + check, FOR_CONFIG, &s, e);

	if (r < 0)
		return r;
	if (s.help)
		return help_command(command_find("config"), e);
	if (!check || !s.command.count) {
		err_set(e, EINVAL,
			check ? "no file to check" : "config: the one thing to do is check");
		return err_fix(e, "nucleus config check FILE...");
	}
	/* Before the first word is said, for it would be said twice. */
	if (!json_parse || !ini_parse)
		return image_exec_full(e);
	return check_files(&s.command, e);
}
