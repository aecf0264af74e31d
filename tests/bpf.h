/*
 * Classic BPF as the kernel runs it for seccomp, one program at a time: for tests of filters without a
 * process that they would end. It knows the instructions that libseccomp and ours use. See seccomp(2),
 * Documentation/networking/filter.rst.
 */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_result {
	uint32_t action; /* what it returned: SECCOMP_RET_* and the errno or other data below */
	/*
	 * No argument was looked at, by the rules of the kernel's seccomp_is_const_allow(): an allowed call
	 * that has this goes into the bitmap of Linux 5.11 and never runs the filter again.
	 */
	bool constant;
};

/* False where the kernel would have refused the program: an unknown instruction, a jump beyond the end. */
bool bpf_run(const struct sock_filter *code, size_t len, const struct seccomp_data *data,
	     struct bpf_result *ret);
