#!/bin/bash
# The tools that people use at work run in the sandbox under the default policies: corpus.sh, inside.
. "$(dirname "$0")/lib.sh"

mkdir "$T/work" "$T/corpus"
cp "$(dirname "$0")/corpus.sh" "$T/corpus/"

# One test for each tool: "ok NAME", "FAIL NAME: ..." with the output below, "SKIP NAME: reason".
told_by_corpus() {
	local line

	while IFS= read -r line; do
		case $line in
		'ok '*) it "runs ${line#ok }" ;;
		'SKIP '*)
			line=${line#SKIP }
			it "runs ${line%%:*}"
			skip "${line#*: }"
			;;
		'FAIL '*)
			line=${line#FAIL }
			it "runs ${line%%:*}"
			fault "${line#*: }"
			;;
		*) [ -z "$sentence" ] || [ -z "$faults" ] || fault "$line" ;;
		esac
	done <"$T/out"
}

timeout -s KILL 600 "$NUCLEUS" run -v "$T/corpus:/corpus:ro,exec" --workspace "$T/work" --workspace-exec \
	-- bash /corpus/corpus.sh >"$T/out" 2>"$T/err" </dev/null
status=$?
gather
told_by_corpus

it "comes to the end of the corpus"
[[ $out == *'ok '* ]] && [ $status -le 1 ] || fault "the corpus did not run: $(told)"

finish
