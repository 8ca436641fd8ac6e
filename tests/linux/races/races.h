/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * For a module that looks for data races in itself (races.c): tests/linux/build.sh has it before all else in each of its files.
 * What the kernel's atomics tell KCSAN, they tell races.c, though the kernel has no KCSAN.
 */
#ifndef SMMU_TESTS_RACES_H
#define SMMU_TESTS_RACES_H

#include <linux/types.h>

#ifdef __SANITIZE_THREAD__
#define __kcsan_check_access smmu_races_nobody
#include <linux/kcsan-checks.h>
#undef __kcsan_check_access
#define __kcsan_check_access smmu_races_check
#endif

/** An access of @p size bytes at @p at is to come: @p type has KCSAN's bits (KCSAN_ACCESS_…). Any context. */
void smmu_races_check(const volatile void *at, size_t size, int type);

#endif
