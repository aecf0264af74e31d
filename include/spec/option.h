/*
 * THE OPTION TABLE: every option of every subcommand is one row. From the row come the flag, the short flag, the key
 * of the launch document (the long name in snake_case), --help, the completions, the JSON Schema and a lint that
 * the manual describes it.
 */
#pragma once

#include "base/err.h"
#include "spec/spec.h"

/* The subcommands that take options. */
enum option_scope {
	FOR_RUN = 1 << 0,
	FOR_DOCTOR = 1 << 1,
	FOR_CONFIG = 1 << 2,
	FOR_FEATURES = 1 << 3,
	FOR_VERSION = 1 << 4,
	FOR_RM = 1 << 5,
	FOR_PLAIN = 1 << 30, /* no options but --help */
	FOR_ANY = ~0,
};

enum option_flags {
	OPTION_LIST = 1 << 0,	      /* may be given more than once; a document has an array */
	OPTION_FLAG_ONLY = 1 << 1,    /* has no meaning in a document */
	OPTION_DOCUMENT_ONLY = 1 << 2, /* a key without a flag */
	OPTION_CEILING = 1 << 3,      /* the host file may set it, and then nobody may exceed it */
	OPTION_NUMBER = 1 << 4,	      /* a document may write it as an integer */
};

struct option;

/*
 * Parses @text for the row into its field, found at @offset in @s. Returns 0 or fails with a sentence about the value
 * alone.
 */
typedef int value_parser(const struct option *o, const char *text, struct spec *s, struct err *e);

struct option {
	const char *name;	  /* long flag without dashes */
	char letter;		  /* short flag, or 0 */
	const char *arg;	  /* what --help calls the argument; NULL for a switch */
	value_parser *parse;
	size_t offset;
	const char *value;	  /* of a switch that stands for another option's value */
	const char *const *choices; /* for value_choice, NULL-terminated, in the order of the enum */
	unsigned scope, flags;
	const char *help;
};

extern const struct option options[];
extern const size_t options_count;

/* The row, or NULL; by flag name, by letter, by document key. */
const struct option *option_by_name(const char *name, size_t len, unsigned scope);
const struct option *option_by_letter(char letter, unsigned scope);
const struct option *option_by_key(const char *key, unsigned scope);

/* Writes the document key of a row ("--env-file" is "env_file") into @key. */
enum { OPTION_KEY_MAX = 64 };
void option_key(const struct option *o, char key[OPTION_KEY_MAX]);

bool option_given(const struct spec *s, const char *name);

/* Sets one option from text, remembers that it was given. Errors do not name the option; the caller does. */
int option_set(const struct option *o, const char *text, struct spec *s, struct err *e);

/*
 * Parses argv (without the subcommand's name) for the subcommand @scope. Options stop at the first operand or at
 * "--"; the operands go to s->command. Fails with EINVAL and the nearest known option.
 */
int option_parse(int argc, char **argv, unsigned scope, struct spec *s, struct err *e);
