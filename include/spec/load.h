/*
 * Documents into a spec: the launch document and the administrator's host file. Flags are parsed
 * first; what is read here fills only what they left open, so the calls below may come in any
 * order. Only a document marks its rows as given: a default of the host is not a wish of the user.
 */
#pragma once

#include "base/err.h"
#include "spec/spec.h"

#define LOAD_HOST_FILE "/etc/nucleus/nucleus.conf"

/*
 * A launch document: one flat object, TOML, or JSON where the first byte that is not blank is '{'.
 * Each key is a row of the option table (option_by_key); an unknown one fails with its line and the
 * nearest known key. A row for which s->given is already set is left alone. EINVAL for everything
 * the document got wrong. In the launch image a JSON document ends in image_exec_full(), so the
 * caller must be able to do everything before this again.
 */
int load_document(const char *origin, const char *text, size_t len, unsigned scope, struct spec *s,
		  struct err *e);

/*
 * The document that --config or --config-fd names in @flags, which may be @s. A file is read from
 * its beginning, a descriptor from where it stands; a seekable one is left standing there. Neither
 * option: 0.
 */
int load_config(const struct spec *flags, unsigned scope, struct spec *s, struct err *e);

/*
 * The host file, INI: [defaults] and [ceilings], each "key = value" with the keys of launch
 * documents, lists excepted; ceilings only for rows with OPTION_CEILING (whose field is an
 * uint64_t, 0 for no limit), whose default they also lower. *ret_found is false where there is no
 * such file. It must belong to root and be writable by nobody else.
 */
struct ceilings {
	uint64_t value[128]; /* by row of the option table; 0: none */
};

int load_host_file(const char *path, struct spec *s, struct ceilings *ret_ceilings, bool *ret_found,
		   struct err *e);

/* The same for text that is already there: a file not yet installed, a test. */
int load_host_text(const char *origin, const char *text, size_t len, struct spec *s,
		   struct ceilings *ret_ceilings, struct err *e);

/*
 * Fails with EPERM, naming option, value and ceiling, where the spec asks for more than the host
 * allows. To be called last. A tmpfs of its own size counts as rootfs_size does.
 */
int load_check_ceilings(const struct spec *s, const struct ceilings *c, struct err *e);
