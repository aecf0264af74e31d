/* The mount table, and the plan that it makes of a spec. rootfs_build.c carries it out. */
#include "sandbox/rootfs.h"
#include "base/kernel.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

enum {
	RO = MOUNT_ATTR_RDONLY,
	NOSUID = MOUNT_ATTR_NOSUID,
	NODEV = MOUNT_ATTR_NODEV,
	NOEXEC = MOUNT_ATTR_NOEXEC,
	SYSTEM = RO | NOSUID | NODEV,
	SEALED = RO | NOSUID | NODEV | NOEXEC,
	SCRATCH = NOSUID | NODEV,
	DEVICE = RO | NOSUID | NOEXEC, /* read-only: else root inside could chmod the host's node */
};

static bool wants_sysfs(const struct spec *s)
{
	return s->sysfs;
}

static bool wants_proc_ro(const struct spec *s)
{
	return !s->proc_rw;
}

static bool wants_proc_rw(const struct spec *s)
{
	return s->proc_rw;
}

#define HOST(path, access_) \
	{ .target = path, .kind = MOUNT_HOST, .attributes = SYSTEM, .access = access_, .optional = true }
#define HOST_FILE(path) { .target = path, .kind = MOUNT_HOST, .attributes = SEALED, .optional = true }
#define PRIVATE(path, mode_, access_) \
	{ .target = path, .kind = MOUNT_PRIVATE, .attributes = SCRATCH, .access = access_, .mode = mode_ }
#define NODE(path, major_, minor_) \
	{ .target = path, .kind = MOUNT_DEVICE, .attributes = DEVICE, .major = major_, .minor = minor_ }
#define LINK(path, to) { .target = path, .kind = MOUNT_LINK, .source = to }
#define MASK(path) { .target = path, .kind = MOUNT_MASK, .source = "/dev/null", .attributes = DEVICE, .optional = true }
#define MASK_DIRECTORY(path) \
	{ .target = path, .kind = MOUNT_MASK, .source = "/var/empty", .attributes = SEALED, .optional = true }
#define FREEZE(path) \
	{ .target = path, .kind = MOUNT_FREEZE, .attributes = SEALED, .optional = true, .want = wants_proc_rw }

/* Parents before children. */
static const struct mount_row table[] = {
	/* The host's programs. Links of a merged /usr stay links: one mount instead of six. */
	HOST("/usr", ACCESS_READ_EXEC), HOST("/bin", ACCESS_READ_EXEC), HOST("/sbin", ACCESS_READ_EXEC),
	HOST("/lib", ACCESS_READ_EXEC), HOST("/lib32", ACCESS_READ_EXEC), HOST("/lib64", ACCESS_READ_EXEC),
	HOST("/libx32", ACCESS_READ_EXEC), HOST("/nix", ACCESS_READ_EXEC),

	/*
	 * What programs need of /etc beyond what content.c writes: never the directory, which holds the host's
	 * secrets.
	 */
	HOST_FILE("/etc/ld.so.cache"), HOST_FILE("/etc/localtime"), HOST_FILE("/etc/alternatives"),
	HOST_FILE("/etc/ssl/certs"), HOST_FILE("/etc/ssl/openssl.cnf"), HOST_FILE("/etc/java-11-openjdk"),
	HOST_FILE("/etc/java-17-openjdk"), HOST_FILE("/etc/java-21-openjdk"),
	HOST_FILE("/etc/pki/ca-trust/extracted"), HOST_FILE("/etc/pki/tls/certs"),

	/* Devices before the masks, which are made of the null device. */
	NODE("/dev/null", 1, 3), NODE("/dev/zero", 1, 5), NODE("/dev/full", 1, 7), NODE("/dev/random", 1, 8),
	NODE("/dev/urandom", 1, 9), NODE("/dev/tty", 5, 0),
	LINK("/dev/ptmx", "pts/ptmx"), LINK("/dev/fd", "/proc/self/fd"), LINK("/dev/stdin", "/proc/self/fd/0"),
	LINK("/dev/stdout", "/proc/self/fd/1"), LINK("/dev/stderr", "/proc/self/fd/2"),
	/* Where we could make nodes of our own: the root's mount would not let them work. */
	{ .target = "/dev", .kind = MOUNT_FREEZE, .attributes = DEVICE },

	{ .target = "/proc", .kind = MOUNT_NEW, .source = "proc", .attributes = SEALED, .access = ACCESS_READ,
	  .want = wants_proc_ro },
	{ .target = "/proc", .kind = MOUNT_NEW, .source = "proc", .attributes = NOSUID | NODEV | NOEXEC,
	  .access = ACCESS_WRITE, .want = wants_proc_rw },
	/*
	 * What tells about the host's hardware, memory and keys: the list of the OCI runtimes, and the rest that root
	 * may read.
	 */
	MASK_DIRECTORY("/proc/acpi"), MASK_DIRECTORY("/proc/asound"), MASK("/proc/interrupts"), MASK("/proc/kcore"),
	MASK("/proc/key-users"),
	MASK("/proc/keys"), MASK("/proc/kmsg"), MASK("/proc/kpagecgroup"), MASK("/proc/kpagecount"),
	MASK("/proc/kpageflags"), MASK("/proc/latency_stats"), MASK("/proc/sched_debug"), MASK_DIRECTORY("/proc/scsi"),
	MASK("/proc/slabinfo"), MASK("/proc/timer_list"), MASK("/proc/vmallocinfo"),
	FREEZE("/proc/bus"), FREEZE("/proc/fs"), FREEZE("/proc/irq"), FREEZE("/proc/sysrq-trigger"),
	FREEZE("/proc/sys"),
	{ .target = "/sys", .kind = MOUNT_NEW, .source = "sysfs", .attributes = SEALED, .access = ACCESS_READ,
	  .want = wants_sysfs },
	{ .target = "/sys/firmware", .kind = MOUNT_MASK, .source = "/var/empty", .attributes = SEALED,
	  .optional = true, .want = wants_sysfs },
	{ .target = "/sys/kernel/security", .kind = MOUNT_MASK, .source = "/var/empty", .attributes = SEALED,
	  .optional = true, .want = wants_sysfs },

	{ .target = "/dev/pts", .kind = MOUNT_NEW, .source = "devpts", .attributes = NOSUID | NOEXEC },
	{ .target = "/dev/mqueue", .kind = MOUNT_NEW, .source = "mqueue", .attributes = NOSUID | NODEV | NOEXEC,
	  .access = ACCESS_WRITE },
	{ .target = "/dev/shm", .kind = MOUNT_PRIVATE, .attributes = NOSUID | NODEV | NOEXEC, .access = ACCESS_WRITE,
	  .mode = 01777 },

	PRIVATE("/tmp", 01777, ACCESS_WRITE_EXEC), PRIVATE("/run", 0755, ACCESS_WRITE_EXEC),
	PRIVATE("/var/tmp", 01777, ACCESS_WRITE_EXEC),
	LINK("/var/run", "../run"),
};

static void add(struct mount_plan *p, const struct mount_row *row)
{
	p->rows[p->count++] = *row;
}

static int by_target(const void *a, const void *b)
{
	return strcmp(((const struct mount_row *)a)->target, ((const struct mount_row *)b)->target);
}

static void add_bind(struct mount_plan *p, const char *source, const char *target, bool read_only, bool exec)
{
	struct mount_row row = {
		.target = target, .kind = MOUNT_BIND, .source = source,
		.attributes = NOSUID | NODEV | (read_only ? RO : 0) | (exec ? 0 : NOEXEC),
		.access = read_only ? (exec ? ACCESS_READ_EXEC : ACCESS_READ) :
				      (exec ? ACCESS_WRITE_EXEC : ACCESS_WRITE),
	};

	add(p, &row);
}

void mount_plan_make(const struct spec *s, struct mount_plan *ret)
{
	struct mount_row home = PRIVATE(s->home, 0700, ACCESS_WRITE_EXEC);
	struct mount_plan p = { 0 };
	size_t built_in;

	p.rows = mem_alloc((sizeof(table) / sizeof(*table) + s->tmpfs.count + s->volumes.count + 2) * sizeof(*p.rows));
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (!table[i].want || table[i].want(s))
			add(&p, &table[i]);
	add(&p, &home);
	built_in = p.count;
	if (s->workspace)
		add_bind(&p, s->workspace, "/workspace", s->workspace_mode == WORKSPACE_BIND_RO, s->workspace_exec);
	for (size_t i = 0; i < s->tmpfs.count; i++) {
		struct mount_row row = { .target = s->tmpfs.items[i].destination, .kind = MOUNT_NEW, .source = "tmpfs",
					 .attributes = SCRATCH, .access = ACCESS_WRITE_EXEC,
					 .size = s->tmpfs.items[i].size ? s->tmpfs.items[i].size : s->rootfs_size };
		add(&p, &row);
	}
	for (size_t i = 0; i < s->volumes.count; i++) {
		const struct volume *v = &s->volumes.items[i];

		add_bind(&p, v->source, v->destination, v->read_only, v->exec);
	}
	qsort(p.rows + built_in, p.count - built_in, sizeof(*p.rows), by_target);
	*ret = p;
}

void mount_plan_free(struct mount_plan *p)
{
	free(p->rows);
	*p = (struct mount_plan){ 0 };
}

const char *mount_kind_name(const struct mount_row *row)
{
	static const char *const names[] = { [MOUNT_HOST] = "host", [MOUNT_LINK] = "link", [MOUNT_PRIVATE] = "private",
					     [MOUNT_DEVICE] = "device", [MOUNT_MASK] = "mask",
					     [MOUNT_FREEZE] = "freeze",
					     [MOUNT_BIND] = "bind" };

	return row->kind == MOUNT_NEW ? row->source : names[row->kind];
}

void mount_attributes_text(unsigned attributes, char text[64])
{
	snprintf(text, 64, "%s%s%s%s", attributes & RO ? "ro" : "rw", attributes & NOSUID ? ",nosuid" : "",
		 attributes & NODEV ? ",nodev" : "", attributes & NOEXEC ? ",noexec" : "");
}
