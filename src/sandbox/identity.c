#include "sandbox/identity.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { JOIN_SESSION_KEYRING = 1 }; /* KEYCTL_JOIN_SESSION_KEYRING, keyctl(2) */

int identity_apply(const struct identity *id, struct err *e)
{
	struct rlimit core = { 0 }, tasks = { id->processes, id->processes };

	if (!id->user_namespace && setgroups(0, NULL) < 0)
		return err_sys(e, "clear the supplementary groups");
	/* A kernel without keyrings has none to leak. */
	if (syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return err_sys(e, "join a new session keyring");
	if (setsid() < 0 && errno != EPERM)
		return err_sys(e, "open a session");
	umask(022);
	/* core_pattern is the host's: a crash inside may start no handler outside. */
	if (setrlimit(RLIMIT_CORE, &core) < 0)
		return err_sys(e, "forbid core files");
	if (id->user_namespace && id->processes && setrlimit(RLIMIT_NPROC, &tasks) < 0 && errno != EPERM)
		return err_sys(e, "limit processes");
	return 0;
}

int identity_die_with_parent(struct err *e)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return err_sys(e, "die with the parent");
	return 0;
}
