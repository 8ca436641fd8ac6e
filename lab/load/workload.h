/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file workload.h
 * The workload of `smmuv3 run`: workers that map, unmap, attach, detach and remove, and devices that do DMA meanwhile.
 * Workers are fibers under the virtual clock and threads with the real one; the code is the same.
 *
 * Each worker has a window of addresses in every domain and a share of the DMA memory, so that calls of different
 * workers meet on domains, instances and devices, but never on one page: that is what the library asks of its users.
 */
#ifndef SMMU_LAB_WORKLOAD_H
#define SMMU_LAB_WORKLOAD_H

#include <pthread.h>

#include "frames.h"
#include "latency.h"
#include "machine.h"

#define WINDOW_PAGES 2048u /**< 8 MiB: four tables of the last level, with 4K */
#define SHARE_PAGES 8192u  /**< 32 MiB of DMA memory */
#define MAX_LIVE 96u
#define MAX_FLIGHTS 4u
#define HOT 64u

struct live_map {
	unsigned domain;
	uint32_t page, pages; /**< in the window */
	uint32_t frame;       /**< in the share */
	unsigned prot;
	unsigned spaces; /**< of a guest: a bit for each besides the first that maps it, too */
};

/** An unmap that was submitted and whose fence is open. */
struct flight {
	bool open;
	bool away;     /**< another worker finishes the fence; then it says so: */
	int rc;        /**< what the fence ended with */
	uint32_t done; /**< … and rc is valid */
	struct live_map map;
	struct smmu_freelist tables;
	struct smmu_fence fence;
};

/** An unmap that an SMMU did not confirm. */
struct held {
	struct live_map map;
	struct smmu_freelist tables; /**< that it took away, and that the driver does not keep */
};

#define BIG_DOMAINS 4u
#define BIG_PARTS 6u

/** Large mappings in one domain, without a gap between them; and what of an unmap was not confirmed. */
struct big {
	uint32_t busy; /**< taken by the worker that uses it */
	struct big_part {
		uint64_t iova, size, pa;
		unsigned prot;
	} part[BIG_PARTS];
	unsigned parts;
	bool doubt;
	uint64_t doubt_iova, doubt_size;
};

#define MAILBOX 8u

struct worker {
	struct workload *w;
	unsigned id;
	struct smmu_random random;
	struct frames share;
	struct frames *window; /**< one a domain */
	struct live_map live[MAX_LIVE];
	unsigned n_live;
	struct flight flight[MAX_FLIGHTS];
	struct held *held;
	unsigned n_held;
	bool visit_stuck;
	pthread_t thread;  /**< with the real clock */
	bool atomic;       /**< it must not sleep: it runs in an interrupt */
	const char *doing; /**< NULL: nothing of the driver's */
	struct latency latency;
	struct dma_count count;
	uint64_t maps, unmaps, attaches, detaches, removals, refused_calls, events, guests, resets;
	uint64_t renumbered, released;
	uint64_t splits, joined_blocks, reclaimed;     /**< as in struct report */
	uint64_t dirty_reads, dirty_pages, dirty_over; /**< as in struct report */
	uint64_t cds;                                  /**< that guests have changed */
	uint64_t adoptions, taken_over, suspends, returns, reserved;
	uint64_t *hot; /**< addresses that changed lately, HOT for each domain; read by all */
	uint32_t n_hot;
	struct joined {
		unsigned device, slot, n;
		uint64_t iova[8];
	} joined;                     /**< what a device accessed that has just been attached */
	uint64_t seen_begun, seen_at; /**< of workload.begun, and when it was seen to change */
};

struct workload {
	struct machine *m;
	struct worker *worker;
	unsigned workers, movers;
	uint64_t begun, limit;  /**< operations */
	uint64_t until_ns;      /**< of the run's clock; UINT64_MAX: no limit */
	uint32_t working;       /**< workers that have not ended */
	struct worker *handler; /**< what interrupts do; NULL: there are none */
	uint32_t handling;      /**< an interrupt is at it */
	struct big big[BIG_DOMAINS];
	struct flight *mailbox[MAILBOX]; /**< open flights that anybody may finish */
	uint64_t start_ns;               /**< of the run's clock, as until_ns */
	uint32_t interrupted;
};

/** Bytes of DMA memory that the workload of @p o needs. */
uint64_t workload_data_bytes(const struct lab_config *o);

/** Run it. 0; or 2 after a message on standard error. The counts are added to @p r. */
int workload_run(struct machine *m, struct report *r);

/* ---- between the files of the workload ---- */

/** One random operation. */
void worker_step(struct worker *k);
/** Finish what is open and unmap what is left. */
void worker_end(struct worker *k);
/** One DMA of a random device at an address that matters. */
void worker_dma(struct worker *k);

/** Remember an address that changes: devices look there. */
void worker_note_hot(struct worker *k, unsigned domain, uint64_t iova);
/** A device, and a substream of it (0: none), that is attached to @p domain, from a random place on; false: none is. */
bool worker_find_attached(struct worker *k, unsigned domain, unsigned *device, unsigned *ssid);
/** One DMA of a random stream of that device. */
void worker_dma_by(struct worker *k, unsigned device, unsigned ssid, uint64_t iova, bool write);
/** A call failed: complain unless it was @p allowed to. */
void worker_check_refused(struct worker *k, const char *what, int rc, bool allowed);
/** A call that is wrong on purpose returned @p rc: complain unless that is @p wanted. */
void worker_expect(struct worker *k, const char *what, int rc, int wanted);
/** True if allocations are made to fail. */
bool worker_starving(const struct worker *k);
/** True if @p rc is what an allocation that was made to fail leads to. */
bool worker_starved(const struct worker *k, int rc);

/** True if an attach may fail with @p rc; counts it if an SMMU did not confirm. */
bool worker_attach_failed_rightly(const struct worker *k, const struct machine_device *d, int rc);
/** What a mapping with SMMU_PROT_… @p prot allows in a domain of @p stage, as the oracle wants it. */
static inline unsigned worker_prot(unsigned stage, unsigned prot)
{
	return stage == 1 && prot & ORACLE_WRITE ? prot | ORACLE_READ : prot;
}
/** Unmap, and invalidate everything of the domain: what smmu_flush_all is for. With other designs their own unmap. */
int worker_unmap_by_flush(struct worker *k, struct machine_domain *d, uint64_t iova, uint64_t size);

/** @name Interrupts (workload_irq.c) @{ */
void workload_irq_start(struct workload *w);
/** With real threads: the thread that signals the workers, until they end. */
void workload_irq_main(void *workload);
/** Around calls of the library: with real threads no other moment is one for a handler. */
static inline void worker_open(const struct worker *k)
{
	if (!k->w->m->sim && !k->atomic)
		sim_thread_let_in();
}
static inline void worker_close(const struct worker *k)
{
	if (!k->w->m->sim && !k->atomic)
		sim_thread_keep_out();
}
/** Outside of all fibers: none comes any more, and what handlers have mapped is unmapped. */
void workload_irq_stop(struct workload *w);
/** @} */

/** @name Large mappings, domains that come and go: 0, or -1 without memory @{ */
#define VISIT_PA 0x20000000000ull /**< no memory is there */
#define VISIT_IOVA 0x200000ull
#define VISIT_PAGES 64u /**< of 4 KiB: four of 64 KiB */
int workload_big_init(struct workload *w);
void worker_big(struct worker *k);
void worker_big_end(struct worker *k);
int worker_visit_init(struct worker *k);
void worker_visit(struct worker *k);
/** @} */

/** @name The steps of an unmap @{ */
/** Devices that reach a page before its unmap, and have to be refused afterwards. */
struct probe {
	unsigned n, device[3], slot[3];
	uint64_t iova[3];
};
/** Take a live mapping, or a piece of one, to unmap it; there is one. */
struct live_map worker_cut(struct worker *k);
void worker_probe_before(struct worker *k, struct probe *p, const struct live_map *l);
/** The same devices again. */
void worker_probe_after(struct worker *k, const struct probe *p);
/** The unmap of @p l ended with @p rc; the tables that it took away are in @p tables, or with the driver (NULL). */
void worker_unmapped(struct worker *k, const struct live_map *l, int rc,
		     struct smmu_freelist *tables);
/** DMA after it (@p p: by the same devices; may be NULL), and what it freed is free. */
void worker_unmap_done(struct worker *k, struct live_map *l, const struct probe *p, int rc);
/** @} */

/** Give the addresses and the memory of @p l back: nothing reaches it any more. */
void worker_release(struct worker *k, struct live_map *l);

/** @name What is not confirmed (workload_held.c) @{ */
/** Keep @p l, and @p tables (NULL: the driver keeps them), until an SMMU that is silent has confirmed. */
void worker_hold(struct worker *k, const struct live_map *l, const struct smmu_freelist *tables);
/** Ask again, for one domain. */
void worker_confirm(struct worker *k);
void worker_held_fini(struct worker *k);
/** @} */

/** @name Operations @{ */
void worker_map(struct worker *k);
void worker_unmap(struct worker *k);
void worker_unmap_async(struct worker *k);
/** Split, join or reclaim tables (workload_tables.c). */
void worker_tables(struct worker *k);
/** With --tables: split the blocks that @p l begins or ends in. False: it could not be done, rightly. */
bool worker_split(struct worker *k, const struct live_map *l);
/** Ask what devices have written (workload_dirty.c). */
void worker_dirty(struct worker *k);
void worker_attach(struct worker *k);
void worker_remove(struct worker *k);
/** Reset a device, or pull it out and put it back (workload_life.c). */
void worker_life(struct worker *k);
/** An SMMU goes to a former owner, is adopted, or a device of it is taken over (workload_adopt.c). */
void worker_adopt(struct worker *k);
/** An address that stays mapped as long as the run lasts; only where m->n_reserved is not 0. */
uint64_t worker_kept_iova(struct worker *k);
/** A device that goes on as somebody else left it is attached: one of all. */
void worker_take_over(struct worker *k);
/** DMA of a device, @p n times, that has to land if it is attached, or not. */
void worker_look(struct worker *k, struct machine_device *d, unsigned n);
/** The same, a few times, by each device of SMMU number @p smmu, unless the machine has very many. */
void worker_look_at_all(struct worker *k, unsigned smmu);
/** Whether @p rc is 0. An error that nothing explains is a violation on @p topic, @p what says of what. */
bool worker_coped(struct worker *k, unsigned smmu, const char *topic, const char *what, int rc);
/** An SMMU is suspended, left to somebody else, or comes back (workload_power.c). */
void worker_power(struct worker *k);
/** Before the workers start: a former owner has each SMMU. 0, or 2 after a message. */
int workload_adopt_init(struct workload *w);
/** All devices of an SMMU and the SMMU itself, or nothing: false. */
bool worker_take_smmu(struct worker *k, unsigned smmu);
void worker_give_smmu(struct worker *k, unsigned smmu);
/** A device that is cut off comes back: as it was, or given to the driver anew. It is taken. */
void worker_revive(struct worker *k, struct machine_device *d);
/** A guest takes pages away from its devices for a moment, by its own table and commands; or changes the CDs of one. */
void worker_guest(struct worker *k);
/** A guest may map @p l in its other spaces, too: it is mapped in the first. */
void worker_guest_map(struct worker *k, struct live_map *l);
/** Another space of the guest begins to map @p l, or ends to, with DMA before and after. */
void worker_guest_show(struct worker *k, struct live_map *l, unsigned space);
void worker_guest_hide(struct worker *k, struct live_map *l, unsigned space);
/** What the guest itself does, without a word to the judge. True: it is confirmed. */
void worker_guest_write(struct worker *k, const struct live_map *l, unsigned space);
bool worker_guest_clear(struct worker *k, const struct live_map *l, unsigned space);
/** The host has taken @p l away, and the guest does. False: an SMMU has not confirmed. */
bool worker_guest_release(struct worker *k, struct live_map *l);
/** The ASID of an owner's domain changes, substream by substream (workload_owner.c). */
void worker_renumber(struct worker *k);
/** An owner comes, has several devices, and goes, with them at work or without. */
void worker_owner_visit(struct worker *k);
/** Attach a device to a domain that others unmap from, and let it access what they unmap (workload_join.c). */
void worker_join(struct worker *k);
/** Bring SMMUs up again that have stopped for good. */
void worker_mend(struct worker *k);
/** @} */

/** Wait for all own fences: before an attach, which would wait for them. */
void worker_land(struct worker *k);
/** Finish those of the own fences that are done. */
void worker_poll(struct worker *k);

static inline uint64_t worker_below(struct worker *k, uint64_t n)
{
	return smmu_random_below(&k->random, n);
}

static inline bool worker_chance(struct worker *k, unsigned num, unsigned den)
{
	return smmu_random_chance(&k->random, num, den);
}

/** Where the worker's window begins, in all domains. */
static inline uint64_t window_base(const struct worker *k)
{
	return k->w->m->window + ((uint64_t)k->id << 30);
}

static inline uint64_t map_iova(const struct worker *k, const struct live_map *l)
{
	return window_base(k) + ((uint64_t)l->page << 12);
}

/** The same to the host: what it maps in the domain, and unmaps. */
static inline uint64_t map_host(const struct worker *k, const struct live_map *l)
{
	return map_iova(k, l) + k->w->m->domain[l->domain].shift;
}

static inline uint64_t map_pa(const struct worker *k, const struct live_map *l)
{
	return k->w->m->data + (((uint64_t)k->id * SHARE_PAGES + l->frame) << 12);
}

#endif
