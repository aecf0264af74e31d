#include "sandbox/identity.h"

#include <errno.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { JOIN_SESSION_KEYRING = 1 }; /* KEYCTL_JOIN_SESSION_KEYRING, keyctl(2) */

/* A hard limit can be lowered by everybody; one that is lower already is as good. */
static int limit_processes(uint64_t processes, struct err *e)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NPROC, &limit) < 0)
		return err_sys(e, "ask for the limit of processes");
	if (limit.rlim_max < processes)
		return 0;
	limit.rlim_cur = limit.rlim_max = processes;
	return setrlimit(RLIMIT_NPROC, &limit) < 0 ? err_sys(e, "limit processes") : 0;
}

int identity_apply(const struct identity *id, struct err *e)
{
	struct rlimit core = { 0 };

	if (!id->user_namespace && setgroups(0, NULL) < 0)
		return err_sys(e, "clear the supplementary groups");
	/* A kernel without keyrings has none to leak. */
	if (syscall(SYS_keyctl, JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
		return err_sys(e, "join a new session keyring");
	/* EPERM says that we lead a group already; only that of a session will do. */
	if (setsid() < 0 && getsid(0) != getpid())
		return err_sys(e, "open a session");
	umask(022);
	/* core_pattern is the host's: a crash inside may start no handler outside. */
	if (setrlimit(RLIMIT_CORE, &core) < 0)
		return err_sys(e, "forbid core files");
	return id->user_namespace && id->processes ? limit_processes(id->processes, e) : 0;
}
