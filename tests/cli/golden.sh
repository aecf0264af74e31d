#!/bin/sh
# What command lines are answered with before anything is done, compared with the files of tests/golden.
#
#	golden.sh [--update] NUCLEUS DIR
#
# A case is DIR/NAME.txt: its first line is the command line after "$ ", what follows are its output, its errors and its
# exit status. The plans hold the order of stages and mounts without any privilege, so all runs as an ordinary user.
set -u

update=
[ "$1" != --update ] || { update=1; shift; }
nucleus=$1 dir=$2
scratch=$(mktemp -d /tmp/nucleus-golden.XXXXXX) || exit 1
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
cp "$nucleus" "$scratch/nucleus"

as_user() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups env -i PATH="$scratch:/usr/bin:/bin" "$@"
	else
		env -i PATH="$scratch:/usr/bin:/bin" "$@"
	fi
}

# An id is twelve hexadecimal digits, different each time.
answer() {
	printf "%s\n" "$1"
	# The command line is the test's own text.
	(cd / && as_user sh -c "${1#\$ }" </dev/null 2>"$scratch/err"; echo "status $?" >"$scratch/status") |
		sed -E 's/\b[0-9a-f]{12}\b/IDENTIFIER/g'
	sed -E 's/\b[0-9a-f]{12}\b/IDENTIFIER/g; s/^/2> /' "$scratch/err"
	cat "$scratch/status"
}

if [ -e /etc/nucleus/nucleus.conf ]; then
	echo "SKIP golden: this host has an /etc/nucleus/nucleus.conf of its own, which changes the plans"
	exit 0
fi
count=0 failed=0
for file in "$dir"/*.txt; do
	count=$((count + 1))
	answer "$(head -n 1 "$file")" >"$scratch/answer"
	cmp -s "$file" "$scratch/answer" && continue
	if [ -n "$update" ]; then
		cp "$scratch/answer" "$file"
		echo "updated $file"
	else
		failed=$((failed + 1))
		diff -u "$file" "$scratch/answer"
	fi
done
echo "golden: $count cases, $failed differ$([ $failed -eq 0 ] || echo ' (if that is meant: make golden-update)')"
[ $failed -eq 0 ] && [ $count -gt 0 ]
