/*
 * The guard: a process of ours between the supervisor and the workload, out of the workload's sight and reach.
 *
 * It is the first process of a PID namespace of its own, around that of the container: when it dies, and it dies with
 * the supervisor, the kernel kills everything inside. (PR_SET_PDEATHSIG on the workload itself would not do: it
 * belongs to a thread, and is lost when another thread of the workload executes a program.) While the container is
 * set up the guard does what the kernel takes long over and nobody needs at once: the network namespace, while the
 * other half makes the mounts, and the unmount of the host's tree, which waits for an RCU grace period, while the
 * other half fills /etc and gives up its rights.
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

struct guard_fork {
	int status_fd;
	bool keep_status;	  /* status_fd stays open in the new process, too */
	void (*start)(void *arg); /* NULL: the new process has copies of our memory, as after fork(2) */
	void *arg;
};

/*
 * The caller becomes the guard and does not return; the new process is the first of a new PID namespace. It returns
 * from here or, with @start, calls that on a stack of its own, sharing the guard's memory until it executes a program;
 * *ret_work_fd is its end of the second pair. Meanwhile the guard touches nothing but its own stack, and neither
 * allocates nor makes a call that may fail without failing the launch, since errno is shared, too. The guard keeps no
 * other descriptor than its ends of the two pairs.
 */
int guard_fork(const struct guard_fork *how, int *ret_work_fd, struct err *e);

/* In the supervisor, where all have shared its memory: gives back what the new process used as its stack. */
void guard_release(void);

/* Enters the network namespace, with all CPUs that the caller had. Its loopback interface is up by guard_finish(). */
int guard_enter_network(int work_fd, struct err *e);

/* After pivot_enter(): lets the guard unmount the host's tree. */
int guard_unmount(int work_fd, struct err *e);

/* Returns 0 once the host's tree is unmounted. Closes the pair. */
int guard_finish(int work_fd, struct err *e);

/* For the supervisor: the pidfd of the container's first process (owned by the caller) and its pid, as we number it. */
int guard_receive_workload(int status_fd, int *ret_pid_fd, int *ret_pid, struct err *e);
