# SPDX-License-Identifier: BSD-2-Clause
# The front door; meson and ninja do the work. What is missing on a Debian machine is installed first (scripts/deps).
#
#   CC=clang      another compiler            SAN=1      address and undefined-behaviour sanitizers, in build-san
#   TSAN=1        the thread sanitizer, in build-tsan
#   PREFIX=/usr   where it will live          DESTDIR=d  put in front of that while installing
#   NODEPS=1      install no packages         QUICK=1    a short benchmark
#   KEEP=1        the benchmark's results become the ones that the next are compared with

BUILD   ?= build$(if $(SAN),-san)$(if $(TSAN),-tsan)
PREFIX  ?= /usr/local
SETUP    = CC="$(CC)" scripts/configure $(BUILD) $(PREFIX) $(if $(SAN),-Db_sanitize=address$(comma)undefined -Db_lundef=false) \
	   $(if $(TSAN),-Db_sanitize=thread -Db_lundef=false)
NEED     = $(if $(NODEPS),@:,@scripts/deps)
comma   := ,

all:                ## build build/dmuse
	$(NEED) build
	@$(SETUP)
	@ninja -C $(BUILD) --quiet

demo: all           ## a file system through a mapping table, step by step
	$(NEED) demo
	@scripts/demo $(BUILD)/dmuse

test: all           ## run every test (SAN=1: under the sanitizers)
	$(NEED) demo test
	@tests/run --build $(BUILD)

test-memory: all    ## let every single allocation fail, in every command: an hour
	$(NEED) demo test
	@for part in memory memory-life; do DMUSE="$$PWD/$(BUILD)/dmuse" /usr/bin/python3 -B tests/tools/$$part.py --full || exit 1; done

test-stack: all     ## shake a stack of sample targets for SECONDS (600), from SEED on; TSAN=1, SAN=1: under the sanitizers
	$(NEED) demo test
	@STACK_SECONDS=$(or $(SECONDS),600) STACK_SEED=$(SEED) $(BUILD)/tests/stack/test_stack

test-long: all      ## the model checker of I/O for SECONDS (600), from SEED on; TSAN=1, SAN=1: under the sanitizers
	$(NEED) demo test
	@CHECKER_SECONDS=$(or $(SECONDS),600) CHECKER_SEED=$(SEED) $(BUILD)/tests/checker/test_checker

test-crash: all     ## what dmuse crash must show, at full length, as root: some minutes
	$(NEED) demo test
	@DMUSE="$$PWD/$(BUILD)/dmuse" tests/crash/bars.sh

test-crash-postgresql: all    ## dmuse crash on PostgreSQL, as root: some minutes
	$(NEED) demo test long
	@DMUSE="$$PWD/$(BUILD)/dmuse" tests/crash/postgresql.sh

test-kill: all      ## kill -9 the daemon ROUNDS (1000) times, with DEVICES (100), at most SECONDS (0.3) apart: some minutes
	$(NEED) demo test
	@DMUSE="$$PWD/$(BUILD)/dmuse" tests/kill/kill --rounds $(or $(ROUNDS),1000) --devices $(or $(DEVICES),100) \
	    --seconds $(or $(SECONDS),0.3) --recovery $(or $(RECOVERY),0.2) $(if $(SEED),--seed $(SEED))

test-power: all     ## cut the power ROUNDS (300) times below file systems on stacks of every target, from SEED on, as root: some minutes
	$(NEED) demo test
	@DMUSE="$$PWD/$(BUILD)/dmuse" tests/power/power --rounds $(or $(ROUNDS),300) $(if $(SEED),--seed $(SEED))

test-systemd: all   ## the units under a real systemd, as root: some minutes (HOW=guest: in qemu; HOW=container: in systemd-nspawn)
	$(NEED) demo test systemd
	@BUILD="$$PWD/$(BUILD)" tests/systemd/run $(HOW)

test-kernel:        ## play the scenarios on real kernels anew (under qemu), and show what changed
	$(NEED) kernel
	@tests/kernel/record

test-broken: all    ## break dmuse on purpose, and see that the tests find it
	$(NEED) demo test
	@tests/checker/broken/check
	@tests/power/broken/check
	@tests/kernel/broken/check

bench:              ## measure speed and memory beside nbdkit and qemu: about fifteen minutes (QUICK=1: three)
	$(NEED) build bench
	@CC="$(CC)" scripts/configure build-bench $(PREFIX) -Dbuildtype=release -Dwerror=false
	@ninja -C build-bench --quiet
	@bench/run $(if $(QUICK),--quick) $(if $(KEEP),--keep) build-bench

files: all          ## measure a table of 100,000 files (or as many as one process may have open): half a minute
	$(NEED) demo test
	@DMUSE="$$PWD/$(BUILD)/dmuse" tests/tools/silent.py --full

scale: all          ## what commands cost with 5,000 and 10,000 devices: a few minutes
	$(NEED) demo test
	@DMUSE="$$PWD/$(BUILD)/dmuse" tests/tools/scale.py --full

install: all        ## install program, man pages, completion, systemd units
	@scripts/install $(BUILD) "$(PREFIX)" "$(DESTDIR)"

uninstall:          ## remove what install has put in PREFIX
	@$(SETUP)
	@scripts/uninstall $(BUILD) "$(PREFIX)" "$(DESTDIR)"

deps:               ## install everything that building, testing and measuring need
	@scripts/deps build demo test bench

clean:              ## remove what was built
	rm -rf build build-*

help:               ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 22
	@sed -n 's/^#   /  /p' Makefile

.PHONY: all demo test test-crash test-crash-postgresql test-kill test-power test-systemd test-memory test-stack test-long test-kernel test-broken bench files scale install uninstall deps clean help
