/*
 * verify PROFILE: proves, as far as trying can, that three things agree: the filter that was compiled into
 * this program, what libseccomp makes of the same profile, and a reading of the profile so simple that it
 * can be checked by eye (expected(), below). Tried are all numbers of all architectures, and for each call
 * with conditions every combination of the values around those that the conditions name. The build runs it;
 * any disagreement fails it.
 */
#include "base/defer.h"
#include "base/mem.h"
#include "policies/seccomp/reference.h"
#include "sandbox/seccomp_filter.h"
#include "tests/bpf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NUMBERS = 1024, X32 = 0x40000000, RANDOM_CASES = 500000 };

struct verify {
	struct profile profile;
	struct sock_filter *reference; /* owned */
	size_t reference_len;
	unsigned long cases, wrong;
};

static bool holds(const struct scmp_arg_cmp *c, uint64_t value)
{
	switch (c->op) {
	case SCMP_CMP_NE:
		return value != c->datum_a;
	case SCMP_CMP_LT:
		return value < c->datum_a;
	case SCMP_CMP_LE:
		return value <= c->datum_a;
	case SCMP_CMP_EQ:
		return value == c->datum_a;
	case SCMP_CMP_GE:
		return value >= c->datum_a;
	case SCMP_CMP_GT:
		return value > c->datum_a;
	case SCMP_CMP_MASKED_EQ:
		return (value & c->datum_a) == c->datum_b;
	case _SCMP_CMP_MIN:
	case _SCMP_CMP_MAX:
		break;
	}
	return false;
}

static bool all_hold(const struct profile_rule *rule, const struct seccomp_data *d)
{
	for (unsigned i = 0; i < rule->condition_count; i++)
		if (!holds(&rule->conditions[i], d->args[rule->conditions[i].arg]))
			return false;
	return true;
}

/* The profile by its words. A tracer cancels a call by making its number -1, which the default answers. */
static uint32_t expected(const struct profile *p, const struct seccomp_data *d)
{
	uint32_t nr = (uint32_t)d->nr;

	if (d->arch != p->arch)
		return SECCOMP_RET_KILL_PROCESS;
	if (p->arch == SCMP_ARCH_X86_64 && nr >= X32 && d->nr != -1)
		return SECCOMP_RET_KILL_PROCESS;
	if (profile_is_newer(p, nr))
		return SECCOMP_RET_ERRNO | ENOSYS;
	for (size_t i = 0; i < p->rule_count; i++)
		if (p->rules[i].nr == d->nr && all_hold(&p->rules[i], d))
			return p->rules[i].action;
	return p->default_action;
}

static void try(struct verify *v, const struct seccomp_data *d)
{
	bool newer = d->arch == v->profile.arch && profile_is_newer(&v->profile, (uint32_t)d->nr);
	struct bpf_result built = { 0 }, reference = { 0 };
	uint32_t want = expected(&v->profile, d);

	v->cases++;
	if (bpf_run(seccomp_default_filter, seccomp_default_filter_len, d, &built) &&
	    bpf_run(v->reference, v->reference_len, d, &reference) && built.action == want &&
	    (newer || reference.action == want))
		return;
	if (v->wrong++ < 10)
		fprintf(stderr,
			"verify: arch %#x call %d (%#llx, %#llx, %#llx): profile %#x, built %#x, "
			"libseccomp %#x\n",
			d->arch, d->nr, d->args[0], d->args[1], d->args[2], want, built.action,
			reference.action);
}

static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15; /* splitmix64: the same numbers in every build */

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void try_numbers(struct verify *v)
{
	static const uint32_t arches[] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_AARCH64, 0,
					   0xffffffff };

	for (size_t i = 0; i < sizeof(arches) / sizeof(*arches); i++)
		for (int nr = -1; nr < NUMBERS; nr++) {
			struct seccomp_data d = { .arch = arches[i], .nr = nr };

			try(v, &d);
			d.nr = (int)((uint32_t)nr | X32);
			try(v, &d);
			d.nr = (int)((uint32_t)nr | 0x80000000);
			try(v, &d);
			memset(d.args, 0xff, sizeof(d.args));
			d.nr = nr;
			try(v, &d);
		}
}

static void try_random(struct verify *v)
{
	uint64_t state = 1;

	for (unsigned i = 0; i < RANDOM_CASES; i++) {
		uint64_t bits = random_next(&state);
		struct seccomp_data d = {
			.arch = bits & 7 ? v->profile.arch : (uint32_t)random_next(&state),
			.nr = bits & 0x70 ? (int)(bits >> 32) % NUMBERS : (int)(bits >> 32),
		};

		for (unsigned k = 0; k < PROFILE_ARGS; k++)
			d.args[k] = random_next(&state) >> (bits >> (8 + 3 * k) & 7) * 8;
		try(v, &d);
	}
}

/* The values worth trying for one argument. */
struct values {
	uint64_t *list;
	size_t count;
};

static void add_value(struct values *s, uint64_t value)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i] == value)
			return;
	s->list = mem_grow(s->list, s->count, sizeof(*s->list));
	s->list[s->count++] = value;
}

/* The value, its neighbours, what a narrower or signed comparison would take for it, single bits flipped. */
static void add_values(struct values *s, const struct scmp_arg_cmp *c)
{
	uint64_t value = c->op == SCMP_CMP_MASKED_EQ ? c->datum_b : c->datum_a;

	add_value(s, value);
	add_value(s, value - 1);
	add_value(s, value + 1);
	add_value(s, ~value);
	add_value(s, (uint64_t)(int64_t)(int32_t)value);
	add_value(s, value | 0xffffffff00000000);
	if (c->op == SCMP_CMP_MASKED_EQ)
		add_value(s, value | ~c->datum_a);
	add_value(s, value ^ 1ULL << 63);
	for (unsigned bit = 0; bit < 34; bit++)
		add_value(s, value ^ 1ULL << bit);
}

static void try_product(struct verify *v, const struct values *sets, unsigned arg, struct seccomp_data *d)
{
	if (arg == PROFILE_ARGS) {
		try(v, d);
		return;
	}
	d->args[arg] = 0;
	if (!sets[arg].count)
		try_product(v, sets, arg + 1, d);
	for (size_t i = 0; i < sets[arg].count; i++) {
		d->args[arg] = sets[arg].list[i];
		try_product(v, sets, arg + 1, d);
	}
}

static void try_conditions(struct verify *v, int nr)
{
	struct seccomp_data d = { .arch = v->profile.arch, .nr = nr };
	struct values sets[PROFILE_ARGS] = { 0 };

	for (size_t i = 0; i < v->profile.rule_count; i++) {
		const struct profile_rule *rule = &v->profile.rules[i];

		for (unsigned k = 0; rule->nr == nr && k < rule->condition_count; k++)
			add_values(&sets[rule->conditions[k].arg], &rule->conditions[k]);
	}
	try_product(v, sets, 0, &d);
	for (unsigned k = 0; k < PROFILE_ARGS; k++)
		free(sets[k].list);
}

/* An unconditional allow that the kernel cannot cache would cost every call of it. */
static void check_cached(struct verify *v, const struct profile_rule *rule)
{
	struct seccomp_data d = { .arch = v->profile.arch, .nr = rule->nr };
	struct bpf_result r = { 0 };

	if (bpf_run(seccomp_default_filter, seccomp_default_filter_len, &d, &r) && r.constant)
		return;
	v->wrong++;
	fprintf(stderr, "verify: %s is allowed outright, but the filter looks at its arguments\n",
		rule->name);
}

static bool is_first(const struct profile *p, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (p->rules[k].nr == p->rules[i].nr)
			return false;
	return true;
}

static void try_calls(struct verify *v)
{
	const struct profile *p = &v->profile;
	unsigned allowed = 0, conditional = 0, killed = 0, absent = 0;

	for (size_t i = 0; i < p->rule_count; i++) {
		const struct profile_rule *rule = &p->rules[i];

		if (!is_first(p, i))
			continue;
		if (rule->condition_count)
			try_conditions(v, rule->nr);
		else if (rule->action == SECCOMP_RET_ALLOW)
			check_cached(v, rule);
		allowed += rule->action == SECCOMP_RET_ALLOW && !rule->condition_count;
		conditional += rule->condition_count != 0;
		killed += rule->action == SECCOMP_RET_KILL_PROCESS;
		absent += rule->action == (SECCOMP_RET_ERRNO | ENOSYS);
	}
	printf("seccomp: %u calls allowed, %u under conditions, %u kill, %u absent; %u instructions; ",
	       allowed, conditional, killed, absent, seccomp_default_filter_len);
}

int main(int argc, char **argv)
{
	struct verify v = { 0 };
	struct err e = { 0 };

	if (argc != 2) {
		fprintf(stderr, "usage: verify PROFILE\n");
		return 2;
	}
	if (profile_read(&v.profile, argv[1], &e) < 0 ||
	    reference_build(&v.profile, &v.reference, &v.reference_len, &e) < 0) {
		fprintf(stderr, "verify: %s\n", e.text);
		return 1;
	}
	try_calls(&v);
	try_numbers(&v);
	try_random(&v);
	printf("%lu cases, %lu disagree\n", v.cases, v.wrong);
	free(v.reference);
	profile_free(&v.profile);
	return v.wrong != 0;
}
