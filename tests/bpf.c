#include "tests/bpf.h"

#include <string.h>

static bool compare(const struct sock_filter *in, uint32_t a)
{
	switch (BPF_OP(in->code)) {
	case BPF_JEQ:
		return a == in->k;
	case BPF_JGT:
		return a > in->k;
	case BPF_JGE:
		return a >= in->k;
	default:
		return (a & in->k) != 0;
	}
}

/* One instruction but RET: moves @pc and @a. */
static bool step(const struct sock_filter *in, const struct seccomp_data *data, size_t *pc, uint32_t *a)
{
	switch (in->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		if (in->k % sizeof(*a) || in->k > sizeof(*data) - sizeof(*a))
			return false;
		memcpy(a, (const char *)data + in->k, sizeof(*a));
		*pc += 1;
		return true;
	case BPF_ALU | BPF_AND | BPF_K:
		*a &= in->k;
		*pc += 1;
		return true;
	case BPF_JMP | BPF_JA:
		*pc += 1 + (size_t)in->k;
		return true;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		*pc += 1 + (size_t)(compare(in, *a) ? in->jt : in->jf);
		return true;
	default:
		return false;
	}
}

bool bpf_run(const struct sock_filter *code, size_t len, const struct seccomp_data *data,
	     struct bpf_result *ret)
{
	bool constant = true;
	uint32_t a = 0;
	size_t pc = 0;

	while (pc < len) {
		const struct sock_filter *in = &code[pc];

		if (in->code == (BPF_RET | BPF_K)) {
			*ret = (struct bpf_result){ .action = in->k, .constant = constant };
			return true;
		}
		if (in->code == (BPF_LD | BPF_W | BPF_ABS) &&
		    in->k >= offsetof(struct seccomp_data, instruction_pointer))
			constant = false;
		if (!step(in, data, &pc, &a))
			return false;
	}
	return false;
}
