#!/bin/sh
# try.sh NUCLEUS: runs agent.sh in a sandbox on a copy of the project, and shows what came of it. As root or as an
# ordinary user. Exit status 0 only if everything was as it should be.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 NUCLEUS" >&2; exit 2; }
nucleus=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
failed=0

fail() {
	echo "NOT AS IT SHOULD BE: $*"
	failed=1
}

# A directory for the copy, not open to others, where programs may be executed.
place() {
	for base in /tmp /var/tmp "${HOME:-/}"; do
		dir=$(mktemp -d "$base/nucleus-try.XXXXXX" 2>/dev/null) || continue
		cp /bin/true "$dir/true"
		"$dir/true" 2>/dev/null && { rm "$dir/true"; echo "$dir"; return; }
		rm -r "$dir"
	done
	echo "no directory for the example: /tmp and /var/tmp are not writable or noexec" >&2
	return 1
}

tmp=$(place)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$tmp/agent"
cp -R "$here/project" "$tmp/workspace"
cp "$here/agent.sh" "$here/attempt.c" "$tmp/agent"

NUCLEUS_TRY_SECRET=of-the-host
export NUCLEUS_TRY_SECRET

echo "nucleus run --workspace DIR --workspace-exec --volume AGENT:/agent:ro --timeout 2m --result FILE -- sh /agent/agent.sh"
echo "(--workspace-exec, since the tests are programs in the workspace; without it nothing there can be executed)"
echo
start=$(date +%s%N)
status=0
"$nucleus" run --workspace "$tmp/workspace" --workspace-exec --volume "$tmp/agent:/agent:ro" --timeout 2m \
	--result "$tmp/result.json" -- sh /agent/agent.sh >"$tmp/output" 2>&1 || status=$?
end=$(date +%s%N)
cat "$tmp/output"

echo
echo "== on the host: what the agent changed (diff -ru)"
diff -ru -x helper "$here/project" "$tmp/workspace" | sed "s|$here/project|a|; s|$tmp/workspace|b|" || true
[ "$(diff -rq -x helper "$here/project" "$tmp/workspace" | wc -l)" = 1 ] || fail "the agent should have changed one file"
[ -e "$tmp/workspace/helper" ] || fail "the agent did not come to its last attempt"
[ -z "$(find "$tmp/workspace" -perm /6000)" ] || fail "the agent left a file with the set-user-ID bit"
[ ! -e /usr/bin/mine ] && [ ! -e /mine ] || fail "a file of the agent is on the host"

echo
echo "== the result (--result)"
cat "$tmp/result.json" 2>/dev/null || fail "there is no result"
for fact in '"verdict":"exit"' '"status":0' '"seccomp":true' '"landlock_abi":[1-9]'; do
	grep -q "$fact" "$tmp/result.json" 2>/dev/null || fail "the result lacks $fact"
done
[ "$status" = 0 ] || fail "exit status $status; $nucleus doctor says what this host lacks"
grep -q '^ALLOWED' "$tmp/output" && fail "something was allowed that must be refused"
refused=$(grep -c '^refused' "$tmp/output" || true)
[ "$refused" -ge 16 ] || fail "only $refused attempts were refused"

echo
echo "The agent took $(((end - start) / 1000000)) ms; $refused attempts were refused."
start=$(date +%s%N)
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
	"$nucleus" run -- true || failed=1
done
end=$(date +%s%N)
echo "An empty sandbox, 'nucleus run -- true', takes $(((end - start) / 20000)) us (mean of 20 in a row, as uid $(id -u))."
exit $failed
