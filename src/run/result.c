#include "run/result.h"
#include "data/emit.h"

#include <inttypes.h>
#include <string.h>

enum { SCHEMA_VERSION = 1 };

static void number_or_null(struct emit *j, const char *key, int64_t value)
{
	if (value < 0)
		emit_string(j, key, NULL);
	else
		emit_int(j, key, value);
}

static void emit_failure(struct emit *j, const struct container *c, const struct plan *p, const struct err *failure)
{
	emit_open(j, "error", '{');
	emit_string(j, "stage", c->failed_stage >= 0 ? p->stages[c->failed_stage].name : "check");
	emit_int(j, "errno", failure->code);
	emit_string(j, "text", failure->text);
	emit_string(j, "why", failure->why[0] ? failure->why : NULL);
	emit_string(j, "fix", failure->fix[0] ? failure->fix : NULL);
	emit_close(j, '}');
}

static void emit_degraded(struct emit *j, const struct container *c)
{
	emit_open(j, "degraded", '[');
	for (int i = 0; i < c->degraded_count; i++) {
		emit_open(j, NULL, '{');
		emit_string(j, "what", c->degraded[i].what);
		emit_string(j, "text", c->degraded[i].err.text);
		emit_close(j, '}');
	}
	emit_close(j, ']');
}

static void emit_stages(struct emit *j, const struct container *c, const struct plan *p)
{
	emit_open(j, "stages_us", '{');
	for (int i = 0; i < p->count && c->shared; i++)
		if (!p->stages[i].want || p->stages[i].want(c))
			emit_uint(j, p->stages[i].name, c->shared->stage_us[i]);
	emit_close(j, '}');
}

static void emit_enforced(struct emit *j, const struct container *c)
{
	emit_open(j, "enforced", '{');
	emit_bool(j, "user_namespace", !c->privileged);
	emit_int(j, "landlock_abi", c->shared ? c->shared->landlock_abi : 0);
	emit_bool(j, "seccomp", c->shared && c->shared->seccomp);
	emit_string(j, "cgroup", c->cgroup.path[0] ? c->cgroup.path : NULL);
	emit_close(j, '}');
}

void result_json(const struct container *c, const struct plan *p, const struct outcome *o, const struct err *failure,
		 struct buf *out)
{
	struct emit j = { .out = out };

	emit_open(&j, NULL, '{');
	emit_int(&j, "schema_version", SCHEMA_VERSION);
	emit_string(&j, "id", c->id[0] ? c->id : NULL);
	emit_string(&j, "name", c->spec->name);
	emit_string(&j, "verdict", verdict_name(o->verdict));
	number_or_null(&j, "code", o->code);
	number_or_null(&j, "signal", o->signal ? o->signal : -1);
	emit_int(&j, "status", o->status);
	if (failure)
		emit_failure(&j, c, p, failure);
	else
		emit_string(&j, "error", NULL);
	number_or_null(&j, "memory_peak_bytes", o->memory_peak);
	number_or_null(&j, "cpu_us", o->cpu_us);
	number_or_null(&j, "oom_kills", o->oom_kills);
	number_or_null(&j, "pids_refused", o->pids_refused);
	number_or_null(&j, "bytes_in", o->bytes_in);
	number_or_null(&j, "bytes_out", o->bytes_out);
	emit_enforced(&j, c);
	emit_degraded(&j, c);
	emit_stages(&j, c, p);
	emit_close(&j, '}');
	buf_puts(out, "\n");
}

static void describe_json(const struct container *c, const struct plan *p, struct buf *out)
{
	struct emit j = { .out = out, .pretty = true };

	emit_open(&j, NULL, '{');
	emit_int(&j, "schema_version", SCHEMA_VERSION);
	emit_open(&j, "command", '[');
	for (size_t i = 0; i < c->spec->command.count; i++)
		emit_string(&j, NULL, c->spec->command.items[i]);
	emit_close(&j, ']');
	emit_open(&j, "stages", '[');
	for (int i = 0; i < p->count; i++)
		if (!p->stages[i].want || p->stages[i].want(c)) {
			emit_open(&j, NULL, '{');
			emit_string(&j, "name", p->stages[i].name);
			emit_string(&j, "lane", p->stages[i].lane == LANE_PARENT ? "parent" : "child");
			emit_close(&j, '}');
		}
	emit_close(&j, ']');
	emit_open(&j, "mounts", '[');
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct mount_row *row = &c->mounts.rows[i];
		char attributes[64];

		mount_attributes_text(row->attributes, attributes);
		emit_open(&j, NULL, '{');
		emit_string(&j, "target", row->target);
		emit_string(&j, "kind", mount_kind_name(row));
		emit_string(&j, "source", row->source);
		emit_string(&j, "attributes", row->kind == MOUNT_LINK ? NULL : attributes);
		emit_close(&j, '}');
	}
	emit_close(&j, ']');
	emit_open(&j, "limits", '{');
	number_or_null(&j, "memory_bytes", c->spec->memory ? (int64_t)c->spec->memory : -1);
	number_or_null(&j, "pids", (int64_t)c->spec->pids);
	number_or_null(&j, "cpus_milli", c->spec->cpus_milli ? (int64_t)c->spec->cpus_milli : -1);
	number_or_null(&j, "timeout_ms", c->spec->timeout_ms ? (int64_t)c->spec->timeout_ms : -1);
	emit_uint(&j, "rootfs_bytes", c->spec->rootfs_size);
	emit_close(&j, '}');
	emit_close(&j, '}');
	buf_puts(out, "\n");
}

static void describe_limit(struct buf *out, const char *name, uint64_t value)
{
	if (value)
		buf_printf(out, "  %-12s %" PRIu64 "\n", name, value);
	else
		buf_printf(out, "  %-12s none\n", name);
}

static void describe_text(const struct container *c, const struct plan *p, struct buf *out)
{
	buf_puts(out, "stages\n");
	for (int i = 0; i < p->count; i++)
		if (!p->stages[i].want || p->stages[i].want(c))
			buf_printf(out, "  %-12s %s\n", p->stages[i].name,
				   p->stages[i].lane == LANE_PARENT ? "parent" : "child");
	buf_puts(out, "mounts\n");
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct mount_row *row = &c->mounts.rows[i];
		char attributes[64];

		mount_attributes_text(row->attributes, attributes);
		buf_printf(out, "  %-8s %-22s ", mount_kind_name(row), row->kind == MOUNT_LINK ? "" : attributes);
		buf_escaped(out, row->target, strlen(row->target));
		if (row->source && row->kind != MOUNT_NEW) {
			buf_puts(out, row->kind == MOUNT_LINK ? " -> " : " from ");
			buf_escaped(out, row->source, strlen(row->source));
		}
		buf_puts(out, "\n");
	}
	buf_puts(out, "limits\n");
	describe_limit(out, "memory", c->spec->memory);
	describe_limit(out, "pids", c->spec->pids);
	describe_limit(out, "cpus (1/1000)", c->spec->cpus_milli);
	describe_limit(out, "timeout (ms)", c->spec->timeout_ms);
	describe_limit(out, "rootfs size", c->spec->rootfs_size);
}

void describe_plan(const struct container *c, const struct plan *p, enum output_format format, struct buf *out)
{
	if (format == FORMAT_JSON)
		describe_json(c, p, out);
	else
		describe_text(c, p, out);
}
