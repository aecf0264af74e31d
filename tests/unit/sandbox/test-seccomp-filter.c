/* What the default filter promises, asked of the program that is installed. That it is what its profile
 * says is proved by policies/seccomp/verify.c; that the profile says the right thing, here. */
#include "sandbox/seccomp_filter.h"
#include "tests/bpf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define HIGH (1ULL << 32)
#define LENGTH(array) (sizeof(array) / sizeof(*(array)))

enum {
	ALLOW = (int)SECCOMP_RET_ALLOW,
	KILL = (int)SECCOMP_RET_KILL_PROCESS,
	REFUSED = (int)SECCOMP_RET_ERRNO | EPERM,
	ABSENT = (int)SECCOMP_RET_ERRNO | ENOSYS,
	X32 = 0x40000000,
};

static int answer(uint32_t arch, int nr, uint64_t a, uint64_t b, uint64_t c)
{
	struct seccomp_data data = { .arch = arch, .nr = nr, .args = { a, b, c } };
	struct bpf_result r;

	assert_true(bpf_run(seccomp_default_filter, seccomp_default_filter_len, &data, &r));
	return (int)r.action;
}

static int native(int nr, uint64_t a, uint64_t b, uint64_t c)
{
	return answer(seccomp_arch_native(), nr, a, b, c);
}

/* Calls by name, since not every architecture has each: those that it does not have are passed over. */
static void assert_calls(const char *const *names, int want)
{
	for (; *names; names++) {
		int nr = seccomp_syscall_resolve_name(*names);
		int got = nr < 0 ? want : native(nr, 0, 0, 0);

		if (got != want)
			fail_msg("%s: %#x, not %#x", *names, (unsigned)got, (unsigned)want);
	}
}

static void ordinary_calls_pass_and_are_cached(void **state)
{
	static const int calls[] = {
		SYS_read, SYS_write, SYS_close, SYS_mmap, SYS_futex, SYS_newfstatat, SYS_execve,
		SYS_exit_group, SYS_rt_sigaction, SYS_wait4, SYS_connect, SYS_recvmsg, SYS_epoll_ctl,
		SYS_clock_gettime, SYS_getrandom,
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(calls); i++) {
		struct seccomp_data data = { .arch = seccomp_arch_native(), .nr = calls[i] };
		struct bpf_result r;

		assert_true(bpf_run(seccomp_default_filter, seccomp_default_filter_len, &data, &r));
		assert_int_equal((int)r.action, ALLOW);
		assert_true(r.constant);
	}
}

static void privileged_calls_are_refused(void **state)
{
	static const char *const names[] = {
		"mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
		"mount_setattr", "unshare", "setns", "ptrace", "process_vm_readv", "process_vm_writev",
		"process_madvise", "pidfd_getfd", "kcmp", "bpf", "perf_event_open", "userfaultfd", "keyctl",
		"add_key", "request_key", "io_uring_setup", "io_uring_enter", "io_uring_register",
		"io_setup", "open_by_handle_at", "name_to_handle_at", "fanotify_init", "quotactl",
		"sethostname", "setdomainname", "settimeofday", "clock_settime", "adjtimex", "syslog",
		"acct", "reboot", "vhangup", "modify_ldt", "mbind", "move_pages", "vmsplice", "msgget",
		"mq_open", "remap_file_pages", NULL,
	};

	(void)state;
	assert_calls(names, REFUSED);
}

static void attacks_end_the_process(void **state)
{
	static const char *const names[] = {
		"init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "iopl",
		"ioperm", "swapon", "swapoff", NULL,
	};

	(void)state;
	assert_calls(names, KILL);
}

static void unknown_calls_are_absent(void **state)
{
	(void)state;
	assert_int_equal(native(435 /* clone3 */, 0, 0, 0), ABSENT);
	for (int nr = 470; nr < 5000; nr++)
		assert_int_equal(native(nr, 0, 0, 0), ABSENT);
	assert_int_equal(native(X32 - 1, 0, 0, 0), ABSENT);
}

static void other_architectures_end_the_process(void **state)
{
	static const uint32_t arches[] = { AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64,
					   AUDIT_ARCH_ARM, 0 };

	(void)state;
	for (size_t i = 0; i < LENGTH(arches); i++)
		for (int nr = 0; nr < 1024; nr++) {
			if (arches[i] != seccomp_arch_native())
				assert_int_equal(answer(arches[i], nr, 0, 0, 0), KILL);
			if (arches[i] == AUDIT_ARCH_X86_64)
				assert_int_equal(answer(arches[i], nr | X32, 0, 0, 0), KILL);
		}
}

static void no_namespace_by_clone(void **state)
{
	static const uint64_t flags[] = {
		CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID,
		CLONE_NEWNET,
	};
	const uint64_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
				CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;

	(void)state;
	assert_int_equal(native(SYS_clone, thread, 0, 0), ALLOW);
	assert_int_equal(native(SYS_clone, CLONE_VM | CLONE_VFORK | 17 /* SIGCHLD */, 0, 0), ALLOW);
	for (size_t i = 0; i < LENGTH(flags); i++) {
		assert_int_equal(native(SYS_clone, flags[i], 0, 0), REFUSED);
		assert_int_equal(native(SYS_clone, thread | flags[i], 0, 0), REFUSED);
		assert_int_equal(native(SYS_clone, HIGH | flags[i], 0, 0), REFUSED);
	}
}

static void nothing_types_into_a_terminal(void **state)
{
	static const uint64_t refused[] = { TIOCSTI, TIOCLINUX, TIOCSETD };
	static const uint64_t allowed[] = {
		TCGETS, TCSETSW, TIOCGWINSZ, TIOCSWINSZ, TIOCGPGRP, TIOCSPGRP, TIOCSCTTY, TIOCNOTTY,
		TIOCGPTN, TIOCSPTLCK, TIOCGPTPEER, FIONREAD, FIONBIO, FIOCLEX, 0x40049409 /* FICLONE */,
		0x8912 /* SIOCGIFCONF */, 0x80086601 /* FS_IOC_GETFLAGS */, 0xffffffff80045430 /* TIOCGPTN
		by way of an int */,
	};

	(void)state;
	for (size_t i = 0; i < LENGTH(refused); i++) {
		assert_int_equal(native(SYS_ioctl, 0, refused[i], 0), REFUSED);
		for (unsigned bit = 32; bit < 64; bit++)
			assert_int_equal(native(SYS_ioctl, 0, refused[i] | 1ULL << bit, 0), REFUSED);
		assert_int_equal(native(SYS_ioctl, 0, refused[i] | 0xffffffff00000000, 0), REFUSED);
	}
	for (size_t i = 0; i < LENGTH(allowed); i++)
		assert_int_equal(native(SYS_ioctl, 0, allowed[i], 0), ALLOW);
}

/* Every family and type there is, and some more, with and without flags and high bits. */
static void sockets_of_few_families(void **state)
{
	(void)state;
	for (int family = 0; family < 64; family++)
		for (int type = 0; type < 16; type++)
			for (int protocol = 0; protocol < 300; protocol++) {
				bool inet = family == AF_INET || family == AF_INET6;
				bool tcp = type == SOCK_STREAM && (protocol == 0 || protocol == 6);
				bool udp = type == SOCK_DGRAM && (protocol == 0 || protocol == 17);
				bool good = family == AF_UNIX || (family == AF_NETLINK && protocol == 0) ||
					    (inet && (tcp || udp));
				int want = good ? ALLOW : REFUSED;
				uint64_t flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

				assert_int_equal(native(SYS_socket, family, type, protocol), want);
				assert_int_equal(native(SYS_socket, family, type | flags, protocol), want);
				assert_int_equal(
					native(SYS_socket, HIGH | family, HIGH | type, HIGH | protocol),
					want);
			}
	assert_int_equal(native(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0), ALLOW);
	assert_int_equal(native(SYS_socketpair, 30 /* AF_TIPC */, SOCK_STREAM, 0), REFUSED);
	assert_int_equal(native(SYS_socketpair, HIGH | AF_INET, SOCK_STREAM, 0), REFUSED);
}

static void no_device_nodes(void **state)
{
	(void)state;
	assert_int_equal(native(SYS_mknodat, 0, 0, S_IFIFO | 0600), ALLOW);
	assert_int_equal(native(SYS_mknodat, 0, 0, S_IFREG | 01777), ALLOW);
	assert_int_equal(native(SYS_mknodat, 0, 0, S_IFSOCK | 0600), ALLOW);
	assert_int_equal(native(SYS_mknodat, 0, 0, 0600), ALLOW);
	assert_int_equal(native(SYS_mknodat, 0, 0, S_IFCHR | 0600), REFUSED);
	assert_int_equal(native(SYS_mknodat, 0, 0, S_IFBLK | 0600), REFUSED);
	assert_int_equal(native(SYS_mknodat, 0, 0, HIGH | S_IFBLK | 0600), REFUSED);
}

static int opens(uint64_t flags, uint64_t mode)
{
	struct seccomp_data data = { .arch = seccomp_arch_native(), .nr = SYS_openat, .args = { 0, 0, flags, mode } };
	struct bpf_result r;

	assert_true(bpf_run(seccomp_default_filter, seccomp_default_filter_len, &data, &r));
	return (int)r.action;
}

/* In a workspace a file keeps them on the host. What is not created has no mode, whatever is in the register. */
static void no_set_id_bits(void **state)
{
	static const uint64_t bits[] = { S_ISUID, S_ISGID, S_ISUID | S_ISGID };

	(void)state;
	assert_int_equal(native(SYS_fchmodat, 0, 0, 01777), ALLOW);
	assert_int_equal(opens(O_CREAT | O_RDWR, 01777), ALLOW);
	for (size_t i = 0; i < LENGTH(bits); i++) {
		assert_int_equal(native(SYS_fchmod, 0, bits[i] | 0755, 0), REFUSED);
		assert_int_equal(native(SYS_fchmodat, 0, 0, HIGH | bits[i]), REFUSED);
		assert_int_equal(native(SYS_mknodat, 0, 0, S_IFREG | bits[i]), REFUSED);
		assert_int_equal(opens(O_CREAT | O_WRONLY, bits[i] | 0700), REFUSED);
		assert_int_equal(opens(O_TMPFILE | O_WRONLY, bits[i]), REFUSED);
		assert_int_equal(opens(O_RDWR | O_TRUNC, bits[i]), ALLOW);
	}
}

static void few_personalities(void **state)
{
	static const uint64_t allowed[] = { 0, 8, 0x40000, 0xffffffff };
	static const uint64_t refused[] = { 0x400000 /* READ_IMPLIES_EXEC */, 0x100000 /* MMAP_PAGE_ZERO */,
					    1, 6 };

	(void)state;
	for (size_t i = 0; i < LENGTH(allowed); i++)
		assert_int_equal(native(SYS_personality, allowed[i], 0, 0), ALLOW);
	for (size_t i = 0; i < LENGTH(refused); i++) {
		assert_int_equal(native(SYS_personality, refused[i], 0, 0), REFUSED);
		assert_int_equal(native(SYS_personality, HIGH | refused[i], 0, 0), REFUSED);
	}
}

/* A call counts that passes with at least one of some arguments: 250 is the mark of docs/SECURITY.md. */
static void it_is_small(void **state)
{
	static const uint64_t tried[] = { 0, 1, 2, S_IFIFO };
	unsigned allowed = 0;

	(void)state;
	for (int nr = 0; nr < 1024; nr++) {
		bool some = false;

		for (size_t i = 0; i < LENGTH(tried); i++)
			some |= native(nr, tried[i], tried[i], tried[i]) == ALLOW;
		allowed += some;
	}
	assert_in_range(allowed, 150, 250);
	assert_in_range(seccomp_default_filter_len, 1, 320); /* each costs time at every start */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary_calls_pass_and_are_cached),
		cmocka_unit_test(privileged_calls_are_refused),
		cmocka_unit_test(attacks_end_the_process),
		cmocka_unit_test(unknown_calls_are_absent),
		cmocka_unit_test(other_architectures_end_the_process),
		cmocka_unit_test(no_namespace_by_clone),
		cmocka_unit_test(nothing_types_into_a_terminal),
		cmocka_unit_test(sockets_of_few_families),
		cmocka_unit_test(no_device_nodes),
		cmocka_unit_test(no_set_id_bits),
		cmocka_unit_test(few_personalities),
		cmocka_unit_test(it_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
