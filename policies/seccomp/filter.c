/*
 * Theory of operation. At install the kernel runs the filter once for every call number, and compiles it to
 * machine code: what counts is the length of the program and of the way to each answer. So the numbers are
 * cut into ranges of equal answer, one binary search finds the range, and calls with conditions have a block
 * of tests each:
 *
 *	architecture, number, search over the ranges, blocks
 *
 * Only instructions that the kernel's action cache follows (Linux 5.11, seccomp_is_const_allow) stand
 * before the blocks.
 *
 * The program is written from its end to its beginning: every jump of BPF goes forward, so wherever one is
 * written, its targets exist. A label is an index into the buffer.
 */
#include "policies/seccomp/filter.h"
#include "base/defer.h"
#include "base/mem.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum { X32 = 0x40000000, REACH = 250, RETURNS = 8 };

struct program {
	struct sock_filter code[BPF_MAXINSNS];
	size_t start; /* what is written so far begins here */
	struct {
		uint32_t action;
		size_t label;
	} returns[RETURNS];
	size_t return_count;
	bool full;
};

/* Calls from @first up to the next range's first: to the tests at @block, or, where that is 0, the action. */
struct range {
	uint32_t first;
	uint32_t action;
	size_t block;
};

static size_t emit(struct program *b, unsigned code, uint32_t k, size_t yes, size_t no)
{
	if (b->start)
		b->start--;
	else
		b->full = true;
	b->code[b->start] = (struct sock_filter){ (uint16_t)code, (uint8_t)yes, (uint8_t)no, k };
	return b->start;
}

/* One RET per action serves all jumps near enough. */
static size_t answer(struct program *b, uint32_t action)
{
	size_t i = 0;

	while (i < b->return_count && b->returns[i].action != action)
		i++;
	if (i < b->return_count && b->returns[i].label - b->start <= REACH)
		return b->returns[i].label;
	if (i == RETURNS) {
		b->full = true;
		return b->start;
	}
	b->return_count += i == b->return_count;
	b->returns[i].action = action;
	b->returns[i].label = emit(b, BPF_RET | BPF_K, action, 0, 0);
	return b->returns[i].label;
}

/* A conditional jump has 8 bits for the way; what lies farther is reached over a stepping stone. */
static size_t reach(struct program *b, size_t label)
{
	if (label - b->start <= REACH)
		return label;
	return emit(b, BPF_JMP | BPF_JA, (uint32_t)(label - b->start), 0, 0);
}

static size_t test(struct program *b, unsigned op, uint32_t k, size_t yes, size_t no)
{
	yes = reach(b, yes);
	no = reach(b, no);
	return emit(b, BPF_JMP | op | BPF_K, k, yes - b->start, no - b->start);
}

static size_t load(struct program *b, size_t offset)
{
	return emit(b, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static size_t offset_of(unsigned arg, bool high)
{
	bool second = high == (BYTE_ORDER == LITTLE_ENDIAN);

	return offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t) +
	       (second ? sizeof(uint32_t) : 0);
}

/* (A & mask) == value; a single bit, or none, is tested without changing A. */
static size_t test_masked(struct program *b, uint32_t mask, uint32_t value, size_t yes, size_t no)
{
	if (value == 0)
		return test(b, BPF_JSET, mask, no, yes);
	if (value == mask && (mask & (mask - 1)) == 0)
		return test(b, BPF_JSET, mask, yes, no);
	test(b, BPF_JEQ, value, yes, no);
	return mask == UINT32_MAX ? b->start : emit(b, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
}

static size_t test_equal(struct program *b, unsigned arg, uint64_t mask, uint64_t value, size_t yes,
			 size_t no)
{
	if ((uint32_t)mask || !mask) {
		test_masked(b, (uint32_t)mask, (uint32_t)value, yes, no);
		yes = load(b, offset_of(arg, false));
	}
	if (mask >> 32) {
		test_masked(b, (uint32_t)(mask >> 32), (uint32_t)(value >> 32), yes, no);
		yes = load(b, offset_of(arg, true));
	}
	return yes;
}

/* @op is BPF_JGT or BPF_JGE. */
static size_t test_greater(struct program *b, unsigned arg, unsigned op, uint64_t value, size_t yes,
			   size_t no)
{
	size_t low;

	test(b, op, (uint32_t)value, yes, no);
	low = load(b, offset_of(arg, false));
	low = test(b, BPF_JEQ, (uint32_t)(value >> 32), low, no);
	test(b, BPF_JGT, (uint32_t)(value >> 32), yes, low);
	return load(b, offset_of(arg, true));
}

static size_t test_condition(struct program *b, const struct scmp_arg_cmp *c, size_t yes, size_t no)
{
	switch (c->op) {
	case SCMP_CMP_EQ:
		return test_equal(b, c->arg, UINT64_MAX, c->datum_a, yes, no);
	case SCMP_CMP_NE:
		return test_equal(b, c->arg, UINT64_MAX, c->datum_a, no, yes);
	case SCMP_CMP_MASKED_EQ:
		return test_equal(b, c->arg, c->datum_a, c->datum_b, yes, no);
	case SCMP_CMP_GT:
		return test_greater(b, c->arg, BPF_JGT, c->datum_a, yes, no);
	case SCMP_CMP_GE:
		return test_greater(b, c->arg, BPF_JGE, c->datum_a, yes, no);
	case SCMP_CMP_LE:
		return test_greater(b, c->arg, BPF_JGT, c->datum_a, no, yes);
	case SCMP_CMP_LT:
		return test_greater(b, c->arg, BPF_JGE, c->datum_a, no, yes);
	case _SCMP_CMP_MIN:
	case _SCMP_CMP_MAX:
		break;
	}
	return no;
}

/* The tests of all rules for @nr, the first rule first: the last that is written. */
static size_t add_block(struct program *b, const struct profile *p, int nr)
{
	size_t next = answer(b, p->default_action);

	for (size_t i = p->rule_count; i-- > 0;) {
		const struct profile_rule *rule = &p->rules[i];
		size_t yes;

		if (rule->nr != nr)
			continue;
		yes = answer(b, rule->action);
		for (unsigned k = rule->condition_count; k-- > 0;)
			yes = test_condition(b, &rule->conditions[k], yes, next);
		next = yes;
	}
	return next;
}

static const struct profile_rule *rule_for(const struct profile *p, int nr)
{
	for (size_t i = 0; i < p->rule_count; i++)
		if (p->rules[i].nr == nr)
			return &p->rules[i];
	return NULL;
}

static struct range *add_range(struct range *ranges, size_t *count, struct range next)
{
	const struct range *last = *count ? &ranges[*count - 1] : NULL;

	if (last && !last->block && !next.block && last->action == next.action)
		return ranges;
	ranges = mem_grow(ranges, *count, sizeof(*ranges));
	ranges[(*count)++] = next;
	return ranges;
}

/* All numbers in order. x32 is x86_64 with bit 30; -1 is a call that a tracer has cancelled. */
static struct range *make_ranges(struct program *b, const struct profile *p, size_t *count)
{
	bool x32 = p->arch == SCMP_ARCH_X86_64;
	struct range *ranges = NULL;

	for (int nr = 0; nr <= p->newest; nr++) {
		const struct profile_rule *rule = rule_for(p, nr);
		struct range next = { (uint32_t)nr, rule ? rule->action : p->default_action, 0 };

		if (rule && rule->condition_count)
			next.block = add_block(b, p, nr);
		ranges = add_range(ranges, count, next);
	}
	ranges = add_range(ranges, count,
			   (struct range){ (uint32_t)p->newest + 1, SECCOMP_RET_ERRNO | ENOSYS, 0 });
	ranges = add_range(ranges, count,
			   (struct range){ X32, x32 ? SECCOMP_RET_KILL_PROCESS : p->default_action, 0 });
	return add_range(ranges, count, (struct range){ UINT32_MAX, p->default_action, 0 });
}

static size_t add_search(struct program *b, const struct range *ranges, size_t count)
{
	size_t middle = count / 2, yes, no;

	if (count == 1)
		return ranges->block ? ranges->block : answer(b, ranges->action);
	yes = add_search(b, ranges + middle, count - middle);
	no = add_search(b, ranges, middle);
	return test(b, BPF_JGE, ranges[middle].first, yes, no);
}

int filter_build(const struct profile *p, struct sock_filter **ret_code, unsigned short *ret_len,
		 struct err *e)
{
	auto_free struct program *b = mem_new(struct program);
	auto_free struct range *ranges = NULL;
	size_t count = 0, search;

	b->start = BPF_MAXINSNS;
	ranges = make_ranges(b, p, &count);
	add_search(b, ranges, count);
	search = load(b, offsetof(struct seccomp_data, nr));
	test(b, BPF_JEQ, p->arch, search, answer(b, SECCOMP_RET_KILL_PROCESS));
	load(b, offsetof(struct seccomp_data, arch));
	if (b->full)
		return err_set(e, E2BIG, "the profile needs more than %d instructions or %d actions",
			       BPF_MAXINSNS, RETURNS);
	*ret_len = (unsigned short)(BPF_MAXINSNS - b->start);
	*ret_code = mem_alloc(*ret_len * sizeof(**ret_code));
	memcpy(*ret_code, b->code + b->start, *ret_len * sizeof(**ret_code));
	return 0;
}
