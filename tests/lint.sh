#!/bin/sh
# The rules of the house that a program can hold: lint.sh, called by `make lint` from the top of the tree.
# B is the build directory; LIB_CFLAGS are what the headers of the libraries need.
set -u

: "${B:=build}" "${LIB_CFLAGS:=}"
faults=$(mktemp) || exit 1
trap 'rm -f "$faults" "$faults".*' EXIT
sources=$(find src include policies tests -name '*.[ch]')
own=$(find src include -name '*.[ch]')

# Reads complaints, one a line, and prints them under the rule that they break.
rule() {
	sed "s/^/FAIL $1: /" | tee -a "$faults"
}

need() {
	command -v "$1" >/dev/null && return
	echo "SKIP lint with $1: not installed"
	return 1
}

# A file includes its own folder and those to its left; sandbox and net do not know each other.
# shellcheck disable=SC2086 # words
awk '
	BEGIN {
		split("base data spec sandbox run compose cmd main", order)
		for (i in order) level[order[i]] = i
		level["net"] = level["sandbox"]
	}
	/^#include "/ {
		split(FILENAME, at, "/")
		folder = FILENAME == "src/main.c" ? "main" : at[2]
		split($2, name, /["\/]/)
		target = name[2]
		if (!(folder in level)) print FILENAME ": no such layer: " folder
		else if (!(target in level)) print FILENAME ":" FNR ": " $2 " is not named with its folder"
		else if (level[target] > level[folder] || (level[target] == level[folder] && target != folder))
			print FILENAME ":" FNR ": " folder " includes " target
	}' $own | rule layers

# Each source has its header; NAME_part.c may share NAME.h. What else shares one is named here.
mirrored() {
	case $1 in
	src/main.c | src/base/heap.c) return 0 ;; # no caller names what is in them
	src/data/toml.c | src/data/json.c | src/data/ini.c) set -- src/data/tree.c ;; # the readers of a tree
	src/cmd/*) set -- src/cmd/command.c ;;
	esac
	header=include${1#src}
	while header=${header%.c}; ! [ -e "$header.h" ]; do
		case ${header##*/} in
		*_*) header=${header%_*} ;;
		*) return 1 ;;
		esac
	done
}
for file in src/*.c src/*/*.c; do
	mirrored "$file" || echo "$file has no header"
done | rule mirrors
for file in include/*/*.h; do
	grep -q '^#pragma once$' "$file" || echo "$file has no #pragma once"
	head -n 1 "$file" | grep -q '^/\*' || echo "$file does not begin with a paragraph about itself"
done | rule headers

# Functions, from the brace at the left margin to the other one; files; headers. kernel.h is a table of calls.
# shellcheck disable=SC2086
awk '
	FNR == 1 { inside = 0 }
	/^{/ { start = FNR; inside = 1 }
	/^}$/ && inside { inside = 0; n = FNR - start - 1; print n, FILENAME ":" start }
' $(find src policies -name '*.c') | sort -n >"$faults.sizes"
awk '{ size[NR] = $1 } $1 > 80 { print $2 " is a function of " $1 " lines, above 80" > "/dev/stderr" }
	END {
		printf "functions: %d, median %d, 95 %% at most %d, largest %d lines\n", NR, size[int((NR + 1) / 2)],
			size[int(NR * 0.95)], size[NR]
		if (size[int((NR + 1) / 2)] > 15) print "the median is above 15" > "/dev/stderr"
		if (size[int(NR * 0.95)] > 50) print "the 95th percentile is above 50" > "/dev/stderr"
	}' "$faults.sizes" 2>"$faults.big"
rule sizes <"$faults.big"
for file in $own; do
	lines=$(wc -l <"$file")
	case $file in
	include/base/kernel.h) ;;
	*.h) [ "$lines" -le 100 ] || echo "$file has $lines lines, above 100" ;;
	*) [ "$lines" -le 500 ] || echo "$file has $lines lines, above 500" ;;
	esac
done | rule sizes
# shellcheck disable=SC2086
expand $own | awk 'length > 100 { n++ } END { print "lines above 100 columns: " n + 0 " of " NR }'
for file in $own policies/*/*.[ch]; do
	expand "$file" | awk -v file="$file" 'length > 120 { print file ":" NR " is " length " columns wide, above 120" }'
done | rule width

# Calls that cannot be made safely, or that do not say how they failed.
# shellcheck disable=SC2086
grep -nE '\b(strcpy|strcat|stpcpy|sprintf|vsprintf|atoi|atol|atof|system|popen|gets|strtok|tmpnam|mktemp|alloca) ?\(' \
	$(find src include policies -name '*.[ch]') | grep -vE ':[[:space:]]*(/?\*|//)' | rule banned
# shellcheck disable=SC2086
grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)\b' $own | grep -v '^include/base/kernel.h:' | rule preprocessor
# shellcheck disable=SC2086
grep -nE '[[:space:]]+$' $sources | rule 'trailing space'

# Where this happens to have been written is nobody's business.
grep -rnE '/work/(main|shared|\.library)|\.\./shared' Makefile README.md .ci src include policies tests docs nix 2>/dev/null |
	grep -vE '\.\./shared/data/toml-test|^tests/lint.sh:|^Binary' | rule places

# A release has no hook; tests link one in.
for image in "$B/full/nucleus" "$B/nucleus"; do
	nm "$image" 2>/dev/null | grep -E ' [TtDdBbRr] plan_hook$' | sed "s,^,$image defines ,"
done | rule release

# The manual against the tables. It is rendered first, so that no markup stands between the words.
page() {
	MANWIDTH=200 mandoc -T utf8 "$1" 2>/dev/null | sed 's/.\x08//g; s/\xe2\x80\x90/-/g; s/\xe2\x88\x92/-/g'
}
manual() {
	[ -e "$1" ] || { echo "SKIP lint of $1: not written yet"; return 1; }
}
if need mandoc; then
	if manual docs/nucleus.1; then
		page docs/nucleus.1 >"$faults.page"
		"$B/nucleus" help | sed -n '/^Commands:/,/^$/s/^  *\([a-z][a-z-]*\).*/\1/p' >"$faults.commands"
		[ -s "$faults.commands" ] || echo "no commands found in nucleus help" | rule manual
		while read -r command; do
			grep -qE "\b$command\b" "$faults.page" || echo "docs/nucleus.1 lacks command $command"
			# An option of any command: at the beginning of a line of its help, behind its letter if it has one.
			"$B/nucleus" help "$command" | sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z][a-z-]*).*/\2/p' | while read -r option; do
				grep -qE -e "(^|[^a-z-])$option([^a-z-]|$)" "$faults.page" || echo "docs/nucleus.1 lacks $command $option"
			done
		done <"$faults.commands" | sort -u | rule manual
	fi
	if manual docs/nucleus.toml.5 && need jq; then
		page docs/nucleus.toml.5 >"$faults.page"
		"$B/nucleus" schema | jq -r '.properties | keys[]' >"$faults.keys"
		[ -s "$faults.keys" ] || echo "no keys found in nucleus schema" | rule manual
		while read -r key; do
			grep -qw -e "$key" "$faults.page" || echo "docs/nucleus.toml.5 lacks key $key"
		done <"$faults.keys" | rule manual
	fi
	for file in docs/*.[157]; do
		[ ! -e "$file" ] || mandoc -T lint -W warning "$file"
	done | rule mandoc
fi

if need cppcheck; then
	# comparePointers: the linker's symbols around the embedded image. arrayIndexThenCheck: a terminated string comes first.
	cppcheck -q -j"$(nproc)" --enable=warning,portability --inline-suppr --std=c11 -D_GNU_SOURCE -D__x86_64__ -Iinclude -I. \
		--suppress=comparePointers:src/base/image.c --suppress=arrayIndexThenCheck --template='{file}:{line}: {message} [{id}]' \
		src policies 2>&1 | grep -E '^[^ ]+:[0-9]+: ' | rule cppcheck
fi
if need clang-tidy; then
	# shellcheck disable=SC2086,SC2016 # words; for the inner shell
	find src policies -name '*.c' -print0 | xargs -0 -P "$(nproc)" -n 4 sh -c 'flags=$1; shift
		clang-tidy --quiet "$@" -- -std=gnu17 -D_GNU_SOURCE -I. -Iinclude "-DNUCLEUS_VERSION=\"\"" $flags' sh "$LIB_CFLAGS" \
		2>/dev/null | grep -E '(error|warning):' | sort -u | sed "s,^$PWD/,," | rule clang-tidy
fi
# A help to whoever has it: mistakes, not style.
if command -v shellcheck >/dev/null; then
	find tests .ci policies \( -name '*.sh' -o -path '.ci/run' \) -exec shellcheck -S error -e SC2148,SC2261 -f gcc {} + | rule shellcheck
fi

if [ -s "$faults" ]; then
	echo "lint: $(wc -l <"$faults") faults"
	exit 1
fi
echo "lint: no faults"
