/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file info.h
 * What the driver tells: a protocol of its own, installed beside EDKII_IOMMU_PROTOCOL, which smmuv3.efi reads; and the table
 * that the next stage finds. Revisions append only. All functions: TPL_NOTIFY or below; what they return is a copy.
 */
#ifndef SMMU_UEFI_INFO_H
#define SMMU_UEFI_INFO_H

#include "efi.h"

#define SMMU_UEFI_GUID_INFO                                            \
	{                                                              \
		0x6f0b1c5e, 0x3a52, 0x4d7f,                            \
		{                                                      \
			0x9c, 0x21, 0x5b, 0x0e, 0x7a, 0xd4, 0x33, 0x91 \
		}                                                      \
	}
/** Of the variable that has the policy, and of the configuration table. */
#define SMMU_UEFI_GUID_VENDOR                                          \
	{                                                              \
		0x2d4c8f17, 0xb960, 0x4e0a,                            \
		{                                                      \
			0x8d, 0x35, 0xc6, 0x12, 0xfe, 0x49, 0x7b, 0x08 \
		}                                                      \
	}

#define SMMU_UEFI_INFO_REVISION 1u
#define UEFI_EVENTS 128u
#define UEFI_NAME 32u

/** What the SMMUs are left as when boot services end. */
enum uefi_exit {
	UEFI_EXIT_ABORT, /**< nothing passes, but what reserved ranges of memory need */
	UEFI_EXIT_BYPASS, /**< PCI functions that firmware found pass untranslated, other streams abort */
	UEFI_EXIT_KEEP, /**< on, with their tables in reserved memory, for a next stage that adopts them; streams abort */
	UEFI_EXITS,
};

struct uefi_stats {
	uint64_t maps, unmaps;
	uint64_t direct;      /**< maps of the buffer itself */
	uint64_t copies;      /**< maps of a copy */
	uint64_t kept;        /**< … that was mapped already: no command */
	uint64_t moved;       /**< … that other devices had before */
	uint64_t copied;      /**< bytes, both ways */
	uint64_t attributes;  /**< calls of SetAttribute */
	uint64_t grants;      /**< changes of tables that let in */
	uint64_t withdrawals; /**< … that shut out */
	uint64_t refused;     /**< calls that ended with an error */
	uint64_t unknown;     /**< SetAttribute for devices behind no SMMUv3: nothing to do */
	uint64_t memory, memory_used;
	uint64_t shadow_bytes, shadow_lost;
};

struct uefi_event {
	uint32_t smmu;
	uint64_t record[4]; /**< as IHI 0070 G.b, 7.3 has it */
};

/** Event n is at n % UEFI_EVENTS. */
struct uefi_event_ring {
	uint64_t count;
	struct uefi_event event[UEFI_EVENTS];
};

struct uefi_smmu_info {
	char name[UEFI_NAME];
	uint64_t base;
	uint32_t up, broken;
	uint64_t commands, batches, events, events_lost;
};

struct uefi_stream_info {
	uint32_t smmu, sid, use;
	uint32_t space; /**< ~0: untranslated */
};

struct uefi_function_info {
	uint32_t segment, requester;
	uint32_t space; /**< ~0: behind no SMMUv3 */
	uint32_t dead;
	uint64_t maps;
};

struct uefi_space_info {
	uint32_t id, grants;
	uint64_t bytes; /**< that its devices reach now; ranges that lie on each other count each */
	uint32_t operations; /**< of its invalidation array */
};

/** One operation of the invalidation array of a space. */
struct uefi_operation_info {
	uint32_t smmu, kind, id, users;
};

struct smmu_uefi_info {
	uint64_t revision;
	uint64_t exit, shared, flush_all; /**< the policy */
	void (*stats)(struct uefi_stats *stats);
	/** 1 and the n th, or 0. @{ */
	int (*smmu)(uint32_t n, struct uefi_smmu_info *info);
	int (*stream)(uint32_t n, struct uefi_stream_info *info);
	int (*function)(uint32_t n, struct uefi_function_info *info);
	int (*space)(uint32_t n, struct uefi_space_info *info);
	int (*operation)(uint32_t space, uint32_t n, struct uefi_operation_info *info);
	/** @} */
	/** Event @p n, counted since the start; 0: not there yet, -1: overwritten. Reads what SMMUs have recorded first. */
	int (*event)(uint64_t n, struct uefi_event *event);
	/** Line @p n of the log: likewise. */
	int (*log)(uint64_t n, char *text, uintptr_t size);
};

/** The configuration table under SMMU_UEFI_GUID_VENDOR: what the next stage finds. Filled when boot services end. */
#define UEFI_HANDOVER_SMMUS 64u

struct uefi_handover {
	uint32_t revision, size;
	uint32_t exit; /**< enum uefi_exit */
	uint32_t count;
	struct uefi_handover_smmu {
		uint64_t base;
		uint32_t
			enabled; /**< SMMUEN is 1: its tables and queues are in reserved memory, where its registers say */
		uint32_t streams; /**< that do not abort */
	} smmu[UEFI_HANDOVER_SMMUS];
};

#endif
