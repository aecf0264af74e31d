#!/bin/bash
# Bad input of any kind: a clear error in three parts, exit 125 (2 for usage of other commands), and no side effect.
. "$(dirname "$0")/lib.sh"

# wrong ARG...: `nucleus run ARG...` is refused by us, with 125, and says why.
wrong() {
	nucleus run "$@"
	status_is 125
	out_is ''
	err_is_ours
}

mkdir "$T/work"
before_it

# --- the form of errors ---------------------------------------------------------------------------------------------

it "names what failed on which object with which errno, and what to do"
wrong -v "$T/missing:/data" -- true
err_has "nucleus: mounts: /data: open the source $T/missing: No such file or directory"
err_has "nucleus:   fix: mkdir -p '$T/missing'"

it "says why, where that is known"
wrong -v /etc:/data -- true
err_has 'nucleus: source /etc is refused'
err_has 'nucleus:   why: '
err_has 'nucleus:   fix: '

it "reports every violated rule at once, each with its fix"
wrong --service-mode production --network bridge --workspace-exec --format json --rm --keep --home /usr -v /etc:/data --tmpfs /proc --tmpfs /data
for text in 'no command to run' 'service mode production' '--network none' '--workspace-exec has no effect' '--format has no effect' \
	'--rm and --keep' '--home /usr is refused' 'destination /proc is refused' '/data is the destination of two mounts' 'source /etc is refused'; do
	err_has "$text"
done
is "$(grep -c 'fix:' <<<"$err")" 10

it "names the nearest option, command and choice"
wrong --hostnam x -- true
err_has 'unknown option --hostnam'
err_has 'did you mean --hostname?'
wrong --workspce=. -- true
err_has 'did you mean --workspace?'
nucleus rnu -- true
status_is 2
err_has 'unknown command rnu'
err_has 'did you mean nucleus run?'
wrong --network brigde -- true
err_has 'none, host, bridge'

it "does not suggest what is not near"
wrong --xyzzy -- true
err_lacks 'did you mean'
err_has 'nucleus help'

it "returns 2 for wrong usage of the other commands"
for command in '' --nonsense nonsense 'version x' 'version --nonsense' 'doctor x' 'features x' 'schema x' completion 'completion tcsh' \
	'help nonsense' rm config 'config check' 'config show x' 'doctor --format yaml' 'rm --nonsense x'; do
	nucleus $command
	[ "$status" = 2 ] || fault "\"nucleus $command\" should return 2: $(told)"
	out_is ''
	err_is_ours
done

# --- bad values -----------------------------------------------------------------------------------------------------

it "refuses an option without its argument, and an argument to a switch"
wrong --name
err_has 'option --name needs an argument NAME'
wrong -v
wrong --strict-agent=x -- true
wrong --init=maybe -- true
err_has '"maybe" is neither true nor false'
wrong -Z -- true
err_has 'unknown option -Z'
wrong -iZ -- true

it "escapes control characters of any origin"
wrong --name $'a\033[31m\nb' -- true
err_lacks $'\033'
err_has '\x1b[31m\x0a'
wrong --$'\033]0;title\a' -- true
err_lacks $'\033'
wrong -v $'/no\033where:/data' -- true
err_lacks $'\033'
nucleus $'\033[2J'
err_lacks $'\033'
run -- $'no\033[31m\r\nsuch'
status_is 127
err_lacks $'\033'
err_lacks $'\r'
is "$(wc -l <"$T/err")" "$(grep -c '^nucleus: ' "$T/err")"

it "refuses names, host names and paths that are none"
for name in '' -x .x a/b ../x 'a b' $'a\nb' "$(printf 'x%.0s' $(seq 64))" ä; do
	wrong --name="$name" -- true
done
for name in '' -x x- a_b 'a b' "$(printf 'x%.0s' $(seq 65))"; do
	wrong --hostname="$name" -- true
done
for option in --workdir --home; do
	for path in '' relative $'/a\nb' "/$(printf 'x%.0s' $(seq 5000))"; do
		wrong $option "$path" -- true
	done
done
wrong --workspace '' -- true
wrong --workspace "/$(printf 'x/%.0s' $(seq 3000))" -- true

it "refuses huge numbers, negative ones and what is none"
for n in 0 -1 x '' 1.5 1e3 ' 1' '1 ' 0x10 99999999999999999999 18446744073709551616 2147483648 ٣; do
	wrong --pids "$n" -- true
done
for n in 0 -1 x '' 1X 1.5G K 99999999999999999999 18446744073709551615 9223372036854775808 9999999999T 1GG; do
	wrong --memory "$n" -- true
	wrong --rootfs-size "$n" -- true
done
for n in 0 0.001 -1 x '' . 1. .5 1.2345 99999999 1,5; do
	wrong --cpus "$n" -- true
done
for n in 0 -1 x '' 1x 99999999999999999999 9223372036854775807h 1.5s; do
	wrong --timeout "$n" -- true
done
for n in -1 x '' 0 1 2 99999999999 2147483648; do
	wrong --env-fd "$n" -- true
	wrong --result-fd "$n" -- true
	wrong --config-fd "$n" -- true
done

it "refuses descriptors that are not open or cannot be read"
wrong --env-fd 77 -- true
err_has 'Bad file descriptor'
wrong --config-fd 77 -- true
wrong --env-fd 7 -- true 7>/dev/null
wrong --env-fd 7 -- true 7<"$T"

it "refuses variables without a name"
wrong -e =x -- true
wrong -e '' -- true
printf '=x\n' >"$T/work/env"
wrong --env-file "$T/work/env" -- true
err_has 'env:1:'

it "refuses files that are missing, directories, pipes, endless or too large"
wrong --env-file "$T/missing" -- true
err_has 'No such file or directory'
wrong --env-file "$T" -- true
wrong --env-file /dev/zero -- true
mkfifo "$T/work/pipe"
wrong --env-file "$T/work/pipe" -- true
wrong --config "$T/work/pipe" -- true
wrong --config /dev/zero -- true
head -c 2000000 /dev/zero | tr '\0' x >"$T/work/large"
wrong --env-file "$T/work/large" -- true

it "refuses volumes that are none"
for volume in '' : a :b /a: / relative "$T" "$T:" "$T:x" "$T:/x:y" "$T:/x:ro:rw" "$T:/x:ro,,rw,zz"; do
	wrong -v "$volume" -- true
done

it "refuses a workspace that is no directory or is missing"
wrong --workspace "$T/missing" -- true
wrong --workspace /dev/null -- true
nucleus run --workspace "$T/probe" -- true
status_is 125

# --- little room ----------------------------------------------------------------------------------------------------

it "takes a hundred thousand arguments, or says what is too much"
nucleus run -- true $(seq 100000)
status_is 0
nucleus run $(printf -- '-e A=%d ' $(seq 50000)) -- printenv A
status_is 0
out_is 50000
wrong $(seq -f --x%g 100000)
is "$(wc -l <"$T/err" | tr -d ' ')" 2

it "takes ten thousand different variables"
awk 'BEGIN { for (i = 0; i < 10000; i++) printf "V%d=%d\n", i, i }' >"$T/work/env"
nucleus run --env-file "$T/work/env" -- printenv V9999
status_is 0
out_is 9999

it "refuses arguments and variables that the kernel will not take, as a failure to execute"
awk 'BEGIN { printf "A="; for (i = 0; i < 300000; i++) printf "x"; print "" }' >"$T/work/env"
nucleus run --env-file "$T/work/env" -- true
status_is 126
err_has 'Argument list too long'

it "works with 16 descriptors, or says so"
for limit in 16 12 8 5; do
	(ulimit -n $limit; exec "$NUCLEUS" run -- sh -c 'exit 3') >"$T/out" 2>"$T/err" </dev/null
	status=$?
	gather
	[ "$status" = 3 ] || { [ $limit -lt 16 ] && [ "$status" = 125 ] && [[ $err == *' descriptors '* || $err == *'Too many open files'* ]]; } ||
		fault "with $limit descriptors: $(told)"
done
(ulimit -n 16; exec "$NUCLEUS" run --init -t -- sh -c 'exit 3') >"$T/out" 2>"$T/err" </dev/null
is $? 3

it "says so where not one more process may be started"
if [ $WORLD = user ]; then
	(ulimit -u 1; exec "$NUCLEUS" run -- true) >"$T/out" 2>"$T/err" </dev/null
	status=$?
	gather
	status_is 125
	err_is_ours
else
	skip "root has no such limit"
fi

it "says so where files may not grow"
err=$(ulimit -f 0; exec "$NUCLEUS" run --result "$T/work/result" -- sh -c 'exit 3' 2>&1 </dev/null)
status=$?
[ "$status" = 125 ] || [ "$status" = 3 ] || fault "with no room for files: $(told)"
err_is_ours
rm -f "$T/work/result"

it "ends with an error where standard output is full or closed"
for command in version help 'help run' schema 'completion bash' features; do
	"$NUCLEUS" $command >/dev/full 2>"$T/err" </dev/null
	status=$?
	gather
	[ "$status" = 1 ] || [ "$status" = 125 ] || fault "\"$command\" on a full disk: $(told)"
	err_has 'No space left on device'
done
"$NUCLEUS" run --dry-run -- true >/dev/full 2>"$T/err"
is $? 125
"$NUCLEUS" help run 2>"$T/err" | true
"$NUCLEUS" version >&- 2>"$T/err"
[ $? -le 1 ] || fault "version with standard output closed"

it "can do without standard error"
"$NUCLEUS" run --nonsense -- true 2>&-
is $? 125
"$NUCLEUS" run --nonsense -- true 2>/dev/full
is $? 125

it "runs from a directory that is gone, where no path is relative"
mkdir "$T/work/gone"
(cd "$T/work/gone" && rmdir "$T/work/gone" && "$NUCLEUS" run -- sh -c 'exit 3' </dev/null 2>"$T/err")
is $? 3
(mkdir "$T/work/gone"; cd "$T/work/gone" && rmdir "$T/work/gone" && "$NUCLEUS" run --workspace . -- true </dev/null 2>"$T/err")
is $? 125

it "runs with an empty environment and without arguments"
env -i "$NUCLEUS" run -- sh -c 'exit 3' </dev/null
is $? $([ $WORLD = root ] && echo 3 || { env -i "$NUCLEUS" run -- sh -c 'exit 3' </dev/null 2>/dev/null; echo $?; })
bash -c 'exec -a "" "$0"' "$NUCLEUS" >"$T/out" 2>"$T/err"
is $? 2

it "refuses a state directory that others can write"
if [ $WORLD = user ]; then
	mkdir -m 777 "$T/open"
	mkdir -m 777 "$T/open/nucleus"
	chmod 777 "$T/open/nucleus"
	XDG_RUNTIME_DIR=$T/open nucleus run -- true
	status_is 125
	err_has 'open to others'
	rm -r "$T/open"
	mkdir -m 700 "$T/open"
	ln -s "$T/work" "$T/open/nucleus"
	XDG_RUNTIME_DIR=$T/open nucleus run -- true
	status_is 125
	rm -r "$T/open"
	XDG_RUNTIME_DIR=$T/missing nucleus run -- true
	status_is 125
	err_has 'fix:'
else
	skip "root's is below /run, where nobody else can make one"
fi

it "has left no mount, record, cgroup, process or file by any of this"
rm -rf "$T/work"
mkdir "$T/work"
leaves_nothing

finish
