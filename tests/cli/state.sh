#!/bin/bash
# Records: names, --keep, --rm, rm; what the dead left is gone after the next command; many at once.
. "$(dirname "$0")/lib.sh"

it "leaves no record of a run"
before_it
run -- true
leaves_nothing
run -- false
leaves_nothing
run --name "plain-$$" -- true
nucleus rm "plain-$$"
leaves_nothing

it "has a record while it runs, for its owner alone"
start_ready --name "alive-$$" -- /probe linger "$MARK"
is "$(readlink "$STATE/@alive-$$")" "$(ls "$STATE" | grep -E '^[0-9a-f]{12}$')"
is "$(stat -c %a "$STATE" "$STATE"/[0-9a-f]* | sort -u | tr '\n' ' ')" '600 700 '

it "refuses the name of a living container"
run --name "alive-$$" -- true
status_is 125
err_has "name alive-$$ is taken"
err_has running

it "refuses to remove the record of a living container"
nucleus rm "alive-$$"
status_is 1
err_has 'is running'
kill "$pid"
ended
leaves_nothing

it "gives a name again once its container has ended"
for i in 1 2 3; do
	run --rm --name "again-$$" -- true
	status_is 0
done
leaves_nothing

it "keeps the record and the result with --keep, until rm"
run --keep --name "kept-$$" -- sh -c 'exit 9'
status_is 9
holds grep -q '"code":9' "$STATE"/[0-9a-f]*.result
is "$(stat -c %a "$STATE"/[0-9a-f]*.result)" 600
run --name "kept-$$" -- true
status_is 125
err_has "nucleus rm kept-$$"
nucleus rm "kept-$$"
status_is 0
out_is ''
leaves_nothing
run --keep -- true
id=$(ls "$STATE" | sed -nE 's/^([0-9a-f]{12})\.result$/\1/p')
nucleus delete "$id"
status_is 0
leaves_nothing

it "does not collect what was kept"
run --keep --name "kept-$$" -- true
run -- true
holds test -L "$STATE/@kept-$$"
nucleus rm "kept-$$"
leaves_nothing

it "says so where there is nothing to remove, and goes on with the others"
run --keep --name "one-$$" -- true
nucleus rm missing "one-$$" ../etc ''
status_is 1
err_has 'no container missing'
leaves_nothing

it "collects after the next run what a killed supervisor left"
for option in '' --init "--name=killed-$$"; do
	start_ready $option -- /probe linger deaf session "$MARK"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	eventually test ! -e "/proc/$pid"
done
run -- true
leaves_nothing

it "ends and collects what a killed supervisor left in its cgroup"
if [ -w "${CGROUP:-/nonexistent}" ]; then
	start_ready -- /probe linger deaf session "$MARK"
	holds test -n "$(ls -d "$CGROUP"/nucleus-* 2>/dev/null)"
	holds grep -q . "$CGROUP"/nucleus-*/cgroup.procs
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	run -- true
	leaves_nothing
	fails ls -d "$CGROUP"/nucleus-*
else
	skip "no cgroup v2 that this user may write"
fi

it "uses a cgroup that was delegated to an ordinary user"
if [ $WORLD = root ] && [ -w "${CGROUP:-/nonexistent}" ] && mkdir "$CGROUP/delegated" 2>/dev/null; then
	chown -R 4242:4242 "$CGROUP/delegated"
	mkdir -m 700 "$T/theirs"
	chown 4242:4242 "$T/theirs"
	chmod 711 "$T"
	XDG_RUNTIME_DIR=$T/theirs sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec setpriv --reuid=4242 --regid=4242 --clear-groups "$@"' - \
		"$CGROUP/delegated" "$NUCLEUS" run --result "$T/theirs/result" -- cat /proc/self/cgroup >"$T/out" 2>"$T/err" </dev/null
	status=$?
	gather
	status_is 0
	holds grep -q "\"cgroup\":\"$CGROUP/delegated/nucleus-" "$T/theirs/result"
	rm -r "$T/theirs"
	holds eventually rmdir "$CGROUP/delegated"
else
	skip "only root can delegate, and there must be a cgroup v2"
fi

it "limits processes"
if [ $WORLD = user ] || [ -e "$CGROUP/pids.max" ]; then
	run --pids 8 -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; wait' 
	fails test "$status" = 0
	err_has 'fork'
else
	skip "this cgroup has no pids controller, and root no limit of its own"
fi

it "runs twenty at once, each with an id of its own, and leaves nothing"
mkdir "$T/ids"
before_it
for i in $(seq 20); do
	"$NUCLEUS" run -- sh -c 'hostname; head -c 100000 /dev/urandom | sha256sum >/dev/null' >"$T/ids/$i" 2>&1 </dev/null &
	pids[i]=$!
done
for i in $(seq 20); do
	wait "${pids[i]}" || fault "run $i failed: $(cat "$T/ids/$i")"
done
is "$(cat "$T"/ids/* | sort -u | grep -cE '^[0-9a-f]{12}$')" 20
rm "$T"/ids/*
leaves_nothing

it "gives a name to one of twenty that want it"
before_it
for i in $(seq 20); do
	"$NUCLEUS" run --name "wanted-$$" -v "$T/probe:/probe:ro" -- /probe linger "$MARK" >"$T/ids/$i" 2>&1 </dev/null &
	pids[i]=$!
done
decided() {
	[ "$(cat "$T"/ids/* | grep -c -e ready -e 'is taken' -e 'being taken')" -ge 20 ]
}
holds eventually decided
is "$(cat "$T"/ids/* | grep -c ready)" 1
for i in $(seq 20); do
	kill "${pids[i]}" 2>/dev/null
	wait "${pids[i]}" 2>/dev/null
done
rm "$T"/ids/*
leaves_nothing

finish
