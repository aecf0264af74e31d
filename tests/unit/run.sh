#!/bin/sh
# Runs unit tests: run.sh PROGRAM...
# As root they run twice, the second time as an ordinary user, since much of what they test differs. Only the output of
# those that fail is shown. A test that cannot run here prints a line "SKIP name: reason", which is passed on where
# neither pass could run it.
set -u

count=0 failed=
scratch=$(mktemp -d /tmp/nucleus-unit.XXXXXX) || exit 1
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
export UBSAN_OPTIONS=print_stacktrace=1

# pass NAME PREFIX... runs each program behind the prefix.
pass() {
	name=$1
	shift
	: >"$scratch/skips.$name"
	for program in $programs; do
		label=${program##*/tests/}
		# Where it is may be closed to the other user; the copy is not.
		rm -f "$scratch/test" && cp "$program" "$scratch/test" || exit 1
		mkdir -m 700 "$scratch/own" && chown "$owner" "$scratch/own"
		start=$(date +%s%N)
		(cd "$scratch/own" && XDG_RUNTIME_DIR="$scratch/own" HOME="$scratch/own" timeout -k 5 120 "$@" "$scratch/test") \
			>"$scratch/out" 2>&1 </dev/null
		status=$?
		count=$((count + 1))
		rm -rf "$scratch/own"
		grep -a '^SKIP ' "$scratch/out" >>"$scratch/skips.$name"
		if [ $status -ne 0 ]; then
			failed="$failed $label($name)"
			cat "$scratch/out"
			echo "FAIL $label ($name): status $status"
		else
			echo "  ok $label ($name) $(($(($(date +%s%N) - start)) / 1000000)) ms"
		fi
	done
}

programs="$*"
owner=$(id -u):$(id -g)
if [ "$(id -u)" -eq 0 ]; then
	pass root
	owner=4242:4242
	pass user setpriv --reuid 4242 --regid 4242 --clear-groups
	sort -u "$scratch/skips.root" >"$scratch/a"
	sort -u "$scratch/skips.user" >"$scratch/b"
	# Skipped only where both passes did, whatever each gave as its reason.
	while IFS= read -r line; do
		grep -qF "$(printf '%s' "$line" | cut -d: -f1):" "$scratch/b" && printf '%s\n' "$line"
	done <"$scratch/a"
else
	pass user
	sort -u "$scratch/skips.user"
fi
echo "$count unit tests run$([ -z "$failed" ] || echo "; FAILED:$failed")"
[ -z "$failed" ]
