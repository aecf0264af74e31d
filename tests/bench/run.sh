#!/bin/sh
# All benchmarks, and the machine they ran on, as one table: run.sh NUCLEUS OUTDIR
# The programs startup, steady, scale and true are expected in OUTDIR. BENCH_ROUNDS and BENCH_ALIVE shorten a trial.
set -eu

[ $# -eq 2 ] || { echo "usage: run.sh NUCLEUS OUTDIR" >&2; exit 2; }
nucleus=$(realpath "$1")
out=$(realpath "$2")
here=$(dirname "$(realpath "$0")")
profile=$here/../../policies/seccomp/default.json
PATH=$PATH:/usr/sbin:/sbin

version() {
	if command -v "$1" >/dev/null 2>&1; then
		printf '  %-12s %s\n' "$1" "$("$@" 2>&1 | head -n 1)"
	else
		printf '  %-12s not installed\n' "$1"
	fi
}

facts() {
	echo "Nucleus benchmarks, $(date -u '+%Y-%m-%d %H:%M UTC')"
	printf '  %-12s %s\n' kernel "$(uname -srm)"
	printf '  %-12s %s x %s\n' cpu "$(nproc)" "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
	printf '  %-12s %s\n' memory "$(sed -n 's/^MemTotal: *//p' /proc/meminfo)"
	printf '  %-12s %s\n' load "$(cat /proc/loadavg)"
	printf '  %-12s %s\n' cgroups "$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/cgroup2 at \1/p' /proc/mounts | head -n 1)"
	printf '  %-12s %s\n' mounts "$(wc -l </proc/self/mountinfo) on the host"
	printf '  %-12s uid %s\n' "run as" "$(id -u)"
	printf '  %-12s %s\n' nucleus "$("$nucleus" --version 2>&1 | head -n 1 || true)"
	version bwrap --version
	version crun --version
	version runc --version
	version podman --version
	echo
}

[ -r "$profile" ] && seccomp="--seccomp $profile" || seccomp=
{
	facts
	# shellcheck disable=SC2086 # two words or none
	"$out/startup" "$nucleus" ${BENCH_ROUNDS:-200} $seccomp
	echo
	"$out/steady" "$nucleus"
	echo
	"$out/scale" "$nucleus" ${BENCH_ALIVE:-1000}
} >"$out/bench.txt.new"
mv "$out/bench.txt.new" "$out/bench.txt"
cat "$out/bench.txt"
