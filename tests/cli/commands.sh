#!/bin/bash
# The commands beside run: version, help, completion, schema, doctor, features. Text for people, JSON for programs.
. "$(dirname "$0")/lib.sh"

json() {
	if command -v jq >/dev/null; then
		holds jq -e "$1" "$T/out"
	else
		skip "no jq to read JSON"
	fi
}

it "tells its version"
nucleus version
status_is 0
out_matches '^nucleus [0-9]+\.[0-9]+\.[0-9]+'
err_is_empty
first=${out%%$'\n'*}
for word in --version -V; do
	nucleus $word
	status_is 0
	is "${out%%$'\n'*}" "$first"
done
nucleus version --format json
json ".version == \"${first#nucleus }\" and .schema_version == 1"

it "helps, in general and on each command"
for words in help --help -h; do
	nucleus $words
	status_is 0
	out_has 'Usage: nucleus'
	err_is_empty
done
commands=$(sed -n '/^Commands:/,/^$/p' "$T/out" | sed -n 's/^  \([a-z]*\).*/\1/p')
holds test "$(wc -w <<<"$commands")" -ge 9
for command in $commands; do
	nucleus help $command
	status_is 0
	out_has "Usage: nucleus $command"
	help=$out
	[ $command != help ] || continue # "help --help" is the overview
	nucleus $command --help
	status_is 0
	out_is "$help"
done
nucleus --help run
out_has 'Usage: nucleus run'

it "lists every option of run in its help, with lines of a readable length"
nucleus help run
for option in --name --workdir --hostname --home --env --env-file --env-fd --interactive --tty --init --timeout --rm --keep --workspace \
	--workspace-mode --workspace-exec --volume --tmpfs --rootfs-size --proc-rw --sysfs --network --time-namespace --memory --pids \
	--cpus --service-mode --strict-agent --allow-degraded-security --config --config-fd --result --result-fd --dry-run --format --help; do
	out_has "$option"
done
holds test "$(awk '{ if (length > n) n = length } END { print n }' "$T/out")" -le 100

it "knows the short options of Docker"
mkdir "$T/work"
run -i -e A=1 -w /tmp -h box -v "$T/work:/data" --rm --init -- sh -c 'echo $A; pwd; hostname; ls -d /data'
out_is $'1\n/tmp\nbox\n/data'

it "prints completions that the shells accept"
for shell in bash zsh fish; do
	nucleus completion $shell
	status_is 0
	holds test -n "$out"
	if command -v $shell >/dev/null; then
		holds $shell -n "$T/out"
	elif [ $shell != bash ]; then
		missing+=${missing+, }$shell
	fi
done
[ -z "${missing-}" ] || skip "not installed: $missing; the others were accepted"

it "completes in bash: commands, options, choices"
cat >"$T/complete.bash" <<'END'
source "$1"
complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_nucleus
	printf '%s ' "${COMPREPLY[@]}"
	echo
}
complete_words nucleus ver
complete_words nucleus run --workspace-e
complete_words nucleus run --network b
complete_words nucleus doctor --form
END
nucleus completion bash
cp "$T/out" "$T/completion"
is "$(bash "$T/complete.bash" "$T/completion" 2>&1)" $'version \n--workspace-exec \nbridge \n--format '

it "prints a JSON Schema of the launch document"
nucleus schema
status_is 0
json '.properties.command and .properties.workspace_mode.enum and .properties.pids and .additionalProperties == false'
if command -v jq >/dev/null; then
	is "$(jq -r '.properties | keys[]' "$T/out" | grep -c -e '-')" 0
fi

it "examines the host: every gap with its cause and its fix, and which mode can run"
nucleus doctor
status_is 0
err_is_empty
out_has 'agent: can run'
out_has 'seccomp'
out_has Landlock
is "$(grep -c '   cause: ' <<<"$out")" "$(grep -c '   fix:   ' <<<"$out")"
nucleus doctor --format json
status_is 0
json '.modes.agent.can_run == true and (.probes | length > 15)'
json '[.probes[] | select(.status != "ok") | .cause != null and .fix != null] | all'

it "returns 1 from doctor when the mode asked for cannot run"
nucleus doctor --service-mode production
status_is 1
out_has 'production: cannot run'
nucleus doctor --strict-agent --format json
status_is 1
json '.service_mode == "strict-agent" and .modes["strict-agent"].can_run == false'

it "does not colour what goes to a pipe"
nucleus doctor
out_lacks $'\033'

it "colours on a terminal, unless NO_COLOR is set"
if command -v script >/dev/null; then
	is "$(script -qec "$NUCLEUS doctor" /dev/null </dev/null | grep -c $'\033' | sed 's/^[1-9][0-9]*$/some/')" some
	is "$(NO_COLOR=1 script -qec "$NUCLEUS doctor" /dev/null </dev/null | grep -c $'\033')" 0
else
	skip "no script(1) to make a terminal"
fi

it "tells the features of the kernel and of this build"
nucleus features
status_is 0
out_has "$(uname -r)"
nucleus features --format json
status_is 0
json "(.features | length > 15) and .modes.agent == true and .root == $([ $WORLD = root ] && echo true || echo false)"

it "says nothing but errors with --quiet"
nucleus --quiet run --memory 64M -- true
status_is 0
err_is_empty
nucleus -q run -- no-such-command
status_is 127
err_has no-such-command

it "leaves nothing on the host by looking"
before_it
for command in doctor features version schema help 'completion bash'; do
	nucleus $command
done
leaves_nothing

finish
