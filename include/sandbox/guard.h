/*
 * The guard: a process of ours between the supervisor and the workload, out of the workload's sight and reach.
 *
 * It is the first process of a PID namespace of its own, around that of the container: when it dies, and it dies with
 * the supervisor, the kernel kills everything inside. (PR_SET_PDEATHSIG on the workload itself would not do: it
 * belongs to a thread, and is lost when another thread of the workload executes a program.) While the container is
 * set up the guard does what the kernel takes long over and nobody needs at once: the network namespace, while the
 * other half makes the mounts, and the unmount of the host's tree, which waits for an RCU grace period, while the
 * other half gives up its rights.
 *
 * Theory of operation. Two SEQPACKET pairs. To the supervisor (status): the pidfd of the container's first process, and
 * at the end its wait status. To the other half (work): the guard sends the network namespace (a byte with a
 * descriptor); the other half sends a byte once it has pivoted; the guard unmounts and sends a byte. In place of any
 * of its messages on the second pair the guard may send a struct err. The second pair is closed on both sides before
 * the workload runs.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/* What is told over the status pair. The mini-init of --init tells the workload's, which counts more than its own. */
enum guard_teller { GUARD_TELLS = 'g', INIT_TELLS = 'i' };

struct guard_status {
	char teller;
	int status; /* wait(2) */
};

/* From here on the caller dies, by SIGKILL, with its parent. */
int guard_arm(struct err *e);

/*
 * Forks: the caller becomes the guard and does not return; the new process, first of a new PID namespace, returns with
 * *ret_work_fd, its end of the second pair. @status_fd is closed in it unless @keep_status. The guard keeps no other
 * descriptor than its ends of the two pairs.
 */
int guard_fork(int status_fd, bool keep_status, int *ret_work_fd, struct err *e);

/* Enters the network namespace, which has its loopback interface up. */
int guard_enter_network(int work_fd, struct err *e);

/* After rootfs_enter(): lets the guard unmount the host's tree. */
int guard_unmount(int work_fd, struct err *e);

/* Returns 0 once the host's tree is unmounted. Closes the pair. */
int guard_finish(int work_fd, struct err *e);

/* For the supervisor: the pidfd of the container's first process (owned by the caller) and its pid, as we number it. */
int guard_receive_workload(int status_fd, int *ret_pid_fd, int *ret_pid, struct err *e);
