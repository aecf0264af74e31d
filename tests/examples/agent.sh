#!/bin/sh
# Stands for a coding agent, and runs inside the sandbox: mends the project in /workspace, tests it, then tries what an
# agent must not be able to do. Exit status 0 if the tests pass and every attempt was refused.
set -u
cd /workspace || exit 2
failed=0

echo "== the tests before"
make test && { echo "agent: the tests already pass"; exit 2; }

echo "== the edit"
sed -i 's|return values\[count / 2\];|return (values[count / 2] + values[(count - 1) / 2]) / 2;|' median.c
grep -n 'return (values' median.c || exit 2

echo "== the tests after"
make test || exit 2
make -s clean

# must_fail WHAT COMMAND...: the command's last line says why it was refused.
must_fail() {
	what=$1
	shift
	if answer=$("$@" 2>&1); then
		printf 'ALLOWED  %s\n' "$what"
		failed=1
	else
		printf 'refused  %-42s %s\n' "$what" "$(printf '%s' "$answer" | tail -n 1)"
	fi
}

# The pattern is written so that it does not match the command line of the one who looks.
host_processes() {
	grep -l 't[r]y\.sh' /proc/[0-9]*/cmdline || { echo "not among $(ls -d /proc/[0-9]* | wc -l) processes"; return 1; }
}

secret() {
	[ -n "${NUCLEUS_TRY_SECRET-}" ] || { echo "not in the environment"; return 1; }
}

echo "== what it must not be able to do"
gcc -O2 -o /tmp/attempt /agent/attempt.c || exit 2
must_fail "read the host's passwords" cat /etc/shadow
must_fail "read the home of root" ls -A /root
must_fail "change a program of the host" touch /usr/bin/mine
must_fail "change the root directory" touch /mine
must_fail "change what configures the sandbox" sh -c 'echo 127.0.0.1 example.org >> /etc/hosts'
must_fail "see the caller's processes" host_processes
must_fail "see the caller's environment" secret
must_fail "change a setting of the kernel" sh -c 'echo 1 > /proc/sys/kernel/panic'
must_fail "reach the network" /tmp/attempt network
must_fail "make a raw socket" /tmp/attempt raw-socket
must_fail "trace another process" /tmp/attempt trace
must_fail "mount a file system" /tmp/attempt mount
must_fail "make a user namespace" /tmp/attempt namespace
must_fail "make a disk device" /tmp/attempt device
must_fail "type into a terminal (TIOCSTI)" /tmp/attempt typing

# Inside, the bit would mean nothing (nosuid, no_new_privs); on the host, where the workspace stays, it would.
cp /bin/true helper
must_fail "leave a set-user-ID program" chmod 4755 helper
exit $failed
