/*
 * compile PROFILE [-o FILE]: the profile as the C definition of what include/sandbox/seccomp_filter.h
 * declares, for the architecture of the machine that builds.
 */
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "policies/seccomp/filter.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static void print_program(struct buf *out, const char *profile, const struct sock_filter *code,
			  unsigned short len)
{
	buf_printf(out, "/* Made from %s. Do not edit. */\n#include \"sandbox/seccomp_filter.h\"\n\n",
		   path_name(profile));
	buf_puts(out, "const struct sock_filter seccomp_default_filter[] = {\n");
	for (unsigned i = 0; i < len; i++)
		buf_printf(out, "\t{ 0x%02x, %u, %u, 0x%08x },\n", code[i].code, code[i].jt, code[i].jf,
			   code[i].k);
	buf_printf(out, "};\nconst unsigned short seccomp_default_filter_len = %u;\n", len);
}

static int compile(const char *profile, struct buf *out, struct err *e)
{
	auto_(profile_free) struct profile p = { 0 };
	auto_free struct sock_filter *code = NULL;
	unsigned short len;

	if (profile_read(&p, profile, e) < 0)
		return -e->code;
	if (filter_build(&p, &code, &len, e) < 0)
		return err_in(e, "%s", profile);
	print_program(out, profile, code, len);
	return 0;
}

static int write_out(const char *path, const struct buf *out, struct err *e)
{
	auto_close int file_fd =
		path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : dup(STDOUT_FILENO);
	int r;

	if (file_fd < 0)
		return err_sys(e, "%s", path ? path : "stdout");
	r = fd_write_all(file_fd, out->text, out->len);
	return r < 0 ? err_set(e, -r, "%s: %s", path ? path : "stdout", strerror(-r)) : 0;
}

int main(int argc, char **argv)
{
	auto_buf struct buf out = { 0 };
	struct err e = { 0 };

	if (argc != 2 && !(argc == 4 && str_eq(argv[2], "-o"))) {
		fprintf(stderr, "usage: compile PROFILE [-o FILE]\n");
		return 2;
	}
	if (compile(argv[1], &out, &e) < 0 || write_out(argc == 4 ? argv[3] : NULL, &out, &e) < 0) {
		fprintf(stderr, "compile: %s\n", e.text);
		return 1;
	}
	return 0;
}
