#include "base/proc.h"
#include "base/defer.h"
#include "base/fd.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool proc_hears(pid_t pid, int signal)
{
	static const char *const masks[] = { "\nSigCgt:", "\nSigBlk:", "\nSigIgn:" };
	auto_free char *text = NULL;
	char path[32];
	uint64_t set = 0;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (file_read(path, 1 << 16, &text, NULL) < 0)
		return true;
	for (size_t i = 0; i < sizeof(masks) / sizeof(*masks); i++) {
		const char *found = strstr(text, masks[i]);

		if (found)
			set |= strtoull(found + strlen(masks[i]), NULL, 16);
	}
	return set >> (signal - 1) & 1;
}
