#!/bin/bash
# Runs the black-box tests, each file in both worlds: as root and as an ordinary user.
#
#	NUCLEUS=... PROBE=... run-all.sh [FILE...]	all but the corpus, or these; status 1 if anything failed
#
# Started by an ordinary user it runs in that world alone. At its end it tells the totals, and each skip with its reason.

set -u
here=$(cd "$(dirname "$0")" && pwd)
: "${NUCLEUS:?the absolute path of nucleus}" "${PROBE:?the absolute path of the probe}"

# Where everybody can read it, whoever's the checkout is.
base=$(mktemp -d "${NUCLEUS_TEST_DIR:-/tmp}/nucleus-tests.XXXXXX") || exit 2
trap 'rm -rf "$base"' EXIT
chmod 755 "$base"
install -m 755 "$NUCLEUS" "$base/nucleus" && install -m 755 "$PROBE" "$base/probe" || exit 2
mkdir "$base/cli" && cp "$here"/*.sh "$base/cli/" || exit 2
export NUCLEUS=$base/nucleus PROBE=$base/probe

files=("$@")
[ $# -gt 0 ] || files=(run sandbox mounts signals tty result errors config commands state)
user=${NUCLEUS_TEST_UID:-4242}

as_root() {
	"$@"
}

as_user() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all env -u XDG_RUNTIME_DIR HOME=/ "$@"
	else
		"$@"
	fi
}

run_in_world() {
	local log=$base/$1 began

	began=$(date +%s%N)
	"$1" timeout -k 5 900 bash "$base/cli/$2.sh" >"$log" 2>&1 </dev/null
	set -- $? "$@"
	# A file that ends before its plan, or has none, has failed, whatever it said.
	if ! grep -q '^1\.\.[1-9]' "$log"; then
		echo "not ok 0 - $3.sh ended before its end" >>"$log"
		set -- 1
	fi
	printf '# %s as %s: %d ok, %d failed, %d skipped; %d ms\n' "$file.sh" "${world#as_}" $(($(grep -c '^ok' "$log") - $(grep -c '^ok .*# SKIP' "$log"))) \
		"$(grep -c '^not ok' "$log")" "$(grep -c '^ok .*# SKIP' "$log")" $((($(date +%s%N) - began) / 1000000)) >>"$log"
	return "$1"
}

worlds=(as_user)
if [ "$(id -u)" -eq 0 ]; then
	worlds=(as_root as_user)
fi
cd / || exit 2
status=0
for file in "${files[@]}"; do
	file=$(basename "$file" .sh)
	# Both worlds at once: they have nothing in common.
	for world in "${worlds[@]}"; do
		run_in_world "$world" "$file" &
	done
	for world in "${worlds[@]}"; do
		wait -n || status=1
	done
	for world in "${worlds[@]}"; do
		sed -n '/^not ok/,/^ok\|^1\.\./{/^ok\|^1\.\./!p}' "$base/$world"
		tail -n 1 "$base/$world"
		sed "s/^/$file ${world#as_} /" "$base/$world" >>"$base/all"
	done
done

count() {
	grep -cE "^[a-z-]+ (root|user) $1" "$base/all"
}

skips=$(sed -nE 's/^([a-z-]+) (root|user) ok [0-9]+ - (.*) # SKIP (.*)/skipped: \1 as \2: \3: \4/p' "$base/all")
[ -z "$skips" ] || echo "$skips"
[ ${#worlds[@]} -eq 2 ] || echo "skipped: everything as root: started by an ordinary user"
printf 'cli: %d ok, %d failed, %d skipped\n' $(($(count 'ok') - $(count 'ok .* # SKIP'))) "$(count 'not ok')" "$(count 'ok .* # SKIP')"
exit $status
