/* Probes of the host's files: programs that Nucleus starts, managers it asks, directories and files of its own. */
#pragma once

#include "run/probe.h"

/*
 * Finds @name in fixed directories, never in PATH: what is started as root must not depend on an environment. It must
 * belong to root and be writable by nobody else. Otherwise false, with the fact answered.
 */
bool probe_find_program(const char *name, char **ret_path, struct fact *f);

probe_function probe_program; /* the row's word: the program */
probe_function probe_systemd;
probe_function probe_user_manager;
probe_function probe_state_directory;
probe_function probe_host_file;
