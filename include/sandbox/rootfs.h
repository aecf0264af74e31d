/*
 * THE MOUNT TABLE: what a container sees. A plan is the built-in rows that the spec wants followed by the user's own
 * mounts, parents before children; it is data, so that --dry-run prints it, Landlock takes its rules from it, and an
 * audit can compare it with what the kernel says.
 *
 * The root is one tmpfs with a size and an inode limit. Its mount is read-only, nosuid, nodev and noexec at the
 * end; the places that can be written (/tmp, the home, ...) are directories of the same tmpfs bound onto themselves, so
 * that together they cannot take more memory than --rootfs-size.
 */
#pragma once

#include "base/err.h"
#include "spec/spec.h"

#include <stdbool.h>
#include <sys/types.h>

enum mount_kind {
	MOUNT_HOST,    /* the host's file or directory of the same name, or its symlink as a symlink */
	MOUNT_LINK,    /* a symlink to source */
	MOUNT_PRIVATE, /* a directory of the root's own tmpfs, bound onto itself */
	MOUNT_NEW,     /* a new file system of type source */
	MOUNT_DEVICE,  /* the host's character device of the same name */
	MOUNT_MASK,    /* hidden by source: the container's null device, or its empty directory */
	MOUNT_FREEZE,  /* read-only from here on */
	MOUNT_BIND,    /* the user's source */
};

/* What the workload may do below a row: the Landlock rule of it. */
enum mount_access {
	ACCESS_NONE, /* no rule of its own */
	ACCESS_LIST,
	ACCESS_READ,
	ACCESS_READ_EXEC,
	ACCESS_DEVICE,
	ACCESS_WRITE,
	ACCESS_WRITE_EXEC,
};

struct mount_row {
	const char *target; /* inside, absolute */
	enum mount_kind kind;
	const char *source;
	unsigned attributes; /* MOUNT_ATTR_* of the finished mount */
	enum mount_access access;
	bool optional;	 /* left out where the host has no such thing */
	mode_t mode;	 /* MOUNT_PRIVATE: of the directory */
	unsigned major, minor; /* MOUNT_DEVICE */
	uint64_t size;	 /* MOUNT_NEW tmpfs: bytes */
	int source_fd;	 /* MOUNT_BIND, while it is built: the source, opened and judged; owned */
	bool (*want)(const struct spec *s); /* NULL: always */
};

struct mount_plan {
	struct mount_row *rows; /* owned; the strings are the spec's or static */
	size_t count;
};

void mount_plan_make(const struct spec *s, struct mount_plan *ret);
void mount_plan_free(struct mount_plan *p);

/* "bind", "tmpfs", ... and "ro,nosuid": for --dry-run. @text has room for 64 bytes. */
const char *mount_kind_name(const struct mount_row *row);
void mount_attributes_text(unsigned attributes, char text[64]);

/*
 * In the child, in its new mount namespace, with the host's tree still below: builds the plan. *ret_root_fd is the
 * root, attached but not yet entered, still writable. A row that fails is named in the error; one that the host turns
 * out to lack, or to have as a link, loses its access. @state_fd (-1: none) is our own state directory, which no
 * source may hold. Sets the umask to 0.
 */
int rootfs_build(const struct spec *s, struct mount_plan *p, int state_fd, int *ret_root_fd, struct err *e);
