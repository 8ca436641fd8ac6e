/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file ram.h
 * The machine's memory for hosted runs, and an allocator on it that is out to find mistakes: freed memory is filled
 * with a pattern, a double free or a wrong size is an error of the run, the n-th allocation can be made to fail, and
 * what is alive is counted.
 */
#ifndef SMMU_POSIX_RAM_H
#define SMMU_POSIX_RAM_H

#include <pthread.h>
#include <stdbool.h>

#include <smmuv3/port.h>

#include "bus.h"

#define SMMU_RAM_PAGE_SHIFT 12u
#define SMMU_RAM_DEFAULT_BASE 0x40000000ull

/**
 * Make @p size bytes of memory (a multiple of 4096) at bus address @p base. Pages take no room before they are
 * written. smmu_ram_map takes the memory from @p fd, from its start, so that another process can share it; the
 * descriptor stays the caller's. 0 or a negative errno.
 */
int smmu_ram_create(struct smmu_ram *ram, uint64_t base, uint64_t size);
int smmu_ram_map(struct smmu_ram *ram, int fd, uint64_t base, uint64_t size);
void smmu_ram_destroy(struct smmu_ram *ram);

/** Which allocations fail. Set both to 0 to let all succeed. Counts go on over changes. */
struct smmu_fail {
	uint64_t nth;    /**< the n-th from now on fails, once; counts down */
	uint64_t every;  /**< every so many-th fails */
	uint64_t seen;   /**< allocations asked for */
	uint64_t failed; /**< allocations made to fail */
};

struct smmu_heap_page;

/** The allocator. Fields above `lock` are the caller's to set after smmu_heap_init, before the first allocation. */
struct smmu_heap {
	const struct smmu_ram *ram;
	uint64_t poison; /**< what freed memory is filled with, if pattern is NULL */
	/** Eight words that freed memory is filled with again and again, from 64-byte boundaries on; the caller's. */
	const uint64_t *pattern;
	struct smmu_fail fail; /**< changed with smmu_heap_fail only, once threads run */
	/** A mistake of the code under test; NULL prints it and aborts. */
	void (*error)(void *ctx, const char *text);
	void *error_ctx;

	/**
	 * Protects all below, and fail; taken for one allocation. No lock of the port: the memory is part of the
	 * machine, not of the code under test, and no simulated thread may be switched away from inside.
	 */
	pthread_mutex_t lock;
	uint64_t first, pages; /**< the pages it hands out, by number from the start of ram */
	uint64_t hint;         /**< where the next search begins: freed memory rests for a while */
	uint64_t reach; /**< searches go round in so many of its pages, which grows with need */
	uint64_t taken; /**< pages that are not free */
	struct smmu_heap_page *page;
	uint64_t partial[8];            /**< for each small size, 1 + the first page with room */
	uint64_t dma_bytes, dma_blocks; /**< alive, of smmu_heap_dma_alloc */
	uint64_t cpu_bytes, cpu_blocks; /**< alive, of smmu_heap_alloc */
	uint64_t peak_bytes;            /**< most bytes of both that were alive at once */
};

/**
 * An allocator for @p size bytes of @p ram from byte @p offset on, both multiples of 4096 (@p size 0: all the rest).
 * 0, -SMMU_EINVAL or -SMMU_ENOMEM.
 */
int smmu_heap_init(struct smmu_heap *heap, const struct smmu_ram *ram, uint64_t offset,
		   uint64_t size);

/** Free the allocator. The number of blocks that were still alive, which is 0 unless something leaked. */
uint64_t smmu_heap_fini(struct smmu_heap *heap);

/** Zeroed memory in ram, as struct smmu_port_ops.dma_alloc says. */
void *smmu_heap_dma_alloc(struct smmu_heap *heap, size_t size, size_t align, uint64_t *bus);
void smmu_heap_dma_free(struct smmu_heap *heap, void *va, size_t size);

/** Zeroed memory outside ram, which only processors use; from malloc, so that sanitizers watch it. */
void *smmu_heap_alloc(struct smmu_heap *heap, size_t size);
void smmu_heap_free(struct smmu_heap *heap, void *p, size_t size);

/**
 * Keep handlers from the heap while its lock is held: the port's own. Devices ask the heap in the middle of an access, where
 * no simulated handler may come, not at the end of a masked section either.
 */
smmu_irqflags smmu_heap_mask(void);
void smmu_heap_unmask(smmu_irqflags flags);

/** Set what fails from now on: the @p nth allocation and each @p every-th; 0 for none. */
void smmu_heap_fail(struct smmu_heap *heap, uint64_t nth, uint64_t every);

/** Blocks alive, of both kinds. */
uint64_t smmu_heap_live(struct smmu_heap *heap);

/** True if the block of dma memory at @p bus is allocated (for oracles: is this table still alive?). */
bool smmu_heap_is_live(struct smmu_heap *heap, uint64_t bus);

#endif
