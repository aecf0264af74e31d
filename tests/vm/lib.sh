# shellcheck shell=bash
# The words of the tests in the VM: those of tests/cli, in a session that has a user manager, and what systemd adds.
# The whole machine is ours here: no /run and no cgroup set apart, which would hide systemd, and leave the session's place.
export NUCLEUS_TEST_PRIVATE=1
. "$(dirname "${BASH_SOURCE[0]}")/../cli/lib.sh"
if [ -n "${parent_cgroup-}" ]; then
	echo $$ >"$parent_cgroup/cgroup.procs"
	rmdir "$CGROUP"
	CGROUP=$parent_cgroup parent_cgroup=
fi

# The black-box tests do without a runtime directory of the system's; here it is the session's own.
export XDG_RUNTIME_DIR=/run/user/$UID DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$UID/bus
[ $WORLD = root ] || STATE=$XDG_RUNTIME_DIR/nucleus
MANAGER=
[ $WORLD = root ] || MANAGER=--user

# Where a run is started from. A session's scope is not delegated; systemd gives one that is to whoever asks.
PLAIN=$NUCLEUS
make_place() {
	printf '#!/bin/sh\nexec %s "$@"\n' "$2 $PLAIN" >"$T/nucleus-$1"
	chmod 755 "$T/nucleus-$1"
}
make_place session ''
make_place scope "systemd-run $MANAGER --scope --quiet --collect -p Delegate=yes --"
make_place unit "systemd-run $MANAGER --wait --pipe --quiet --collect -p Delegate=yes --"

# from session|scope|unit: what follows starts nucleus in the login session itself, in a scope or in a service that is
# delegated to it.
from() {
	NUCLEUS=$T/nucleus-$1
}

# The version of Landlock that this kernel has, asked without nucleus.
kernel_landlock() {
	perl -e 'print syscall(444, 0, 0, 1)'
}

# told_in FILE FILTER: what jq finds in a JSON document, or the reason why not.
told_in() {
	jq -r "$2" "$1" 2>&1
}

# After a run with --result of a hog that would say "all of it" at its end.
is_told_as_oom() {
	status_is 137
	out_lacks 'all of it'
	is "$(told_in "$T/result" .verdict)" oom
	is "$(told_in "$T/result" '.oom_kills >= 1')" true
}

# doctor_says NAME: status and detail of one probe of $T/doctor
doctor_says() {
	jq -r --arg name "$1" '.probes[] | select(.name == $name) | .status + ": " + .detail' "$T/doctor"
}

# The cgroup of the container whose workload has $MARK in its arguments, as a directory; nothing where it has none.
leaf() {
	local process place

	for process in $(pgrep -f "$MARK"); do
		place=$(sed -n 's/^0:://p' "/proc/$process/cgroup" 2>/dev/null)
		if [[ $place == */nucleus-[0-9a-f]* ]]; then
			printf '/sys/fs/cgroup%s' "$place"
			return
		fi
	done
}
