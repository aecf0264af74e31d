#!/bin/bash
# --result and --result-fd: one JSON object about the end, never ambiguous.
. "$(dirname "$0")/lib.sh"

command -v jq >/dev/null || { it "writes a result"; skip "no jq to read it"; finish; }

R=$T/result.json

# result [OPTION...] -- COMMAND: runs it, and checks that there is one JSON object.
result() {
	rm -f "$R"
	run --result "$R" "$@"
	holds jq -e -s 'length == 1 and (.[0] | type == "object")' "$R"
}

# says FILTER VALUE: what jq finds in it.
says() {
	is "$(jq -c "$1" "$R" 2>&1)" "$2"
}

it "tells that the command exited, with its code"
result -- sh -c 'exit 7'
says '[.verdict, .code, .signal, .status, .error]' '["exit",7,null,7,null]'
result -- true
says '[.verdict, .code, .status]' '["exit",0,0]'
result --init -- sh -c 'exit 7'
says '[.verdict, .code, .status]' '["exit",7,7]'

it "tells an exit status above 128 from a death by signal"
result --init -- sh -c 'exit 143'
says '[.verdict, .code, .signal, .status]' '["exit",143,null,143]'
result --init -- sh -c 'kill -TERM $$'
says '[.verdict, .code, .signal, .status]' '["signal",null,15,143]'
result -- sh -c 'exit 124'
says '[.verdict, .code, .status]' '["exit",124,124]'
result -- sh -c 'exit 125'
says '[.verdict, .code, .status]' '["exit",125,125]'

it "tells the signal that was carried out for a PID 1 without a handler"
rm -f "$R"
start_ready --result "$R" -- /probe linger "$MARK"
kill -TERM "$pid"
ended
says '[.verdict, .signal, .status]' '["signal",15,143]'

it "tells a timeout"
result --timeout 100ms -- sleep 100
says '[.verdict, .status]' '["timeout",124]'

it "tells a failed set-up, with its stage, errno and text"
result --workdir /nowhere -- true
says '[.verdict, .code, .signal, .status]' '["setup-failed",null,null,125]'
says '[.error.stage, .error.errno]' '["workdir",2]'
says '.error.text' '"workdir: change to /nowhere: No such file or directory"'
says '.error.fix | type' '"string"'
result -v "$T/missing:/data" -- true
says '[.verdict, .status, .error.stage, .error.errno]' '["setup-failed",125,"mounts",2]'

it "tells a command that is not there or cannot be executed"
result -- no-such-command
says '[.verdict, .status, .error.stage, .error.errno]' '["setup-failed",127,"exec",2]'
result -- /etc/passwd
says '[.verdict, .status, .error.stage, .error.errno]' '["setup-failed",126,"exec",13]'

it "tells violated rules, under which nothing ran"
result --network bridge -- true
says '[.verdict, .status, .error.stage]' '["setup-failed",125,"check"]'
status_is 125

it "tells what cannot be read before there is a container"
result --env-file "$T/missing" -- true
says '[.verdict, .status]' '["setup-failed",125]'
status_is 125

it "tells the id, the name, what was used and how long the stages took"
result --rm --name "told-$$" -- sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; hostname >/dev/null'
says '.schema_version' 1
says '.id | test("^[0-9a-f]{12}$")' true
says .name "\"told-$$\""
says '.memory_peak_bytes > 0' true
says '.cpu_us > 0' true
says '.stages_us | [has("state", "spawn", "mounts", "landlock", "seccomp", "exec")] | all' true

it "tells what is enforced, and what was asked for and is not"
result -- true
says '.enforced.seccomp' true
says '.enforced.landlock_abi > 0' true
says '.enforced.user_namespace' $([ $WORLD = root ] && echo false || echo true)
says '.degraded | type' '"array"'
says '[.degraded[] | (.what | type == "string") and (.text | type == "string")] | all' true

it "warns of a limit that was asked for and cannot be set, and says so in the result"
result --memory 64M -- true
status_is 0
if [ "$(jq '[.degraded[] | select(.what == "memory")] | length' "$R")" -gt 0 ]; then
	err_has 'nucleus: warning: --memory is not enforced'
	is "$(grep -c memory <<<"$err")" 1
else
	err_is_empty
	result --memory 16M -- sh -c 'exec head -c 100000000 /dev/zero | tail >/dev/null; exit $?'
	says '.oom_kills > 0' true
fi

it "writes the same to a descriptor with --result-fd"
run --result-fd 7 -- sh -c 'exit 5' 7>"$R"
says '[.verdict, .code]' '["exit",5]'
"$NUCLEUS" run --result-fd 3 -- sh -c 'echo out; exit 5' 3> >(jq -r .code >"$T/code") >"$T/out" </dev/null
holds eventually test -s "$T/code"
is "$(cat "$T/code")" 5
gather
out_is out

it "keeps the descriptor of the result from the workload"
run --result-fd 7 -- /probe fds 7>"$R"
out_is '0 1 2'

it "replaces an old result that is longer"
head -c 100000 /dev/zero | tr '\0' x >"$R"
run --result "$R" -- true
holds jq -e '.verdict == "exit"' "$R"

it "refuses a result that cannot be written, before the command runs"
run --result "$T/missing/result" --workspace "$T" -- touch ran
status_is 125
err_has 'option --result'
fails test -e "$T/ran"
run --result "$T" -- true
status_is 125
run --result-fd 99 -- true
status_is 125
err_has 'option --result-fd 99: Bad file descriptor'

it "says so when the disk is full"
run --result /dev/full -- sh -c 'exit 6'
err_has 'result'
err_has 'No space left on device'
status_is 6

it "escapes what came from outside"
result -- $'no\033[31m\nsuch"command\\'
status_is 127
says '.error.text | test("such")' true
err_lacks $'\033'
fails grep -q $'\033' "$R"

it "keeps the result with --keep, for whoever comes later"
before_it
run --keep --name "kept-$$" -- sh -c 'exit 8'
status_is 8
holds jq -e '.code == 8' "$STATE"/*.result
nucleus rm "kept-$$"
status_is 0
leaves_nothing

finish
