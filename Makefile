# Nucleus. `make` builds, `make try` shows, `make check` proves, `make help` lists the rest.
#
# The program is built twice from the same sources (docs/ARCHITECTURE.md, "Two images"): the full image against the
# system's C library and the libraries of the rarer features, and the launch image, static against musl, in which the
# full one lies as data. The result is one file, build/nucleus. Nothing outside of build/ is written.

VERSION := 0.1.0
B := build
PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
MANDIR ?= $(PREFIX)/share/man
DATADIR ?= $(PREFIX)/share

CC = gcc
MUSL_CC ?= musl-gcc
CLANG ?= clang
PKG_CONFIG ?= pkg-config
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-8s %s\n' $(1) $(2))

WARN := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wvla -Wswitch-enum \
	-Wpointer-arith -Wundef -Wno-missing-field-initializers -Werror
LANG_FLAGS := -std=gnu17 -D_GNU_SOURCE -I. -Iinclude -DNUCLEUS_VERSION='"$(VERSION)"'
HARDEN := -fstack-protector-strong -fcf-protection=full -D_FORTIFY_SOURCE=2 -fPIE
CFLAGS ?= -O2 -g
SAN_FLAGS := $(if $(SAN),-fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=undefined -U_FORTIFY_SOURCE,)
FULL_CFLAGS = $(LANG_FLAGS) $(WARN) $(HARDEN) $(CFLAGS) $(SAN_FLAGS) $(LIB_CFLAGS)
# The launch image is small and short-lived: what counts is how few pages it touches. Kernel headers come after musl's.
MUSL_CFLAGS = $(LANG_FLAGS) $(WARN) -O2 -g -fstack-protector-strong -ffunction-sections -fno-pie \
	-idirafter /usr/include -idirafter /usr/include/$(shell $(CC) -print-multiarch)

LIBS := libcjson libseccomp libcap
LIB_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(LIBS) 2>/dev/null)
LIB_LDLIBS := $(shell $(PKG_CONFIG) --libs libcjson 2>/dev/null) -liniparser

SRC := $(sort $(wildcard src/*.c src/*/*.c))
# In the full image alone: what needs libraries, and the commands that do not start containers.
FULL_ONLY := src/data/json.c src/data/ini.c src/run/host.c $(wildcard src/run/probe*.c) \
	$(addprefix src/cmd/,doctor.c features.c config.c version.c help.c completion.c schema.c)
LAUNCH_ONLY := src/base/heap.c
FULL_OBJ := $(patsubst %.c,$(B)/full/%.o,$(filter-out $(LAUNCH_ONLY),$(SRC))) $(B)/full/seccomp_filter.o
LAUNCH_OBJ := $(patsubst %.c,$(B)/launch/%.o,$(filter-out $(FULL_ONLY),$(SRC))) $(B)/launch/seccomp_filter.o
# Everything but main(), for tests.
PARTS_OBJ := $(filter-out $(B)/full/src/main.o,$(FULL_OBJ))

all: $(B)/nucleus

$(B)/nucleus: $(LAUNCH_OBJ) $(B)/launch/full-image.o
	$(call say,LINK,$@)
	$(Q)$(MUSL_CC) -static -no-pie -Wl,--gc-sections -Wl,-z,relro,-z,now,-z,noexecstack -o $@ $^

$(B)/full/nucleus: $(FULL_OBJ)
	$(call say,LINK,$@)
	$(Q)$(CC) $(SAN_FLAGS) -pie -Wl,-z,relro,-z,now -o $@ $^ $(LIB_LDLIBS)

# The full image, stripped, as data in a section of its own that is not touched until it is needed.
$(B)/launch/full-image.o: $(B)/full/nucleus
	$(call say,EMBED,$@)
	$(Q)strip -o $(B)/launch/full-image $<
	$(Q)printf '.section .full_image,"a"\n.global full_image_start, full_image_end\nfull_image_start:\n.incbin "%s"\nfull_image_end:\n.section .note.GNU-stack,"",@progbits\n' \
		$(B)/launch/full-image > $(B)/launch/full-image.s
	$(Q)$(CC) -c -o $@ $(B)/launch/full-image.s

$(B)/full/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(FULL_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/launch/%.o: %.c
	@mkdir -p $(@D)
	$(call say,MUSL,$<)
	$(Q)$(MUSL_CC) $(MUSL_CFLAGS) -MMD -MP -c -o $@ $<

# --- The default system call filter: from JSON to BPF at build time, and compared with libseccomp's own reading. ---
POLICY := policies/seccomp
POLICY_BASE := src/base/err.c src/base/mem.c src/base/str.c src/base/fd.c src/base/path.c
HOST_CC = $(CC) $(LANG_FLAGS) $(WARN) -O2 -g $(LIB_CFLAGS)

$(B)/seccomp-compile: $(addprefix $(POLICY)/,compile.c filter.c profile.c filter.h profile.h) $(POLICY_BASE)
	@mkdir -p $(B)
	$(call say,HOSTCC,$@)
	$(Q)$(HOST_CC) -o $@ $(filter %.c,$^) -lseccomp -lcjson

$(B)/seccomp_filter.c: $(B)/seccomp-compile $(POLICY)/default.json
	$(call say,BPF,$@)
	$(Q)$(B)/seccomp-compile $(POLICY)/default.json -o $@

$(B)/seccomp-verify: $(addprefix $(POLICY)/,verify.c reference.c profile.c reference.h profile.h) tests/bpf.c $(B)/seccomp_filter.c $(POLICY_BASE)
	$(call say,HOSTCC,$@)
	$(Q)$(HOST_CC) -o $@ $(filter %.c,$^) -lseccomp -lcjson

$(B)/seccomp.verified: $(B)/seccomp-verify $(POLICY)/default.json
	$(call say,VERIFY,$(POLICY)/default.json)
	$(Q)$(B)/seccomp-verify $(POLICY)/default.json > $@.log && mv $@.log $@

$(B)/full/seccomp_filter.o: $(B)/seccomp_filter.c $(B)/seccomp.verified
	@mkdir -p $(@D)
	$(Q)$(CC) $(FULL_CFLAGS) -c -o $@ $(B)/seccomp_filter.c

$(B)/launch/seccomp_filter.o: $(B)/seccomp_filter.c $(B)/seccomp.verified
	@mkdir -p $(@D)
	$(Q)$(MUSL_CC) $(MUSL_CFLAGS) -c -o $@ $(B)/seccomp_filter.c

include tests/tests.mk

# --- Installing ---
MAN := $(wildcard docs/*.1 docs/*.5 docs/*.7)

install: $(B)/nucleus
	install -D -m 755 $(B)/nucleus $(DESTDIR)$(BINDIR)/nucleus
	for page in $(MAN); do install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	install -d $(DESTDIR)$(DATADIR)/bash-completion/completions $(DESTDIR)$(DATADIR)/zsh/site-functions \
		$(DESTDIR)$(DATADIR)/fish/vendor_completions.d
	$(B)/nucleus completion bash > $(DESTDIR)$(DATADIR)/bash-completion/completions/nucleus
	$(B)/nucleus completion zsh > $(DESTDIR)$(DATADIR)/zsh/site-functions/_nucleus
	$(B)/nucleus completion fish > $(DESTDIR)$(DATADIR)/fish/vendor_completions.d/nucleus.fish

# --- Dependencies: Debian 12 ---
BUILD_DEPS := gcc make pkg-config musl-tools libcjson-dev libiniparser-dev libseccomp-dev libcap-dev libmnl-dev libnftnl-dev
TEST_DEPS := libcmocka-dev clang clang-tidy libclang-rt-14-dev cppcheck bubblewrap busybox-static python3 python3-venv nodejs npm git perl curl \
	openssl sqlite3 procps strace file gzip tar findutils sed gawk mandoc jq bash dash zsh fish

deps:
	$(Q)tests/deps.sh $(BUILD_DEPS)

test-deps: deps
	$(Q)tests/deps.sh $(TEST_DEPS)

try: deps
	$(Q)$(MAKE) --no-print-directory all
	$(Q)tests/examples/try.sh $(B)/nucleus

clean:
	rm -rf $(B)

help:
	@echo 'make                 build build/nucleus'
	@echo 'sudo make try        install what the build needs, build, run an example'
	@echo 'sudo make check      install what the tests need, build, run every test'
	@echo 'make install         to PREFIX ($(PREFIX)), below DESTDIR'
	@echo 'make bench           measure against the peers that are installed'
	@echo 'make fuzz SECONDS=N  fuzz each parser for N seconds'
	@echo 'make lint            layers, sizes, static analysis, manual against tables'
	@echo 'options              V=1 shows commands, SAN=address,undefined builds with sanitizers'

.PHONY: all install deps test-deps try clean help
.DELETE_ON_ERROR:
-include $(FULL_OBJ:.o=.d) $(LAUNCH_OBJ:.o=.d)
