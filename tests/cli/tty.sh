#!/bin/bash
# -t: a terminal of the container's own, with ours in between.
. "$(dirname "$0")/lib.sh"

# terminal STEP... -- NUCLEUS-ARG...: runs nucleus on a new terminal as its foreground job, and does the steps: expect:TEXT
# waits for output, send:TEXT types, resize:ROWSxCOLS, signal:NAME to nucleus, raw waits until the terminal is raw, quiet
# until nothing has come for a while. Leaves $status, $out (what the terminal showed) and $modes: before, during and after.
cat >"$T/terminal.py" <<'END'
import fcntl, os, pty, select, signal, struct, sys, termios, time

split = sys.argv.index("--")
steps, command = sys.argv[1:split], sys.argv[split + 1:]
status_file, modes_file = os.environ["STATUS_FILE"], os.environ["MODES_FILE"]
shown, deadline = b"", time.monotonic() + 30

master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
modes = [termios.tcgetattr(slave)]
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.closerange(3, 256)
    os.execv(command[0], command)

def read_some(wait):
    global shown
    if time.monotonic() > deadline:
        os.kill(pid, signal.SIGKILL)
        sys.exit("timeout; the terminal showed %r" % shown)
    if select.select([master], [], [], wait)[0]:
        shown += os.read(master, 65536)
        return True
    return False

def is_raw():
    return not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO)

for step in steps:
    kind, _, text = step.partition(":")
    data = text.encode().decode("unicode_escape").encode("latin-1")
    if kind == "expect":
        while data not in shown:
            read_some(0.05)
    elif kind == "send":
        os.write(master, data)
    elif kind == "resize":
        rows, columns = map(int, text.split("x"))
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    elif kind == "signal":
        os.kill(pid, getattr(signal, "SIG" + text))
    elif kind == "quiet":
        while read_some(0.3):
            pass
    elif kind == "raw":
        while not is_raw():
            read_some(0.01)
        modes.append("raw")
while True:
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended:
        break
    read_some(0.01)
while read_some(0):
    pass
after = termios.tcgetattr(slave)
print("exit %d" % os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else "signal %d" % os.WTERMSIG(status),
      file=open(status_file, "w"))
print("restored" if after == modes[0] else "changed", *modes[1:], file=open(modes_file, "w"))
sys.stdout.buffer.write(shown.replace(b"\r\n", b"\n"))
END

if ! command -v python3 >/dev/null; then
	it "gives a terminal"
	skip "no python3 to make one"
	finish
fi

terminal() {
	local steps=()

	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	STATUS_FILE=$T/status MODES_FILE=$T/modes timeout -s KILL 60 python3 "$T/terminal.py" "${steps[@]}" -- "$NUCLEUS" "$@" \
		>"$T/out" 2>"$T/err"
	status=$(cat "$T/status" 2>/dev/null)
	modes=$(cat "$T/modes" 2>/dev/null)
	rm -f "$T/status" "$T/modes"
	gather
}

box=(run -it -v "$T/probe:/probe:ro")

it "gives the command a terminal on all three streams, as its controlling one and in the foreground"
terminal -- "${box[@]}" -- /probe terminal
out_is 'stdin=1 stdout=1 stderr=1 size=33x77 foreground=1 session=1'
status_is 'exit 0'
terminal -- "${box[@]}" -- sh -c 'tty && test -e "$(tty)" && echo x >/dev/tty'
out_is $'/dev/pts/0\nx'
terminal -- "${box[@]}" --init -- /probe terminal
out_is 'stdin=1 stdout=1 stderr=1 size=33x77 foreground=1 session=1'

it "sets TERM to the caller's"
TERM=vt220 terminal -- "${box[@]}" -- sh -c 'echo $TERM'
out_is vt220

it "does not need -i, and then types nothing"
terminal -- run -t -v "$T/probe:/probe:ro" -- /probe terminal
out_has 'stdin=1 stdout=1 stderr=1'

it "makes our terminal raw while the command runs and restores it after"
terminal expect:ready raw 'send:x\r' -- "${box[@]}" -- sh -c 'echo ready; read line; echo "got $line"; exit 3'
out_has 'got x'
status_is 'exit 3'
is "$modes" 'restored raw'

it "restores it when the command is killed"
terminal expect:ready raw signal:TERM -- "${box[@]}" -- /probe linger "$MARK"
status_is 'exit 143'
is "$modes" 'restored raw'
terminal expect:ready raw -- "${box[@]}" -- sh -c 'echo ready; (sleep 0.2; kill -9 $$) & sh -c "kill -9 \$\$"; exit 9'
is "$modes" 'restored raw'

it "restores it after a timeout"
terminal expect:ready raw -- "${box[@]}" --timeout 300ms -- /probe linger "$MARK"
status_is 'exit 124'
is "$modes" 'restored raw'

it "leaves it alone when the set-up fails"
terminal -- "${box[@]}" --workdir /nowhere -- true
status_is 'exit 125'
out_has 'No such file'
is "$modes" restored
terminal -- "${box[@]}" -- no-such-command
status_is 'exit 127'
is "$modes" restored

it "ends a PID 1 without a handler at once on Ctrl-C and on Ctrl-\\"
terminal expect:ready raw 'send:\x03' -- "${box[@]}" -- /probe linger "$MARK"
status_is 'exit 130'
terminal expect:ready raw 'send:\x1c' -- "${box[@]}" -- /probe linger "$MARK"
status_is 'exit 131'

it "passes Ctrl-C on to a handler, once"
terminal expect:ready raw 'send:\x03' -- "${box[@]}" -- /probe hear 2 "$MARK"
out_has 'heard 2'
status_is 'exit 0'
terminal expect:ready raw 'send:\x03' expect:heard -- "${box[@]}" --init -- sh -c \
	'trap "echo heard; n=\$((n + 1))" INT; n=0; echo ready; while [ $n -eq 0 ]; do sleep 0.05; done; sleep 0.1; exit $n'
status_is 'exit 1'

it "lets Ctrl-C end the foreground job of a shell, and the shell go on"
terminal 'expect:$ ' 'send:sleep 100\r' 'expect:2004l' quiet 'send:\x03' 'expect:^C' 'send:echo over-$?\r' 'expect:over-130' \
	'send:exit 5\r' -- "${box[@]}" -e PS1='$ ' -- \
	bash --norc --noprofile -i
status_is 'exit 5'

it "lets a raw program read Ctrl-C as a character"
terminal expect:ready 'send:\x03' -- "${box[@]}" -- sh -c 'stty raw -echo; printf ready; dd bs=1 count=1 2>/dev/null | od -An -tx1'
out_has 03
status_is 'exit 0'

it "passes the size on, and its changes"
terminal expect:ready raw resize:50x120 expect:size=50x120 -- "${box[@]}" -- bash -c \
	'trap "/probe terminal; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'
status_is 'exit 0'
terminal expect:ready raw resize:51x121 expect:size=51x121 -- "${box[@]}" --init -- bash -c \
	'trap "/probe terminal; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'
status_is 'exit 0'

it "shows the output in full, however long it is and however fast the command ends"
terminal -- "${box[@]}" -- seq 20000
is "$(sha256sum <"$T/out")" "$(seq 20000 | sha256sum)"
for i in 1 2 3 4 5; do
	terminal -- "${box[@]}" -- echo last-words
	out_is last-words
done

it "passes a long paste on"
line=$(head -c 3000 /dev/zero | tr '\0' x)
terminal expect:ready raw "send:$line\n$line\n" -- "${box[@]}" -- sh -c 'stty -echo; echo ready; read a; read b; echo ${#a} ${#b}'
out_has '3000 3000'

it "passes the end of file on"
terminal expect:ready raw 'send:\x04' expect:over -- "${box[@]}" -- sh -c 'echo ready; cat; echo over'
status_is 'exit 0'

it "passes the end of an input that is no terminal on"
echo typed | timeout -s KILL 30 "$NUCLEUS" run -it -- sh -c 'cat; echo over' >"$T/out" 2>"$T/err"
status=$?
gather
status_is 0
out_has typed
out_has over
timeout -s KILL 30 "$NUCLEUS" run -it -- cat </dev/null >"$T/out" 2>"$T/err"
is $? 0

it "ends when the background of the terminal is gone with PID 1"
terminal -- "${box[@]}" -- sh -c '/probe linger deaf '"$MARK"' & exit 4'
status_is 'exit 4'

it "lets nobody inside type into our terminal"
terminal -- "${box[@]}" -- sh -c '/probe ioctl 0x5412; /probe ioctl 0x100005412; /probe ioctl 0x541c'
out_is $'refused: EPERM\nrefused: EPERM\nrefused: EPERM'

it "leaves our terminal alone without -t"
terminal expect:ready -- run -i -v "$T/probe:/probe:ro" -- sh -c 'echo ready; /probe terminal'
is "$modes" restored
out_has 'stdin=1 stdout=1'

it "leaves nothing behind"
before_it
terminal expect:ready raw signal:KILL -- "${box[@]}" -- /probe linger "$MARK"
status_is 'signal 9'
run -- true
leaves_nothing

finish
