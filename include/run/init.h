/*
 * The mini-init of --init: PID 1 that starts the workload, forwards every signal to it, reaps everything and ends with
 * it. It is confined like the workload (it runs under the same filter), and undumpable, so that nothing inside can look
 * into it.
 */
#pragma once

/*
 * In the child, as the last thing before exec: returns in the process that becomes the workload, never in PID 1. PID 1
 * tells the workload's wait status over @status_fd, see guard.h. What it inherited of the host's environment and
 * arguments is zeroed before the fork; the strings of @argv are replaced by copies first. -errno if it cannot fork.
 */
int init_fork(int status_fd, int baton_fd, char **argv);
