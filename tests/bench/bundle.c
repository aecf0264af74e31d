/* The OCI bundle that crun, runc and podman are given. See bundle.h. */
#include "bundle.h"

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
static const char bundle_head[] =
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"terminal\":false,\"user\":{\"uid\":0,\"gid\":0},"
	"\"args\":[\"%s\",\"true\"],\"env\":[\"PATH=/usr/bin:/bin\"],\"cwd\":\"/\",\"noNewPrivileges\":true,"
	"\"capabilities\":{\"bounding\":[],\"effective\":[],\"permitted\":[],\"inheritable\":[],\"ambient\":[]}},"
	"\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"bench\",\"mounts\":["
	"{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]},"
	"{\"destination\":\"/usr\",\"type\":\"none\",\"source\":\"/usr\",\"options\":[\"rbind\",\"ro\",\"nosuid\",\"nodev\"]},"
	"{\"destination\":\"/etc\",\"type\":\"none\",\"source\":\"/etc\",\"options\":[\"rbind\",\"ro\",\"nosuid\",\"nodev\"]},"
	"{\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":[\"nosuid\",\"mode=755\"]},"
	"{\"destination\":\"/dev/pts\",\"type\":\"devpts\",\"source\":\"devpts\","
	"\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]},"
	"{\"destination\":\"/dev/shm\",\"type\":\"tmpfs\",\"source\":\"shm\","
	"\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\"]},"
	"{\"destination\":\"/tmp\",\"type\":\"tmpfs\",\"source\":\"tmpfs\","
	"\"options\":[\"nosuid\",\"nodev\",\"mode=1777\"]}],\"linux\":{";
static const char bundle_user_maps[] =
	"\"uidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],"
	"\"gidMappings\":[{\"containerID\":0,\"hostID\":%u,\"size\":1}],";
static const char bundle_tail[] =
	"\"namespaces\":[%s{\"type\":\"pid\"},{\"type\":\"mount\"},{\"type\":\"network\"},{\"type\":\"uts\"},"
	"{\"type\":\"ipc\"},{\"type\":\"cgroup\"}],"
	"\"maskedPaths\":[\"/proc/acpi\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\",\"/proc/timer_list\","
	"\"/proc/timer_stats\",\"/proc/sched_debug\",\"/proc/scsi\",\"/sys/firmware\"],"
	"\"readonlyPaths\":[\"/proc/asound\",\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\","
	"\"/proc/sysrq-trigger\"]";

static void bundle_rootfs(const char *rootfs)
{
	static const char *const dirs[] = { "usr", "etc", "proc", "dev", "tmp", "sys" };
	static const char *const merged[] = { "bin", "sbin", "lib", "lib64" };

	must(!mkdir(rootfs, 0755), rootfs);
	for (size_t i = 0; i < COUNT(dirs); i++) {
		char *dir = text_of("%s/%s", rootfs, dirs[i]);

		must(!mkdir(dir, 0755), dir);
		free(dir);
	}
	for (size_t i = 0; i < COUNT(merged); i++) {
		char *link = text_of("%s/%s", rootfs, merged[i]),
		     *to = text_of("usr/%s", merged[i]);

		must(!symlink(to, link), link);
		free(link);
		free(to);
	}
}

/* Appends ,"seccomp": and the profile as it stands: it is OCI JSON already. */
static void bundle_seccomp(FILE *f, const char *profile)
{
	FILE *in = fopen(profile, "re");
	int c;

	must(in, profile);
	fputs(",\"seccomp\":", f);
	while ((c = getc(in)) != EOF)
		putc(c, f);
	fclose(in);
}

char *bundle_make(const char *scratch, const char *name, const char *busybox, uid_t uid,
		  const char *profile)
{
	char *dir = text_of("%s/%s", scratch, name), *rootfs = text_of("%s/rootfs", dir);
	char *config = text_of("%s/config.json", dir);
	FILE *f;

	must(!mkdir(dir, 0755), dir);
	bundle_rootfs(rootfs);
	f = fopen(config, "we");
	must(f, config);
	fprintf(f, bundle_head, busybox);
	if (uid)
		fprintf(f, bundle_user_maps, uid, uid);
	fprintf(f, bundle_tail, uid ? "{\"type\":\"user\"}," : "");
	if (profile)
		bundle_seccomp(f, profile);
	fputs("}}\n", f);
	must(!fclose(f), config);
	free(rootfs);
	free(config);
	return dir;
}
