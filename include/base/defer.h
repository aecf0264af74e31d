/*
 * Ownership without goto: a local that owns something says so at its declaration and leaves by take().
 *
 *	auto_free char *text = NULL;
 *	auto_close int fd = -1;
 *	...
 *	*ret_text = take_ptr(text);
 *	return take_fd(fd);
 */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define auto_(function) __attribute__((cleanup(function)))

static inline void defer_free(void *slot)
{
	free(*(void **)slot);
}

static inline void defer_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define auto_free auto_(defer_free)
#define auto_close auto_(defer_close)

/* Moves the value out of its owner, which is empty afterwards. */
#define take_ptr(slot) ({ __typeof__(slot) taken_ = (slot); (slot) = NULL; taken_; })
#define take_fd(slot) ({ int taken_ = (slot); (slot) = -1; taken_; })
