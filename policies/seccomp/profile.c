#include "policies/seccomp/profile.h"
#include "base/defer.h"
#include "base/fd.h"
#include "base/mem.h"
#include "base/str.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <string.h>

struct word {
	const char *name;
	uint32_t value;
};

static const struct word actions[] = {
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ NULL, 0 },
};

static const struct word operators[] = {
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT },
	{ "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ },
	{ "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT },
	{ "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ NULL, 0 },
};

static const struct word architectures[] = {
	{ "SCMP_ARCH_X86_64", SCMP_ARCH_X86_64 },
	{ "SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64 },
	{ NULL, 0 },
};

/* Calls younger than the oldest libseccomp that we build with, 2.5.4. */
static const struct word younger[] = {
	{ "cachestat", 451 },	      { "fchmodat2", 452 },
	{ "map_shadow_stack", 453 },  { "futex_wake", 454 },
	{ "futex_wait", 455 },	      { "futex_requeue", 456 },
	{ "statmount", 457 },	      { "listmount", 458 },
	{ "lsm_get_self_attr", 459 }, { "lsm_set_self_attr", 460 },
	{ "lsm_list_modules", 461 },  { "mseal", 462 },
	{ "setxattrat", 463 },	      { "getxattrat", 464 },
	{ "listxattrat", 465 },	      { "removexattrat", 466 },
	{ "open_tree_attr", 467 },    { "file_getattr", 468 },
	{ "file_setattr", 469 },      { NULL, 0 },
};

static const char *const profile_fields[] = {
	"defaultAction", "defaultErrnoRet", "architectures", "syscalls", NULL,
};
static const char *const group_fields[] = { "comment", "names", "action", "errnoRet", "args", NULL };
static const char *const condition_fields[] = { "index", "value", "valueTwo", "op", NULL };

static int find(const struct word *words, const cJSON *text, uint32_t *ret, struct err *e)
{
	const char *name = cJSON_GetStringValue(text);

	if (!name)
		return err_set(e, EINVAL, "a string is missing where %s and the like belong", words->name);
	for (; words->name; words++)
		if (str_eq(words->name, name)) {
			*ret = words->value;
			return 0;
		}
	return err_set(e, EINVAL, "%s: unknown", name);
}

/* cJSON holds numbers as doubles, which are exact up to 2^53. */
static int number(const cJSON *object, const char *key, uint64_t limit, uint64_t *ret, struct err *e)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!item)
		return 0;
	if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble > (double)limit ||
	    item->valuedouble != (double)(uint64_t)item->valuedouble)
		return err_set(e, EINVAL, "%s: not a whole number up to %llu", key,
			       (unsigned long long)limit);
	*ret = (uint64_t)item->valuedouble;
	return 0;
}

static int only_fields(const cJSON *object, const char *const *known, struct err *e)
{
	const cJSON *item;

	if (!cJSON_IsObject(object))
		return err_set(e, EINVAL, "not an object");
	cJSON_ArrayForEach(item, object) {
		size_t i = 0;

		while (known[i] && !str_eq(known[i], item->string))
			i++;
		if (!known[i])
			return err_set(e, EINVAL, "%s: unknown field", item->string);
		if (cJSON_GetObjectItemCaseSensitive(object, item->string) != item)
			return err_set(e, EINVAL, "%s: given twice", item->string);
	}
	return 0;
}

static int read_action(const cJSON *object, const char *action, const char *errno_ret, uint32_t *ret,
		       struct err *e)
{
	uint64_t code = EPERM;
	int r;

	r = find(actions, cJSON_GetObjectItemCaseSensitive(object, action), ret, e);
	if (r < 0)
		return err_in(e, "%s", action);
	if (*ret != SECCOMP_RET_ERRNO && cJSON_HasObjectItem(object, errno_ret))
		return err_set(e, EINVAL, "%s: only with SCMP_ACT_ERRNO", errno_ret);
	r = number(object, errno_ret, 4095, &code, e);
	if (r == 0 && *ret == SECCOMP_RET_ERRNO)
		*ret |= (uint32_t)code;
	return r;
}

static int read_condition(struct profile_rule *rule, const cJSON *object, struct err *e)
{
	uint64_t index = PROFILE_ARGS, value = 0, value_two = 0;
	uint32_t op;
	int r;

	r = only_fields(object, condition_fields, e);
	if (r == 0)
		r = number(object, "index", PROFILE_ARGS - 1, &index, e);
	if (r == 0)
		r = number(object, "value", 1ULL << 53, &value, e);
	if (r == 0)
		r = number(object, "valueTwo", 1ULL << 53, &value_two, e);
	if (r == 0)
		r = find(operators, cJSON_GetObjectItemCaseSensitive(object, "op"), &op, e);
	if (r < 0)
		return r;
	if (index == PROFILE_ARGS)
		return err_set(e, EINVAL, "index: missing");
	if (op == SCMP_CMP_MASKED_EQ && (value_two & ~value))
		return err_set(e, EINVAL,
			       "valueTwo: has bits outside the mask in value, so it never holds");
	if (op != SCMP_CMP_MASKED_EQ && value_two)
		return err_set(e, EINVAL, "valueTwo: only with SCMP_CMP_MASKED_EQ");
	for (unsigned i = 0; i < rule->condition_count; i++)
		if (rule->conditions[i].arg == index)
			return err_set(e, EINVAL,
				       "argument %u twice: runc takes that for \"or\"; write two groups",
				       (unsigned)index);
	rule->conditions[rule->condition_count++] = (struct scmp_arg_cmp){
		.arg = (unsigned)index,
		.op = (enum scmp_compare)op,
		.datum_a = value,
		.datum_b = value_two,
	};
	return 0;
}

/* What the head of this file's header asks of a profile, for one more rule. */
static int check_rule(const struct profile *p, const struct profile_rule *rule, struct err *e)
{
	if (rule->action == p->default_action)
		return err_set(e, EINVAL, "says what the default says");
	for (size_t i = 0; i < p->rule_count; i++) {
		const struct profile_rule *other = &p->rules[i];

		if (other->nr != rule->nr)
			continue;
		if (other->action != rule->action)
			return err_set(e, EINVAL, "two groups disagree about the action");
		if (!other->condition_count || !rule->condition_count)
			return err_set(e, EINVAL, "named twice, at least once without conditions");
	}
	return 0;
}

static int add_call(struct profile *p, const struct profile_rule *group, const char *name, struct err *e)
{
	struct profile_rule rule = *group;

	rule.nr = seccomp_syscall_resolve_name_arch(p->arch, name);
	for (const struct word *w = younger; w->name && rule.nr < 0; w++)
		if (str_eq(w->name, name))
			rule.nr = (int)w->value;
	if (rule.nr == __NR_SCMP_ERROR)
		return err_set(e, EINVAL, "no architecture has such a call");
	if (rule.nr < 0)
		return 0;
	if (check_rule(p, &rule, e) < 0)
		return -e->code;
	if (rule.nr > p->newest)
		p->newest = rule.nr;
	rule.name = mem_dup(name);
	p->rules = mem_grow(p->rules, p->rule_count, sizeof(*p->rules));
	p->rules[p->rule_count++] = rule;
	return 0;
}

static int read_group(struct profile *p, const cJSON *object, struct err *e)
{
	const cJSON *names = cJSON_GetObjectItemCaseSensitive(object, "names");
	const cJSON *args = cJSON_GetObjectItemCaseSensitive(object, "args");
	struct profile_rule group = { 0 };
	const cJSON *item;

	if (only_fields(object, group_fields, e) < 0 ||
	    read_action(object, "action", "errnoRet", &group.action, e) < 0)
		return -e->code;
	if (!cJSON_IsArray(names) || !cJSON_GetArraySize(names))
		return err_set(e, EINVAL, "names: not a list, or an empty one");
	if (args && (!cJSON_IsArray(args) || !cJSON_GetArraySize(args)))
		return err_set(e, EINVAL, "args: not a list, or an empty one");
	cJSON_ArrayForEach(item, args) {
		if (read_condition(&group, item, e) < 0)
			return err_in(e, "args");
	}
	cJSON_ArrayForEach(item, names) {
		if (!cJSON_IsString(item))
			return err_set(e, EINVAL, "names: not a string");
		if (add_call(p, &group, item->valuestring, e) < 0)
			return err_in(e, "%s", item->valuestring);
	}
	return 0;
}

static int read_architectures(const struct profile *p, const cJSON *list, struct err *e)
{
	bool found = false;
	const cJSON *item;
	uint32_t arch;

	cJSON_ArrayForEach(item, list) {
		if (find(architectures, item, &arch, e) < 0)
			return err_in(e, "architectures");
		found |= arch == p->arch;
	}
	return found ? 0 : err_set(e, EINVAL, "architectures: this machine's is not among them");
}

static int read_document(struct profile *p, const cJSON *doc, struct err *e)
{
	const cJSON *groups = cJSON_GetObjectItemCaseSensitive(doc, "syscalls");
	const cJSON *item;
	unsigned i = 0;

	if (!doc)
		return err_set(e, EINVAL, "not JSON");
	if (only_fields(doc, profile_fields, e) < 0 ||
	    read_architectures(p, cJSON_GetObjectItemCaseSensitive(doc, "architectures"), e) < 0 ||
	    read_action(doc, "defaultAction", "defaultErrnoRet", &p->default_action, e) < 0)
		return -e->code;
	if (!cJSON_IsArray(groups))
		return err_set(e, EINVAL, "syscalls: not a list");
	cJSON_ArrayForEach(item, groups) {
		if (read_group(p, item, e) < 0)
			return err_in(e, "syscalls[%u]", i);
		i++;
	}
	return 0;
}

int profile_read(struct profile *p, const char *path, struct err *e)
{
	auto_free char *text = NULL;
	cJSON *doc;
	int r;

	r = file_read(path, 1 << 20, &text, NULL);
	if (r < 0)
		return err_set(e, -r, "%s: %s", path, strerror(-r));
	p->arch = seccomp_arch_native();
	doc = cJSON_ParseWithOpts(text, NULL, true);
	r = read_document(p, doc, e);
	cJSON_Delete(doc);
	return r < 0 ? err_in(e, "%s", path) : 0;
}

void profile_free(struct profile *p)
{
	for (size_t i = 0; i < p->rule_count; i++)
		free(p->rules[i].name);
	free(p->rules);
	*p = (struct profile){ 0 };
}
