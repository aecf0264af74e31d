#!/bin/bash
# Memory that runs out. From the root cgroup, where limits bind without delegation.
# worlds: root
. "$(dirname "$0")/lib.sh"

printf '$x = "x" x (96 << 20); print "all of it\\n"\n' >"$T/hog"
options+=(-v "$T/hog:/hog:ro")
echo $$ >/sys/fs/cgroup/cgroup.procs

nothing_is_left() {
	is "$(ls /run/nucleus | tr '\n' ' ' | sed 's/%[^ ]* //g')" 'lock '
	is "$(find /sys/fs/cgroup -maxdepth 1 -name 'nucleus-*')" ''
}

it "is told as oom by a supervisor that survives it"
run --memory 64M --result "$T/result" -- perl /hog
is_told_as_oom
nothing_is_left

it "is an error where it does not do for the set-up"
for memory in 64K 128K; do
	run --memory $memory -- true
	status_is 125
	err_has 'ran out of memory'
	nothing_is_left
done

finish
