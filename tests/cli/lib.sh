# The words of the black-box tests. A test file is bash that sources this and reads like the manual:
#
#	it "returns the exit status of the command"
#	run -- sh -c 'exit 7'
#	status_is 7
#
# NUCLEUS and PROBE are absolute paths of the two programs. A file runs as whoever starts it: root, or an ordinary user.
# It leaves nothing behind. Where it can it waits for a condition; nothing here sleeps for a fixed time.

set -u
export LC_ALL=C
unset CDPATH NO_COLOR

: "${NUCLEUS:?the absolute path of nucleus}" "${PROBE:?the absolute path of the probe}"

WORLD=user
[ "$(id -u)" -ne 0 ] || WORLD=root

# Root's containers all have their records in one directory and their cgroups in one place. So that other people's do not
# disturb what is compared here, root's tests have a /run and a cgroup of their own.
if [ $WORLD = root ] && [ -z "${NUCLEUS_TEST_PRIVATE-}" ]; then
	export NUCLEUS_TEST_PRIVATE=1
	exec unshare --mount --propagation private sh -c 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"' - bash "$0" "$@"
fi

cgroup_mount=$(awk '/ - cgroup2 / { print $5; exit }' /proc/self/mountinfo)
own_cgroup() {
	[ -z "$cgroup_mount" ] || printf '%s%s' "$cgroup_mount" "$(sed -n 's,^0::/$,,p; t; s,^0::,,p' /proc/self/cgroup)"
}
CGROUP=$(own_cgroup)
if [ $WORLD = root ] && [ -n "$CGROUP" ] && mkdir "$CGROUP/tests-$$" 2>/dev/null; then
	parent_cgroup=$CGROUP
	echo $$ >"$CGROUP/tests-$$/cgroup.procs"
	CGROUP=$CGROUP/tests-$$
fi

# The scratch directory is the source of volumes: it must lie where nucleus lets one be.
T=$(mktemp -d "${NUCLEUS_TEST_DIR:-/tmp}/nucleus-test.XXXXXX") || exit 2
# A word that no other process on this machine has in its arguments.
MARK=mark-${T##*.}-$$
printf '%s' "$MARK" >"$T/mark"
install -m 755 "$PROBE" "$T/probe" || exit 2
if [ $WORLD = root ]; then
	STATE=/run/nucleus
else
	mkdir -m 700 "$T/runtime"
	export XDG_RUNTIME_DIR=$T/runtime
	STATE=$XDG_RUNTIME_DIR/nucleus
fi
VERBS=" $("$T/probe" list | tr '\n' ' ') "
OUTER_PID=$$
options=()
count=0 failed=0 skipped=0
sentence='' faults='' skip_reason=''

# --- reporting ------------------------------------------------------------------------------------------------------

end_test() {
	[ -n "$sentence" ] || return 0
	count=$((count + 1))
	if [ -n "$faults" ]; then
		failed=$((failed + 1))
		printf 'not ok %d - %s\n%s' $count "$sentence" "$faults"
	elif [ -n "$skip_reason" ]; then
		skipped=$((skipped + 1))
		printf 'ok %d - %s # SKIP %s\n' $count "$sentence" "$skip_reason"
	else
		printf 'ok %d - %s\n' $count "$sentence"
	fi
	sentence='' faults='' skip_reason=''
}

# it SENTENCE: what follows, up to the next one, shows that it is true.
it() {
	end_test
	sentence="$*"
}

# skip REASON: it could not be shown here.
skip() {
	skip_reason=$*
}

fault() {
	faults+=$(printf '%s\n' "$*" | sed 's/^/# /')$'\n'
}

finish() {
	trap - EXIT
	end_test
	printf '1..%d\n# %s as %s: %d ok, %d failed, %d skipped\n' $count "$(basename "$0")" $WORLD \
		$((count - failed - skipped)) $failed $skipped
	grep -lFf "$T/mark" /proc/[0-9]*/cmdline 2>/dev/null | sed 's,/proc/\([0-9]*\)/.*,\1,' | xargs -r kill -9 2>/dev/null
	rm -rf "$T" 2>/dev/null
	if [ -n "${parent_cgroup-}" ]; then
		echo $$ >"$parent_cgroup/cgroup.procs"
		eventually rmdir "$CGROUP" 2>/dev/null
	fi
	[ $failed -eq 0 ]
	exit
}

# A file that ends before its last line, which is finish, has failed.
ended_early() {
	[ $BASHPID = $OUTER_PID ] || return 0
	: "${sentence:=comes to its end}"
	fault "the file ended here, before its end"
	finish
}
trap ended_early EXIT

# --- running --------------------------------------------------------------------------------------------------------

# nucleus ARG...: runs it to its end, with empty input; leaves $status, $out and $err.
nucleus() {
	timeout -s KILL 60 "$NUCLEUS" "$@" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	gather
}

gather() {
	out=$(tr -d '\0' <"$T/out")
	err=$(tr -d '\0' <"$T/err")
}

# run [OPTION...] -- COMMAND: a sandbox that has the probe as /probe, and the options of the array.
run() {
	nucleus run -v "$T/probe:/probe:ro" "${options[@]}" "$@"
}

# probe VERB [ARG...]: the probe alone in a sandbox.
probe() {
	run -- /probe "$@"
}

# start [OPTION...] -- COMMAND: the same in the background; $pid is the supervisor's. Its output gathers in $T/bg.
start() {
	: >"$T/bg"
	"$NUCLEUS" run -v "$T/probe:/probe:ro" "${options[@]}" "$@" >"$T/bg" 2>"$T/bg.err" </dev/null &
	pid=$!
	# Before it is nucleus it is still this shell, which would swallow a signal.
	until [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = nucleus ] || ! kill -0 "$pid" 2>/dev/null; do :; done
}

# start, until the workload says that it is ready.
start_ready() {
	start "$@"
	eventually grep -q ready "$T/bg" || fault "it never became ready: $(cat "$T/bg.err")"
}

# The end of what start began; leaves $status and $out.
ended() {
	if ! eventually gone "$pid"; then
		fault "it does not end"
		kill -KILL "$pid"
	fi
	wait "$pid"
	status=$?
	cp "$T/bg" "$T/out"
	cp "$T/bg.err" "$T/err"
	gather
}

# eventually COMMAND...: true as soon as it is, false after ten seconds.
eventually() {
	local deadline=$((SECONDS + 10))

	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.01
	done
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# --- what must be true ----------------------------------------------------------------------------------------------

told() {
	printf 'status %s\nstdout: %s\nstderr: %s' "$status" "${out:0:600}" "${err:0:600}"
}

status_is() {
	[ "$status" = "$1" ] || fault "the status should be $1: $(told)"
}

out_is() {
	[ "$out" = "$1" ] || fault "stdout should be \"$1\": $(told)"
}

out_has() {
	[[ $out == *"$1"* ]] || fault "stdout should have \"$1\": $(told)"
}

out_lacks() {
	[[ $out != *"$1"* ]] || fault "stdout should not have \"$1\": $(told)"
}

out_matches() {
	[[ $out =~ $1 ]] || fault "stdout should match \"$1\": $(told)"
}

err_has() {
	[[ $err == *"$1"* ]] || fault "stderr should have \"$1\": $(told)"
}

err_lacks() {
	[[ $err != *"$1"* ]] || fault "stderr should not have \"$1\": $(told)"
}

err_is_empty() {
	[ -z "$err" ] || fault "stderr should be empty: $(told)"
}

# An error of ours: every line says who speaks.
err_is_ours() {
	[ -n "$err" ] && ! grep -qv '^nucleus: ' <<<"$err" || fault "stderr should be lines of nucleus alone: $(told)"
}

is() {
	[ "$1" = "$2" ] || fault "should be \"$2\", and is \"$1\""
}

# holds COMMAND...: it succeeds.
holds() {
	"$@" >"$T/holds" 2>&1 || fault "should hold: $*: $(cat "$T/holds")"
}

# fails COMMAND...: it does not.
fails() {
	! "$@" >"$T/holds" 2>&1 || fault "should not hold: $*"
}

# refused [BY] VERB [ARG...]: the probe tried it and was refused, with one of the errnos of BY (A|B) if that is given.
refused() {
	local by=''

	if [[ $VERBS != *" $1 "* ]]; then
		by=$1
		shift
	fi
	probe "$@"
	[[ $status = 0 && $out =~ ^refused:\ (${by:-.*})$ ]] || fault "\"$*\" should be refused (${by:-any}): $(told)"
}

# --- what a run may leave on the host -------------------------------------------------------------------------------

# Leaves that nobody lives in any more. Those of a living container come and go.
dead_leaves() {
	local leaf

	[ -w "${CGROUP:-/nonexistent}" ] || return 0
	for leaf in "${CGROUP:-/nonexistent}"/nucleus-*; do
		[ ! -d "$leaf" ] || ! grep -qs 'populated 0' "$leaf/cgroup.events" || echo "cgroup ${leaf##*/}"
	done
}

marked_processes() {
	grep -lFf "$T/mark" /proc/[0-9]*/cmdline 2>/dev/null | sed 's,/proc/\([0-9]*\)/.*,process \1,'
}

# Mounts, records, cgroups, processes and the files of the scratch directory. The links that begin with % are a
# cache, and the lock stays.
snapshot() {
	sed 's/^/mount /' /proc/self/mountinfo
	find "$STATE" -mindepth 1 ! -name '%*' ! -name lock 2>/dev/null | sort
	dead_leaves
	marked_processes
	find "$T" -path "$STATE" -prune -o -print | sort
}

before_it() {
	: >"$T/before" >"$T/after" >"$T/out" >"$T/err" >"$T/bg" >"$T/bg.err" >"$T/holds"
	snapshot >"$T/before"
}

as_before() {
	snapshot >"$T/after"
	cmp -s "$T/before" "$T/after"
}

# Everything is as it was when before_it was called.
leaves_nothing() {
	eventually as_before || fault "something is left: $(diff "$T/before" "$T/after" | head -20)"
}
