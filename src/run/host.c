#include "run/host.h"
#include "base/kernel.h"
#include "run/probe_cgroup.h"
#include "run/probe_host.h"
#include "run/probe_id.h"
#include "run/probe_kernel.h"
#include "run/probe_mount.h"
#include "run/probe_namespace.h"
#include "run/probe_net.h"

#include <linux/seccomp.h>
#include <stdio.h>

/* By service mode: agent, strict-agent, production. */
#define INFO { NEED_NO, NEED_NO, NEED_NO }
#define USEFUL { NEED_OPTIONAL, NEED_OPTIONAL, NEED_OPTIONAL }
#define ALWAYS { NEED_REQUIRED, NEED_REQUIRED, NEED_REQUIRED }
#define IF_STRICT { NEED_OPTIONAL, NEED_REQUIRED, NEED_REQUIRED }

#define KERNEL_SWITCH(option) "zgrep " option " /proc/config.gz /boot/config-$(uname -r) # boot a kernel that has it"
#define NEWER_KERNEL(version) \
	"uname -r # boot Linux " version " or newer; in a container, let its seccomp profile pass the call"
#define PACKAGE(name) "sudo apt-get install " name " || sudo dnf install " name " || sudo pacman -S " name
#define SYSCTL(assignment) \
	"echo " assignment " | sudo tee /etc/sysctl.d/50-nucleus.conf && sudo sysctl -p /etc/sysctl.d/50-nucleus.conf"

const struct probe host_probes[] = {
	/* namespaces: all but time are made by every launch */
	{ "user namespace", "containers without root; ids of their own for containers of root", probe_user_namespace,
	  .cause = "the kernel was built without CONFIG_USER_NS",
	  .fix = KERNEL_SWITCH("CONFIG_USER_NS"), .need = { NEED_ROOTLESS, NEED_REQUIRED, NEED_REQUIRED } },
	{ "pid namespace", "processes cannot see or signal those outside, and die together", probe_namespace,
	  .number = CLONE_NEWPID, .cause = "the kernel was built without CONFIG_PID_NS",
	  .fix = KERNEL_SWITCH("CONFIG_PID_NS"),
	  .need = ALWAYS },
	{ "mount namespace", "a file system tree of its own", probe_namespace, .number = CLONE_NEWNS,
	  .cause = "the kernel or a seccomp filter refuses it", .fix = "grep Seccomp /proc/self/status",
	  .need = ALWAYS },
	{ "net namespace", "no network but the one asked for", probe_namespace, .number = CLONE_NEWNET,
	  .cause = "the kernel was built without CONFIG_NET_NS", .fix = KERNEL_SWITCH("CONFIG_NET_NS"),
	  .need = ALWAYS },
	{ "uts namespace", "a host name of its own", probe_namespace, .number = CLONE_NEWUTS,
	  .cause = "the kernel was built without CONFIG_UTS_NS", .fix = KERNEL_SWITCH("CONFIG_UTS_NS"),
	  .need = ALWAYS },
	{ "ipc namespace", "System V and POSIX queues of its own", probe_namespace, .number = CLONE_NEWIPC,
	  .cause = "the kernel was built without CONFIG_IPC_NS", .fix = KERNEL_SWITCH("CONFIG_IPC_NS"),
	  .need = ALWAYS },
	{ "cgroup namespace", "the host's cgroup paths stay hidden", probe_namespace, .number = CLONE_NEWCGROUP,
	  .cause = "the kernel was built without CONFIG_CGROUPS", .fix = KERNEL_SWITCH("CONFIG_CGROUPS"),
	  .need = ALWAYS },
	{ "time namespace", "--time-namespace", probe_namespace, .number = CLONE_NEWTIME,
	  .cause = "the kernel is older than 5.6 or was built without CONFIG_TIME_NS",
	  .fix = KERNEL_SWITCH("CONFIG_TIME_NS"),
	  .need = USEFUL },

	/* what keeps user namespaces from ordinary users */
	{ "AppArmor on user namespaces", "containers without root", probe_userns_apparmor,
	  .cause = "kernel.apparmor_restrict_unprivileged_userns is 1",
	  .fix = SYSCTL("kernel.apparmor_restrict_unprivileged_userns=0"), .need = USEFUL },
	{ "kernel.unprivileged_userns_clone", "containers without root", probe_userns_clone,
	  .cause = "user namespaces are for root alone", .fix = SYSCTL("kernel.unprivileged_userns_clone=1"),
	  .need = USEFUL },
	{ "user.max_user_namespaces", "containers without root", probe_userns_max,
	  .cause = "the limit is 0, or the kernel was built without CONFIG_USER_NS",
	  .fix = SYSCTL("user.max_user_namespaces=15000"), .need = USEFUL },

	/* ids beyond the own one */
	{ "/etc/subuid", "more than one user id inside, without root", probe_subordinate_ids, .word = "/etc/subuid",
	  .cause = "no line of the file grants this user a range",
	  .fix = "sudo usermod --add-subuids 100000-165535 \"$(id -un)\"", .need = USEFUL },
	{ "/etc/subgid", "more than one group id inside, without root", probe_subordinate_ids, .word = "/etc/subgid",
	  .cause = "no line of the file grants this user a range",
	  .fix = "sudo usermod --add-subgids 100000-165535 \"$(id -un)\"", .need = USEFUL },
	{ "newuidmap", "more than one user id inside, without root", probe_id_helper, .word = "newuidmap",
	  .cause = "the package is not installed",
	  .fix = "sudo apt-get install uidmap || sudo dnf install shadow-utils",
	  .need = USEFUL },
	{ "newgidmap", "more than one group id inside, without root", probe_id_helper, .word = "newgidmap",
	  .cause = "the package is not installed",
	  .fix = "sudo apt-get install uidmap || sudo dnf install shadow-utils",
	  .need = USEFUL },

	/* limits */
	{ "cgroup v2", "limits, and their enforcement as one", probe_cgroup2,
	  .cause = "no cgroup2 file system is mounted",
	  .fix = "sudo mkdir -p /sys/fs/cgroup && sudo mount -t cgroup2 cgroup2 /sys/fs/cgroup", .need = IF_STRICT },
	{ "cgroup leaf", "a cgroup for each container", probe_cgroup_leaf,
	  .cause = "the cgroup of this process is not ours to divide",
	  .fix = "systemd-run --scope -p Delegate=yes nucleus doctor", .need = IF_STRICT },
	{ "cgroup controllers", "--memory, --pids, --cpus, --io-limit", probe_cgroup_controllers,
	  .cause = "the cgroup above does not pass them on",
	  .fix = "systemd-run --scope -p Delegate=yes nucleus doctor", .need = IF_STRICT },
	{ "cgroup birth", "a process is limited from its first instruction (CLONE_INTO_CGROUP)", probe_cgroup_clone,
	  .cause = "the kernel is older than 5.7, or the cgroup is not delegated", .fix = NEWER_KERNEL("5.7"),
	  .need = IF_STRICT },
	{ "cgroup.kill", "the end of every process at once", probe_cgroup_kill,
	  .cause = "the kernel is older than 5.14",
	  .fix = NEWER_KERNEL("5.14"), .need = USEFUL },

	/* confinement */
	{ "Landlock", "the file rules, enforced a second time in the kernel", probe_landlock,
	  .cause = "the kernel is older than 5.13 or was built without CONFIG_SECURITY_LANDLOCK",
	  .fix = KERNEL_SWITCH("CONFIG_SECURITY_LANDLOCK") ", or nucleus run --allow-degraded-security",
	  .need = ALWAYS },
	{ "Landlock rights", "rules on every kind of access", probe_landlock_rights,
	  .cause = "the kernel is older than 6.12, which has them all", .fix = NEWER_KERNEL("6.12"),
	  .need = { NEED_OPTIONAL, NEED_OPTIONAL, NEED_REQUIRED } },
	{ "seccomp filter", "the system call filter", probe_seccomp_filter,
	  .cause = "the kernel was built without CONFIG_SECCOMP_FILTER",
	  .fix = KERNEL_SWITCH("CONFIG_SECCOMP_FILTER") ", or nucleus run --allow-degraded-security", .need = ALWAYS },
	{ "seccomp kill process", "attack-only calls end the process", probe_seccomp_action,
	  .number = SECCOMP_RET_KILL_PROCESS, .cause = "the kernel is older than 4.14", .fix = NEWER_KERNEL("4.14"),
	  .need = ALWAYS },
	{ "seccomp user notification", "--seccomp-mode trace", probe_seccomp_action, .number = SECCOMP_RET_USER_NOTIF,
	  .cause = "the kernel is older than 5.0", .fix = NEWER_KERNEL("5.0"),
	  .need = { NEED_OPTIONAL, NEED_NO, NEED_NO } },

	/* file systems */
	{ "mount API", "a root built by descriptor, out of reach until it is restricted", probe_mount_api,
	  .cause = "the kernel is older than 5.12, or a seccomp filter around this process refuses the calls",
	  .fix = NEWER_KERNEL("5.12"), .need = ALWAYS },
	{ "idmapped mounts", "bound trees keep their owners under other ids", probe_idmapped_mounts,
	  .cause = "this file system cannot (ext4, xfs, btrfs since 5.12 to 5.15; tmpfs since 6.3; overlay since 5.19)",
	  .fix = NEWER_KERNEL("6.3"), .need = USEFUL },
	{ "overlay in a user namespace", "writable layers without root", probe_overlay,
	  .cause = "the kernel is older than 5.11, has no CONFIG_OVERLAY_FS, or may not load the module",
	  .fix = "sudo modprobe overlay && echo overlay | sudo tee /etc/modules-load.d/overlay.conf", .need = USEFUL },

	/* single system calls */
	{ "clone3", "the start of every container", probe_clone3,
	  .cause = "the kernel is older than 5.3, or a seccomp filter around this process refuses it",
	  .fix = NEWER_KERNEL("5.3"), .need = ALWAYS },
	{ "pidfd", "signals that cannot hit a stranger", probe_pidfd, .cause = "the kernel is older than 5.4",
	  .fix = NEWER_KERNEL("5.4"), .need = ALWAYS },
	{ "close_range", "no descriptor of ours leaks inside", probe_close_range,
	  .cause = "the kernel is older than 5.11",
	  .fix = NEWER_KERNEL("5.11"), .need = ALWAYS },
	{ "openat2", "paths inside cannot lead outside", probe_openat2, .cause = "the kernel is older than 5.6",
	  .fix = NEWER_KERNEL("5.6"), .need = ALWAYS },
	{ "statmount", "the mount audit, without parsing text (with listmount)", probe_statmount,
	  .cause = "the kernel is older than 6.8", .fix = NEWER_KERNEL("6.8"), .need = USEFUL },

	/* network */
	{ "nftables", "egress rules", probe_nftables,
	  .cause = "the kernel has no CONFIG_NF_TABLES, or may not load the module",
	  .fix = "sudo modprobe nf_tables && echo nf_tables | sudo tee /etc/modules-load.d/nf_tables.conf",
	  .need = USEFUL },
	{ "/dev/net/tun", "network without root, through slirp4netns", probe_tun,
	  .cause = "the kernel has no CONFIG_TUN, or the module is not loaded",
	  .fix = "sudo modprobe tun && echo tun | sudo tee /etc/modules-load.d/tun.conf", .need = USEFUL },
	{ "slirp4netns", "network without root", probe_program, .word = "slirp4netns",
	  .cause = "the package is not installed", .fix = PACKAGE("slirp4netns"), .need = USEFUL },

	/* the rest of the host */
	{ "runsc", "gVisor as the kernel of a container", probe_program, .word = "runsc",
	  .cause = "gVisor is not installed",
	  .fix = "sudo apt-get install runsc # or https://gvisor.dev/docs/user_guide/install/", .need = USEFUL },
	{ "nix", "root file systems built from closures", probe_program, .word = "nix", .cause = "Nix is not installed",
	  .fix = "sudo apt-get install nix-bin # or https://nixos.org/download/", .need = USEFUL },
	{ "systemd", "detached containers", probe_systemd, .cause = "another init, or a container, runs this system",
	  .fix = "nucleus run -- COMMAND # in the foreground, under the supervisor of this system", .need = USEFUL },
	{ "systemd user manager", "detached containers, and cgroups, without root", probe_user_manager,
	  .cause = "this user has no session of logind, as after su or sudo",
	  .fix = "sudo loginctl enable-linger \"$(id -un)\" && export XDG_RUNTIME_DIR=/run/user/$(id -u)",
	  .need = USEFUL },
	{ "state directory", "records and results of containers", probe_state_directory,
	  .cause = "the directory above it is missing, read-only, or not open to this user",
	  .fix = "export XDG_RUNTIME_DIR=$(mktemp -d) # as root: mount a writable tmpfs on /run", .need = ALWAYS },
	{ "host file", "the administrator's defaults and ceilings", probe_host_file,
	  .cause = "it cannot be used as it is",
	  .fix = "sudo chown root:root /etc/nucleus/nucleus.conf && sudo chmod 0644 /etc/nucleus/nucleus.conf",
	  .need = ALWAYS },

	/* told for information: neither is a gap */
	{ "kernel lockdown", "what even root may not do to the kernel", probe_lockdown, .cause = "not told",
	  .fix = "none",
	  .need = INFO },
	{ "ptrace scope", "who may trace whom on the host", probe_yama, .cause = "not told", .fix = "none",
	  .need = INFO },
};

const size_t host_probes_count = sizeof(host_probes) / sizeof(*host_probes);

_Static_assert(sizeof(host_probes) / sizeof(*host_probes) <= HOST_PROBES_MAX, "callers have HOST_PROBES_MAX facts");

static void ask_one(const struct probe *p, struct fact *f)
{
	*f = (struct fact){ 0 };
	p->ask(p, f);
	if (f->status == FACT_OK) {
		f->cause[0] = f->fix[0] = '\0';
		return;
	}
	if (!f->cause[0])
		snprintf(f->cause, sizeof(f->cause), "%s", p->cause);
	if (!f->fix[0])
		snprintf(f->fix, sizeof(f->fix), "%s", p->fix);
}

void host_ask(struct fact facts[HOST_PROBES_MAX])
{
	for (size_t i = 0; i < host_probes_count; i++)
		ask_one(&host_probes[i], &facts[i]);
}

bool host_stops(const struct probe *p, const struct fact *f, enum service_mode mode)
{
	if (f->status != FACT_MISSING)
		return false;
	return p->need[mode] == NEED_REQUIRED || (p->need[mode] == NEED_ROOTLESS && probe_is_rootless());
}

bool host_mode_is_built(enum service_mode mode)
{
	return mode == MODE_AGENT;
}

const char *host_mode_name(enum service_mode mode)
{
	static const char *const names[HOST_MODES] = { "agent", "strict-agent", "production" };

	return names[mode];
}
