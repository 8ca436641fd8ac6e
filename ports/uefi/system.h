/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file system.h
 * The firmware as the rest of the driver sees it: tables, memory, the clock, the log, the task priority.
 *
 * One driver a system, so its state is one object (driver.h). Everything here runs at TPL_NOTIFY or below.
 */
#ifndef SMMU_UEFI_SYSTEM_H
#define SMMU_UEFI_SYSTEM_H

#include "efi.h"

#include <smmuv3/port.h>
#include <smmuv3/text.h>

#define UEFI_LOG_LINES 64u
#define UEFI_LOG_BYTES 160u

struct uefi_log_line {
	uint8_t level; /**< enum smmu_log_level */
	char text[UEFI_LOG_BYTES];
};

/** The last lines of the log: line n is at n % UEFI_LOG_LINES. */
struct uefi_log {
	uint64_t count;
	struct uefi_log_line line[UEFI_LOG_LINES];
};

extern struct efi_system_table *uefi_system;
extern struct uefi_log uefi_log;
/** Lines go to the console as well up to this level (enum smmu_log_level). */
extern uint8_t uefi_log_console;
/** Boot services are over, or about to be: no call of them, no console, no memory of theirs. */
extern bool uefi_exited;
extern const struct smmu_port uefi_port;

/** Take over the tables; nothing else here works before. */
void uefi_system_start(struct efi_system_table *system);

/** Enter and leave what must not be interrupted by events. */
static inline uintptr_t uefi_enter(void)
{
	return uefi_exited ? SMMU_EFI_TPL_NOTIFY
			   : uefi_system->boot->raise_tpl(SMMU_EFI_TPL_NOTIFY);
}

static inline void uefi_leave(uintptr_t tpl)
{
	if (!uefi_exited)
		uefi_system->boot->restore_tpl(tpl);
}

/** A line of the log; the console sees errors in any case. */
void uefi_say(enum smmu_log_level level, const char *text);
/** The same in parts: "WHAT: TEXT VALUE". @p value in hexadecimal. */
void uefi_say_value(enum smmu_log_level level, const char *what, const char *text, uint64_t value);

bool uefi_same_guid(const struct efi_guid *a, const struct efi_guid *b);
/** The configuration table with this GUID, or NULL. */
void *uefi_configuration_table(const struct efi_guid *guid);

/** @name Memory (memory.c) @{ */
/**
 * Memory of the library comes in chunks of pages that the pool of the library divides. @p type: SMMU_EFI_BOOT_DATA, or SMMU_EFI_RESERVED
 * where an SMMU goes on reading it when boot services are over. @p below: no chunk reaches this address. False: no memory.
 */
bool uefi_memory_start(uint32_t type, uint64_t below);
/** Give every chunk back; nothing of it is in use. */
void uefi_memory_stop(void);
/** From now on only what lies in chunks is handed out. */
void uefi_memory_freeze(void);
/** Bytes in chunks, and in use of them. */
void uefi_memory_state(uint64_t *all, uint64_t *used);
/** Members of struct smmu_port_ops. @{ */
void *uefi_port_dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus);
void uefi_port_dma_free(void *ctx, void *va, size_t size);
void *uefi_port_alloc(void *ctx, size_t size);
void uefi_port_free(void *ctx, void *p, size_t size);
/** @} */
/** Zeroed memory of the driver's own; NULL. */
void *uefi_alloc(size_t size);
void uefi_free(void *p);
/** @} */

#endif
