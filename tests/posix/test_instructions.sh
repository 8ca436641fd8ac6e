#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# What the generic port and atomic.h come out as, on AArch64 and on x86-64: a barrier or an atomic access that is too weak runs
# here as if it were not.
#
# usage: test_instructions.sh SOURCE_ROOT     Exit status: 0 all as wanted, 1 something is not, 77 no compiler for it.
set -eu
cd "$1"
command -v clang >/dev/null || exit 77
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/probe.c" <<'END'
#include <smmuv3/port.h>

void wmb(void) { smmu_dma_wmb(); }
void rmb(void) { smmu_dma_rmb(); }
void mb(void) { smmu_mb(); }
void fence(void) { smmu_fence(); }
uint32_t load(uint32_t *p) { return smmu_load(p); }
uint32_t load_acquire(uint32_t *p) { return smmu_load_acquire(p); }
uint32_t load_sc(uint32_t *p) { return smmu_load_sc(p); }
void store_release(uint32_t *p) { smmu_store_release(p, 1); }
uint32_t fetch_add(uint32_t *p) { return smmu_fetch_add(p, 1); }
uint32_t fetch_sub(uint32_t *p, uint32_t v) { return smmu_fetch_sub(p, v); }
uint32_t exchange(uint32_t *p) { return smmu_exchange(p, 1); }
bool compare_exchange(uint32_t *p, uint32_t *was) { return smmu_compare_exchange(p, was, 1); }
void store_pair(uint64_t *p, uint64_t lo, uint64_t hi) { smmu_store_pair(p, lo, hi); }
void spin_lock(struct smmu_spinlock *l) { smmu_spin_lock(l); }
void spin_unlock(struct smmu_spinlock *l) { smmu_spin_unlock(l, 0); }
void mutex_lock(struct smmu_mutex *l) { smmu_mutex_lock(l); }
void mutex_unlock(struct smmu_mutex *l) { smmu_mutex_unlock(l); }
void publish(void **p, void *v) { smmu_rcu_publish(p, v); }
void *dereference(void **p) { return smmu_rcu_dereference(p); }
unsigned enter(struct smmu_rcu *r) { return smmu_rcu_enter(r); }
void leave(struct smmu_rcu *r, unsigned cookie) { smmu_rcu_exit(r, cookie); }
uint32_t read32(struct smmu_mmio *m) { return smmu_mmio_read32(m, 4); }
void write64(struct smmu_mmio *m, uint64_t v) { smmu_mmio_write64(m, 8, v); }
END
compile() {
	clang "--target=$1" -O1 -ffreestanding -nostdinc -isystem "$(clang -print-resource-dir)/include" -Iinclude -S -o "$dir/$1.s" \
		"$dir/probe.c" "$2"
}
compile aarch64-none-elf -march=armv8.1-a
compile x86_64-none-elf -m64
failed=0
# want TARGET FUNCTION INSTRUCTIONS…: each of them is in the function.
want() {
	target=$1 function=$2
	shift 2
	body=$(awk -v name="$function:" '$1 == name { on = 1 } on { print } on && /\.Lfunc_end/ { exit }' "$dir/$target.s" | tr '\t' ' ')
	for instruction; do
		printf '%s\n' "$body" | grep -qE "^ *$instruction( |\$)" && continue
		echo "$target: $function has no $instruction:"
		printf '%s\n' "$body" | grep -E '^ *[a-z]'
		failed=1
	done
}
arm=aarch64-none-elf x86=x86_64-none-elf
want $arm wmb 'dsb oshst'
want $arm rmb 'dmb oshld'
want $arm mb 'dsb osh'
want $arm fence 'dmb ish'
want $arm load 'ldr'
want $arm load_acquire '(ldar|ldapr)'
want $arm load_sc 'ldar'
want $arm store_release 'stlr'
want $arm fetch_add 'ldaddal'
want $arm fetch_sub 'ldaddal'
want $arm exchange 'swpal'
want $arm compare_exchange 'casal'
want $arm store_pair 'stp'
want $arm spin_lock 'swp(a|al)'
want $arm spin_unlock 'stlr'
want $arm mutex_lock 'swp(a|al)'
want $arm mutex_unlock 'stlr'
want $arm publish 'stlr'
want $arm dereference '(ldar|ldapr)'
want $arm enter 'ldaddal' 'dmb ish'
want $arm leave 'ldaddal'
want $arm read32 'ldr'
want $arm write64 'str'
want $x86 mb '(mfence|lock)'
want $x86 fence '(mfence|lock)'
want $x86 fetch_add 'lock'
want $x86 fetch_sub 'lock'
want $x86 exchange 'xchgl?'
want $x86 compare_exchange 'lock'
want $x86 spin_lock 'xchgl?'
want $x86 mutex_lock 'xchgl?'
want $x86 write64 'movq'
exit $failed
