#!/bin/sh
# A launch that fails, whose child is killed, or whose supervisor is killed, at every stage: nothing is left of it.
#
#	faults.sh HOOKED	HOOKED is the program with tests/hook.c in it
#
# It works in a PID and a mount namespace of its own, so that "nothing" can be said of all processes, mounts and state,
# and as root in a cgroup of its own. As root everything happens twice, the second time as an ordinary user.
set -u

hooked=$1
user=4242
if [ "${2:-}" != inside ]; then
	if [ "$(id -u)" -eq 0 ]; then
		set -- unshare --pid --mount --mount-proc --fork --kill-child
	else
		set -- unshare --user --map-user="$(id -u)" --map-group="$(id -g)" --pid --mount --mount-proc --fork --kill-child
	fi
	"$@" true 2>/dev/null || { echo "SKIP faults: this user cannot make namespaces"; exit 0; }
	command -v jq >/dev/null || { echo "SKIP faults: jq, which reads the list of stages, is not installed"; exit 0; }
	exec "$@" sh "$0" "$hooked" inside
fi

checks=0 failures=0
scratch=$(mktemp -d /tmp/nucleus-faults.XXXXXX) || exit 1
chmod 755 "$scratch"
cgroup=
# Own state directories, empty ones; the host's are hidden for as long as this lasts.
[ "$(id -u)" -ne 0 ] || mount -t tmpfs -o mode=755 none /run
mkdir -m 700 "$scratch/runtime"
[ "$(id -u)" -ne 0 ] || chown $user:$user "$scratch/runtime"
cp "$hooked" "$scratch/nucleus"

# Leaves are made below our own cgroup: one that nobody else makes any in.
enter_cgroup() {
	mount=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/mounts | head -n 1)
	own=$(sed -n 's/^0:://p' /proc/self/cgroup)
	place=$mount${own%/}/${scratch##*/}
	[ -n "$mount" ] && mkdir "$place" 2>/dev/null && echo $$ >"$place/cgroup.procs" && cgroup=$place
}

leave() {
	rm -rf "$scratch"
	[ -n "$cgroup" ] || return
	echo $$ >"$(dirname "$cgroup")/cgroup.procs"
	# Empty, unless a check has failed.
	echo 1 >"$cgroup/cgroup.kill"
	find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || echo "FAIL $cgroup is busy"
}
trap leave EXIT
if [ "$(id -u)" -ne 0 ] || ! enter_cgroup; then
	[ "$(id -u)" -ne 0 ] || echo "SKIP faults cgroups: no writable cgroup v2 here"
fi

# run [VARIABLE=VALUE...] COMMAND... : as the identity under test. become: the same, in place of the (sub)shell.
become() {
	if [ "$identity" = root ] || [ "$(id -u)" -ne 0 ]; then
		exec env -i PATH="$PATH" XDG_RUNTIME_DIR="$scratch/runtime" "$@"
	fi
	exec setpriv --reuid $user --regid $user --clear-groups env -i PATH="$PATH" XDG_RUNTIME_DIR="$scratch/runtime" "$@"
}

run() {
	(become "$@")
}

# All that a launch could leave behind. The names of our own helpers are never in it: they have ended. Notes of cgroups
# ("%...") are few and stay, by design.
snapshot() {
	# Ourselves, and the subshell that this runs in; what has just been killed may take a moment to be gone.
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		count=0
		for process in /proc/[0-9]*; do
			[ "$process" = "/proc/$$" ] || [ ! -e "$process" ] || count=$((count + 1))
		done
		[ $count -gt 0 ] || break
		sleep 0.05
	done
	for process in /proc/[0-9]*; do
		[ "$process" = "/proc/$$" ] || echo "process $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null)"
	done
	sed 's/^[0-9]* [0-9]* /mount /' /proc/self/mountinfo
	[ -z "$cgroup" ] || find "$cgroup" -mindepth 1 -type d
	ls -A "$state" 2>/dev/null | grep -v '^%' | sed 's/^/state /'
	ls -A /dev/shm /dev/mqueue 2>/dev/null
}

fail() {
	failures=$((failures + 1))
	echo "FAIL $identity $variant: $1"
	[ ! -s "$scratch/err" ] || sed 's/^/     /' "$scratch/err"
}

unchanged() {
	checks=$((checks + 1))
	snapshot >"$scratch/after"
	cmp -s "$scratch/before" "$scratch/after" && return
	fail "$1 left something behind"
	diff "$scratch/before" "$scratch/after" | sed -n 's/^[<>]/     &/p'
	snapshot >"$scratch/before"
}

expect() {
	checks=$((checks + 1))
	[ "$2" -eq "$3" ] || fail "$1: status $2, not $3"
}

says() {
	checks=$((checks + 1))
	grep -q "$2" "$scratch/err" || fail "$1: the error does not say \"$2\""
}

failing() {
	# shellcheck disable=SC2086 # words
	run NUCLEUS_TEST_FAIL="$1" "$scratch/nucleus" run $variant -- true >/dev/null 2>"$scratch/err"
	status=$?
	# What fails in the last stage is the program's execution.
	expect "failure at $1" $status $([ "$1" = exec ] && echo 126 || echo 125)
	says "failure at $1" "^nucleus: $1: injected failure"
	unchanged "failure at $1"
}

killed_child() {
	# shellcheck disable=SC2086
	run NUCLEUS_TEST_KILL="$1" "$scratch/nucleus" run $variant -- true >/dev/null 2>"$scratch/err"
	status=$?
	if [ "$1" = exec ]; then
		# It had the last word already: its death is that of the workload. (132: the fault by which it died.)
		expect "child killed at $1" $status 132
	else
		expect "child killed at $1" $status 125
		says "child killed at $1" 'died before'
	fi
	unchanged "child killed at $1"
}

# The supervisor is killed while the stage is about to begin. @2: whether the other half goes on afterwards, or hangs.
killed_supervisor() {
	printf 0 >"$scratch/pause"
	chmod 666 "$scratch/pause"
	# shellcheck disable=SC2086
	become NUCLEUS_TEST_PAUSE="$1" NUCLEUS_TEST_PAUSE_FILE="$scratch/pause" "$scratch/nucleus" run $variant -- sleep 600 \
		>/dev/null 2>"$scratch/err" &
	supervisor=$!
	for _ in $(seq 500); do
		[ "$(cat "$scratch/pause")" = 0 ] || break
		sleep 0.01
	done
	[ "$(cat "$scratch/pause")" != 0 ] || fail "stage $1 was never reached"
	kill -KILL $supervisor
	wait $supervisor 2>/dev/null
	[ "$2" = hangs ] || printf 3 | dd of="$scratch/pause" conv=notrunc 2>/dev/null
	# Whoever comes next looks for the dead while its own workload runs.
	run "$scratch/nucleus" run -- true >/dev/null 2>"$scratch/err"
	expect "the next launch" $? 0
	unchanged "supervisor killed at $1, and its child $2"
}

stages() {
	# shellcheck disable=SC2086
	run "$scratch/nucleus" run --dry-run --format json $variant -- true | jq -r ".stages[] | select(.lane | test(\"$1\")) | .name"
}

walk() {
	for stage in $(stages .); do
		failing "$stage"
	done
	for stage in $(stages child); do
		killed_child "$stage"
	done
	for stage in $(stages .); do
		killed_supervisor "$stage" "goes on"
		killed_supervisor "$stage" hangs
	done
}

identities=user
[ "$(id -u)" -ne 0 ] || identities="root user"
for identity in $identities; do
	state=$scratch/runtime/nucleus
	[ "$identity" = user ] || state=/run/nucleus
	for variant in "" "-t --init"; do
		# A start that goes well makes what stays: the state directory.
		# shellcheck disable=SC2086
		run "$scratch/nucleus" run $variant -- true >/dev/null 2>"$scratch/err" || fail "a launch without faults"
		snapshot >"$scratch/before"
		! grep '^process' "$scratch/before" || fail "not alone at the beginning"
		walk
	done
done
echo "faults: $checks checks, $failures failed"
[ $failures -eq 0 ]
