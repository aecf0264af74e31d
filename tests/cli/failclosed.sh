#!/bin/sh
# Fail closed: for every system call s of the launch and every n, if the n-th s fails, either no instruction of the
# workload runs (status 125 or 126), or it runs with exactly the isolation of a clean run.
#
#	NUCLEUS=build/nucleus failclosed.sh [CALL...]
#
# strace makes the call fail (it counts for each process by itself, so one run tries the n-th of all of them). The workload
# is a static program that says that it runs and then describes what holds it; its words are compared with those of a
# clean run. What it cannot see: the session keyring, and limits of the cgroup, whose absence agent mode allows.
# Without VERBOSE only what is wrong is printed.
set -u

: "${NUCLEUS:=build/nucleus}" "${CC:=cc}" "${VERBOSE:=}" "${ERRORS:=}"
here=$0
if [ "${1:-}" = --one ]; then
	# One attempt, in a process of its own, so that xargs can have several at a time.
	call=$2 n=$3 errno=$4
	out=$work/$case.$call.$n.$errno
	for _ in 1 2 3; do
		env -i PATH="$PATH" XDG_RUNTIME_DIR="$work/runtime" timeout -k 1 20 strace -f -qq -o "$out.trace" -e "trace=$call" -e "inject=$call:error=$errno:when=$n" \
			"$work/nucleus" run $options --hostname h -v "$work/in:/x:ro,exec" -- /x/describe >"$out" 2>"$out.err"
		status=$?
		# Its own troubles are no verdict: a busy machine makes it lose a process now and then.
		grep -q '^strace: ' "$out.err" || break
	done
	if [ ! -s "$out" ]; then
		case $status in
		125 | 126) verdict=refused ;;
		*) verdict="BAD: did not run, status $status: $(head -n 1 "$out.err")" ;;
		esac
	elif cmp -s "$out" "$work/$case.clean" || cmp -s "$out" "$work/$case.bound"; then
		verdict=same
	else
		verdict="BAD: ran otherwise: $(diff "$work/$case.clean" "$out" | sed -n 's/^[<>]/&/p' | head -n 4 | tr '\n' ';')"
	fi
	echo "$case $call $n $errno $verdict"
	case $verdict in
	BAD*) grep INJECTED "$out.trace" | head -n 3 | sed 's/^/    /' ;;
	esac
	exit 0
fi

skip() {
	echo "SKIP failclosed: $*"
	exit 0
}

command -v strace >/dev/null || skip "strace is not installed"
strace -f -qq -o /dev/null -e trace=getppid true 2>/dev/null || skip "this user may not trace"
command -v setpriv >/dev/null || skip "setpriv is not installed"

work=$(mktemp -d /tmp/nucleus-failclosed.XXXXXX) || exit 1
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
mkdir "$work/in"
cp "$NUCLEUS" "$work/nucleus" || exit 1

# The calls that it needs itself are, where there is a choice, those that the launch does not make.
cat >"$work/describe.c" <<'END'
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <unistd.h>

extern char **environ;

static int open_file(const char *path)
{
#ifdef SYS_open
	return (int)syscall(SYS_open, path, O_RDONLY | O_NOCTTY);
#else
	return open(path, O_RDONLY | O_NOCTTY);
#endif
}

static char *slurp(const char *path)
{
	static char text[1 << 18];
	int fd = open_file(path);
	ssize_t n, len = 0;

	if (fd < 0) {
		snprintf(text, sizeof(text), "(%s: %s)\n", path, strerror(errno));
		return text;
	}
	while ((n = read(fd, text + len, sizeof(text) - 1 - (size_t)len)) > 0)
		len += n;
	text[len] = 0;
	close(fd);
	return text;
}

static void say(char *text, size_t len)
{
	if (writev(1, &(struct iovec){ text, len }, 1) != (ssize_t)len)
		_exit(9);
}

int main(int argc, char **argv)
{
	char *text = NULL;
	size_t len = 0;
	static const char *const status[] = { "Uid", "Gid", "Groups", "NSpid", "Cap", "NoNewPrivs", "Seccomp", "Umask", "SigIgn", "SigBlk" };
	static const char *const files[] = { "/etc/passwd", "/etc/group", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/nsswitch.conf", "/proc/self/net/dev" };
	static const char *const dirs[] = { "/", "/tmp", "/run", "/var/tmp", "/dev/shm", "/dev", "/etc", "/home", "/home/agent" };
	char *line, *rest, cwd[4096] = "", buffer[4096];
	struct utsname u;
	struct rlimit r;
	gid_t groups[64];
	long n;
	int fd;

	(void)argc;
	(void)argv;
	say("RAN\n", 4);
	stdout = open_memstream(&text, &len);
	for (rest = slurp("/proc/self/status"); (line = strsep(&rest, "\n"));)
		for (size_t i = 0; i < sizeof(status) / sizeof(*status); i++)
			if (!strncmp(line, status[i], strlen(status[i])))
				puts(line);
	printf("groups %d\n", getgroups(64, groups));
	printf("session %d, group %d, parent %d\n", getsid(0), getpgid(0), getppid());
	printf("dumpable %d securebits %d\n", prctl(PR_GET_DUMPABLE), prctl(PR_GET_SECUREBITS));
	if (getpid() == 1) {
		int signal = -1;

		prctl(PR_GET_PDEATHSIG, &signal);
		printf("death signal %d\n", signal);
	}
	getrlimit(RLIMIT_CORE, &r);
	printf("core %llu\n", (unsigned long long)r.rlim_cur);
	getrlimit(RLIMIT_NPROC, &r);
	printf("nproc %llu\n", (unsigned long long)r.rlim_cur);
	uname(&u);
	printf("host name %s\n", u.nodename);
	/* Of mountinfo what does not change from run to run. */
	for (rest = slurp("/proc/self/mountinfo"); (line = strsep(&rest, "\n")) && *line;) {
		for (int i = 0; i < 3; i++)
			strsep(&line, " ");
		printf("mount %s\n", strstr(line, " /x ") ? "/x" : line);
	}
	fd = open_file("/proc/self/fd");
	for (int count = 0; (n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0; printf("descriptors %d\n", count))
		for (long at = 0; at < n; at += *(unsigned short *)(buffer + at + 16))
			count++;
	close(fd);
	n = syscall(SYS_getcwd, cwd, sizeof(cwd));
	printf("directory %s\n", n > 0 ? cwd : strerror(errno));
	/* A regular file of the host's, open for us, is opened once more only where no Landlock is. */
	fd = open_file("/proc/self/fd/2");
	printf("landlock %s\n", fd < 0 ? strerror(errno) : "NONE");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		struct stat st;

		printf("%s %o\n", dirs[i], stat(dirs[i], &st) ? 0 : st.st_mode);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		printf("%s: %s\n", files[i], slurp(files[i]));
	for (char **e = environ; *e; e++)
		puts(*e);
	fclose(stdout);
	say(text, len);
	return 0;
}
END
$CC -O1 -static -w -o "$work/in/describe" "$work/describe.c" 2>"$work/cc.err" || skip "a static program cannot be built: $(head -n 1 "$work/cc.err")"

# Not newfstatat: its first call in every process is meant, and that of the description below is one of them.
calls="prctl capset setgroups seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self close_range mount_setattr
open_tree move_mount pivot_root umount2 setns unshare fsopen fsconfig fsmount keyctl setsid sethostname symlinkat mkdirat mknodat
openat openat2 fcntl dup dup2 fchdir chdir write socket socketpair ioctl clone clone3 waitid sendmsg sendto recvmsg recvfrom
prlimit64 setrlimit fstat flock readlink readlinkat getrandom mmap signalfd4 rt_sigprocmask poll"
[ $# -eq 0 ] || calls="$*"

# The plain one, and those that the code has an answer of its own to. ERRORS names others to try.
errors() {
	[ -z "$ERRORS" ] || { echo "$ERRORS"; return; }
	case $1 in
	prctl) echo EPERM EINVAL ;;
	openat | mkdirat | mknodat | symlinkat) echo EPERM EEXIST ;;
	setsid | landlock_create_ruleset | seccomp | prlimit64) echo EINVAL EPERM ;;
	*) echo EPERM ;;
	esac
}

# A case is a name, a user, and options.
run_case() {
	case=$1 user=$2 options=$3
	export case options work
	as=
	if [ "$user" != "$(id -u)" ]; then
		as="setpriv --reuid=$user --regid=$user --clear-groups"
	fi
	rm -rf "$work/runtime"
	mkdir -m 700 "$work/runtime"
	chown "$user" "$work/runtime"
	chmod 1777 "$work"
	$as env -i PATH="$PATH" XDG_RUNTIME_DIR="$work/runtime" strace -f -qq -o "$work/$case.trace" \
		"$work/nucleus" run $options --hostname h -v "$work/in:/x:ro,exec" -- /x/describe >"$work/$case.clean" 2>"$work/$case.err" ||
		{ echo "SKIP failclosed $case: $(head -n 1 "$work/$case.err")"; return; }
	# Where no device node can be made, as without this capability, the host's are bound: the same by another way.
	[ "$user" != 0 ] || env -i PATH="$PATH" XDG_RUNTIME_DIR="$work/runtime" setpriv --bounding-set=-mknod \
		"$work/nucleus" run $options --hostname h -v "$work/in:/x:ro,exec" -- /x/describe >"$work/$case.bound" 2>&1
	# How often each call is made by any one process until the workload begins.
	awk '/execve\(/ && ++execs == 2 { exit } { sub(/\(.*/, "", $2); k = $2 " " $1; if (++seen[k] > most[$2]) most[$2] = seen[k] }
		END { for (c in most) print c, most[c] }' "$work/$case.trace" >"$work/$case.counts"
	for call in $calls; do
		most=$(awk -v c="$call" '$1 == c { print $2 }' "$work/$case.counts")
		for errno in $(errors "$call"); do
			n=1
			while [ "$n" -le "${most:-0}" ]; do
				echo "$call $n $errno"
				n=$((n + 1))
			done
		done
	done >"$work/$case.list"
	$as xargs -P "$(nproc)" -L 1 sh "$here" --one <"$work/$case.list" >"$work/$case.verdicts"
	[ -z "$VERBOSE" ] || cat "$work/$case.verdicts"
	cat "$work/$case.verdicts" >>"$work/verdicts"
}

: >"$work/verdicts"
if [ "$(id -u)" -eq 0 ]; then
	run_case root 0 ""
	run_case user 4242 ""
	run_case root-init 0 "--init"
else
	run_case user "$(id -u)" ""
fi

bad=$(grep -c BAD "$work/verdicts")
[ -n "$VERBOSE" ] || grep -A 3 BAD "$work/verdicts" | grep -e BAD -e '^    '
echo "failclosed: $(grep -c -v '^    ' "$work/verdicts") attempts, $(grep -c ' refused$' "$work/verdicts") refused," \
	"$(grep -c ' same$' "$work/verdicts") the same, $bad bad"
[ "$bad" -eq 0 ]
