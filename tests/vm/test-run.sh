#!/bin/bash
# The sandbox on a stock kernel under systemd, from a login session.
# worlds: root user
. "$(dirname "$0")/lib.sh"

it "is in a login session with a user manager"
[ "$(sed -n 's/^0:://p' /proc/self/cgroup | grep -c '^/user\.slice/user-[0-9]*\.slice/session-')" = 1 ] ||
	fault "not in a session: $(cat /proc/self/cgroup)"
holds systemctl --user show-environment
holds test -d "$XDG_RUNTIME_DIR"

it "runs a command and returns its status"
run -- sh -c 'echo hello; exit 7'
status_is 7
out_is hello

it "gives the command ids of its own"
run -- id -u
status_is 0
out_matches '^[0-9]+$'

it "says nothing where nothing is wrong"
run -- true
status_is 0
err_is_empty

it "runs in a PID namespace of its own"
run -- sh -c 'echo $$'
out_is 1

it "leaves nothing"
before_it
run --memory 64M -- true
leaves_nothing

it "binds a workspace that the command can write"
mkdir -p "$T/work"
run --workspace "$T/work" -- sh -c 'echo written >/workspace/file'
status_is 0
is "$(cat "$T/work/file")" written
is "$(stat -c %u "$T/work/file")" "$(id -u)"

it "forwards TERM"
start_ready --init -- sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done'
kill -TERM "$pid"
ended
status_is 3

it "refuses what the probe attempts"
refused open-write /etc/passwd
refused mknod-block /tmp/block
refused leave

it "says in the result what it enforced"
run --result "$T/result" -- true
status_is 0
is "$(told_in "$T/result" .verdict)" exit
is "$(told_in "$T/result" .enforced.landlock_abi)" "$(kernel_landlock)"
is "$(told_in "$T/result" .enforced.seccomp)" true
is "$(told_in "$T/result" .enforced.user_namespace)" "$([ $WORLD = root ] && echo false || echo true)"

it "does not call anything but the cgroup degraded"
is "$(told_in "$T/result" '[.degraded[].what] - ["cgroup", "pids"] | join(" ")')" ''

nucleus doctor --format json
cp "$T/out" "$T/doctor"

it "has a doctor who knows this kernel's Landlock"
[[ $(doctor_says Landlock) == "ok: "*"ABI $(kernel_landlock)" ]] || fault "doctor: $(doctor_says Landlock)"

it "has a doctor who finds the unified hierarchy"
is "$(doctor_says 'cgroup v2')" 'ok: /sys/fs/cgroup'

it "has a doctor who lets agents run here"
is "$(jq .modes.agent.can_run "$T/doctor")" true

it "has a doctor who finds systemd, and the user manager"
[[ $(doctor_says systemd) == ok:* ]] || fault "doctor: $(doctor_says systemd)"
[[ $(doctor_says 'systemd user manager') == ok:* ]] || fault "doctor: $(doctor_says 'systemd user manager')"

it "has a doctor who finds the controllers in a delegated scope"
from scope
nucleus doctor --format json
cp "$T/out" "$T/doctor"
# systemd gives the managers of users all but io.
controllers='ok: memory, pids, cpu, io'
[ "$WORLD" = root ] || controllers='degraded: without io'
is "$(doctor_says 'cgroup controllers')" "$controllers"
is "$(doctor_says 'cgroup birth')" 'ok: a process was born in its cgroup'
is "$(doctor_says 'cgroup.kill')" 'ok: killed what was in the leaf'

for place in scope unit; do
	it "runs in a delegated $place, in a cgroup of its own"
	from $place
	run --result "$T/result" -- sh -c 'exit 5'
	status_is 5
	[[ $(told_in "$T/result" .enforced.cgroup) == /sys/fs/cgroup/*/nucleus-* ]] ||
		fault "cgroup: $(told_in "$T/result" .enforced.cgroup) $(told_in "$T/result" .degraded)"
done

finish
