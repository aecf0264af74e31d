/*
 * A second process for the set-up, beside the one that becomes the workload: it does what the kernel takes long over and
 * nobody needs at once. First it makes the network namespace, while the other makes the mounts; then it unmounts the
 * host's tree, which waits for an RCU grace period, while the other gives up its rights. It has ended, and is reaped,
 * before the filter goes on; a helper that dies or fails fails the launch.
 *
 * Theory of operation. Over one SEQPACKET pair: the helper sends the network namespace (one byte with a descriptor); the
 * caller sends a byte once it has pivoted; the helper unmounts, sends a byte, and exits. In place of any of its messages the
 * helper may send a struct err.
 */
#pragma once

#include "base/err.h"

#include <sys/types.h>

struct helper {
	int fd;	   /* our end, owned; -1: none */
	pid_t pid; /* until it is reaped */
};

/* Forks it and lets it begin with the network namespace. */
int helper_start(struct helper *ret, struct err *e);

/* Enters the network namespace, which has its loopback interface up. */
int helper_enter_network(struct helper *h, struct err *e);

/* After rootfs_enter(): lets it unmount the host's tree. */
int helper_unmount(struct helper *h, struct err *e);

/* Returns 0 once the host's tree is unmounted and the helper reaped. */
int helper_finish(struct helper *h, struct err *e);
