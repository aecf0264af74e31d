#!/bin/sh
# Runs fuzz targets beside each other on all cores: run.sh DIR SECONDS TARGET...
# The corpora in the tree are read; what is found goes to DIR/corpus, what crashes to DIR/TARGET-*.
set -u

dir=$1 seconds=$2
shift 2
here=$(dirname "$0")
one=$(mktemp) || exit 1
trap 'rm -f "$one"' EXIT
cat >"$one" <<'END'
dir=$1 seconds=$2 here=$3 target=$4 name=${4#fuzz-}
mkdir -p "$dir/corpus/$name"
"$dir/$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -close_fd_mask=1 -print_final_stats=1 \
	-artifact_prefix="$dir/$target-" "$dir/corpus/$name" "$here/corpus/$name" >"$dir/$target.log" 2>&1
status=$?
runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$dir/$target.log")
[ $status -eq 0 ] && [ "${runs:-0}" -gt 0 ] && { echo "  ok $target: $runs inputs"; exit 0; }
tail -n 40 "$dir/$target.log"
echo "FAIL $target: status $status"
exit 1
END
printf '%s\n' "$@" | xargs -P "$(nproc)" -I TARGET sh "$one" "$dir" "$seconds" "$here" TARGET
