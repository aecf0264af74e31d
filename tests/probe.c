/*
 * The workload of test containers: a static program that stands inside and tries ONE forbidden thing, or tells ONE fact.
 *
 *	probe VERB [ARG...]
 *
 * A forbidden thing prints "refused: ERRNO" with status 0 where it was refused as promised, and "done: ..." with status 1
 * where it was not. A fact prints itself, with status 0. `probe list` prints all verbs. The same program run outside of
 * any sandbox is the control: there the harmless ones of the forbidden things work.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <mqueue.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* What a verb returns: REFUSED with errno, DONE, or FACT when it has printed one. */
enum outcome { REFUSED, DONE, FACT };

static char done_text[PATH_MAX + 64];
static const char *refused_text; /* in place of errno, for a refusal that is none of a call's */

__attribute__((format(printf, 1, 2)))
static enum outcome done(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(done_text, sizeof(done_text), fmt, ap);
	va_end(ap);
	return DONE;
}

static enum outcome refused(const char *text)
{
	refused_text = text;
	return REFUSED;
}

/* The verdict over a call: -1 with errno is a refusal, anything else is what must not happen. */
static enum outcome judge(long r, const char *what)
{
	return r < 0 ? REFUSED : done("%s", what);
}

/*
 * The verdict over a call that the filter has to stop: an errno that the filter does not give came from the kernel
 * behind it, which the call must not reach.
 */
static enum outcome judge_filtered(long r, const char *what)
{
	if (r < 0 && (errno == EPERM || errno == ENOSYS))
		return REFUSED;
	return done("%s reached the kernel: %s", what, r < 0 ? strerror(errno) : "success");
}

static const char *errno_name(int code)
{
#define E(name) [name] = #name
	static const char *const names[] = {
		E(EPERM), E(ENOENT), E(ESRCH), E(EINTR), E(EIO), E(ENXIO), E(E2BIG), E(ENOEXEC), E(EBADF), E(ECHILD),
		E(EAGAIN), E(ENOMEM), E(EACCES), E(EFAULT), E(EBUSY), E(EEXIST), E(EXDEV), E(ENODEV), E(ENOTDIR), E(EISDIR),
		E(EINVAL), E(ENFILE), E(EMFILE), E(ENOTTY), E(ETXTBSY), E(EFBIG), E(ENOSPC), E(ESPIPE), E(EROFS), E(EMLINK),
		E(EPIPE), E(ENOSYS), E(ELOOP), E(EOPNOTSUPP), E(EAFNOSUPPORT), E(EPROTONOSUPPORT), E(ECONNREFUSED),
		E(ENETUNREACH), E(EHOSTUNREACH), E(EUSERS), E(ENOTEMPTY), E(ETIMEDOUT), E(EADDRNOTAVAIL),
	};
#undef E
	static char number[24];

	if (code > 0 && (size_t)code < sizeof(names) / sizeof(*names) && names[code])
		return names[code];
	snprintf(number, sizeof(number), "errno %d", code);
	return number;
}

static const char *signal_name(int signal)
{
	return signal == SIGSYS ? "SIGSYS" : signal == SIGSEGV ? "SIGSEGV" : signal == SIGKILL ? "SIGKILL" : "signal";
}

/* Tries @call where it may be killed for it. */
static enum outcome in_child(long (*call)(void), const char *what)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(call() < 0 ? errno : 0);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return done("could not fork");
	if (WIFSIGNALED(status))
		return refused(signal_name(WTERMSIG(status)));
	errno = WEXITSTATUS(status);
	return judge_filtered(errno ? -1 : 0, what);
}

/* --- files ---------------------------------------------------------------------------------------------------- */

/* write DIR: makes a file in it; takes it away again where that worked. */
static int write_in(const char *dir)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/nucleus-probe-%d", dir, getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -1;
	close(fd);
	unlink(path);
	return 0;
}

static enum outcome try_write(char **arg)
{
	return judge(write_in(arg[0]), "made a file");
}

static enum outcome fact_writable(char **arg)
{
	printf("%s\n", write_in(arg[0]) == 0 ? "yes" : errno_name(errno));
	return FACT;
}

static enum outcome try_mkdir(char **arg)
{
	return judge(mkdir(arg[0], 0700), "made a directory");
}

static enum outcome try_unlink(char **arg)
{
	return judge(unlink(arg[0]), "removed it");
}

/* read PATH: a file without a byte and a directory without an entry count as closed. */
static enum outcome try_read(char **arg)
{
	int fd = open(arg[0], O_RDONLY | O_NONBLOCK);
	struct dirent *entry;
	struct stat st;
	ssize_t n;
	char c;
	DIR *dir;

	if (fd < 0 || fstat(fd, &st) < 0)
		return REFUSED;
	if (S_ISDIR(st.st_mode)) {
		dir = fdopendir(fd);
		while (dir && (entry = readdir(dir)))
			if (entry->d_name[0] != '.')
				return done("it holds %s", entry->d_name);
		return refused("empty");
	}
	n = read(fd, &c, 1);
	return n == 0 ? refused("empty") : judge(n, "read a byte of it");
}

static enum outcome try_open_write(char **arg)
{
	return judge(open(arg[0], O_WRONLY), "opened it for writing");
}

static enum outcome try_truncate(char **arg)
{
	return judge(truncate(arg[0], 0), "truncated it");
}

static enum outcome try_chmod(char **arg)
{
	struct stat st;

	/* To what it has, so that a success leaves no trace. */
	return stat(arg[0], &st) < 0 ? REFUSED : judge(chmod(arg[0], st.st_mode & 07777), "changed the mode");
}

static enum outcome try_chown(char **arg)
{
	return judge(chown(arg[0], getuid(), getgid()), "changed the owner");
}

static enum outcome try_utimes(char **arg)
{
	return judge(utimes(arg[0], NULL), "changed the times");
}

static enum outcome try_xattr(char **arg)
{
	return judge(syscall(SYS_setxattr, arg[0], "user.nucleus", "x", 1, 0), "set an attribute");
}

/* setid DIR: every way to a file with a set-user-ID bit, which it would keep outside. Tells the ways that worked. */
static enum outcome try_setid(char **arg)
{
	const mode_t mode = S_ISUID | S_ISGID | 0755;
	const struct open_how { uint64_t flags, mode, resolve; } how = { O_WRONLY | O_CREAT, mode, 0 };
	char path[PATH_MAX], ways[256] = "";
	int code = 0, fd;

	for (int way = 0; way < 9; way++) {
		static const char *const names[] = { "chmod", "fchmod", "fchmodat", "fchmodat2", "open", "creat", "mknod", "tmpfile",
						     "openat2" };
		struct stat st = { 0 };
		long r;

		snprintf(path, sizeof(path), "%s/setid-%d-%d", arg[0], getpid(), way);
		fd = way < 4 ? open(path, O_WRONLY | O_CREAT, 0644) : -1;
		r = way == 0   ? syscall(SYS_chmod, path, mode) :
		    way == 1   ? syscall(SYS_fchmod, fd, mode) :
		    way == 2   ? syscall(SYS_fchmodat, AT_FDCWD, path, mode) :
		    way == 3   ? syscall(452, AT_FDCWD, path, mode, 0) :
		    way == 4   ? (fd = open(path, O_WRONLY | O_CREAT, mode)) :
		    way == 5   ? (fd = creat(path, mode)) :
		    way == 6   ? mknod(path, S_IFREG | mode, 0) :
		    way == 7   ? (fd = open(arg[0], O_WRONLY | O_TMPFILE, mode)) :
				 (fd = (int)syscall(437, AT_FDCWD, path, &how, sizeof(how)));
		code = r < 0 ? errno : code;
		if ((fd >= 0 ? fstat(fd, &st) : stat(path, &st)) == 0 && st.st_mode & (S_ISUID | S_ISGID))
			snprintf(ways + strlen(ways), sizeof(ways) - strlen(ways), " %s", names[way]);
		unlink(path);
		if (fd >= 0)
			close(fd);
	}
	errno = code;
	return ways[0] ? done("made one by%s", ways) : REFUSED;
}

static enum outcome try_mknod_char(char **arg)
{
	return judge(mknod(arg[0], S_IFCHR | 0600, makedev(1, 3)), "made a character device");
}

static enum outcome try_mknod_block(char **arg)
{
	return judge(mknod(arg[0], S_IFBLK | 0600, makedev(254, 0)), "made a block device");
}

static enum outcome try_exec(char **arg)
{
	execv(arg[0], arg);
	return REFUSED;
}

/* What noexec promises beyond execve(2): the file cannot be mapped as code either. */
static enum outcome try_map_exec(char **arg)
{
	int fd = open(arg[0], O_RDONLY);

	if (fd < 0)
		return REFUSED;
	return judge(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED ? -1 : 0, "mapped it as code");
}

/* ".." from anywhere ends at the root, which is the container's. */
static enum outcome try_leave(char **arg)
{
	struct stat here, root;

	(void)arg;
	for (int i = 0; i < 100; i++)
		if (chdir("..") < 0)
			return REFUSED;
	if (stat(".", &here) < 0 || stat("/", &root) < 0)
		return REFUSED;
	return here.st_dev == root.st_dev && here.st_ino == root.st_ino ? refused("root") : done("left the root");
}

static enum outcome fact_cwd(char **arg)
{
	char path[PATH_MAX] = "";

	(void)arg;
	/* The call itself: the C library hides "(unreachable)". */
	puts(syscall(SYS_getcwd, path, sizeof(path)) < 0 ? errno_name(errno) : path);
	return FACT;
}

static enum outcome fact_list(char **arg)
{
	struct dirent **entries;
	int n = scandir(arg[0], &entries, NULL, alphasort);
	const char *space = "";

	for (int i = 0; i < n; i++)
		if (strcmp(entries[i]->d_name, ".") && strcmp(entries[i]->d_name, "..")) {
			printf("%s%s", space, entries[i]->d_name);
			space = " ";
		}
	puts(n < 0 ? errno_name(errno) : "");
	return FACT;
}

static enum outcome fact_stat(char **arg)
{
	struct stat st;

	if (stat(arg[0], &st) < 0)
		puts(errno_name(errno));
	else
		printf("%o %u:%u\n", st.st_mode & 07777, st.st_uid, st.st_gid);
	return FACT;
}

/* Attributes of each mount: "/usr ro,nosuid,nodev". */
static enum outcome fact_mounts(char **arg)
{
	FILE *f = fopen("/proc/self/mountinfo", "r");
	char line[4096], target[1024], options[1024];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %*s %*s %*s %1023s %1023s", target, options) == 2 && (!arg[0] || !strcmp(arg[0], target)))
			printf("%s %s\n", target, options);
	return FACT;
}

/* --- devices -------------------------------------------------------------------------------------------------- */

static bool reads(const char *path, bool zero)
{
	char data[16] = { 1 };
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));
	bool all_zero = true;

	for (size_t i = 0; i < sizeof(data); i++)
		all_zero = all_zero && !data[i];
	if (fd >= 0)
		close(fd);
	return n == sizeof(data) && all_zero == zero;
}

static int write_errno(const char *path)
{
	int fd = open(path, O_WRONLY), code = fd < 0 || write(fd, "x", 1) != 1 ? errno : 0;

	if (fd >= 0)
		close(fd);
	return code;
}

static enum outcome fact_devices(char **arg)
{
	int fd = open("/dev/null", O_RDWR | O_TRUNC);
	char c;
	bool null = fd >= 0 && read(fd, &c, 1) == 0 && write(fd, "x", 1) == 1;

	(void)arg;
	printf("null=%d zero=%d full=%d random=%d urandom=%d\n", null, reads("/dev/zero", true) && !write_errno("/dev/zero"),
	       write_errno("/dev/full") == ENOSPC && reads("/dev/full", true), reads("/dev/random", false),
	       reads("/dev/urandom", false));
	return FACT;
}

/* A new terminal through the path that programs use: what goes into one side comes out of the other. */
static int open_pty(int *slave)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0;
	unsigned number;
	char path[64];

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0)
		return -1;
	snprintf(path, sizeof(path), "/dev/pts/%u", number);
	*slave = open(path, O_RDWR | O_NOCTTY);
	return *slave < 0 ? -1 : master;
}

static enum outcome fact_pty(char **arg)
{
	int slave = -1, master = open_pty(&slave);
	char text[4] = "";

	(void)arg;
	if (master < 0 || write(master, "x\n", 2) != 2 || read(slave, text, 2) != 2)
		puts(errno_name(errno));
	else
		puts(strcmp(text, "x\n") ? "garbled" : "works");
	return FACT;
}

static enum outcome fact_shm(char **arg)
{
	int fd = shm_open("/nucleus-probe", O_RDWR | O_CREAT | O_EXCL, 0600);
	void *m = MAP_FAILED;

	(void)arg;
	if (fd >= 0 && ftruncate(fd, 4096) == 0)
		m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	puts(m == MAP_FAILED ? errno_name(errno) : "works");
	shm_unlink("/nucleus-probe");
	return FACT;
}

static enum outcome fact_mqueue(char **arg)
{
	int fd = (int)mq_open("/nucleus-probe", O_RDWR | O_CREAT | O_EXCL, 0600, NULL);

	(void)arg;
	puts(fd < 0 ? errno_name(errno) : "works");
	return FACT;
}

/* tty, and the links to the standard streams: each opens what the stream is. */
static enum outcome fact_open(char **arg)
{
	puts(open(arg[0], O_RDWR | O_NOCTTY) < 0 ? errno_name(errno) : "works");
	return FACT;
}

static enum outcome fact_append(char **arg)
{
	int fd = open(arg[0], O_WRONLY | O_APPEND);

	if (fd < 0 || write(fd, "through\n", 8) != 8)
		puts(errno_name(errno));
	return FACT;
}

static enum outcome fact_terminal(char **arg)
{
	struct winsize w = { 0 };

	(void)arg;
	ioctl(0, TIOCGWINSZ, &w);
	printf("stdin=%d stdout=%d stderr=%d size=%ux%u foreground=%d session=%d\n", isatty(0), isatty(1), isatty(2), w.ws_row,
	       w.ws_col, tcgetpgrp(0) == getpgrp(), getsid(0) == tcgetsid(0));
	return FACT;
}

/* --- calls ---------------------------------------------------------------------------------------------------- */

/*
 * Calls that the filter has to stop whatever their arguments are. These are such that the kernel behind it would answer
 * anything but EPERM, or succeed and do no harm.
 */
static char empty[128];
#define P(x) (long)(uintptr_t)(x)
static const struct call {
	const char *name;
	long number, args[5];
} calls[] = {
	{ "add_key", SYS_add_key, { P("user"), P("nucleus"), P("x"), 1, -1 } },
	{ "bpf", SYS_bpf, { 5, P(empty), sizeof(empty) } },
	{ "chroot", SYS_chroot, { P("/tmp") } },
	{ "clock_adjtime", SYS_clock_adjtime, { 0, P(empty) } },
	{ "fanotify_init", SYS_fanotify_init, { 0x200 } },
	{ "fsconfig", 431, { -1, 6 } },
	{ "fsmount", 432, { -1 } },
	{ "fsopen", 430, { P("tmpfs") } },
	{ "fspick", 433, { -1, P("/tmp") } },
	{ "get_mempolicy", SYS_get_mempolicy, { 0, 0, 0, 0, 0 } },
	{ "io_uring_enter", 426, { -1 } },
	{ "io_uring_register", 427, { -1 } },
	{ "io_uring_setup", 425, { 1, P(empty) } },
	{ "kcmp", SYS_kcmp, { 1, 1, 0, 0, 0 } },
	{ "keyctl", SYS_keyctl, { 0, -3, 1 } },
	{ "keyctl-join", SYS_keyctl, { 1, 0 } },
	{ "memfd_secret", 447, { 0 } },
	{ "migrate_pages", SYS_migrate_pages, { 0, 0, 0, 0 } },
	{ "modify_ldt", 154, { 0, P(empty), 1 } },
	{ "mount", SYS_mount, { P("none"), P("/tmp"), P("tmpfs"), 0, 0 } },
	{ "mount-bind", SYS_mount, { P("/usr"), P("/tmp"), 0, MS_BIND, 0 } },
	{ "mount-proc", SYS_mount, { P("proc"), P("/tmp"), P("proc"), 0, 0 } },
	{ "mount_setattr", 442, { -100, P("/usr"), 0, P(empty), 32 } },
	{ "move_mount", 429, { -100, P("/tmp"), -100, P("/run"), 0 } },
	{ "move_pages", SYS_move_pages, { 0, 0, 0, 0, 0 } },
	{ "msgget", SYS_msgget, { 0, 0600 } },
	{ "name_to_handle_at", SYS_name_to_handle_at, { -100, P("/"), P(empty), P(empty), 0 } },
	{ "open_by_handle_at", SYS_open_by_handle_at, { -100, P(empty), 0 } },
	{ "open_tree", 428, { -100, P("/usr"), 1 } },
	{ "perf_event_open", SYS_perf_event_open, { P(empty), 0, -1, -1, 0 } },
	{ "pidfd_getfd", 438, { -1, 0, 0 } },
	{ "pivot_root", SYS_pivot_root, { P("/tmp"), P("/tmp") } },
	{ "process_madvise", 440, { -1, 0, 0, 4, 0 } },
	{ "process_vm_readv", SYS_process_vm_readv, { 1, 0, 0, 0, 0 } },
	{ "process_vm_writev", SYS_process_vm_writev, { 1, 0, 0, 0, 0 } },
	{ "ptrace-traceme", SYS_ptrace, { PTRACE_TRACEME, 0, 0, 0 } },
	{ "ptrace-seize", SYS_ptrace, { 0x4206, 1, 0, 0 } },
	{ "quotactl", SYS_quotactl, { 0x80000100, 0, 0, 0 } },
	{ "remount", SYS_mount, { 0, P("/usr"), 0, MS_REMOUNT | MS_BIND, 0 } },
	{ "request_key", SYS_request_key, { P("user"), P("nucleus"), 0, 0 } },
	{ "setns", SYS_setns, { -1, CLONE_NEWNET } },
	{ "syslog", SYS_syslog, { 10 } },
	{ "sysfs", 139, { 3 } },
	{ "umount", SYS_umount2, { P("/proc/keys"), MNT_DETACH } },
	{ "umount-root", SYS_umount2, { P("/"), MNT_DETACH } },
	{ "unshare-user", SYS_unshare, { CLONE_NEWUSER } },
	{ "unshare-mount", SYS_unshare, { CLONE_NEWNS } },
	{ "unshare-net", SYS_unshare, { CLONE_NEWNET } },
	{ "unshare-pid", SYS_unshare, { CLONE_NEWPID } },
	{ "unshare-cgroup", SYS_unshare, { CLONE_NEWCGROUP } },
	{ "userfaultfd", SYS_userfaultfd, { 1 } },
	{ "vmsplice", SYS_vmsplice, { -1, 0, 0, 0 } },
};

/* One call of the table; without a name, the names. */
static enum outcome try_call(char **arg)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		const long *a = calls[i].args;

		if (!arg[0])
			puts(calls[i].name);
		else if (!strcmp(arg[0], calls[i].name))
			return judge_filtered(syscall(calls[i].number, a[0], a[1], a[2], a[3], a[4]), calls[i].name);
	}
	return arg[0] ? done("there is no call %s", arg[0]) : FACT;
}

/* Calls that change the host's clock, name or modules: tried with arguments that the kernel would not accept. */
static long call_init_module(void) { return syscall(SYS_init_module, NULL, 0UL, ""); }
static long call_kexec(void) { return syscall(SYS_kexec_load, 0UL, 1000000UL, NULL, 0UL); }
static long call_swapoff(void) { return syscall(SYS_swapoff, ""); }
static long call_reboot(void) { return syscall(SYS_reboot, 0, 0, 0, NULL); }
static long call_settime(void) { return syscall(SYS_clock_settime, CLOCK_REALTIME, NULL); }
static long call_sethostname(void) { return syscall(SYS_sethostname, NULL, 1000000L); }
static long call_acct(void) { return syscall(SYS_acct, "/nonexistent/x"); }

#ifdef __x86_64__
static long call_iopl(void) { return syscall(SYS_iopl, 3); }

/* getpid() of the 32-bit table, through the 32-bit gate. */
static long call_int80(void)
{
	long r;

	__asm__ volatile("int $0x80" : "=a"(r) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static long call_x32(void)
{
	return syscall(0x40000000L + SYS_getpid);
}
#endif

static const struct attack {
	const char *name;
	long (*call)(void);
} attacks[] = {
	{ "init_module", call_init_module }, { "kexec_load", call_kexec },	{ "swapoff", call_swapoff },
	{ "reboot", call_reboot },	     { "clock_settime", call_settime }, { "sethostname", call_sethostname },
	{ "acct", call_acct },
#ifdef __x86_64__
	{ "iopl", call_iopl },		     { "int80", call_int80 },		{ "x32", call_x32 },
#endif
};

static enum outcome try_attack(char **arg)
{
	for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
		if (!arg[0])
			puts(attacks[i].name);
		else if (!strcmp(arg[0], attacks[i].name))
			return in_child(attacks[i].call, arg[0]);
	}
	return arg[0] ? done("there is no attack %s", arg[0]) : FACT;
}

/* Sockets that reach further than the network namespace, or into parts of the kernel that few have looked at. */
static const struct socket_kind {
	const char *name;
	int family, type, protocol;
} sockets[] = {
	{ "alg", AF_ALG, SOCK_SEQPACKET, 0 },	  { "vsock", AF_VSOCK, SOCK_STREAM, 0 },
	{ "packet", AF_PACKET, SOCK_RAW, 0x300 }, { "raw", AF_INET, SOCK_RAW, IPPROTO_ICMP },
	{ "raw6", AF_INET6, SOCK_RAW, 58 },	  { "ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
	{ "sctp", AF_INET, SOCK_STREAM, 132 },	  { "mptcp", AF_INET, SOCK_STREAM, 262 },
	{ "udplite", AF_INET, SOCK_DGRAM, 136 },  { "audit", AF_NETLINK, SOCK_RAW, 9 },
	{ "uevent", AF_NETLINK, SOCK_RAW, 15 },	  { "netfilter", AF_NETLINK, SOCK_RAW, 12 },
	{ "xdp", 44, SOCK_RAW, 0 },		  { "bluetooth", AF_BLUETOOTH, SOCK_RAW, 1 },
	{ "can", AF_CAN, SOCK_RAW, 1 },		  { "tipc", AF_TIPC, SOCK_STREAM, 0 },
	{ "rds", 21, SOCK_SEQPACKET, 0 },	  { "kcm", 41, SOCK_DGRAM, 0 },
	{ "smc", 43, SOCK_STREAM, 0 },
};

static enum outcome try_socket(char **arg)
{
	for (size_t i = 0; i < sizeof(sockets) / sizeof(*sockets); i++) {
		const struct socket_kind *s = &sockets[i];

		if (!arg[0])
			puts(s->name);
		else if (!strcmp(arg[0], s->name))
			return judge_filtered(socket(s->family, s->type, s->protocol), s->name);
	}
	return arg[0] ? done("there is no socket %s", arg[0]) : FACT;
}

static long call_clone_newuser(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
}

static enum outcome try_clone(char **arg)
{
	(void)arg;
	return in_child(call_clone_newuser, "clone");
}

/* clone3 hides its flags from a filter, so the call as a whole is missing, for the C libraries to fall back. */
static enum outcome try_clone3(char **arg)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	long r = syscall(SYS_clone3, &args, sizeof(args));

	(void)arg;
	if (r == 0)
		_exit(0);
	return r < 0 && errno == ENOSYS ? REFUSED : done("clone3 answered something else than ENOSYS");
}

/* ioctl REQUEST: typing into a terminal, also with bits set above those that the kernel looks at. */
static enum outcome try_ioctl(char **arg)
{
	int slave = -1, master = open_pty(&slave);

	(void)master;
	return judge_filtered(syscall(SYS_ioctl, slave, strtoul(arg[0], NULL, 0), "x"), "the ioctl");
}

/* --- identity ------------------------------------------------------------------------------------------------- */

static unsigned long long status_hex(const char *key)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[512];
	size_t n = strlen(key);

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, n) && line[n] == ':')
			return strtoull(line + n + 1, NULL, 16);
	return ~0ULL;
}

static enum outcome fact_caps(char **arg)
{
	(void)arg;
	printf("inh=%llx prm=%llx eff=%llx bnd=%llx amb=%llx securebits=%x no_new_privs=%d seccomp=%llx secure=%lu\n",
	       status_hex("CapInh"), status_hex("CapPrm"), status_hex("CapEff"), status_hex("CapBnd"), status_hex("CapAmb"),
	       (unsigned)prctl(PR_GET_SECUREBITS), prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), status_hex("Seccomp"),
	       getauxval(AT_SECURE));
	return FACT;
}

static enum outcome try_capset(char **arg)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2] = { { ~0U, ~0U, ~0U }, { ~0U, ~0U, ~0U } };

	(void)arg;
	return judge(syscall(SYS_capset, &header, all), "raised capabilities");
}

static enum outcome try_securebits(char **arg)
{
	(void)arg;
	return judge(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0), "changed the securebits");
}

static enum outcome try_new_privs(char **arg)
{
	(void)arg;
	return judge(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), "took no_new_privs back");
}

static enum outcome try_setgroups(char **arg)
{
	gid_t group = 0;

	(void)arg;
	return judge(setgroups(1, &group), "set a group");
}

static enum outcome try_setuid(char **arg)
{
	return judge(setuid((uid_t)atoi(arg[0])), "changed the user");
}

static enum outcome fact_ids(char **arg)
{
	gid_t groups[64];

	(void)arg;
	printf("uid=%u,%u gid=%u,%u groups=%d\n", getuid(), geteuid(), getgid(), getegid(), getgroups(64, groups));
	return FACT;
}

static enum outcome fact_umask(char **arg)
{
	(void)arg;
	printf("%03o\n", umask(0));
	return FACT;
}

static enum outcome fact_core(char **arg)
{
	struct rlimit r;

	(void)arg;
	getrlimit(RLIMIT_CORE, &r);
	printf("%llu %llu\n", (unsigned long long)r.rlim_cur, (unsigned long long)r.rlim_max);
	return FACT;
}

static enum outcome fact_hostname(char **arg)
{
	char name[256] = "";

	(void)arg;
	gethostname(name, sizeof(name) - 1);
	puts(name);
	return FACT;
}

static enum outcome fact_namespace(char **arg)
{
	char path[64], text[64] = "";

	snprintf(path, sizeof(path), "/proc/self/ns/%s", arg[0]);
	puts(readlink(path, text, sizeof(text) - 1) < 0 ? errno_name(errno) : text);
	return FACT;
}

static enum outcome fact_file(char **arg)
{
	FILE *f = fopen(arg[0], "r");
	int c;

	if (!f)
		puts(errno_name(errno));
	while (f && (c = getc(f)) != EOF)
		putchar(c ? c : '\n');
	return FACT;
}

/* --- processes ------------------------------------------------------------------------------------------------ */

static enum outcome fact_processes(char **arg)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	const char *space = "";

	(void)arg;
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') {
			printf("%s%s", space, entry->d_name);
			space = " ";
		}
	puts("");
	return FACT;
}

/* By asking for each number, not by /proc, which could be the wrong one. */
static enum outcome fact_fds(char **arg)
{
	const char *space = "";

	(void)arg;
	for (int fd = 0; fd < 65536; fd++)
		if (fcntl(fd, F_GETFD) >= 0) {
			printf("%s%d", space, fd);
			space = " ";
		}
	puts("");
	return FACT;
}

static enum outcome try_kill(char **arg)
{
	return judge(kill(atoi(arg[0]), 0), "reached the process");
}

static enum outcome fact_pdeathsig(char **arg)
{
	int before = -1, after = -1, r;

	(void)arg;
	prctl(PR_GET_PDEATHSIG, &before);
	r = prctl(PR_SET_PDEATHSIG, 0) < 0 ? errno : 0;
	prctl(PR_GET_PDEATHSIG, &after);
	printf("before=%d clear=%s after=%d\n", before, r ? errno_name(r) : "ok", after);
	return FACT;
}

static volatile sig_atomic_t caught;

static void on_signal(int signal)
{
	caught = signal;
}

static void say_ready(void)
{
	puts("ready");
	fflush(stdout);
}

/* hear N: installs a handler, says so, waits for the signal and tells it. */
static enum outcome fact_hear(char **arg)
{
	sigset_t set, old;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, &old);
	signal(atoi(arg[0]), on_signal);
	say_ready();
	while (!caught)
		sigsuspend(&old);
	printf("heard %d\n", (int)caught);
	return FACT;
}

static _Noreturn void wait_forever(void)
{
	say_ready();
	for (;;)
		pause();
}

/* linger [HOW...]: says "ready" and waits for ever, in a way that is hard to end. The rest of argv is a mark for ps(1). */
static enum outcome fact_linger(char **arg)
{
	for (; *arg; arg++) {
		if (!strcmp(*arg, "deaf"))
			for (int s = 1; s < NSIG; s++)
				signal(s, SIG_IGN);
		else if (!strcmp(*arg, "session") && fork() == 0)
			setsid();
		else if (!strcmp(*arg, "fork") && fork() == 0 && fork() == 0)
			setsid();
		else if (!strcmp(*arg, "orphan"))
			prctl(PR_SET_PDEATHSIG, 0);
	}
	wait_forever();
}

static enum outcome fact_orphan_exit(char **arg)
{
	(void)arg;
	/* A child that outlives its parent, which PID 1 then has to reap or to take along. */
	if (fork() == 0)
		for (;;)
			pause();
	puts("left");
	return FACT;
}

/* --- network -------------------------------------------------------------------------------------------------- */

static int listener(int family, const struct sockaddr *a, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM, 0);

	return fd < 0 || bind(fd, a, len) < 0 || listen(fd, 4) < 0 ? -1 : fd;
}

static enum outcome fact_loopback(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = listener(AF_INET, (struct sockaddr *)&a, len), c = socket(AF_INET, SOCK_STREAM, 0);

	(void)arg;
	if (l < 0 || getsockname(l, (struct sockaddr *)&a, &len) < 0 || connect(c, (struct sockaddr *)&a, len) < 0)
		puts(errno_name(errno));
	else
		puts("works");
	return FACT;
}

static enum outcome fact_interfaces(char **arg)
{
	struct if_nameindex *all = if_nameindex();

	(void)arg;
	for (struct if_nameindex *i = all; i && i->if_name; i++)
		printf("%s%s", i == all ? "" : " ", i->if_name);
	puts("");
	return FACT;
}

static enum outcome try_connect(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arg[1])) };

	inet_pton(AF_INET, arg[0], &a.sin_addr);
	alarm(5);
	return judge(connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)), "connected");
}

static enum outcome try_connect6(char **arg)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(arg[1])) };

	inet_pton(AF_INET6, arg[0], &a.sin6_addr);
	alarm(5);
	return judge(connect(socket(AF_INET6, SOCK_STREAM, 0), (struct sockaddr *)&a, sizeof(a)), "connected");
}

static enum outcome try_send(char **arg)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(53) };

	inet_pton(AF_INET, arg[0], &a.sin_addr);
	return judge(sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&a, sizeof(a)), "sent a datagram");
}

static socklen_t abstract(struct sockaddr_un *a, const char *name)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "%s", name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
}

static enum outcome try_abstract(char **arg)
{
	struct sockaddr_un a;
	socklen_t len = abstract(&a, arg[0]);

	return judge(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&a, len), "connected");
}

/* The host's side of the tests: listens on an abstract socket and on a TCP port, which it prints, until it is killed. */
static enum outcome fact_listen(char **arg)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY) };
	struct sockaddr_un un;
	socklen_t len = abstract(&un, arg[0]);

	if (listener(AF_UNIX, (struct sockaddr *)&un, len) < 0)
		return done("no abstract socket");
	len = sizeof(in);
	if (getsockname(listener(AF_INET, (struct sockaddr *)&in, len), (struct sockaddr *)&in, &len) < 0)
		return done("no port");
	printf("%u\n", ntohs(in.sin_port));
	fflush(stdout);
	for (;;)
		pause();
}

/* --- the table ------------------------------------------------------------------------------------------------ */

static enum outcome fact_verbs(char **arg);

static const struct verb {
	const char *name;
	enum outcome (*run)(char **arg);
	int args; /* at least */
} verbs[] = {
	{ "list", fact_verbs, 0 },
	{ "write", try_write, 1 }, { "mkdir", try_mkdir, 1 }, { "unlink", try_unlink, 1 }, { "read", try_read, 1 },
	{ "open-write", try_open_write, 1 }, { "truncate", try_truncate, 1 }, { "chmod", try_chmod, 1 },
	{ "chown", try_chown, 1 }, { "utimes", try_utimes, 1 }, { "xattr", try_xattr, 1 },
	{ "setid", try_setid, 1 },
	{ "mknod-char", try_mknod_char, 1 }, { "mknod-block", try_mknod_block, 1 }, { "exec", try_exec, 1 },
	{ "map-exec", try_map_exec, 1 }, { "leave", try_leave, 0 },
	{ "call", try_call, 0 }, { "attack", try_attack, 0 }, { "socket", try_socket, 0 }, { "clone", try_clone, 0 },
	{ "clone3", try_clone3, 0 }, { "ioctl", try_ioctl, 1 },
	{ "capset", try_capset, 0 }, { "securebits", try_securebits, 0 }, { "new-privs", try_new_privs, 0 },
	{ "setgroups", try_setgroups, 0 }, { "setuid", try_setuid, 1 }, { "kill", try_kill, 1 },
	{ "connect", try_connect, 2 }, { "connect6", try_connect6, 2 }, { "send", try_send, 1 },
	{ "abstract", try_abstract, 1 },
	{ "writable", fact_writable, 1 }, { "cwd", fact_cwd, 0 }, { "ls", fact_list, 1 }, { "stat", fact_stat, 1 },
	{ "mounts", fact_mounts, 0 }, { "devices", fact_devices, 0 }, { "pty", fact_pty, 0 }, { "shm", fact_shm, 0 },
	{ "mqueue", fact_mqueue, 0 }, { "open", fact_open, 1 }, { "append", fact_append, 1 },
	{ "terminal", fact_terminal, 0 }, { "caps", fact_caps, 0 }, { "ids", fact_ids, 0 }, { "umask", fact_umask, 0 },
	{ "core", fact_core, 0 }, { "hostname", fact_hostname, 0 }, { "namespace", fact_namespace, 1 },
	{ "file", fact_file, 1 }, { "processes", fact_processes, 0 }, { "fds", fact_fds, 0 },
	{ "pdeathsig", fact_pdeathsig, 0 }, { "hear", fact_hear, 1 }, { "linger", fact_linger, 0 },
	{ "orphan-exit", fact_orphan_exit, 0 }, { "loopback", fact_loopback, 0 }, { "interfaces", fact_interfaces, 0 },
	{ "listen", fact_listen, 1 },
};

static enum outcome fact_verbs(char **arg)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		puts(verbs[i].name);
	return FACT;
}

int main(int argc, char **argv)
{
	enum outcome o;

	for (size_t i = 0; argc > 1 && i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(verbs[i].name, argv[1]) || argc - 2 < verbs[i].args)
			continue;
		o = verbs[i].run(argv + 2);
		if (o == REFUSED)
			printf("refused: %s\n", refused_text ? refused_text : errno_name(errno));
		else if (o == DONE)
			printf("done: %s\n", done_text);
		return o == DONE;
	}
	fprintf(stderr, "usage: probe VERB [ARG...]; probe list\n");
	return 2;
}
