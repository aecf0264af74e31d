#!/bin/sh
# All parts of the tests, one after the other, whether or not one fails: check.sh, called by `make check`.
# The last lines name what was skipped and why, and then the verdict. Logs stay in $B/check.
set -u

: "${MAKE:=make}" "${B:=build}" "${JOBS:=1}"
logs=$B/check
failed= parts=
mkdir -p "$logs" || exit 1
rm -f "$logs"/*.log

# part NAME TARGET [VARIABLE...]
part() {
	name=$1
	shift
	parts="$parts $name"
	start=$(date +%s)
	echo "== $name"
	# The status of make goes through a file, since a pipe has but the last one's.
	{ "$MAKE" --no-print-directory -j"$JOBS" "$@" 2>&1; echo $? >"$logs/status"; } | tee "$logs/$name.log"
	if [ "$(cat "$logs/status")" = 0 ]; then
		echo "== $name: passed in $(($(date +%s) - start)) s"
	else
		echo "== $name: FAILED in $(($(date +%s) - start)) s"
		failed="$failed $name"
	fi
}

# Our own -j is meant, not the one that make was called with.
unset MAKEFLAGS MFLAGS
began=$(date +%s)
part deps test-deps
part build all
part lint lint
part unit unit
part unit-san unit-san
part toml toml
part golden golden
part faults faults
part failclosed failclosed
part cli cli
part corpus corpus
part fuzz fuzz SECONDS=3
part vm-deps vm-deps
part vm check-vm
part vm-old check-vm-old

echo "== all parts in $(($(date +%s) - began)) s; their output is in $logs"
echo
for log in $parts; do
	sed -nE "s/^(SKIP|skipped:) /skipped in $log: /p" "$logs/$log.log"
done | sort -u
if [ -n "$failed" ]; then
	echo "check: FAILED:$failed"
	exit 1
fi
echo "check: passed"
