#!/bin/bash
# Limits that bind, wherever nucleus is started from: a login session, a delegated scope, a delegated service.
# worlds: root user
# wanted-by: cgroups with delegation (issue 4, item 2)
. "$(dirname "$0")/lib.sh"

# Files, since systemd-run reads a $ in an argument as its own.
printf '$x = "x" x (96 << 20); print "all of it\\n"\n' >"$T/hog"
printf 'perl /hog\necho outlived\n' >"$T/parent"
# As bombs go, one that shows how far it came.
printf 'for i in $(seq 100); do sleep 60 & done\necho all of them\n' >"$T/bomb"
printf 'echo ready\nwhile :; do :; done\n' >"$T/loop"
for file in hog parent bomb loop; do
	options+=(-v "$T/$file:/$file:ro")
done

for place in session scope unit; do
	from $place

	it "from a $place: nothing about a limit is degraded"
	run --memory 64M --pids 32 --cpus 0.5 --result "$T/result" -- true
	status_is 0
	err_is_empty
	is "$(told_in "$T/result" '[.degraded[] | .what + ": " + .text] | join("\n")')" ''

	it "from a $place: --memory ends a hog, and the result says oom"
	run --memory 64M --result "$T/result" -- perl /hog
	is_told_as_oom
	is "$(told_in "$T/result" '.memory_peak_bytes > 60000000 and .memory_peak_bytes <= 67108864')" true

	it "from a $place: --memory ends a hog that is not the first process"
	run --memory 64M --result "$T/result" -- sh /parent
	out_lacks 'all of it'
	out_lacks outlived
	is "$(told_in "$T/result" .verdict)" oom

	it "from a $place: --pids bounds a fork bomb, and the result says so"
	run --pids 32 --timeout 20s --result "$T/result" -- sh /bomb
	out_lacks 'all of them'
	err_has 'Cannot fork'
	is "$(told_in "$T/result" '.pids_refused >= 1')" true

	it "from a $place: --cpus throttles"
	start --cpus 0.5 --timeout 4s --result "$T/result" -- sh /loop "$MARK"
	eventually grep -q ready "$T/bg"
	directory=$(leaf)
	if [ -z "$directory" ]; then
		fault "it has no cgroup of its own: $(cat "$T/bg.err")"
	elif [ ! -e "$directory/cpu.max" ]; then
		fault "its cgroup has no cpu controller: $directory"
	else
		is "$(cat "$directory/cpu.max")" '50000 100000'
		eventually grep -qs '^nr_throttled [1-9]' "$directory/cpu.stat" || fault "it was never throttled"
	fi
	ended
	status_is 124
	is "$(told_in "$T/result" '.cpu_us > 500000 and .cpu_us < 3000000')" true
done

finish
