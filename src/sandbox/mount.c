#include "sandbox/mount.h"
#include "base/defer.h"
#include "base/kernel.h"

#include <errno.h>
#include <string.h>

/* The kernel writes why it refused into the context itself: "e tmpfs: Bad value for 'size'". */
static int explained(int fs_fd, const char *type, const char *what, struct err *e)
{
	char message[200];
	ssize_t n;

	err_sys(e, "%s %s", what, type);
	n = read(fs_fd, message, sizeof(message) - 1);
	if (n > 2)
		err_why(e, "%.*s", (int)n - 2, message + 2);
	return -e->code;
}

int mount_new(const char *type, const struct mount_option *options, unsigned attributes, struct err *e)
{
	auto_close int fs_fd = sys_fsopen(type, FSOPEN_CLOEXEC);
	int mount_fd;

	if (fs_fd < 0)
		return err_sys(e, "open file system %s", type);
	for (; options && options->key; options++) {
		unsigned command = options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (sys_fsconfig(fs_fd, command, options->key, options->value, 0) < 0)
			return explained(fs_fd, type, "configure file system", e);
	}
	if (sys_fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return explained(fs_fd, type, "create file system", e);
	mount_fd = sys_fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
	return mount_fd < 0 ? explained(fs_fd, type, "mount file system", e) : mount_fd;
}

int mount_clone(int dir_fd, const char *path, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW;
	int fd = sys_open_tree(dir_fd, path, flags | (recursive ? AT_RECURSIVE : 0));

	return fd < 0 ? -errno : fd;
}

int mount_change(int mount_fd, unsigned set, unsigned clear, bool recursive)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clear };

	return sys_mount_setattr(mount_fd, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr) < 0 ? -errno : 0;
}

int mount_attach(int mount_fd, int target_fd)
{
	return sys_move_mount(mount_fd, "", target_fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0 ?
		       -errno : 0;
}
