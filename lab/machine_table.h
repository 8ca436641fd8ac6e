/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine_table.h
 * What a firmware table says of a machine beyond its SMMUs and streams: errata of the parts, and memory that has to stay
 * mapped. The latter is mapped one to one in every domain as long as the domain lives; the memory behind it is the
 * machine's, 2 MiB for each range, again and again.
 */
#ifndef SMMU_LAB_MACHINE_TABLE_H
#define SMMU_LAB_MACHINE_TABLE_H

#include "machine.h"

/** Memory of the machine behind each range, again and again. */
#define MACHINE_RESERVED_PIECE (2ull << 20)

/** Quirks (SMMU_QUIRK_…) that go with what the table calls the part. */
uint32_t machine_table_quirks(const struct smmu_topology_smmu *smmu);

/** The @p n th stream to place on @p smmu: those that have reserved memory first. 0, or -1: there are no more. */
int machine_pick_stream(const struct machine *m, unsigned smmu, unsigned n, uint32_t *stream);

/** Find the ranges of memory to keep mapped, and a place for the load that none of them is in. 0, or 2 after a message. */
int machine_reserved_init(struct machine *m);
/** Does the run need memory of the machine's own to stay mapped, by somebody else's tables too? */
bool machine_keeps(const struct machine *m);
/** Part of it has the address of its memory. */
#define MACHINE_KEPT_BASE (SMMU_RAM_DEFAULT_BASE + (2ull << 20))
/** The memory behind them, of machine_reserved_bytes, begins at @p memory. */
void machine_reserved_place(struct machine *m, uint64_t memory);
/** Bytes of DMA memory that stand behind them. */
uint64_t machine_reserved_bytes(const struct machine *m);
/** Some address of them; only where m->n_reserved is not 0. */
uint64_t machine_reserved_iova(const struct machine *m, struct smmu_random *r);
/** Any of [iova, iova + size) is one of them. */
bool machine_is_reserved(const struct machine *m, uint64_t iova, uint64_t size);

/* ---- machine_reserved.c ---- */

/** The judge is to watch them in domains up to @p domains. 0, or -1: no memory. */
int machine_reserved_watch(struct machine *m, unsigned domains);
/** Map them in @p d, to which nothing is attached. 0 or a negative error of the driver, then nothing of it is promised. */
int machine_reserved_map(struct machine *m, struct machine_domain *d);
/** The domain with number @p index goes, with what is mapped in it; @p done: it is gone. */
void machine_reserved_drop(struct machine *m, unsigned index, bool done);

#endif
