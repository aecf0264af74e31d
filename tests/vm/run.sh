#!/bin/bash
# Runs the tests of this folder on a whole system: a real kernel, systemd as PID 1, the unified cgroup hierarchy,
# journald and logind, in a VM that has no image to maintain.
#
#	tests/vm/run.sh NUCLEUS PROBE BUILDDIR [SUITE]      all tests, in one boot
#	tests/vm/run.sh --shell NUCLEUS PROBE BUILDDIR      a root shell in the VM; its end is the VM's
#
# How it works. The kernel is a Debian package, fetched and unpacked into BUILDDIR/vm and never installed. The initramfs
# is a static busybox and the few modules that mount the host's / (read-only, over 9p) under an overlay of tmpfs, so that
# the guest has the host's programs at the host's paths, and nothing that it does reaches the host. On top of that go a
# copy of what is tested, in /opt/nucleus-vm, and a handful of files: accounts, a PAM service and one unit, which runs
# inside.sh. That runs each test-*.sh in real login sessions, as root and as an ordinary user; see there and in lib.sh how
# a test is written. Its lines come out of the second serial port, with the journal's errors if a test failed, and are kept
# in BUILDDIR/vm/results.log; the console is in BUILDDIR/vm/console.log.
#
# VM_KERNEL=6.1|6.12	which kernel (default 6.12, Landlock ABI 6; 6.1 has ABI 2). SUITE takes that of another Debian suite.
# VM_TESTS="run limits"	only these tests, also those that are not yet expected to pass
# VM_ALL=1		those that wait for a later change as well ("# wanted-by:" at their head)
# VM_TIMEOUT=540	seconds until the VM is killed
# VM_CPUS=2 VM_MEMORY=2048
#
# Status: 0 all passed, 1 some failed or the VM did not come to its end, 77 (and a SKIP line) where there is no qemu or no
# kernel to be had.
#
# Times (2 cores, software emulation): 15 s once, for the kernel (106 MB, 250 MB in BUILDDIR); 1 s for the initramfs; 10 to
# 15 s from qemu's start to the first test, 1 to 2 s for each login, 0.25 s for a launch, 0.5 s for a scope of systemd's. No
# test measures time tightly.
#
# Traps. KVM is not used: nested, it may not run a stock kernel. The guest sees the host's files live (cache=loose): do not
# install packages while it runs. A host that is a container has /.dockerenv, by which systemd in the guest would take
# itself for being in one. Debian's -cloud kernel has no 9p. Where run.sh is not run by root, the guest cannot read what
# its user cannot. The host's /etc/fstab, its passwords and the units it has enabled are of no effect in the guest.
set -u -o pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

say() { printf '%s\n' "$*"; }
die() { say "vm: $*" >&2; exit 1; }
skip() { say "SKIP vm: $*"; exit 77; }

shell=
if [ "${1-}" = --shell ]; then
	shell=1
	shift
fi
[ $# -ge 3 ] || die "usage: run.sh [--shell] NUCLEUS PROBE BUILDDIR [SUITE]"
here=$(cd "$(dirname "$0")" && pwd) || exit 1
nucleus=$(realpath -e "$1") && probe=$(realpath -e "$2") && mkdir -p "$3/vm" && vm=$(realpath -e "$3/vm") || exit 1
suite=${4-}
user=nucleus-vm
user_id=4242

# --- what the host must have ---

for package in qemu-system-x86:qemu-system-x86_64 busybox-static:busybox cpio:cpio kmod:modprobe xz-utils:xz zstd:zstd \
	systemd:/lib/systemd/systemd dbus:dbus-daemon dbus-user-session:/usr/lib/systemd/user/dbus.socket \
	libpam-systemd:systemd-pam jq:jq; do
	program=${package#*:}
	case $program in
	systemd-pam) [ -n "$(find /lib/*/security /usr/lib/*/security /lib/security -name pam_systemd.so 2>/dev/null)" ] ;;
	/*) [ -e "$program" ] ;;
	*) command -v "$program" >/dev/null ;;
	esac || skip "${package%%:*} is not installed ($program)"
done
[ "$(uname -m)" = x86_64 ] || skip "the VM is x86_64 alone so far"

# --- the kernel: BUILDDIR/vm/kernel-NAME/{vmlinux,release,lib/modules/RELEASE} ---

# Debian's archive under the address that this machine uses for it.
archive() {
	local uri

	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null | grep -m1 '/debian/$')
	say "${uri:-http://deb.debian.org/debian/}"
}

# apt with sources, lists and downloads of its own: the machine's stay as they are.
own_apt() {
	local apt=$vm/apt program=$1

	shift
	"$program" -q -o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Languages=none -o Acquire::Retries=2 "$@"
}

# fetch_from SUITE: the .deb of its newest kernel, into $vm/apt/deb. Not its -cloud flavour, which has no 9p.
fetch_from() {
	local apt=$vm/apt package
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	rm -rf "$apt" && mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/deb" || return 1
	say "deb [signed-by=$keyring] $(archive) $1 main" >"$apt/sources.list"
	own_apt apt-get update || return 1
	package=$(own_apt apt-cache depends linux-image-amd64 | sed -n 's/^ *Depends: \(linux-image-[^ ]*\)$/\1/p' | head -n1)
	[ -n "$package" ] && (cd "$apt/deb" && own_apt apt-get download "$package")
}

# The kernel that the boot loader would decompress, decompressed: under emulation that saves seconds.
decompressed() {
	local image=$1 offset magic tool

	while read -r magic tool; do
		for offset in $(LC_ALL=C grep -abo -P "$magic" "$image" | cut -d: -f1); do
			tail -c +$((offset + 1)) "$image" | $tool >"$2" 2>/dev/null
			[ "$(head -c 4 "$2" | tail -c 3)" = ELF ] && return 0
		done
	done <<-'END'
		\xfd7zXZ\x00 xz -dc
		\x28\xb5\x2f\xfd zstd -dc
		\x1f\x8b\x08 gzip -dc
	END
	cp "$image" "$2"
}

# unpack NAME: from $vm/apt/deb to $vm/kernel-NAME, which is complete as soon as it is there.
unpack() {
	local tree=$vm/unpack release

	rm -rf "$tree" "$vm/kernel-$1"
	mkdir -p "$tree" && dpkg-deb -x "$vm"/apt/deb/*.deb "$tree" || return 1
	[ -d "$tree/lib" ] || ln -s usr/lib "$tree/lib"
	release=$(ls "$tree/lib/modules") && [ -n "$release" ] || return 1
	say "$release" >"$tree/release"
	decompressed "$tree/boot/vmlinuz-$release" "$tree/vmlinux" || return 1
	rm -rf "$tree/lib/modules/$release"/kernel/{sound,drivers/{gpu,media,infiniband,scsi,iio,usb,staging,hwmon,video,input}} \
		"$tree/lib/modules/$release"/kernel/drivers/net/{ethernet,wireless,usb,can,phy,fddi,hamradio}
	find "$tree/lib/modules/$release/" -name '*.ko.xz' -exec xz -d {} + || return 1
	find "$tree/lib/modules/$release/" -name '*.ko.zst' -exec zstd -q -d --rm {} + || return 1
	depmod -b "$tree" "$release" && mv "$tree" "$vm/kernel-$1" && rm -rf "$vm/apt"
}

# find_kernel NAME SUITE...: sets $kernel to its directory
find_kernel() {
	local name=$1 from

	shift
	kernel=$vm/kernel-$name
	[ ! -d "$kernel" ] || return 0
	for from; do
		say "# vm: fetching the kernel of Debian's $from"
		fetch_from "$from" >"$vm/fetch.log" 2>&1 && unpack "$name" >>"$vm/fetch.log" 2>&1 && return 0
		say "# vm: could not: $(tail -n1 "$vm/fetch.log")"
	done
	return 1
}

if [ -n "$suite" ]; then
	find_kernel "$suite" "$suite"
else
	case ${VM_KERNEL:-6.12} in
	6.1) find_kernel 6.1 bookworm ;;
	6.12) find_kernel 6.12 bookworm-backports trixie ;;
	*) die "VM_KERNEL is 6.1 or 6.12; name a Debian suite as the last argument for another one" ;;
	esac
fi || skip "no kernel could be fetched; see $vm/fetch.log"
release=$(cat "$kernel/release")

# --- the initramfs ---

ram=$vm/initramfs
rm -rf "$ram"
mkdir -p "$ram"/{bin,modules,dev,proc,lower,rw,root} || exit 1
mkdir -p "$ram"/inject/{etc/{pam.d,systemd/{system,logind.conf.d}},home/$user,usr/lib/modules} || exit 1
cp "$(command -v busybox)" "$ram/bin/busybox"

# In the order in which they depend on each other; what is built in has no file.
modprobe -d "$kernel" -S "$release" -a --show-depends virtio_pci 9pnet_virtio 9p overlay 2>"$vm/modprobe.log" |
	sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' >"$vm/modules"
grep -q '/9p\.ko' "$vm/modules" || die "this kernel has no 9p: $(cat "$vm/modprobe.log")"
while read -r module; do
	cp "$module" "$ram/modules" && basename "$module" >>"$ram/modules/order"
done <"$vm/modules"

printf '%s=%q\n' nucleus "$nucleus" probe "$probe" tests "${here%/*}" kernel "$kernel/lib/modules/$release" >"$ram/tested"
cat >"$ram/init" <<'END'
#!/bin/busybox sh
. /tested
/bin/busybox --install -s /bin
export PATH=/bin
stop() { echo "init: $*"; poweroff -f; }
mount -t devtmpfs dev /dev
mount -t proc proc /proc
while read -r module; do
	insmod "/modules/$module" || stop "cannot load $module"
done </modules/order
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=512000,cache=loose root /lower || stop "no root"
mount -t tmpfs -o mode=755,size=60% rw /rw
mkdir /rw/upper /rw/work
mount -t overlay -o lowerdir=/lower,upperdir=/rw/upper,workdir=/rw/work root /root || stop "no overlay"
cp -a /inject/. /root/
# Before a tmpfs hides what may lie in /tmp.
mkdir -p /root/opt/nucleus-vm/tests
cd /root/opt/nucleus-vm && cp "/lower$nucleus" nucleus && cp "/lower$probe" probe &&
	cp -r "/lower$tests/vm" "/lower$tests/cli" tests ||
	stop "cannot copy what is tested"
chmod 755 nucleus probe
chmod -R a+rX .
cd /
# Where the host is a container, systemd would take the guest for one and not read the kernel's command line.
rm -f /root/.dockerenv /root/run/.containerenv
mount --move /dev /root/dev
umount /proc
mount -t tmpfs -o mode=755 run /root/run
mount -t tmpfs -o mode=1777 tmp /root/tmp
mount --bind "/lower$kernel" "/root/usr/lib/modules/$(uname -r)" || stop "no modules"
exec switch_root /root /lib/systemd/systemd
END
chmod 755 "$ram/init"

# inject PATH: standard input becomes that file of the guest.
inject() {
	cat >"$ram/inject/$1"
}

mkdir "$ram/inject/usr/lib/modules/$release"
: | inject etc/fstab
say 0123456789abcdef0123456789abcdef | inject etc/machine-id
say nucleus-vm | inject etc/hostname
others() {
	grep -v "^$user:\|^[^:]*:[^:]*:$user_id:" "$1"
}
{ others /etc/passwd; say "$user:x:$user_id:$user_id::/home/$user:/bin/bash"; } | inject etc/passwd
{ others /etc/group; say "$user:x:$user_id:"; } | inject etc/group
sed 's/^\([^:]*\):.*/\1:*:19000:0:99999:7:::/' "$ram/inject/etc/passwd" | inject etc/shadow
say "$user:1000000:65536" | tee "$ram/inject/etc/subuid" | inject etc/subgid
chmod 600 "$ram/inject/etc/shadow"
# A login as by ssh or on a terminal, without asking for a password.
inject etc/pam.d/nucleus-vm <<-'END'
	auth required pam_permit.so
	account required pam_permit.so
	password required pam_deny.so
	session required pam_unix.so
	session required pam_systemd.so
END
# What a first login brings stays: the other user's going would be seen as a change by whoever compares mounts.
printf '[Login]\nUserStopDelaySec=infinity\n' | inject etc/systemd/logind.conf.d/nucleus-vm.conf
inject etc/nucleus-vm <<-END
	VM_USER=$user
	VM_ALL=$(printf %q "${VM_ALL-}")
	VM_TESTS=$(printf %q "${VM_TESTS-}")
END
inject etc/systemd/system/nucleus-vm.target <<-'END'
	[Unit]
	Requires=sysinit.target basic.target dbus.service systemd-logind.service systemd-user-sessions.service nucleus-vm.service
	After=basic.target
	AllowIsolate=yes
END
run=/opt/nucleus-vm/tests/vm/inside.sh tty=/dev/ttyS1 input=null
[ -z "$shell" ] || run="/bin/bash -l" tty=/dev/ttyS0 input=tty-force
inject etc/systemd/system/nucleus-vm.service <<-END
	[Unit]
	After=basic.target dbus.service systemd-logind.service systemd-user-sessions.service
	SuccessAction=poweroff-immediate
	FailureAction=poweroff-immediate
	[Service]
	Type=oneshot
	ExecStart=$run
	WorkingDirectory=/root
	Environment=HOME=/root TERM=vt220
	StandardInput=$input
	StandardOutput=tty
	StandardError=tty
	TTYPath=$tty
	IgnoreSIGPIPE=no
END
for unit in systemd-timesyncd.service systemd-hwdb-update.service systemd-pcrphase.service systemd-pcrphase-sysinit.service \
	systemd-firstboot.service apparmor.service systemd-udevd.service systemd-udev-trigger.service systemd-network-generator.service \
	systemd-random-seed.service dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount; do
	ln -s /dev/null "$ram/inject/etc/systemd/system/$unit"
done
(cd "$ram" && find . | cpio -o -H newc -R 0:0 --quiet) >"$vm/initramfs.cpio" || die "cannot write the initramfs"

# --- the VM ---

command=(qemu-system-x86_64 -accel tcg,thread=multi -M q35 -cpu max -m "${VM_MEMORY:-2048}" -smp "${VM_CPUS:-2}"
	-nodefaults -display none -no-reboot -kernel "$kernel/vmlinux" -initrd "$vm/initramfs.cpio"
	-virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap")
append="panic=-1 mitigations=off systemd.unit=nucleus-vm.target systemd.show_status=0 systemd.condition-needs-update=0"
append+=" systemd.firstboot=0 systemd.hostname=nucleus-vm console=ttyS0 quiet"

if [ -n "$shell" ]; then
	say "# vm: Linux $release; \"exit\" ends it, or Control-A X"
	exec "${command[@]}" -append "$append" -serial mon:stdio
fi

say "# vm: Linux $release"
: >"$vm/results.log"
# However we end, timeout ends, and with it the VM.
setpriv --pdeathsig TERM timeout --foreground -k 5 "${VM_TIMEOUT:-540}" setpriv --pdeathsig KILL \
	"${command[@]}" -append "$append" \
	-serial "file:$vm/console.log" -serial stdio </dev/null 2>"$vm/qemu.log" |
	tr -d '\r' | tee "$vm/results.log" | grep --line-buffered -v '^EXIT '
status=${PIPESTATUS[0]}

result=$(sed -n 's/^EXIT \([0-9]*\)$/\1/p' "$vm/results.log" | tail -n1)
if [ -z "$result" ]; then
	[ "$status" -lt 124 ] || say "not ok vm - it was still running after ${VM_TIMEOUT:-540} s and was killed"
	say "not ok vm - it came to no end (qemu: status $status $(head -c 500 "$vm/qemu.log"))"
	tail -n 20 "$vm/console.log" | tr -d '\r' | sed 's/^/# console: /'
	exit 1
fi
exit "$result"
