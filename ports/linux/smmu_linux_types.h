/* SPDX-License-Identifier: BSD-2-Clause */
/* The types that types.h wants, from a kernel that has no C library's headers. */
#ifndef SMMU_LINUX_TYPES_H
#define SMMU_LINUX_TYPES_H

#include <linux/limits.h>
#include <linux/stddef.h>
#include <linux/types.h>

#ifndef UINT64_MAX
#define UINT64_MAX U64_MAX
#endif
#ifndef UINT32_MAX
#define UINT32_MAX U32_MAX
#endif
#ifndef UINT16_MAX
#define UINT16_MAX U16_MAX
#endif

#endif
