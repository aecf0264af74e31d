#include "policies/seccomp/reference.h"
#include "base/defer.h"
#include "base/fd.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static void release(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

static int failed(int r, const char *what, struct err *e)
{
	return err_set(e, -r, "libseccomp: %s: %s", what, strerror(-r));
}

static int export_program(scmp_filter_ctx ctx, struct sock_filter **ret_code, size_t *ret_len,
			  struct err *e)
{
	auto_close int memory_fd = memfd_create("filter", MFD_CLOEXEC);
	char *bytes;
	size_t size;
	int r;

	if (memory_fd < 0)
		return err_sys(e, "memfd_create");
	r = seccomp_export_bpf(ctx, memory_fd);
	if (r < 0)
		return failed(r, "export", e);
	if (lseek(memory_fd, 0, SEEK_SET) < 0)
		return err_sys(e, "lseek");
	r = fd_read_all(memory_fd, BPF_MAXINSNS * sizeof(**ret_code), &bytes, &size);
	if (r < 0)
		return failed(r, "export", e);
	*ret_code = (struct sock_filter *)(void *)bytes;
	*ret_len = size / sizeof(**ret_code);
	return 0;
}

/* rule_add_exact, unlike rule_add, fails where it cannot express a rule as it stands. */
int reference_build(const struct profile *p, struct sock_filter **ret_code, size_t *ret_len, struct err *e)
{
	auto_(release) scmp_filter_ctx ctx = seccomp_init(p->default_action);
	int r;

	if (!ctx)
		return failed(-EINVAL, "default action", e);
	r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (r < 0)
		return failed(r, "other architectures", e);
	/* As a search tree: the verifier is done sooner. */
	r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r < 0)
		return failed(r, "search tree", e);
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct profile_rule *rule = &p->rules[i];

		r = seccomp_rule_add_exact_array(ctx, rule->action, rule->nr, rule->condition_count,
						 rule->conditions);
		if (r < 0)
			return failed(r, rule->name, e);
	}
	return export_program(ctx, ret_code, ret_len, e);
}
