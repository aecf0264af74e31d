/*
 * How things fail here.
 *
 * A function with one way to fail, whose caller knows the context, returns -errno. Every other takes a
 * struct err last, fills it where the failure is understood, and returns 0 or -e->code. The record is flat and
 * owns nothing, so a child sends it to its parent as it stands. Nobody below cmd/ and run/supervise prints one.
 *
 * An error has three parts: what failed on which object; why, where that can be known; what to do about it, as
 * a command to paste. Text from outside (paths, names) is escaped when the error is printed, not before.
 */
#pragma once

struct err {
	int code; /* an errno value, never 0 once set */
	char text[512];
	char why[256];
	char fix[256];
};

/* All of these return -e->code, so that `return err_set(...)` is the whole error path. */

/* Our own verdict: @code is an errno value that fits it. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* A failed call: takes errno, and appends its description to the text. */
int err_sys(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* On the way up: puts "context: " before what is there. */
int err_in(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The second and third part; they return -e->code too. */
int err_why(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int err_fix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
