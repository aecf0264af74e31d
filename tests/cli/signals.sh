#!/bin/bash
# Signals, timeouts and the ends of containers: nothing that was started outlives its supervisor.
. "$(dirname "$0")/lib.sh"

# --- forwarding -----------------------------------------------------------------------------------------------------

for option in '' --init; do
	it "forwards TERM, INT, HUP, QUIT, USR1 and USR2 to a handler${option:+ through $option}"
	for signal in TERM:15 INT:2 HUP:1 QUIT:3 USR1:10 USR2:12; do
		start_ready $option -- /probe hear ${signal#*:} "$MARK"
		kill -${signal%:*} "$pid"
		ended
		status_is 0
		out_is $'ready\nheard '${signal#*:}
	done
done

it "forwards WINCH without a terminal"
start_ready -- /probe hear 28 "$MARK"
kill -WINCH "$pid"
ended
out_is $'ready\nheard 28'

it "ends at once a PID 1 that has no handler, with 128+N"
for signal in TERM:143 INT:130 HUP:129 QUIT:131 USR1:138 USR2:140; do
	start_ready -- /probe linger "$MARK"
	kill -${signal%:*} "$pid"
	ended
	status_is ${signal#*:}
done

it "ends it with the same status through --init"
for signal in TERM:143 INT:130 HUP:129; do
	start_ready --init -- /probe linger "$MARK"
	kill -${signal%:*} "$pid"
	ended
	status_is ${signal#*:}
done

it "ignores WINCH where nobody hears it"
start_ready -- /probe linger "$MARK"
kill -WINCH "$pid"
fails gone "$pid"
kill "$pid"
ended
status_is 143

it "hears signals whatever the caller has blocked or ignored"
start_ready -- /probe linger "$MARK"
kill "$pid"
ended
status_is 143
bash -c 'trap "" TERM INT; exec "$@"' - "$NUCLEUS" run -v "$T/probe:/probe:ro" -- /probe linger "$MARK" >"$T/bg" 2>&1 </dev/null &
pid=$!
holds eventually grep -q ready "$T/bg"
kill -TERM "$pid"
ended
status_is 143

# --- the end of the supervisor --------------------------------------------------------------------------------------

supervisor_dies() {
	before_it
	start_ready "$@" "$MARK"
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
	eventually no_marked_processes || fault "it outlives its supervisor: $(marked_processes)"
	# What needs a further command is gone after one.
	run -- true
	leaves_nothing
}

no_marked_processes() {
	[ -z "$(marked_processes)" ]
}

it "takes the container along when the supervisor is killed"
supervisor_dies -- /probe linger

it "takes it along when the workload ignores every signal"
supervisor_dies -- /probe linger deaf

it "takes along what opened sessions and forked twice"
supervisor_dies -- /probe linger session fork deaf

it "takes it along when the workload tries to stay an orphan"
supervisor_dies -- /probe linger orphan deaf

it "takes it along with --init"
supervisor_dies --init -- /probe linger session fork deaf orphan

it "takes it along with a name, which is free again"
supervisor_dies --name "dead-$$" -- /probe linger deaf
run --rm --name "dead-$$" -- true
status_is 0

it "takes it along with a terminal"
if command -v python3 >/dev/null; then
	before_it
	python3 -c 'import pty, sys; pty.spawn(sys.argv[1:], lambda fd: __import__("os").read(fd, 1024))' \
		"$NUCLEUS" run -t -v "$T/probe:/probe:ro" -- /probe linger deaf "$MARK" >"$T/bg" 2>&1 </dev/null &
	holds eventually grep -q ready "$T/bg"
	supervisor=$(pgrep -f "run -t .*$MARK" | while read -r p; do [ "$(cat "/proc/$p/comm")" = nucleus ] && echo "$p"; done | head -1)
	kill -KILL "${supervisor:-$!}"
	wait $! 2>/dev/null
	holds eventually no_marked_processes
	run -- true
	leaves_nothing
else
	skip "no python3 to make a terminal"
fi

it "leaves nothing when it is killed at any moment of the start"
before_it
for i in $(seq 40); do
	start -- /probe linger "$MARK"
	sleep 0.000$((i * 3 % 10))$((i % 10))
	[ $((i % 4)) -ne 0 ] || sleep 0.00$((i % 8))
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null
done
holds eventually no_marked_processes
run -- true
leaves_nothing

it "leaves nothing when it is interrupted at any moment of the start"
before_it
for i in $(seq 40); do
	start -- /probe linger "$MARK"
	sleep 0.000$((i * 3 % 10))$((i % 10))
	[ $((i % 4)) -ne 0 ] || sleep 0.00$((i % 8))
	kill -TERM "$pid"
	ended
	status_is 143
done
leaves_nothing

it "can be interrupted while it waits for --env-fd or --config-fd"
before_it
mkfifo "$T/never"
for option in --env-fd --config-fd; do
	: >"$T/bg"
	# Both ends are open here, so that it comes as far as reading.
	"$NUCLEUS" run $option 9 -- /bin/echo "$MARK" >"$T/bg" 2>&1 </dev/null 9<>"$T/never" &
	pid=$!
	eventually grep -qs pipe "/proc/$pid/wchan" || eventually grep -q '^State:.S' "/proc/$pid/status"
	kill -TERM "$pid"
	eventually gone "$pid" || { fault "it waits for $option and does not hear TERM"; kill -KILL "$pid"; }
	wait "$pid" 2>/dev/null
	is $? 143
done
rm "$T/never"
leaves_nothing

# --- time -----------------------------------------------------------------------------------------------------------

it "ends on --timeout what ignores signals and has many processes"
before_it
run --timeout 200ms -- /probe linger deaf session fork "$MARK"
status_is 124
leaves_nothing
run --timeout 200ms --init -- /probe linger deaf session fork "$MARK"
status_is 124
leaves_nothing

it "does not wait for the timeout"
began=$SECONDS
run --timeout 30s -- true
status_is 0
holds test $((SECONDS - began)) -lt 10

# --- PID 1 ----------------------------------------------------------------------------------------------------------

it "reaps orphans with --init"
run --init -- sh -c 'for i in 1 2 3 4 5; do (true & ) ; done; i=0; while ps -e -o stat= | grep -q "^Z" && [ $i -lt 100 ]; do
	i=$((i + 1)); sleep 0.02; done; ps -e -o stat= | grep -c "^Z"'
out_is 0

it "does not let the workload kill the mini-init"
run --init -- sh -c 'trap "" TERM; kill -9 1; kill -TERM 1; kill -INT -1; echo alive; exit 4'
out_has alive
status_is 4

finish
