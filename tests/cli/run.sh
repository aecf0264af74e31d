#!/bin/bash
# What `nucleus run` runs: status, arguments, environment, directory, names, input and output.
. "$(dirname "$0")/lib.sh"

# --- the exit status ---

it "returns 0 and says nothing when the command succeeds"
run -- true
status_is 0
out_is ''
err_is_empty

it "returns the exit status of the command"
run -- sh -c 'exit 7'
status_is 7
run -- sh -c 'exit 255'
status_is 255

it "returns 128+N when signal N killed the command"
run -- sh -c 'sh -c "kill -9 \$\$"; exit $?'
status_is 137
run --init -- sh -c 'kill -TERM $$'
status_is 143
run --init -- sh -c 'kill -SEGV $$'
status_is 139

it "returns the exit status through --init as well"
run --init -- sh -c 'exit 7'
status_is 7
run --init -- true
status_is 0

it "returns 124 when --timeout has passed"
run --timeout 100ms -- sleep 100
status_is 124
run --init --timeout 100ms -- sleep 100
status_is 124

it "does not let the timeout disturb a command that ends in time"
run --timeout 1m -- sh -c 'exit 3'
status_is 3

it "returns 125 when nucleus fails before the command runs"
run --workdir /nowhere -- true
status_is 125
err_is_ours
err_has 'workdir: change to /nowhere: No such file or directory'
nucleus run
status_is 125
err_has 'no command to run'

it "returns 126 for a command that is there and cannot be executed"
run -- /etc/passwd
status_is 126
err_has 'Permission denied'
run -- /tmp
status_is 126
printf 'no program\n' >"$T/garbage"
chmod 755 "$T/garbage"
run -v "$T/garbage:/garbage:ro" -- /garbage
status_is 126
run --init -- /etc/passwd
status_is 126

it "returns 127 for a command that does not exist"
run -- no-such-command
status_is 127
err_has 'no-such-command'
run -- /no/such/command
status_is 127
run --init -- no-such-command
status_is 127

it "returns 126 and explains it when the interpreter of a script is missing"
printf '#!/no/such/interpreter\n' >"$T/script"
chmod 755 "$T/script"
run -v "$T/script:/script:ro" -- /script
status_is 126
err_has 'interpreter'

it "ends the whole container when PID 1 ends"
before_it
run -- sh -c '/probe linger '"$MARK"' >/dev/null & /probe linger session '"$MARK"' > /dev/null & exit 5'
status_is 5
leaves_nothing
run --init -- sh -c '/probe linger '"$MARK"' >/dev/null & exit 6'
status_is 6
leaves_nothing

# --- the arguments ---

it "passes arguments on as they are"
run -- printf '[%s]' 'a b' '' '*' $'line\nbreak' "it's" '$HOME' --help -- $'\xff\xfe'
out_is "[a b][][*][line
break][it's][\$HOME][--help][--]["$'\xff\xfe'']'

it "ends the options at the command"
run echo -n --name x
out_is '--name x'

it "knows create as another name for run"
nucleus create -- echo x
out_is x

it "searches the command in the PATH of the container"
run -e PATH=/nowhere -- true
status_is 127
run -e PATH=/nowhere:/usr/bin -- true
status_is 0

it "does not find a command in the working directory by an empty element of PATH"
mkdir "$T/work"
install -m 755 "$T/probe" "$T/work/here"
run --workspace "$T/work" --workspace-exec -e PATH=: -- here cwd
status_is 127
run --workspace "$T/work" --workspace-exec -- ./here cwd
out_is /workspace

it "passes a hundred thousand arguments on"
run -- /bin/sh -c 'echo $#' - $(seq 100000)
out_is 100000

# --- the environment ---

it "gives the command a clean environment"
SECRET=hush LD_LIBRARY_PATH=/x run --hostname box -- env
out_is "$(printf '%s\n' PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/home/agent HOSTNAME=box)"

it "sets variables with -e K=V, in which anything may stand"
run -e A='b c=d' -e EMPTY= --env B=$'x\ny' -eC=3 -- sh -c 'printf "[%s]" "$A" "${EMPTY-unset}" "$B" "$C"'
out_is $'[b c=d][][x\ny][3]'

it "takes a variable's value from the caller with -e K, and leaves it out where the caller has none"
CALLER=mine run -e CALLER -e NOBODY_HAS_THIS -- sh -c 'echo "$CALLER ${NOBODY_HAS_THIS-unset}"'
out_is 'mine unset'

it "reads variables from --env-file, which may have comments and blank lines"
printf '# comment\nA=1\n\nB=two words\nCALLER\nQUOTES="kept"\n' >"$T/env"
CALLER=mine run --env-file "$T/env" -- sh -c 'printf "[%s]" "$A" "$B" "$CALLER" "$QUOTES"'
out_is '[1][two words][mine]["kept"]'

it "reads variables from --env-fd, in lines or separated by NUL"
run --env-fd 7 -- sh -c 'echo "$A$B"' 7< <(printf 'A=1\nB=2\n')
out_is 12
run --env-fd 7 -- sh -c 'printf "[%s]" "$A" "$B"' 7< <(printf 'A=x\ny\0B=2\0')
out_is $'[x\ny][2]'

it "keeps what came by --env-fd out of every argument list"
start_ready --env-fd 7 -- /probe linger "$MARK" 7< <(printf 'TOKEN=hush-hush\n')
fails grep -q hush-hush "/proc/$pid/cmdline"
kill "$pid"
ended

it "lets a later variable override an earlier one, and -e override a file"
run -e A=1 -e A=2 --env-file "$T/env" -- sh -c 'echo $A'
out_is 2

it "refuses variables that change which code the loader runs"
for variable in LD_PRELOAD=/x LD_LIBRARY_PATH=/x LD_AUDIT=/x LD_BIND_NOW=1 GCONV_PATH=/x GLIBC_TUNABLES=x LD_PRELOAD; do
	run -e $variable -- true
	status_is 125
	err_has 'refused'
	printf '%s\n' $variable >"$T/env"
	run --env-file "$T/env" -- true
	status_is 125
done

it "has TERM with a terminal only"
TERM=vt100 run -- sh -c 'echo ${TERM-unset}'
out_lacks vt100

# --- places and names ---

it "begins in the home, or in /workspace where there is one, or where --workdir says"
probe cwd
out_is /home/agent
run --workspace "$T/work" -- /probe cwd
out_is /workspace
run --workspace "$T/work" -w /usr/bin -- /probe cwd
out_is /usr/bin

it "has a private home of mode 0700 that the command owns and HOME names"
run -- sh -c 'echo "$HOME" && stat -c "%a %u" "$HOME" && touch "$HOME/x" && ls -A "$HOME"'
out_is $'/home/agent\n700 0\nx'
run --home /home/me -- sh -c 'cd && pwd && echo ~root && awk -F: "\$1 == \"root\" { print \$6 }" /etc/passwd'
out_is $'/home/me\n/home/me\n/home/me'

it "keeps nothing of the home for the next run"
run -- sh -c 'ls -A "$HOME"'
out_is ''

it "takes the host name from --hostname, else from the name, else from the id"
run --hostname box.example -- sh -c 'uname -n; cat /etc/hostname; echo $HOSTNAME; getent hosts box.example >/dev/null && echo resolves'
out_is $'box.example\nbox.example\nbox.example\nresolves'
run --rm --name "web-$$" -- /probe hostname
out_is "web-$$"
run -- /probe hostname
out_matches '^[0-9a-f]{12}$'

it "leaves the host's own name alone"
is "$(run --hostname other -- true; uname -n)" "$(uname -n)"

# --- input and output ---

# Input comes from the caller of this one.
with_input() {
	timeout -s KILL 60 "$NUCLEUS" run "$@" >"$T/out" 2>"$T/err"
	status=$?
	gather
}

it "gives the command an empty standard input"
with_input -- cat <<<text
status_is 0
out_is ''

it "leaves the caller's input unread without -i"
is "$( (with_input -- cat; cat) <<<kept)" kept

it "passes standard input on with -i"
with_input -i -- cat <<<text
out_is text
with_input -i -- sh -c 'wc -c' < <(head -c 1000000 /dev/zero)
out_is 1000000

it "keeps standard output and standard error apart"
run -- sh -c 'echo out; echo err >&2'
out_is out
is "$err" err

it "works with standard streams that are closed"
"$NUCLEUS" run -- sh -c 'exit 4' <&-
is $? 4
"$NUCLEUS" run -- sh -c 'exit 4' >&-
is $? 4
"$NUCLEUS" run -- sh -c 'exit 4' 2>&-
is $? 4
"$NUCLEUS" run -v "$T/probe:/probe:ro" --workspace "$T/work" -- sh -c '/probe fds >fds' <&- >&- 2>&-
is "$(cat "$T/work/fds")" '0 1 2'
"$NUCLEUS" run -i -- sh -c 'exit 4' <&- >&- 2>&-
is $? 4

it "lets the command see that nobody reads its output any more"
is "$( ("$NUCLEUS" run --init -- yes; echo $? >"$T/status") | head -1)" y
is "$(cat "$T/status")" 141
is "$( ("$NUCLEUS" run -- sh -c 'yes; exit $?'; echo $? >"$T/status") | head -1)" y
is "$(cat "$T/status")" 141

it "gives the output through a pipe in full"
is "$("$NUCLEUS" run -- head -c 3000000 /dev/zero | wc -c)" 3000000

it "lets the command open its standard streams by name, where they are pipes"
is "$("$NUCLEUS" run -- sh -c 'echo x >/dev/stdout; echo y >/dev/stderr; echo z >/dev/fd/1' 2>&1 | cat)" $'x\ny\nz'

it "lets the command open its standard streams by name, where they are files"
"$NUCLEUS" run -i -- sh -c 'cat /dev/stdin; echo x >>/dev/stdout; echo y >>/dev/stderr' <"$T/mark" >"$T/out" 2>"$T/err"
gather
out_is "${MARK}x"
is "$err" y

it "runs in a time namespace of its own on demand"
run --time-namespace -- /probe namespace time
fails test "$out" = "$(readlink /proc/self/ns/time)"
probe namespace time
is "$out" "$(readlink /proc/self/ns/time)"

it "begins in the root where --workdir says so"
run --workdir / -- pwd
status_is 0
out_is /

it "does not follow a link in --workdir out of the container"
mkdir -p "$T/hostile"
ln -sfn /proc/self/fd/4 "$T/hostile/fd"
ln -sfn /.. "$T/hostile/up"
ln -sfn /proc/1/root/.. "$T/hostile/root"
for link in fd up root; do
	run --workspace "$T/hostile" --workdir "/workspace/$link" -- sh -c 'cd .. && stat -c %d:%i / .' 9</
	[ "$status" = 125 ] || [ "$(printf '%s\n' "$out" | sort -u | wc -l)" = 1 ] || fault "$link: $(told)"
done

it "refuses a directory as a standard stream"
"$NUCLEUS" run -i -- true </ 2>"$T/err" && fault "stdin"
grep -q 'standard stream 0 is a directory' "$T/err" || fault "$(cat "$T/err")"
"$NUCLEUS" run -- true </dev/null 2>"$T/err" >/dev/null || fault "null device"

finish
