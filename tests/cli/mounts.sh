#!/bin/bash
# Volumes, the workspace, tmpfs: what is bound where, with which rights, and what is refused.
. "$(dirname "$0")/lib.sh"

mkdir -p "$T/data/sub" "$T/work"
echo text >"$T/data/file"
install -m 755 "$T/probe" "$T/data/program"

# --- volumes --------------------------------------------------------------------------------------------------------

it "binds a directory for reading and writing, without execution"
run -v "$T/data:/data" -- sh -c 'cat /data/file && echo new >/data/new'
out_is text
is "$(cat "$T/data/new")" new
options=(-v "$T/data:/data")
refused EACCES exec /data/program
probe mounts /data
out_has 'rw,nosuid,nodev,noexec'

it "binds it read-only with :ro, where programs may run"
options=(-v "$T/data:/data:ro")
refused EROFS write /data
refused EROFS open-write /data/file
refused EROFS chmod /data/file
run -- /data/program cwd
out_is /home/agent
probe mounts /data
out_has 'ro,nosuid,nodev'

it "takes the options exec and noexec, and refuses what it does not know"
options=(-v "$T/data:/data:rw,exec")
run -- sh -c '/data/program cwd && echo x >/data/new'
status_is 0
options=(-v "$T/data:/data:ro,noexec,nosuid")
refused EACCES exec /data/program
options=()
run -v "$T/data:/data:rwx" -- true
status_is 125
err_has '"rwx" is not a volume option'

it "binds a single file"
run -v "$T/data/file:/etc-of-mine/file:ro" -- cat /etc-of-mine/file
out_is text
run -v "$T/data/file:/file" -- sh -c 'echo more >>/file'
is "$(cat "$T/data/file")" $'text\nmore'
echo text >"$T/data/file"

it "binds a path with odd characters"
mkdir "$T/a b"$'\n'"c"
run -v "$T/a b"$'\n'"c:/with space" -- touch '/with space/x'
status_is 0
holds test -e "$T/a b"$'\n'"c/x"

it "takes a relative source"
(cd "$T/data" && "$NUCLEUS" run -v ./sub:/data -- touch /data/relative)
holds test -e "$T/data/sub/relative"

it "follows a symbolic link that is the source"
ln -s data "$T/link"
run -v "$T/link:/data" -- cat /data/file
out_is text

it "mounts one volume inside another where the mount point exists"
run -v "$T/data:/data:ro" -v "$T/work:/data/sub" -- touch /data/sub/below
status_is 0
holds test -e "$T/work/below"

it "says so where it does not exist, and makes no stub in the user's directory"
before_it
run -v "$T/data:/data" -v "$T/work:/data/missing/deep" -- true
status_is 125
err_has 'mounts: /data/missing/deep: open the mount point: No such file or directory'
err_has 'fix:'
leaves_nothing
fails test -e "$T/data/missing"

it "mounts parents before children, in whatever order they are given"
run -v "$T/work:/data/sub" -v "$T/data:/data:ro" -- ls /data/sub
out_is below

it "refuses a symbolic link in the middle of a destination"
ln -s /tmp "$T/work/escape"
ln -s ../../../etc "$T/work/up"
run --workspace "$T/work" -v "$T/data:/workspace/escape/x" -- true
status_is 125
err_has 'symbolic link'
run --workspace "$T/work" -v "$T/data:/workspace/escape" -- true
status_is 125
run --workspace "$T/work" --tmpfs /workspace/up/x -- true
status_is 125

it "mounts below /run, /tmp and the home, which are the container's own"
run -v "$T/data:/run/data" -v "$T/data:/tmp/a/b" -v "$T/data:/home/agent/.config/tool" -v "$T/data:/var/lib/tool" \
	-- sh -c 'cat /run/data/file /tmp/a/b/file ~/.config/tool/file /var/lib/tool/file'
out_is $'text\ntext\ntext\ntext'

it "follows a relative link in a source to where it leads on the host, however many steps up it takes"
mkdir -p "$T/links/a"
up=$(printf '../%.0s' $(seq 40))
ln -s "$up${T#/}/data" "$T/links/a/far"
run -v "$T/links/a/far:/data" -- cat /data/file
out_is 'text'
# What is below the home of the container is not what the link names.
ln -s "${up}tmp" "$T/links/a/tmp"
run -v "$T/links/a/tmp:/data:ro" -- sh -c 'stat -c %d:%i /data'
[ "$status" = 125 ] || out_is "$(stat -c %d:%i /tmp)"

# --- refused sources ------------------------------------------------------------------------------------------------

source_refused() {
	run -v "$1:/data" -- true
	[ "$status" = 125 ] && [[ $err == *refused* ]] || fault "source $1 should be refused: $(told)"
	run --workspace "$1" -- true
	[ "$status" = 125 ] && [[ $err == *refused* ]] || fault "workspace $1 should be refused: $(told)"
}

it "refuses the host's root, secrets, devices, kernel and logs as a source"
for path in / /etc /proc /sys /dev /run /root /boot /var/log /etc/passwd /proc/self /dev/shm /var; do
	[ ! -e $path ] || source_refused $path
done

it "refuses them in any spelling"
for path in // /. /.. /../ /etc/ //etc// /etc/. /etc/../etc /usr/../etc "$T/../../etc" "$T/data/../../../etc/ssl" /./proc/1/.. \
	/proc/self/root /proc/self/root/etc /proc/thread-self/cwd/; do
	source_refused "$path"
done
(cd /etc && "$NUCLEUS" run -v .:/data -- true 2>"$T/err" </dev/null)
is $? 125
(cd / && "$NUCLEUS" run -v etc:/data -- true 2>"$T/err" </dev/null)
is $? 125

it "refuses them, and what holds them, by the name of a bind mount"
if [ "$(id -u)" -ne 0 ]; then
	skip "only root can make a mount"
else
	mkdir "$T/alias"
	for path in / /etc /var /var/log; do
		mount --bind "$path" "$T/alias" || fault "mount --bind $path"
		source_refused "$T/alias"
		[ "$path" != /etc ] || source_refused "$T/alias/passwd"
		umount "$T/alias"
	done
fi

it "refuses them through a symbolic link"
ln -s /etc "$T/to-etc"
ln -s / "$T/to-root"
ln -s to-etc "$T/to-link"
source_refused "$T/to-etc"
source_refused "$T/to-root"
source_refused "$T/to-link"
source_refused "$T/to-root/etc"
source_refused "$T/to-etc/ssl"
source_refused /var/run

it "refuses sockets, pipes and devices, those of container engines among them"
mkfifo "$T/pipe"
python3 - "$T/docker.sock" <<-'END' 2>/dev/null || skip "no python3 to make a socket"
	import socket, sys
	socket.socket(socket.AF_UNIX).bind(sys.argv[1])
END
[ ! -e "$T/docker.sock" ] || { run -v "$T/docker.sock:/docker.sock" -- true; status_is 125; err_has 'neither a directory nor a regular file'; }
run -v "$T/pipe:/pipe" -- true
status_is 125
for path in /var/run/docker.sock /run/docker.sock /run/containerd/containerd.sock /var/lib/docker; do
	run -v $path:/data -- true
	status_is 125
done

it "refuses a source that does not exist, and says how to make it"
run -v "$T/missing:/data" -- true
status_is 125
err_has 'No such file or directory'
err_has "fix: mkdir -p '$T/missing'"
fails test -e "$T/missing"

# --- refused destinations -------------------------------------------------------------------------------------------

it "refuses a destination that would cover the system, /proc, /sys, /dev or the root"
for path in / /usr /usr/bin /bin /sbin /lib /lib64 /nix /nix/store /proc /proc/self /sys /sys/fs /dev /dev/shm /etc /var // /usr/. \
	/tmp/../usr /./dev/ /data/../..; do
	run -v "$T/data:$path" -- true
	[ "$status" = 125 ] || fault "destination $path should be refused: $(told)"
	run --tmpfs "$path" -- true
	[ "$status" = 125 ] || fault "tmpfs $path should be refused: $(told)"
done
for path in /usr /proc /; do
	run --home $path -- true
	status_is 125
done

it "refuses a relative destination, an empty one and one with control characters"
for path in data ./data '' $'/da\nta' $'/da\033ta'; do
	run -v "$T/data:$path" -- true
	status_is 125
done

it "refuses one destination twice"
run -v "$T/data:/data" -v "$T/work:/data/" -- true
status_is 125
err_has 'destination of two mounts'
run --workspace "$T/work" -v "$T/data:/workspace" -- true
status_is 125
run -v "$T/data:/tmp" -- true
[ "$status" = 125 ] || { run -v "$T/data:/tmp" -- cat /tmp/file; out_is text; }

# --- tmpfs ----------------------------------------------------------------------------------------------------------

it "mounts an empty tmpfs of a given size"
run --tmpfs /scratch:size=1M -- sh -c 'ls -A /scratch; head -c 3000000 /dev/zero >/scratch/big; stat -c %s /scratch/big'
out_is 1048576
err_has 'No space left'
run --tmpfs /scratch -- sh -c 'touch /scratch/x && /probe mounts /scratch'
out_has 'rw,nosuid,nodev'

it "refuses a tmpfs of size 0, of a size that is none, and unknown options"
for option in size=0 size=abc size= size=-1 size=99999999999999999999 mode=777 x; do
	run --tmpfs /scratch:$option -- true
	status_is 125
done

# --- the workspace --------------------------------------------------------------------------------------------------

it "binds the workspace for reading and writing"
echo old >"$T/work/old"
run --workspace "$T/work" -- sh -c 'cat old && echo new >made && mkdir dir && rm old && ln -s made link && mv made moved'
status_is 0
out_is old
is "$(ls "$T/work" | tr '\n' ' ')" 'below dir escape link moved up '

it "gives what is made in it to the caller"
is "$(stat -c '%u %g' "$T/work/moved")" "$(id -u) $(id -g)"
is "$(stat -c '%u %g' "$T/work/dir")" "$(id -u) $(id -g)"
run --workspace "$T/work" -- stat -c '%u %g' moved
out_is '0 0'

it "binds it read-only with --workspace-mode bind-ro"
options=(--workspace "$T/work" --workspace-mode bind-ro)
refused EROFS write /workspace
refused EROFS unlink /workspace/moved
refused EROFS chmod /workspace/moved
run -- cat moved
out_is new
options=()

it "takes a relative workspace"
is "$(cd "$T/work" && "$NUCLEUS" run --workspace . -- cat moved </dev/null)" new

it "does not follow a link in the workspace out of it"
ln -s "$T/data/file" "$T/work/outside"
run --workspace "$T/work" -- cat outside
fails test "$status" = 0

it "cannot be left through its parent"
run --workspace "$T/work" -- sh -c 'cd .. && pwd && ls data'
out_is /
fails test "$status" = 0

it "works on a workspace that only its owner may enter"
mkdir -m 700 "$T/closed" "$T/closed/work"
echo mine >"$T/closed/work/file"
run --workspace "$T/closed/work" -- cat file
out_is mine

it "refuses options that have no effect without a workspace"
run --workspace-exec -- true
status_is 125
err_has '--workspace-exec has no effect without a workspace'
run --workspace-mode bind-ro -- true
status_is 125

it "keeps the caller's mounts as they are"
before_it
run --workspace "$T/work" -v "$T/data:/data:ro" --tmpfs /scratch -- true
leaves_nothing

finish
