#include "run/probe_kernel.h"
#include "base/defer.h"
#include "base/kernel.h"
#include "sandbox/landlock.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

void probe_clone3(const struct probe *p, struct fact *f)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args, sizeof(args));

	(void)p;
	if (pid == 0)
		_exit(0);
	if (pid < 0) {
		fact_errno(f, errno, "clone3");
		return;
	}
	waitpid(pid, NULL, 0);
	fact_ok(f, "works");
}

/* All that a launch does with one: name a process, signal it, wait for it. */
static void use_pidfd(const struct probe *p, struct fact *f)
{
	auto_close int fd = -1;
	siginfo_t info;
	pid_t pid = fork();

	(void)p;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	if (pid < 0) {
		fact_errno(f, errno, "fork"); /* and never on to kill(-1) */
		return;
	}
	fd = sys_pidfd_open(pid, 0);
	if (fd < 0)
		fact_errno(f, errno, "pidfd_open");
	else if (sys_pidfd_send_signal(fd, SIGKILL) < 0)
		fact_errno(f, errno, "pidfd_send_signal");
	else if (waitid((idtype_t)P_PIDFD, (id_t)fd, &info, WEXITED) < 0)
		fact_errno(f, errno, "waitid(P_PIDFD)");
	else
		fact_ok(f, "opened, signalled, waited for");
	if (f->status != FACT_OK) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

void probe_pidfd(const struct probe *p, struct fact *f)
{
	probe_in_child(use_pidfd, p, f);
}

void probe_close_range(const struct probe *p, struct fact *f)
{
	(void)p;
	/* a range far above any descriptor: asks for the flag and touches nothing */
	if (sys_close_range(~0U - 1, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		fact_errno(f, errno, "close_range(CLOSE_RANGE_CLOEXEC)");
	else
		fact_ok(f, "works, with CLOSE_RANGE_CLOEXEC");
}

void probe_openat2(const struct probe *p, struct fact *f)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	auto_close int fd = sys_openat2(AT_FDCWD, "/", &how);

	(void)p;
	if (fd < 0)
		fact_errno(f, errno, "openat2");
	else
		fact_ok(f, "works");
}

/* struct mnt_id_req of its first version; headers of 2023 lack it. */
struct mount_request {
	uint32_t size, spare;
	uint64_t id, param;
};

void probe_statmount(const struct probe *p, struct fact *f)
{
	enum { NR_STATMOUNT = 457, NR_LISTMOUNT = 458, BASIC = 2 };
	struct mount_request request = { .size = sizeof(request), .id = UINT64_MAX /* LSMT_ROOT */ };
	uint64_t ids[1], answer[128];
	long n = syscall(NR_LISTMOUNT, &request, ids, 1UL, 0U);

	(void)p;
	if (n < 0) {
		fact_errno(f, errno, "listmount");
		return;
	}
	if (n > 0) {
		request.id = ids[0];
		request.param = BASIC;
	}
	if (n > 0 && syscall(NR_STATMOUNT, &request, answer, sizeof(answer), 0U) < 0)
		fact_errno(f, errno, "statmount");
	else
		fact_ok(f, "work");
}

static void confine(const struct probe *p, struct fact *f)
{
	uint64_t handled = LANDLOCK_ACCESS_FS_READ_DIR;
	auto_close int ruleset_fd = sys_landlock_create_ruleset(&handled, sizeof(handled), 0);
	auto_close int fd = -1;

	(void)p;
	if (ruleset_fd < 0) {
		fact_errno(f, errno, "landlock_create_ruleset");
		return;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sys_landlock_restrict_self(ruleset_fd, 0) < 0) {
		fact_errno(f, errno, "landlock_restrict_self");
		return;
	}
	fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		fact_missing(f, "installed, but it did not deny");
	else
		fact_ok(f, "denies, ABI %d", landlock_abi());
}

void probe_landlock(const struct probe *p, struct fact *f)
{
	if (sys_landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0 && errno == EOPNOTSUPP) {
		fact_missing(f, "built, but not enabled");
		fact_cause(f, "landlock is not in the list of security modules that the kernel was started with");
		fact_fix(f,
			 "sudo sed -i \"s/^GRUB_CMDLINE_LINUX=\\\"/&lsm=landlock,$(cat /sys/kernel/security/lsm) /\" "
			    "/etc/default/grub && sudo update-grub && sudo reboot");
		return;
	}
	probe_in_child(confine, p, f);
}

void probe_landlock_lacks(int abi, char *text, unsigned long size)
{
	static const struct {
		int abi;
		const char *right;
	} rights[] = { { 2, "refer" }, { 3, "truncate" }, { 4, "bind and connect of TCP" }, { 5, "ioctl of devices" },
		       { 6, "scope of signals and abstract sockets" } };
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < sizeof(rights) / sizeof(*rights) && len < size; i++)
		if (rights[i].abi > abi)
			len += (size_t)snprintf(text + len, size - len, "%s%s (ABI %d)", len ? ", " : "",
						rights[i].right,
						rights[i].abi);
}

void probe_landlock_rights(const struct probe *p, struct fact *f)
{
	int abi = landlock_abi();
	char lacks[200];

	(void)p;
	probe_landlock_lacks(abi, lacks, sizeof(lacks));
	if (abi < 1)
		fact_missing(f, "none");
	else if (abi < 3)
		fact_missing(f, "ABI %d lacks %s", abi, lacks);
	else if (lacks[0])
		fact_degraded(f, "ABI %d lacks %s", abi, lacks);
	else
		fact_ok(f, "all that Nucleus uses, ABI %d", abi);
}

/* Refuses getppid(2) in a way that nothing else does. */
static void filter(const struct probe *p, struct fact *f)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOANO),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	(void)p;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || sys_seccomp(SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		fact_errno(f, errno, "seccomp(SECCOMP_SET_MODE_FILTER)");
	else if (syscall(SYS_getppid) >= 0 || errno != ENOANO)
		fact_missing(f, "installed, but it did not deny");
	else
		fact_ok(f, "denies");
}

void probe_seccomp_filter(const struct probe *p, struct fact *f)
{
	probe_in_child(filter, p, f);
}

void probe_seccomp_action(const struct probe *p, struct fact *f)
{
	uint32_t action = (uint32_t)p->number;

	if (sys_seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		fact_errno(f, errno, "seccomp(SECCOMP_GET_ACTION_AVAIL)");
	else
		fact_ok(f, "available");
}

void probe_lockdown(const struct probe *p, struct fact *f)
{
	auto_free char *line = probe_read_line("/sys/kernel/security/lockdown");
	const char *chosen = line ? strchr(line, '[') : NULL;

	(void)p;
	if (chosen)
		fact_ok(f, "%.*s", (int)strcspn(chosen + 1, "]"), chosen + 1);
	else
		fact_ok(f, "not told: no lockdown module, or securityfs is not mounted");
}

void probe_yama(const struct probe *p, struct fact *f)
{
	static const char *const scopes[] = { "any process of the same user", "descendants only", "root only",
					      "nobody" };
	auto_free char *line = probe_read_line("/proc/sys/kernel/yama/ptrace_scope");

	(void)p;
	if (line && line[0] >= '0' && line[0] <= '3' && !line[1])
		fact_ok(f, "%s: %s", line, scopes[line[0] - '0']);
	else
		fact_ok(f, "no Yama: %s", scopes[0]);
}
