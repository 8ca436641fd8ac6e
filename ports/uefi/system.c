/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of the firmware, the log and the clock. */
#include "system.h"

struct efi_system_table *uefi_system;
struct uefi_log uefi_log;
uint8_t uefi_log_console = SMMU_LOG_WARN;
bool uefi_exited;

void uefi_system_start(struct efi_system_table *system)
{
	uefi_system = system;
}

bool uefi_same_guid(const struct efi_guid *a, const struct efi_guid *b)
{
	return !__builtin_memcmp(a, b, sizeof(*a));
}

void *uefi_configuration_table(const struct efi_guid *guid)
{
	for (uintptr_t i = 0; i < uefi_system->n_entries; i++)
		if (uefi_same_guid(&uefi_system->entries[i].guid, guid))
			return uefi_system->entries[i].table;
	return NULL;
}

static void console(const char *text)
{
	efi_char wide[UEFI_LOG_BYTES + 16];
	static const char prefix[] = "SmmuV3Dxe: ";
	size_t n = 0;

	if (uefi_exited || !uefi_system->out)
		return;
	for (const char *p = prefix; *p; p++)
		wide[n++] = (uint8_t)*p;
	for (const char *p = text; *p && n + 3 < SMMU_ARRAY_SIZE(wide); p++)
		wide[n++] = (uint8_t)*p;
	wide[n++] = '\r';
	wide[n++] = '\n';
	wide[n] = 0;
	uefi_system->out->output(uefi_system->out, wide);
}

void uefi_say(enum smmu_log_level level, const char *text)
{
	struct uefi_log_line *line = &uefi_log.line[uefi_log.count++ % UEFI_LOG_LINES];
	struct smmu_text t;

	line->level = (uint8_t)level;
	smmu_text_init(&t, line->text, sizeof(line->text));
	smmu_text_str(&t, text);
	if (level <= uefi_log_console)
		console(line->text);
}

void uefi_say_value(enum smmu_log_level level, const char *what, const char *text, uint64_t value)
{
	char buf[UEFI_LOG_BYTES];
	struct smmu_text t;

	smmu_text_init(&t, buf, sizeof(buf));
	smmu_text_str(&t, what);
	smmu_text_str(&t, ": ");
	smmu_text_str(&t, text);
	smmu_text_char(&t, ' ');
	smmu_text_hex(&t, value, 1);
	uefi_say(level, buf);
}

/* ---- What the library calls ---- */

static uint64_t port_now(void *ctx)
{
	uint64_t ticks, hz;

	(void)ctx;
	__asm__ volatile("isb\n\tmrs %0, cntvct_el0\n\tmrs %1, cntfrq_el0" : "=r"(ticks), "=r"(hz));
	return ticks / hz * 1000000000 + ticks % hz * 1000000000 / hz;
}

static void port_log(void *ctx, enum smmu_log_level level, const char *text)
{
	(void)ctx;
	uefi_say(level, text);
}

static uint64_t line_bytes(void)
{
	uint64_t ctr;

	__asm__("mrs %0, ctr_el0" : "=r"(ctr));
	return 4ull << (ctr >> 16 & 0xf);
}

static void port_clean(void *ctx, const void *va, size_t size)
{
	uint64_t line = line_bytes(), end = (uintptr_t)va + size;

	(void)ctx;
	for (uint64_t at = (uintptr_t)va & ~(line - 1); at < end; at += line)
		__asm__ volatile("dc cvac, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

static void port_invalidate(void *ctx, const void *va, size_t size)
{
	uint64_t line = line_bytes(), end = (uintptr_t)va + size;

	(void)ctx;
	for (uint64_t at = (uintptr_t)va & ~(line - 1); at < end; at += line)
		__asm__ volatile("dc ivac, %0" : : "r"(at) : "memory");
	__asm__ volatile("dsb sy" ::: "memory");
}

static const struct smmu_port_ops port_ops = {
	.dma_alloc = uefi_port_dma_alloc,
	.dma_free = uefi_port_dma_free,
	.alloc = uefi_port_alloc,
	.free = uefi_port_free,
	.clean = port_clean,
	.invalidate = port_invalidate,
	.now_ns = port_now,
	.log = port_log,
};

static struct smmu_rcu rcu;

/* Boot services map memory one to one: a virtual address is the bus address. */
const struct smmu_port uefi_port = {.ops = &port_ops, .rcu = &rcu};
