#include "base/log.h"
#include "base/fd.h"
#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum log_level log_level = LOG_WARN;

void log_set(enum log_level level)
{
	log_level = level;
}

static void say(const char *prefix, const char *text)
{
	auto_buf struct buf line = { 0 };

	buf_puts(&line, prefix);
	buf_escaped(&line, text, strlen(text));
	buf_puts(&line, "\n");
	/* A line that cannot be written has nowhere else to go. */
	(void)fd_write_all(STDERR_FILENO, line.text, line.len);
}

__attribute__((format(printf, 3, 0)))
static void say_v(enum log_level level, const char *prefix, const char *fmt, va_list ap)
{
	char text[1024];

	if (level > log_level)
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	say(prefix, text);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_v(LOG_WARN, "nucleus: warning: ", fmt, ap);
	va_end(ap);
}

void log_info(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_v(LOG_INFO, "nucleus: ", fmt, ap);
	va_end(ap);
}

void log_err(const struct err *e)
{
	say("nucleus: ", e->text);
	if (e->why[0])
		say("nucleus:   why: ", e->why);
	if (e->fix[0])
		say("nucleus:   fix: ", e->fix);
}
