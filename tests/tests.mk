# The tests, each part a target: lint unit unit-san toml golden faults failclosed cli corpus fuzz bench; `check` is all but
# bench.
# Nothing is written outside of $(B), whatever a part does below /tmp aside.
TOML_TEST_DIR ?= ../shared/data/toml-test
SECONDS ?= 60
JOBS := $(shell nproc)
TESTS := $(B)/tests
TEST_LDLIBS := $(LIB_LDLIBS) -lseccomp -lcap -lm

# Commands refer to the command table, which is main's; they are tested from outside, by tests/cli.
UNIT_OBJ := $(filter-out $(B)/full/src/cmd/%,$(PARTS_OBJ)) $(B)/full/tests/bpf.o
UNIT := $(patsubst tests/unit/%.c,$(TESTS)/%,$(sort $(wildcard tests/unit/*/test-*.c)))

$(UNIT): $(TESTS)/%: $(B)/full/tests/unit/%.o $(UNIT_OBJ)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN_FLAGS) -pie -o $@ $^ $(TEST_LDLIBS) -lcmocka

unit: $(UNIT)
	$(Q)tests/unit/run.sh $(UNIT)

unit-san:
	$(Q)$(MAKE) --no-print-directory B=$(B)/san SAN=address,undefined unit

$(TESTS)/toml-decoder: $(B)/full/tests/toml-decoder.o $(filter $(B)/full/src/base/% $(B)/full/src/data/%,$(PARTS_OBJ))
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN_FLAGS) -pie -o $@ $^ $(TEST_LDLIBS)

# The cases are too many to be carried here; whoever has a copy of toml-test names it.
toml: $(TESTS)/toml-decoder
	$(Q)tests/cli/toml-conformance.sh $< $(TOML_TEST_DIR) || [ $$? -eq 77 ]

# Both images with a hook before each stage: what fails, kills or pauses a launch where a test wants it.
$(TESTS)/nucleus-hooked: $(FULL_OBJ) $(B)/full/tests/hook.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN_FLAGS) -pie -o $@ $^ $(LIB_LDLIBS)

$(TESTS)/nucleus-hooked-launch: $(LAUNCH_OBJ) $(B)/launch/tests/hook.o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(MUSL_CC) -static -no-pie -o $@ $^

golden: $(B)/nucleus
	$(Q)tests/cli/golden.sh $(abspath $<) tests/golden

golden-update: $(B)/nucleus
	$(Q)tests/cli/golden.sh --update $(abspath $<) tests/golden

faults: $(TESTS)/nucleus-hooked $(TESTS)/nucleus-hooked-launch
	$(Q)tests/cli/faults.sh $(abspath $(TESTS)/nucleus-hooked)
	$(Q)tests/cli/faults.sh $(abspath $(TESTS)/nucleus-hooked-launch)

$(TESTS)/probe: tests/probe.c
	@mkdir -p $(@D)
	$(call say,MUSL,$@)
	$(Q)$(MUSL_CC) $(MUSL_CFLAGS) -static -o $@ $<

cli: $(B)/nucleus $(TESTS)/probe
	$(Q)NUCLEUS=$(abspath $(B)/nucleus) PROBE=$(abspath $(TESTS)/probe) tests/cli/run-all.sh

# What people's tools do at work, inside.
corpus: $(B)/nucleus $(TESTS)/probe
	$(Q)NUCLEUS=$(abspath $(B)/nucleus) PROBE=$(abspath $(TESTS)/probe) tests/cli/run-all.sh corpus-inside

# Each system call of a launch fails once.
failclosed: $(B)/nucleus
	$(Q)NUCLEUS=$(abspath $(B)/nucleus) CC='$(CC)' tests/cli/failclosed.sh

# A whole system, booted for the purpose: systemd, unified cgroups, login sessions, and older kernels.
VM_DEPS := qemu-system-x86 busybox-static cpio kmod xz-utils zstd systemd dbus dbus-user-session libpam-systemd jq

vm-deps:
	$(Q)tests/deps.sh $(VM_DEPS)

check-vm: $(B)/nucleus $(TESTS)/probe
	$(Q)tests/vm/run.sh $(abspath $(B)/nucleus) $(abspath $(TESTS)/probe) $(B) || [ $$? -eq 77 ]

check-vm-old: $(B)/nucleus $(TESTS)/probe
	$(Q)VM_KERNEL=6.1 tests/vm/run.sh $(abspath $(B)/nucleus) $(abspath $(TESTS)/probe) $(B) || [ $$? -eq 77 ]

# --- Fuzzing: the parsers, built by clang with coverage. What a run finds goes to $(B)/fuzz, never into the tree. ---
FUZZ := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(wildcard tests/fuzz/fuzz-*.c))
FUZZ_SRC := $(filter-out $(LAUNCH_ONLY),$(wildcard src/base/*.c src/data/*.c src/spec/*.c))
FUZZ_FLAGS = $(LANG_FLAGS) $(LIB_CFLAGS) -Wall -Wextra -Wno-missing-field-initializers -Werror -O1 -g \
	-fno-omit-frame-pointer -fno-sanitize-recover=undefined

$(B)/fuzz/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link,address,undefined -MMD -MP -c -o $@ $<

$(FUZZ): $(B)/fuzz/%: $(B)/fuzz/obj/tests/fuzz/%.o $(FUZZ_SRC:%.c=$(B)/fuzz/obj/%.o)
	$(call say,LINK,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined -o $@ $^ $(LIB_LDLIBS)

fuzz: $(FUZZ)
	$(Q)tests/fuzz/run.sh $(B)/fuzz $(SECONDS) $(notdir $(FUZZ))

# --- Measuring ---
BENCH_CFLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror
BENCH := $(addprefix $(B)/bench/,startup steady scale true)
BENCH_DEPS := crun runc busybox-static bubblewrap

$(B)/bench/true: tests/bench/true.c
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) -std=gnu17 -O2 -static -Wall -Wextra -Werror -o $@ $<

$(B)/bench/startup: tests/bench/bundle.c
$(B)/bench/startup $(B)/bench/steady $(B)/bench/scale: $(B)/bench/%: tests/bench/%.c tests/bench/bench.c \
	$(wildcard tests/bench/*.h)
	@mkdir -p $(@D)
	$(call say,BENCHCC,$@)
	$(Q)$(CC) $(BENCH_CFLAGS) -static -o $@ $(filter %.c,$^) -lm

bench-deps:
	$(Q)tests/deps.sh $(BENCH_DEPS)

bench: $(B)/nucleus $(BENCH)
	$(Q)tests/bench/run.sh $(abspath $(B)/nucleus) $(B)/bench
	@echo "written to $(B)/bench/bench.txt"

lint: $(B)/nucleus $(B)/full/nucleus
	$(Q)B=$(B) LIB_CFLAGS='$(LIB_CFLAGS)' tests/lint.sh

# $(MAKE) in the recipe tells make to pass its jobs on.
check:
	$(Q)MAKE='$(MAKE)' B=$(B) JOBS=$(JOBS) tests/check.sh

.PHONY: vm-deps check-vm check-vm-old unit unit-san toml golden golden-update faults failclosed cli corpus fuzz bench bench-deps lint check
.SECONDARY: $(UNIT:$(TESTS)/%=$(B)/full/tests/unit/%.o)
-include $(UNIT:$(TESTS)/%=$(B)/full/tests/unit/%.d) $(B)/full/tests/toml-decoder.d $(B)/full/tests/hook.d \
	$(B)/full/tests/bpf.d $(FUZZ_SRC:%.c=$(B)/fuzz/obj/%.d) $(FUZZ:$(B)/fuzz/%=$(B)/fuzz/obj/tests/fuzz/%.d)
