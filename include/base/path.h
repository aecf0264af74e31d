/* Paths as text. Nothing here looks at a disk: what a path leads to is decided on a descriptor, once. */
#pragma once

#include <stdbool.h>

/* True if @path is @dir or lies below it; both absolute and clean. */
bool path_is_under(const char *path, const char *dir);

/*
 * An absolute path without ".", ".." and repeated slashes: @path itself, or below @base where it is relative.
 * ".." is taken lexically, as inside a root where nothing is a link. The caller owns the result.
 */
char *path_clean(const char *base, const char *path);

/* The part after the last slash. Borrowed from @path. */
const char *path_name(const char *path);
