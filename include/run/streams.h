/*
 * The descriptors that reach the workload: the standard streams. They are the caller's own open files, and
 * what is done to a file through one is done to the host's.
 */
#pragma once

#include "base/err.h"

#include <stdbool.h>

/*
 * Refuses a stream that would open the host's tree to the workload, whatever its rights: a directory, a disk, a
 * descriptor made with O_PATH. Standard input counts where it is @interactive. EINVAL.
 */
int streams_check(bool interactive, struct err *e);

/*
 * Standard output and error that are a terminal opened for both directions are opened anew for writing: the workload
 * is not to read what is typed there. While the host's /proc can still be seen.
 */
int streams_write_only(struct err *e);

/*
 * Inside: the host's null device, whose mode root could change, gives way to the container's; standard input is empty
 * unless @interactive.
 */
int streams_own_null(bool interactive, struct err *e);
