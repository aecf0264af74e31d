#include "sandbox/seccomp.h"
#include "base/kernel.h"
#include "sandbox/seccomp_filter.h"

#include <linux/filter.h>
#include <linux/seccomp.h>

int seccomp_install_default(struct err *e)
{
	struct sock_fprog program = { .len = seccomp_default_filter_len,
				      .filter = (struct sock_filter *)seccomp_default_filter };

	if (sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		return err_sys(e, "install the filter");
	return 0;
}
