#!/bin/bash
# What a command in the sandbox sees, and what it cannot do: every promise of the manual about it, tried from inside.
. "$(dirname "$0")/lib.sh"

# --- the control: the probe does find what is open -----------------------------------------------------------------

it "has a probe that succeeds where nothing forbids it"
for verb in "read /etc/passwd" "write $T" "mkdir $T/made" "truncate $T/made/file" "chmod $T" "utimes $T" "kill $$" "clone" \
	"socket netfilter" "call keyctl" "call setns" "call process_vm_readv" "call io_uring_enter" "exec /bin/true" \
	"map-exec $T/probe"; do
	[ "$verb" != "truncate $T/made/file" ] || : >"$T/made/file"
	output=$("$PROBE" $verb) || [ $? = 1 ] || fault "the probe failed on $verb"
	[ "$verb" = "exec /bin/true" ] || [[ $output == done:* ]] || fault "outside, \"$verb\" should work: $output"
done
rm -r "$T/made"

# --- files ----------------------------------------------------------------------------------------------------------

it "makes the root read-only"
for dir in / /bin /etc /etc/ssl /home /lib /sbin /sys /usr /usr/bin /usr/lib /var /dev; do
	refused EROFS write $dir
done
refused EROFS mkdir /new
refused EROFS unlink /etc/passwd
refused EROFS open-write /etc/passwd
refused EROFS truncate /etc/hosts

it "makes everything read-only that is mounted below /usr, and nothing else writable than promised"
probe mounts
is "$(awk '$2 !~ /(^|,)ro(,|$)/ { print $1 }' <<<"$out" | sort | tr '\n' ' ')" \
	'/dev/mqueue /dev/pts /dev/shm /home/agent /run /tmp /var/tmp '

it "mounts nothing with setuid bits, and no device but its own"
is "$(awk '$2 !~ /(^|,)nosuid(,|$)/ { print $1 }' <<<"$out")" ''
is "$(awk '$2 !~ /(^|,)nodev(,|$)/ && $1 !~ "^/proc/" { print $1 }' <<<"$out" | sort | tr '\n' ' ')" \
	"$([ $WORLD = root ] && echo '/dev /dev/pts ' || echo '/dev/full /dev/null /dev/pts /dev/random /dev/tty /dev/urandom /dev/zero ')"

it "lets nothing be executed in /etc, /dev and /proc"
is "$(awk '$2 !~ /(^|,)noexec(,|$)/ { print $1 }' <<<"$out" | grep -E '^/(etc|dev|proc)')" ''

it "has the devices of the table and no other"
run -- sh -c 'cd /dev && stat -c "%n %t:%T %F" *'
is "$(grep 'character' "$T/out" | tr '\n' ';')" \
	'full 1:7 character special file;null 1:3 character special file;random 1:8 character special file;tty 5:0 character special file;urandom 1:9 character special file;zero 1:5 character special file;'
is "$(grep -c 'block' "$T/out")" 0

it "lets nothing be made, removed or changed in /dev"
for command in 'touch /dev/x' 'rm /dev/zero' 'chmod 600 /dev/null' 'chown 1 /dev/null' 'ln -s a /dev/b' 'mkdir /dev/d'; do
	run -- sh -c "$command"
	err_has 'Read-only file system'
done

it "makes submounts of a read-only volume read-only as well"
if [ $WORLD = root ]; then
	mkdir -p "$T/tree/below"
	# In a mount namespace of the test's own.
	unshare --mount --propagation private sh -c 'mount -t tmpfs tmpfs "$1/tree/below" && "$2" run -v "$1/tree:/data:ro" \
		-v "$1/probe:/probe:ro" -- /probe write /data/below' - "$T" "$NUCLEUS" >"$T/out" 2>&1 </dev/null
	is "$(cat "$T/out")" 'refused: EROFS'
else
	skip "only root can make a mount to be bound"
fi

it "does not show the host's /etc"
probe ls /etc
for name in $out; do
	[[ " java-11-openjdk java-17-openjdk java-21-openjdk alternatives group hostname hosts ld.so.cache localtime nsswitch.conf passwd pki resolv.conf ssl " == *" $name "* ]] ||
		fault "/etc/$name is there"
done
refused ENOENT read /etc/shadow
refused ENOENT read /etc/ssh
refused ENOENT read /etc/ssl/private
probe file /etc/passwd
is "$(cut -d: -f1 <<<"$out" | tr '\n' ' ')" 'root nobody '

it "does not show the host's home directories, state, logs and boot files"
for path in /root /boot /srv /opt /mnt /media /var/log /var/lib /run/nucleus /run/systemd /run/dbus /lost+found "$T"; do
	refused ENOENT read "$path"
done
probe ls /run
out_is ''
probe ls /sys
out_is ''
probe ls /home
out_is agent

it "gives no way out of the root"
refused root leave
run -w /usr/bin -- /probe leave
out_is 'refused: root'
refused ENOENT read /proc/1/root/root
refused ENOENT read "/proc/self/root$T"
refused read "/proc/self/cwd/../../../..$T"

it "gives places to write: /tmp, /run, /var/tmp, /dev/shm, the home"
for dir in /tmp /run /var/tmp /var/run /dev/shm /home/agent /dev/mqueue; do
	probe writable $dir
	out_is yes
done
run -- sh -c 'stat -c "%a %n" /tmp /run /var/tmp /dev/shm /home/agent'
out_is $'1777 /tmp\n755 /run\n1777 /var/tmp\n1777 /dev/shm\n700 /home/agent'

it "lets programs run from /tmp and the home, and not from /dev/shm"
run -- sh -c 'cp /probe /tmp/p && /tmp/p cwd && cp /probe ~/p && ~/p cwd && cp /probe /dev/shm/p && /probe exec /dev/shm/p cwd'
out_is $'/home/agent\n/home/agent\nrefused: EACCES'
run -- sh -c 'cp /probe /dev/shm/p && /probe map-exec /dev/shm/p'
out_is 'refused: EPERM'

it "limits each private file system to --rootfs-size"
run --rootfs-size 1M -- sh -c 'head -c 2000000 /dev/zero >/tmp/big; stat -c %s /tmp/big'
status_is 0
err_has 'No space left'
holds test "$out" -gt 900000 -a "$out" -le 1048576

# --- /dev -----------------------------------------------------------------------------------------------------------

it "has devices that work: null zero full random urandom"
probe devices
out_is 'null=1 zero=1 full=1 random=1 urandom=1'

it "has nothing else in /dev"
probe ls /dev
out_is 'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero'
probe ls /dev/pts
out_is ptmx

it "has terminals, shared memory and the standard streams"
probe pty
out_is works
probe shm
out_is works
probe open /dev/stdin
for link in stdin stdout stderr fd/0 fd/1 fd/2; do
	is "$("$NUCLEUS" run -v "$T/probe:/probe:ro" -- /probe open /dev/$link 2>&1 </dev/null | cat)" works
done
probe open /dev/tty
out_is ENXIO

it "keeps the host's devices as they are: no mode, owner or time of a node can be changed"
for node in null zero full random urandom tty; do
	stat -c '%n %a %u %g %Y' /dev/$node >>"$T/nodes"
	refused EROFS chmod /dev/$node
	refused EROFS chown /dev/$node
	refused EROFS utimes /dev/$node
	refused 'EROFS|EPERM' xattr /dev/$node
	refused EROFS unlink /dev/$node
done
for node in null zero full random urandom tty; do
	stat -c '%n %a %u %g %Y' /dev/$node >>"$T/nodes.after"
done
holds cmp "$T/nodes" "$T/nodes.after"

it "lets nobody make a device"
for dir in /tmp /dev/shm /home/agent; do
	refused EPERM mknod-char $dir/node
	refused EPERM mknod-block $dir/node
done
run -- sh -c 'mkfifo /tmp/pipe && mknod /tmp/other p && echo made'
out_is made

# --- /proc and /sys -------------------------------------------------------------------------------------------------

it "lets nothing in /proc be written"
for file in sysrq-trigger sys/kernel/core_pattern sys/kernel/modprobe sys/kernel/hostname sys/vm/overcommit_memory \
	sys/net/ipv4/ip_forward sys/kernel/domainname self/oom_score_adj self/coredump_filter self/uid_map self/setgroups \
	self/attr/current self/mem self/timerslack_ns self/clear_refs 1/oom_score_adj irq/default_smp_affinity bus/pci; do
	refused 'EROFS|EACCES|EPERM|ENOENT|EISDIR' open-write /proc/$file
done

it "freezes the dangerous parts of /proc even with --proc-rw"
options=(--proc-rw)
for file in sysrq-trigger sys/kernel/core_pattern sys/kernel/modprobe sys/vm/overcommit_memory irq/default_smp_affinity; do
	refused 'EROFS|EACCES|EPERM|ENOENT' open-write /proc/$file
done
run -- sh -c 'echo 500 >/proc/self/oom_score_adj && cat /proc/self/oom_score_adj'
out_is 500
options=()

it "masks what tells about the host's hardware, memory and keys"
for file in acpi asound interrupts kcore key-users keys kmsg kpagecgroup kpagecount kpageflags latency_stats sched_debug scsi \
	slabinfo timer_list vmallocinfo; do
	refused 'empty|ENOENT' read /proc/$file
	refused 'EROFS|EACCES|ENOENT|EISDIR|done' open-write /proc/$file
done
options=(--sysfs)
refused 'empty|ENOENT' read /sys/firmware
refused 'empty|ENOENT' read /sys/kernel/security

it "shows /sys on demand, read-only"
run -- sh -c 'test -d /sys/kernel && awk "\$5 == \"/sys\" { print \$6 }" /proc/self/mountinfo'
out_has 'ro,nosuid,nodev,noexec'
refused 'EROFS|EACCES|EPERM' write /sys
refused 'EROFS|EACCES|EPERM|ENOENT' open-write /sys/kernel/profiling
options=()

it "has working /proc entries of its own"
run -- sh -c 'ps -e -o pid= | head -1 | tr -d " "; cat /proc/1/comm; grep -c . /proc/meminfo /proc/cpuinfo >/dev/null && echo ok'
out_is $'1\nsh\nok'

# --- system calls ---------------------------------------------------------------------------------------------------

it "refuses the calls that make, move and change mounts, roots and namespaces, trace processes and reach into the kernel"
for call in $("$PROBE" call); do
	refused 'EPERM|ENOSYS' call "$call"
done

it "refuses a new user namespace by clone, and answers ENOSYS to clone3"
refused EPERM clone
refused ENOSYS clone3

it "kills or refuses what only an attack would call: modules, kexec, swap, I/O ports, clocks"
for attack in $("$PROBE" attack); do
	refused 'EPERM|ENOSYS|SIGSYS' attack "$attack"
done

it "closes the entries of other architectures"
if [ "$(uname -m)" = x86_64 ]; then
	refused 'SIGSYS|SIGSEGV|SIGKILL' attack int80
	refused 'SIGSYS|ENOSYS|SIGKILL' attack x32
else
	skip "this machine has one entry"
fi

it "refuses sockets of families and types that reach further than the network namespace"
for kind in $("$PROBE" socket); do
	refused 'EPERM' socket "$kind"
done

it "refuses typing into terminals, also with bits set that the kernel does not look at"
for request in 0x5412 0x541c 0x5423 0xdeadbeef00005412 0x100005412 0x8000000000005412 0xffffffff0000541c; do
	refused EPERM ioctl $request
done

it "refuses files by handle"
refused EPERM call open_by_handle_at
refused EPERM call name_to_handle_at

# --- identity -------------------------------------------------------------------------------------------------------

it "runs with all five capability sets empty, securebits locked, no_new_privs, and a filter"
probe caps
out_is 'inh=0 prm=0 eff=0 bnd=0 amb=0 securebits=ef no_new_privs=1 seccomp=2 secure=0'
run --init -- /probe caps
out_is 'inh=0 prm=0 eff=0 bnd=0 amb=0 securebits=ef no_new_privs=1 seccomp=2 secure=0'

it "lets none of it be taken back"
refused EPERM capset
refused EPERM securebits
refused EINVAL new-privs
refused EPERM setgroups
refused 'EPERM|EINVAL' setuid 1
refused 'EPERM|EINVAL' setuid 65534

it "gives no privilege through a setuid program"
suid=$(find /usr/bin -user 0 -perm -4000 -name su 2>/dev/null)
if [ -n "$suid" ]; then
	run -- su -c /probe
	fails test "$status" = 0
	run -- sh -c 'su nobody -c "echo yes"'
	out_lacks yes
fi
install -m 6755 "$T/probe" "$T/suid"
run -v "$T/suid:/suid:ro" -- /suid caps
out_has 'secure=0'
out_has 'prm=0 eff=0'
rm -f "$T/suid"

it "lets no set-user-ID file be made, which would keep the bit on the host"
mkdir "$T/work"
for dir in /tmp /home/agent /workspace; do
	options=(--workspace "$T/work")
	refused 'EPERM|ENOSYS' setid $dir
done
options=()

it "is user 0 without supplementary groups"
probe ids
out_is 'uid=0,0 gid=0,0 groups=0'
run -- id
out_is 'uid=0(root) gid=0(root) groups=0(root)'

it "keeps supplementary groups of the caller out of the container"
if [ $WORLD = root ]; then
	setpriv --groups 12345,54321 "$NUCLEUS" run -v "$T/probe:/probe:ro" -- /probe ids >"$T/out" </dev/null
	is "$(cat "$T/out")" 'uid=0,0 gid=0,0 groups=0'
else
	skip "an ordinary user without subordinate ids cannot drop a group: user_namespaces(7)"
fi

it "has umask 022 and no core files, whatever the caller has"
is "$(umask 077; "$NUCLEUS" run -v "$T/probe:/probe:ro" -- /probe umask </dev/null)" 022
probe core
out_is '0 0'
is "$(umask 077; "$NUCLEUS" run -- stat -c %a /tmp /usr /etc /etc/passwd /dev /home </dev/null | tr '\n' ' ')" '1777 755 755 644 755 755 '

it "does not inherit signals that the caller ignores or blocks"
is "$( (trap '' HUP INT TERM PIPE; "$NUCLEUS" run -- sed -nE 's/^Sig(Ign|Blk):\s*//p' /proc/self/status </dev/null) | tr '\n' ' ')" \
	'0000000000000000 0000000000000000 '

# --- processes ------------------------------------------------------------------------------------------------------

it "has namespaces of its own"
for kind in mnt pid net uts ipc cgroup; do
	probe namespace $kind
	[[ $out == $kind:* && $out != "$(readlink /proc/self/ns/$kind)" ]] || fault "$kind is shared: $out"
done
[ $WORLD = root ] || { probe namespace user; fails test "$out" = "$(readlink /proc/self/ns/user)"; }

it "sees its own processes alone"
probe processes
out_is 1
run --init -- /probe processes
out_matches '^1 [0-9]+$'

it "reaches no process outside"
refused ESRCH kill $$
refused ESRCH kill $PPID
refused ESRCH kill -1
run -- sh -c 'echo $PPID'
out_is 0

it "leaks no descriptor, whatever the caller has open"
"$NUCLEUS" run -v "$T/probe:/probe:ro" -- /probe fds >"$T/out" </dev/null 3</ 4<>/dev/null 5<"$T" 99</etc/passwd 1023</
gather
out_is '0 1 2'
"$NUCLEUS" run --init -v "$T/probe:/probe:ro" -- /probe fds >"$T/out" </dev/null 3</ 4<>/dev/null 5<"$T" 99</etc/passwd 1023</
gather
out_is '0 1 2'
"$NUCLEUS" run -v "$T/probe:/probe:ro" -- /probe ls /proc/self/fd </dev/null 3</ 200</ | cat >"$T/out"
gather
out_is '0 1 2 3'

it "leaves nothing of the host in the environment and arguments of PID 1"
export NUCLEUS_TEST_SECRET=hush-hush
run --init -e NOT=secret -- sh -c 'cat /proc/1/environ /proc/1/cmdline; /probe read /proc/1/environ'
out_lacks hush-hush
out_lacks NOT=secret
out_lacks "$T"
run -- sh -c 'cat /proc/1/environ /proc/1/cmdline | tr "\0" " "'
out_lacks hush-hush
unset NUCLEUS_TEST_SECRET

it "lets nobody look into the mini-init"
options=(--init)
for file in mem environ maps exe root cwd fd/0 fd/3 fdinfo stack syscall auxv; do
	refused 'EACCES|EPERM|ENOENT|empty|EROFS' read /proc/1/$file
done
options=()
run --init -- sh -c 'readlink /proc/1/fd/* /proc/1/exe /proc/1/cwd'
out_is ''

it "does not let the program of nucleus be overwritten from inside (CVE-2019-5736)"
sum=$(sha256sum <"$NUCLEUS")
for option in --init --time-namespace; do
	options=($option)
	refused 'EACCES|ETXTBSY|EROFS|EPERM' open-write /proc/1/exe
	refused 'EACCES|ETXTBSY|EROFS|EPERM' open-write /proc/self/exe
done
options=()
run -- /proc/self/exe version
fails test "$status" = 0
printf '#!/proc/self/exe version\n' >"$T/script"
chmod 755 "$T/script"
run -v "$T/script:/script:ro" -- /script
fails test "$status" = 0
out_lacks nucleus
is "$(sha256sum <"$NUCLEUS")" "$sum"

it "does not inherit LD_PRELOAD"
LD_PRELOAD='' LD_LIBRARY_PATH=/x run -- sh -c 'echo ${LD_PRELOAD-none} ${LD_LIBRARY_PATH-none}'
out_is 'none none'

it "opens a new session keyring"
if [ -r /proc/keys ]; then
	# Names of keys that are there while it lives and were not before.
	awk '/keyring *_ses/ { print $1 }' /proc/keys | sort >"$T/keys.before"
	start_ready -- /probe linger "$MARK"
	awk '/keyring *_ses/ { print $1 }' /proc/keys | sort >"$T/keys.after"
	kill "$pid"
	ended
	holds test -n "$(comm -13 "$T/keys.before" "$T/keys.after")"
else
	skip "this kernel does not list keys"
fi
refused 'EPERM|ENOSYS' call keyctl

it "shows / as its cgroup"
run -- sh -c 'cut -d: -f3 /proc/self/cgroup | sort -u'
out_is /

it "is killed with its parent, and cannot take that back (signals.sh shows the deaths)"
probe pdeathsig
out_matches '^before=(9 clear=EPERM after=9|0 )'

it "opens a session of its own"
run -- sh -c 'ps -o sid= -p 1 | tr -d " "'
out_matches '^[01]$'

# --- network --------------------------------------------------------------------------------------------------------

it "has a loopback interface that works, and no other"
probe loopback
out_is works
probe interfaces
out_is lo
run -- sh -c 'tail -n +2 /proc/net/route; grep -v " lo$" /proc/net/ipv6_route; grep -vc "^ *lo:\|Inter\|face" /proc/net/dev'
out_is 0

it "has no route out"
refused ENETUNREACH connect 1.1.1.1 443
refused ENETUNREACH connect 169.254.169.254 80
refused ENETUNREACH connect 10.0.0.1 22
refused ENETUNREACH connect6 2606:4700:4700::1111 443
refused 'ENETUNREACH|EINVAL' connect6 fe80::1 22
refused 'ENETUNREACH|EACCES' send 255.255.255.255
refused ENETUNREACH send 8.8.8.8

it "reaches neither the host's loopback nor its abstract sockets"
"$T/probe" listen "$MARK" >"$T/port" &
listening=$!
holds eventually test -s "$T/port"
port=$(cat "$T/port")
is "$("$T/probe" connect 127.0.0.1 "$port")" 'done: connected'
is "$("$T/probe" abstract "$MARK")" 'done: connected'
refused ECONNREFUSED connect 127.0.0.1 "$port"
refused 'ECONNREFUSED|EPERM' abstract "$MARK"
kill $listening
wait $listening 2>/dev/null

it "cannot reach the abstract sockets of another container"
start_ready --init -- sh -c "/probe listen $MARK >/tmp/port & sleep 0.01; echo ready; wait"
refused 'ECONNREFUSED|EPERM' abstract "$MARK"
kill "$pid"
ended

# --- the workspace --------------------------------------------------------------------------------------------------

it "lets nothing in the workspace be executed without --workspace-exec"
install -m 755 "$T/probe" "$T/work/program"
printf '#!/bin/sh\necho ran\n' >"$T/work/script"
chmod 755 "$T/work/script"
options=(--workspace "$T/work")
refused EACCES exec /workspace/program cwd
refused EACCES exec /workspace/script
refused EPERM map-exec /workspace/program
probe mounts /workspace
out_is '/workspace rw,nosuid,nodev,noexec,relatime'
run -- ./program cwd
status_is 126
err_has '--workspace-exec'

it "lets it be executed with --workspace-exec"
options=(--workspace "$T/work" --workspace-exec)
run -- ./script
out_is ran
run -- ./program cwd
out_is /workspace
probe mounts /workspace
out_has 'rw,nosuid,nodev,relatime'
options=()

finish
