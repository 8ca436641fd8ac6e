/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file port.h
 * What the library needs from the system it runs in.
 *
 * **Hot path: inline, chosen at compile time.** Define SMMU_PORT_HEADER as the name of a header of
 * your own and it is included in place of port_generic.h. It provides the types and functions
 * listed here, with these contracts, and may provide forms of its own of what is in atomic.h.
 * ports/README.md is a checklist for a new one.
 *
 * | name | contract |
 * |---|---|
 * | `SMMU_PORT_TAG` | a name for the port, part of an identifier: what is compiled with another one does not link with this library |
 * | `struct smmu_mmio` | one instance's registers; copied by value |
 * | `smmu_mmio_read32/read64/write32/write64(const struct smmu_mmio *, uint32_t offset[, value])` | one access of that width to device memory at a byte offset, naturally aligned. Not ordered against memory: the caller adds the barriers |
 * | `smmu_dma_wmb()` | all earlier stores to memory are visible to the device before any later store or MMIO write |
 * | `smmu_dma_rmb()` | no later load from memory is satisfied before any earlier load or MMIO read |
 * | `smmu_mb()` | full barrier: no later access passes an earlier one, towards processors and devices |
 * | `smmu_relax(const struct smmu_mmio *)` | called once a turn of each loop that waits for a device or another processor; NULL when no one instance is meant |
 * | `smmu_wait_pause(const struct smmu_mmio *, bool may_sleep)` | in place of smmu_relax once a wait for the hardware has lasted for 50 us: with @p may_sleep it may sleep, best for 50 us to 1 ms, so that an ATC that takes seconds is no soft lockup; without, it must not. Also, with @p may_sleep and without registers (NULL), in a wait for another task: where tasks have priorities it has to sleep then, as that one may have been pre-empted by the caller |
 * | `smmu_irqflags`, `smmu_irq_save()` → flags, `smmu_irq_restore(flags)` | keep from this processor, until restored, everything that may call the library: see "Contexts" below; nests |
 * | `struct smmu_spinlock`, `smmu_spin_init`, `smmu_spin_lock(l)` → flags, `smmu_spin_unlock(l, flags)` | short exclusion with interrupts masked (as by `smmu_irq_save`); taken in any context |
 * | `struct smmu_mutex`, `smmu_mutex_init/lock/unlock` | exclusion on the attach side; may sleep; never taken by a sweep |
 * | `smmu_mutex_lock_nested(l, uint32_t depth)` | optional: `smmu_mutex_lock` by a caller that holds others of the same kind, where the library argues that nobody waits in a circle (attach_many.c); those that one caller holds have different depths, above 0, for a checker of lock orders. `smmu_mutex_lock` by default |
 * | `smmu_rcu_publish(pp, v)`, `smmu_rcu_dereference(pp)` | release store and dependency-ordered load of a pointer that readers follow |
 * | `struct smmu_rcu`, `smmu_rcu_enter(rcu)` → `unsigned` cookie, `smmu_rcu_exit(rcu, cookie)` | a read section: lock-free, nestable, any context; see "Read sections" below |
 * | `smmu_rcu_synchronize(rcu)` | return after every read section that was open at the call has been left; may sleep; never called inside one |
 * | `smmu_rcu_retire(rcu, struct smmu_rcu_head *, fn)` | call `fn(head)` at some time after that point; never fails, does not wait |
 * | `SMMU_UNINIT` | optional: an attribute for automatic variables that are written before they are read, where the compiler zeroes them all (`-ftrivial-auto-var-init`); nothing by default |
 * | `SMMU_STATS` | optional: 1, or an expression that does not change once an instance was probed, to count commands and sweeps (debug.h), for two or three additions to counters that processors share in each sweep; 0 by default |
 * | `SMMU_TRACE_…` | optional: trace hooks, see trace.h; nothing by default |
 *
 * **Contexts.** A sweep may run anywhere, also in a handler that interrupts another sweep on its
 * processor. What it needs of the port is that between smmu_irq_save and smmu_irq_restore, and
 * while a spin lock is held, nobody else who may call the library gets this processor: no interrupt
 * handler that does, and no task that pre-empts this one. On a system that pre-empts by priority,
 * and on one core above all, smmu_irq_save therefore also locks the scheduler, or lifts the caller
 * to the highest priority that calls the library: a producer that is pre-empted while it holds
 * positions in a queue makes all behind it wait until it runs again, and one of a higher priority
 * waits for ever. Sections are short: a bounded number of instructions and register accesses, at
 * most SMMU_CMDQ_PIECE commands, never a wait for the hardware, for room or for a task. Interrupts
 * that cannot be masked must not call the library. Where nothing calls it but tasks that do not
 * pre-empt each other, both functions may be empty.
 *
 * **Read sections.** A fence is a reader from its submit until it is finished, so a section lasts
 * as long as the wait for the hardware: as a rule microseconds, but as long as an ATC may take.
 * SRCU fits: its readers may sleep and may be long, and smmu_rcu_enter's cookie is what
 * srcu_read_lock returns. A section of smmu_inv_sync or of a fence that is finished by the task
 * that submitted it has one owner, as srcu_read_lock wants; where another task or a handler
 * finishes fences, use srcu_down_read and srcu_up_read. Each domain's port has one struct smmu_rcu
 * for all. Plain RCU does not fit: its readers must not sleep nor be pre-empted, and every grace
 * period of the system would wait for our slowest device. smmu_rcu_retire is call_srcu; wait for it
 * (srcu_barrier) before the code or the memory goes away.
 *
 * **Cold path: `struct smmu_port_ops`**, called with a context pointer.
 */
#ifndef SMMUV3_PORT_H
#define SMMUV3_PORT_H

#include <smmuv3/types.h>

#ifdef SMMU_PORT_HEADER
#include SMMU_PORT_HEADER
#else
#include <smmuv3/port_generic.h>
#endif
/* After the port's header, which may have forms of its own. */
#include <smmuv3/atomic.h>

#ifndef smmu_mutex_lock_nested
#define smmu_mutex_lock_nested(l, depth) smmu_mutex_lock(l)
#endif

#ifndef SMMU_UNINIT
#define SMMU_UNINIT
#endif

#ifndef SMMU_STATS
#define SMMU_STATS 0
#endif
/** Count @p n more at @p p, where a sweep passes: nothing without SMMU_STATS. */
#define SMMU_COUNT(p, n)                      \
	do {                                  \
		if (SMMU_STATS)               \
			smmu_count((p), (n)); \
	} while (0)

SMMU_BEGIN_DECLS

/*
 * Whoever includes this asks for a symbol with the port's name in it, and the library has the one
 * of the port header that it was built with: two that differ do not link. The request lies in a
 * section that is not loaded.
 */
#ifndef SMMU_PORT_TAG
#error "the port header does not define SMMU_PORT_TAG"
#endif
#define SMMU_PORT_PASTE2(a, b) a##b
#define SMMU_PORT_PASTE(a, b) SMMU_PORT_PASTE2(a, b)
#define SMMU_PORT_QUOTE2(a) #a
#define SMMU_PORT_QUOTE(a) SMMU_PORT_QUOTE2(a)
#define SMMU_PORT_SYMBOL SMMU_PORT_PASTE(smmu_port_is_, SMMU_PORT_TAG)
extern const char SMMU_PORT_SYMBOL;
#ifdef __ELF__
__asm__(".pushsection .debug_smmu_port,\"\",%progbits\n\t.dc.a " SMMU_PORT_QUOTE(
	SMMU_PORT_SYMBOL) "\n\t.popsection");
#endif

enum smmu_log_level {
	SMMU_LOG_ERROR, /**< something is broken and stays broken: a person has to act */
	SMMU_LOG_WARN,  /**< something broke and was mended */
	SMMU_LOG_INFO,  /**< what was found and set up */
};

/** Bits of the flags of dma_alloc. */
enum smmu_alloc_flags {
	SMMU_ALLOC_ATOMIC = 1, /**< the caller must not sleep */
};

/** Cold-path services. None is called by a sweep, except now_ns and log. */
struct smmu_port_ops {
	/**
	 * Zeroed memory for a structure that the SMMU reads or writes. @p size bytes, aligned to
	 * @p align (a power of two, at least 8) both as a virtual and as a bus address, contiguous
	 * on the bus, sharing no cache line with other memory if an SMMU is not coherent. Stores
	 * the bus address in *@p bus. Bus addresses are those that the SMMU puts out: its last byte
	 * has to be below 2^IDR5.OAS of each instance of the port, or what needs it is refused with
	 * -SMMU_ERANGE (IHI 0070 G.b, 3.4.3). NULL when there is none. May sleep, unless @p flags
	 * (SMMU_ALLOC_…) has SMMU_ALLOC_ATOMIC: then it has to answer NULL rather than sleep, in
	 * whatever context smmu_map was called.
	 */
	void *(*dma_alloc)(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus);
	/**
	 * Give back what dma_alloc returned for the same @p size. Must not sleep. Tables are freed
	 * in the context of the smmu_unmap or smmu_unmap_release that lets them go, or of a
	 * smmu_map that lost a race, interrupts masked or not. An allocator that cannot free there
	 * keeps the block on a list and frees it later; or the embedder unmaps in steps
	 * (smmu_unmap_gather) and takes the freelist to a context in which freeing is allowed.
	 */
	void (*dma_free)(void *ctx, void *va, size_t size);
	/**
	 * The virtual address of a byte inside memory from dma_alloc, by its bus address. Any
	 * context. Called once a level of each walk through translation tables. NULL where the
	 * distance is the same for all such memory: then smmu_port.dma_offset is added in line.
	 */
	void *(*dma_to_virt)(void *ctx, uint64_t bus);
	/**
	 * Zeroed memory that only processors use, aligned to 16. NULL when there is none. May
	 * sleep.
	 */
	void *(*alloc)(void *ctx, size_t size);
	/**
	 * As alloc, of any content: for arrays of operations, which may be megabytes and are filled
	 * at once. NULL: alloc is called.
	 */
	void *(*alloc_raw)(void *ctx, size_t size);
	/** Give back what alloc or alloc_raw returned for the same @p size. Must not sleep. */
	void (*free)(void *ctx, void *p, size_t size);
	/**
	 * Write back the cache lines of @p size bytes at @p va, so that an SMMU that is not
	 * coherent reads what was stored. Complete on return, also for another processor that rings
	 * the doorbell then. NULL if all SMMUs of the port are coherent. Any context.
	 */
	void (*clean)(void *ctx, const void *va, size_t size);
	/**
	 * Drop the cache lines of @p size bytes at @p va, so that the next load sees what an SMMU
	 * that is not coherent wrote. Processors have written none of these lines since they were
	 * cleaned. NULL as for clean. Any context.
	 */
	void (*invalidate)(void *ctx, const void *va, size_t size);
	/** A clock that never goes backward, in nanoseconds. Any context. */
	uint64_t (*now_ns)(void *ctx);
	/** One line for a person, without a newline at its end; NULL to be quiet. Any context. */
	void (*log)(void *ctx, enum smmu_log_level level, const char *text);
};

/** One system: what instances, domains and devices that meet each other have in common. */
struct smmu_port {
	const struct smmu_port_ops *ops;
	void *ctx;
	struct smmu_rcu *rcu; /**< read sections of sweeps, against attach, detach and removal */
	uint32_t flags;       /**< SMMU_PORT_LSE2 */
	/**
	 * Without ops->dma_to_virt: virtual address less bus address of memory from dma_alloc,
	 * modulo 2^64.
	 */
	uint64_t dma_offset;
};

static inline void *smmu_port_dma_to_virt(const struct smmu_port *port, uint64_t bus)
{
	if (port->ops->dma_to_virt)
		return port->ops->dma_to_virt(port->ctx, bus);
	return (void *)(uintptr_t)(bus + port->dma_offset);
}

/** Properties of a system: bits of smmu_port.flags. */
enum {
	/**
	 * All processors of the system have FEAT_LSE2, and DMA memory is such that their aligned
	 * 16-byte stores are single copies: then the SMMU reads configuration 16 bytes at once (IHI
	 * 0070 G.b, 3.21.3), and more changes of attachments need no moment at which traffic
	 * faults.
	 */
	SMMU_PORT_LSE2 = 1,
};

/** The 64-bit words of an STE or CD that one store changes in one piece: 1 or 2. */
static inline unsigned smmu_port_unit(const struct smmu_port *port)
{
	return port->flags & SMMU_PORT_LSE2 ? 2 : 1;
}

static inline void smmu_port_clean(const struct smmu_port *port, const void *va, size_t size)
{
	if (port->ops->clean)
		port->ops->clean(port->ctx, va, size);
}

static inline void smmu_port_invalidate(const struct smmu_port *port, const void *va, size_t size)
{
	if (port->ops->invalidate)
		port->ops->invalidate(port->ctx, va, size);
}

static inline uint64_t smmu_port_now(const struct smmu_port *port)
{
	return port->ops->now_ns(port->ctx);
}

static inline void smmu_port_log(const struct smmu_port *port, enum smmu_log_level level,
				 const char *text)
{
	if (port->ops->log)
		port->ops->log(port->ctx, level, text);
}

SMMU_END_DECLS

#endif
