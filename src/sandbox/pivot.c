#include "sandbox/pivot.h"
#include "base/kernel.h"
#include "sandbox/mount.h"

#include <errno.h>
#include <sys/mount.h>
#include <unistd.h>

int pivot_enter(int root_fd, struct err *e)
{
	/* Both names are the new root: the old one is stacked on top of it, and goes with one umount. pivot_root(2). */
	if (fchdir(root_fd) < 0 || sys_pivot_root(".", ".") < 0)
		return err_sys(e, "enter the new root");
	return 0;
}

int pivot_seal(int root_fd, struct err *e)
{
	int r = mount_change(root_fd, MOUNT_ATTR_RDONLY, 0, false);

	if (r < 0) {
		errno = -r;
		return err_sys(e, "make the root read-only");
	}
	return 0;
}

int pivot_unmount_host(struct err *e)
{
	/*
	 * "." leads to what lies uppermost over the new root, and that is the old one; "/" leads to the new one
	 * itself.
	 */
	if (chdir("/") < 0 || umount2(".", MNT_DETACH) < 0)
		return err_sys(e, "unmount the host's tree");
	return 0;
}
