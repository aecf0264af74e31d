/* sandbox/caps: nothing is left in any of the five sets, and there is no way back. */
#include "sandbox/caps.h"

#include "tests/unit/fork.h"

#include <linux/capability.h>
#include <linux/securebits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

static const char reason[] = "this user cannot make a user namespace";

static void drop(void)
{
	struct err e = { 0 };

	/* As root in the first user namespace, as somebody else in one of our own: all capabilities in either. */
	own_namespaces(0);
	must(caps_bound(&e) == 0);
	must(caps_drop(&e) == 0);
}

static void sets(void *arg)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	(void)arg;
	drop();
	must(syscall(SYS_capget, &header, data) == 0);
	for (int i = 0; i < 2; i++)
		must(data[i].effective == 0 && data[i].permitted == 0 && data[i].inheritable == 0);
	for (int cap = 0; cap <= CAP_BLOCK_SUSPEND; cap++) {
		must(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) == 0);
		must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0) == 0);
	}
	/* What came later than this header is gone too. */
	for (int cap = CAP_BLOCK_SUSPEND + 1; cap < 64; cap++)
		must(prctl(PR_CAPBSET_READ, cap, 0, 0, 0) <= 0);
}

static void all_five_sets_are_empty(void **state)
{
	(void)state;
	assert_child("caps", reason, sets, NULL);
}

static void back(void *arg)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct one[2] = { { .effective = 1, .permitted = 1, .inheritable = 1 } };
	int bits;

	(void)arg;
	drop();
	must(syscall(SYS_capset, &header, one) < 0 && errno == EPERM);
	must(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0) < 0 && errno == EPERM);
	must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0) < 0 && errno == EPERM);
	bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	must(bits & SECBIT_NOROOT && bits & SECBIT_NOROOT_LOCKED);
	must(bits & SECBIT_NO_SETUID_FIXUP && bits & SECBIT_NO_SETUID_FIXUP_LOCKED);
	must(!(bits & SECBIT_KEEP_CAPS) && bits & SECBIT_KEEP_CAPS_LOCKED);
	must(bits & SECBIT_NO_CAP_AMBIENT_RAISE && bits & SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
}

static void there_is_no_way_back(void **state)
{
	(void)state;
	assert_child("caps", reason, back, NULL);
}

/* Uid 0 and a program started by it: neither is anything special any more. */
static void executed(void *arg)
{
	char *const argv[] = { "sh", "-c", "test \"$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)\" = 0000000000000000", NULL };

	(void)arg;
	drop();
	must(getuid() == 0);
	execv("/bin/sh", argv);
	must(0);
}

static void a_program_of_root_gains_none(void **state)
{
	(void)state;
	assert_child("caps", reason, executed, NULL);
}

static void twice(void *arg)
{
	struct err e = { 0 };

	(void)arg;
	drop();
	must(caps_drop(&e) == 0);
	must(caps_bound(&e) == -EPERM && e.text[0]);
}

static void bounding_needs_a_capability_and_says_so(void **state)
{
	(void)state;
	assert_child("caps", reason, twice, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_five_sets_are_empty),
		cmocka_unit_test(there_is_no_way_back),
		cmocka_unit_test(a_program_of_root_gains_none),
		cmocka_unit_test(bounding_needs_a_capability_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
