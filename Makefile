# SPDX-License-Identifier: BSD-2-Clause
# A thin face over Meson and Ninja. `make help` lists what there is.
#
# BUILD=dir      where to build (build)
# NO_SETUP=1     install nothing: everything needed is here already
# MESON_ARGS=…   more arguments for `meson setup`, used when BUILD is first made
# JOBS=n         parallel jobs (Ninja's own choice)
# PREFIX=dir     where to install (/usr/local), below DESTDIR=dir

BUILD ?= build
MESON_ARGS ?=
# A warning of a compiler that nobody here has seen yet must not keep a user from building.
override MESON_ARGS += -Dwerror=$(if $(CI),true,false)
NINJA = ninja -C $(BUILD) $(if $(JOBS),-j$(JOBS))
SETUP = $(if $(NO_SETUP),@:,@tools/setup.sh)
PREFIX ?= /usr/local
DESTDIR ?=
RUN_ARGS ?= --iort data/two-smmus.iort --devices 4 --ats 2 --domains 4 --stage 1,2 --threads 4 --ops 200000
# Handlers allocate: they come only where the thread that they interrupt does not.
SIGNALLED_RUN = --smmus 3 --domains 4 --stage 1,2 --threads 8 --ops 4000 --clock real --interrupts
SANITIZED_RUN = --smmus 3 --domains 4 --stage 1,2 --threads 4 --ops 10000
SANITIZED_MODES = "--stage 1,2,nested,sva --page-faults" "--stage 1,2 --dirty --tables" "--stage 1,2 --adopt --life"
# Simulated threads are fibers, which ThreadSanitizer cannot follow, and QEMU's tests have one thread. The commands'
# tests look at standard error, where AddressSanitizer has a word to say about fibers, and at memory in use.
NOT_TSAN = ^(sim-sim|sim-store|lab-.*|cli-.*|.*qemu.*)$$
NOT_ASAN = ^(cli-.*|qemu-command)$$
# What is judged by the formatter and the linter: our own C, as git knows it.
C_FILES = git ls-files -co --exclude-standard '*.[ch]'

.DEFAULT_GOAL := build
.PHONY: build run test help setup-test check format check-format tidy freestanding sanitize tsan bench timing calibrate mutants conformance fuzz headers docs deb ci install uninstall clean
.PHONY: soak test-uefi test-linux test-linux-debug mutants-linux bench-linux

build: ## build the library and the command (build/smmuv3), after installing what that needs
	$(SETUP) run
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) $(MESON_ARGS)
	@$(NINJA) smmuv3

run: build ## run the main job: stage-1 and stage-2 domains shared by two SMMUs, every DMA judged
	$(BUILD)/smmuv3 run $(RUN_ARGS)

test: ## install what the tests need, build everything, run all tests
	$(SETUP) test
	@tools/test.sh $(BUILD) $(MESON_ARGS)

test-uefi: ## build the UEFI driver, fetch firmware, QEMU and a kernel into .cache, boot them, judge (docs/uefi.md)
	$(SETUP) uefi
	@tests/uefi/build.sh
	@tests/uefi/run.py $(BOOTS)

test-linux: ## build the Linux module, fetch two kernels and QEMU into .cache, boot them, judge (SHORT=1: less; BOOTS='one …'; DRIVER=builtin)
	$(SETUP) linux
	@tests/linux/run.py $(BOOTS) $(if $(SHORT),--short) $(if $(DRIVER),--driver $(DRIVER)) $(if $(KERNEL),--kernel $(KERNEL))

test-linux-debug: ## the module looks for data races in itself; then small kernels of our own: lockdep, RCU, KASAN, failing allocations; KCSAN
	$(SETUP) linux-debug
	@$(if $(BOOTS)$(KERNEL),,tests/linux/run.py races races2 raced $(if $(SHORT),--short))
	@tests/linux/run.py $(BOOTS) $(if $(SHORT),--short) --kernel $(or $(KERNEL),6.12-kasan 6.12-kcsan)

mutants-linux: ## small faults in the Linux module, one at a time: a boot has to notice each (MUTANTS='NAME…'; --check only looks whether they apply)
	$(SETUP) linux
	@tests/linux/mutants.py $(MUTANTS)

bench-linux: ## what map and unmap through VFIO cost, our Linux module beside the kernel's own driver (KERNEL='6.12 7.2 7.3'; PROFILE=1)
	$(SETUP) linux
	@tests/linux/bench.py $(if $(KERNEL),--kernel $(KERNEL)) $(if $(DRIVER),--driver $(DRIVER)) $(if $(PROFILE),--profile)

format: ## bring every C file into the project's format
	@$(C_FILES) | xargs clang-format -i

check-format: ## fail if a C file is not in the project's format
	@$(C_FILES) | xargs clang-format --dry-run -Werror

tidy: ## clang-tidy over every file that is built
	$(SETUP) ci
	@tools/tidy.sh

freestanding: ## compile include/ and src/ without a hosted header, four compilers; sizes and stack; link the embedding
	$(SETUP) ci
	@tools/freestanding.sh
	@examples/embed/build.sh

sanitize: ## all tests, and the command, under the address and undefined-behaviour sanitizers
	$(SETUP) ci
	@CC=clang SKIP_TESTS='$(NOT_ASAN)' tools/test.sh build-asan -Db_sanitize=address,undefined -Db_lundef=false
	@for clock in virtual real; do \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 build-asan/smmuv3 run $(SANITIZED_RUN) --clock $$clock || exit 1; done
	@for mode in $(SANITIZED_MODES); do \
		UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 build-asan/smmuv3 run --ops 3000 --smmus 3 $$mode || exit 1; done

tsan: ## the tests and the command with real threads under the thread sanitizer
	$(SETUP) ci
	@CC=clang NO_QEMU=1 SKIP_TESTS='$(NOT_TSAN)' tools/test.sh build-tsan -Db_sanitize=thread -Db_lundef=false
	@for seed in 1 2 3; do TSAN_OPTIONS=suppressions=tools/tsan.supp build-tsan/smmuv3 run $(SANITIZED_RUN) --clock real --seed $$seed \
		|| exit 1; done
	@for seed in 1 2; do TSAN_OPTIONS=suppressions=tools/tsan.supp:report_signal_unsafe=0 build-tsan/smmuv3 run $(SIGNALLED_RUN) --seed $$seed \
		|| exit 1; done
	@for mode in $(SANITIZED_MODES); do TSAN_OPTIONS=suppressions=tools/tsan.supp build-tsan/smmuv3 run --ops 3000 --smmus 3 $$mode --clock real \
		|| exit 1; done

# A build that was configured before valgrind came knows nothing of the program that counts.
bench: ## all benchmarks, as tables, as JSON and as plots (build/bench), after installing what that needs
	$(SETUP) bench
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) $(MESON_ARGS)
	@$(NINJA) -t targets all | grep -q '/smmuv3-count: ' || { meson configure $(BUILD) --clearcache; meson setup --reconfigure $(BUILD); }
	@$(NINJA) bench-programs
	@mkdir -p $(BUILD)/bench
	$(BUILD)/smmuv3 bench --trace data/nvme-iommu.trace.gz --json $(BUILD)/bench/bench.json --svg $(BUILD)/bench

timing: ## build-timing/smmuv3-timing, static: threads, start-up and memory, measured on a machine that has nothing installed
	$(SETUP) run
	@tools/timing.sh

calibrate: build ## count each design's instructions anew: lab/processor_cost.h, by which the processor takes virtual time
	@$(NINJA) bench/instructions/smmuv3-count
	@bench/calibrate.py $(BUILD)/bench/instructions/smmuv3-count

mutants: ## small faults in src/, one at a time: each has to be noticed (MUTANTS='NAME…' or '--sample 20' for some)
	$(SETUP) test
	@tests/mutants/run.py $(MUTANTS)

conformance: ## docs/conformance.md against the tree: each rule of IHI 0070 has its test, and the test passes
	$(SETUP) test
	@test -f $(BUILD)/.tests || { test -f $(BUILD)/build.ninja && meson configure $(BUILD) -Dtests=enabled \
		|| meson setup $(BUILD) -Dtests=enabled $(MESON_ARGS); }
	@touch $(BUILD)/.tests
	@$(NINJA)
	@tools/conformance.py --build $(BUILD)

fuzz: ## readers of tables, traces, logs, guests' commands and former owners' memory under libFuzzer, FUZZ_RUNS inputs each (10,000,000)
	$(SETUP) ci
	@tests/fuzz/run.sh

soak: ## long runs: each mode of `smmuv3 run` with SEEDS seeds (20) of OPS operations (1,000,000); MODES='life adopt', JOBS=2
	$(SETUP) run
	@test -f build-soak/build.ninja || meson setup build-soak -Dtests=disabled -Dexamples=false -Dbuildtype=release $(MESON_ARGS)
	@ninja -C build-soak $(if $(JOBS),-j$(JOBS)) smmuv3
	@tests/soak/run.py $(if $(SEEDS),--seeds $(SEEDS)) $(if $(OPS),--ops $(OPS)) $(if $(JOBS),--jobs $(JOBS)) $(MODES)

headers: ## each public header alone, as C99, C11, C17 and C++17, with each compiler that is there
	@tools/headers.sh

docs: ## the public headers as pages (build-docs/html); a comment that does not fit is an error
	$(SETUP) ci
	@tools/contracts.py
	@doxygen docs/Doxyfile

deb: ## the Debian packages (build-deb), judged by lintian
	$(SETUP) deb
	@tools/deb.sh

ci: ## everything that continuous integration checks
	@.ci/run

install: build ## install under PREFIX (/usr/local) below DESTDIR: library, headers, command, manual, completion
	@meson configure $(BUILD) -Dprefix=$(PREFIX)
	@test -w "$(DESTDIR)$(PREFIX)" || mkdir -p "$(DESTDIR)$(PREFIX)" 2>/dev/null && test -w "$(DESTDIR)$(PREFIX)" || \
		{ echo "install: no right to write below $(DESTDIR)$(PREFIX): be root, or say PREFIX=\$$HOME/.local" >&2; exit 1; }
	@$(NINJA) $$(meson introspect --targets $(BUILD) | python3 -c 'import json, os, sys; \
		print(*(os.path.relpath(f, "$(BUILD)") for t in json.load(sys.stdin) if t["installed"] for f in t["filename"]))')
	@DESTDIR=$(DESTDIR) meson install -C $(BUILD) --no-rebuild --quiet
	@echo "installed below $(DESTDIR)$(PREFIX)"

uninstall: ## take away what the last install put there
	@ninja -C $(BUILD) uninstall >/dev/null && echo "uninstalled"

clean: ## remove every build folder; the cache (.cache) stays
	rm -rf $(BUILD) build-asan build-tsan build-clang build-tidy build-freestanding build-embed build-ci build-mutants build-docs build-deb build-timing build-soak
	rm -rf build-uefi

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/  \1\t\2/p' Makefile | expand -t 18
