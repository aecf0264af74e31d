#pragma once

#include <stddef.h>

/* The median of @count values, which are sorted in place. The mean of the middle two where count is even. */
double median(double *values, size_t count);
