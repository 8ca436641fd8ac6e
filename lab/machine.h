/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine.h
 * A whole system for a run: memory, a clock, SMMUs with the driver on them, devices, domains, and the judge.
 *
 * What lies between the driver and an SMMU: driver → cmdlog (a witness) → tamper (faults in commands) → device.
 */
#ifndef SMMU_LAB_MACHINE_H
#define SMMU_LAB_MACHINE_H

#include <smmuv3/device.h>
#include <smmuv3/fault.h>
#include <smmuv3/reset.h>

#include "backend.h"
#include "cmdlog.h"
#include "designs.h"
#include "oracle.h"
#include "sim_port.h"
#include "report.h"
#include "sim.h"
#include "tamper.h"
#include "topology.h"

/** A device with substreams uses MACHINE_SSIDS-1 of them: its slots 1 … MACHINE_SSIDS-1. Slot 0 is traffic without one. */
#define MACHINE_SSIDS 4u
#define MACHINE_STREAMS 2u
/** Domains of former owners, for the judge. */
#define MACHINE_FORMER_DOMAINS 2u
/** More than threads, devices and the service together. */
#define MACHINE_FIBERS 256u

struct machine_smmu {
	struct machine *m;
	struct smmu_instance inst;
	struct smmu_instance_config cfg;
	struct cmdlog log;
	struct smmu_tamper tamper;
	char name[16];
	struct smmu_instance_stats stats; /**< of the driver, from before it was removed last */
	uint32_t busy;                    /**< taken by whoever removes it */
	uint32_t present;                 /**< it is enabled */
	uint32_t broken;                  /**< a try to revive it has failed */
	/** Event records that the driver has handed over since it was enabled, and that the SMMU had written before. */
	uint64_t events, events_before;
	bool events_lost; /**< some went unread, when it was started over */
	struct smmu_faults faults;
	uint32_t faults_up; /**< they may be taken and answered, in a read section */
	uint32_t outages; /**< times that it was suspended or revived, and what waited had ended */
	uint32_t left;    /**< to somebody else, by machine_hand_over */
	struct former *
		former; /**< whose tables are in use, or were; NULL: nobody's; whoever is busy with it */
	uint32_t former_runs; /**< he has it now */
};

/** Why what a device does is not judged. */
enum {
	MACHINE_WILD = 1, /**< by tables that were damaged, until it is stopped */
	MACHINE_OFF,      /**< it does nothing: its SMMU is without power */
};

/** What a guest that has a device says of it: what its own traffic leads to, or each of its slots. */
enum { MACHINE_GUESTS = 1, MACHINE_GUESTS_SUBSTREAMS };

struct machine_device {
	struct machine *m;
	struct smmu_device dev;
	unsigned smmu;
	unsigned index;
	uint32_t stream[MACHINE_STREAMS];
	unsigned n_streams;
	bool ats;
	bool ats_always;               /**< beside identity as well */
	bool stalls;                   /**< where its SMMU can choose */
	uint32_t moves[MACHINE_SSIDS]; /**< of each slot, from what it was attached to */
	uint8_t ssid_bits;
	uint32_t ssid[MACHINE_SSIDS]; /**< of each slot */
	uint32_t busy;                /**< taken by whoever attaches, detaches or removes it */
	uint32_t present;             /**< the driver knows it */
	unsigned was
		[MACHINE_SSIDS]; /**< what each slot was attached to before a change that is going on */
	unsigned kept[MACHINE_SSIDS]; /**< while it is being reset: what each slot is attached to */
	bool quiet[MACHINE_SSIDS]; /**< its owner is gone: accesses are refused without a record */
	bool adopted;    /**< it goes on as somebody else left it, until its first attach */
	uint32_t wild;   /**< MACHINE_…; 0: it is judged */
	uint32_t guests; /**< MACHINE_GUESTS…: a guest has it; 0: the host */
};

struct machine_domain {
	struct smmu_domain d;
	struct design_lock lock; /**< of designs that have one */
	struct smmu_spinlock
		devices_lock; /**< design list: held while the devices' operations are written */
	unsigned index;
	uint8_t stage;
	uint8_t granule_shift;
	struct guest *guest; /**< stage 2 of whose it is; NULL: nobody's */
	struct owner *owner; /**< whose table it is; NULL: the driver's */
	/**
	 * A guest reaches what it maps at an address through another one of stage 2: so much higher. No guest: 0.
	 */
	uint64_t shift;
};

/** A command that tamper has led astray, until the service fiber issues it. */
struct machine_stray {
	unsigned from;
	struct smmu_cmd cmd;
};

#define MACHINE_STRAYS 64u

/** What a command wants of its machine besides the configuration of the run. */
struct machine_config {
	/**
	 * For figures: all SMMUs alike, the same latency for the same command, and what the processor does itself takes no
	 * time. What is left of the time of a call is the time that it waits for SMMUs and devices.
	 */
	bool exact;
	bool calm;           /**< nor is anything evicted, prefetched or split by chance */
	uint64_t data_bytes; /**< memory that DMA is to reach; a multiple of 2 MiB */
	unsigned domains;
	unsigned visitors; /**< domains that the load itself makes and drops, besides them */
	bool few_ids; /**< every second SMMU has hardly more ASIDs and VMIDs than there are domains */
	bool guest_substreams; /**< guests of nested domains have substreams (guest.h) */
	bool one_granule;      /**< 4K in all domains */
	uint8_t granule_shift; /**< in all domains; 0: as above */
	bool quiet;            /**< no messages of the driver */
	bool nvme; /**< with QEMU: one of its devices is to be a disk, which reads as well */
};

/** Memory that stays mapped one to one in every domain. */
struct machine_reserved {
	uint64_t base, size; /**< multiples of 64 KiB; apart from each other */
	uint64_t
		memory; /**< bus address of what stands behind it, 2 MiB at most, again and again */
};

struct machine {
	const struct lab_config *o;
	struct smmu_ram ram;
	struct smmu_heap heap;
	struct smmu_shadow shadow; /**< memory as the SMMUs see it that are not coherent */
	struct smmu_posix posix;
	struct smmu_port port;
	struct smmu_port_ops port_ops; /**< of port, with faults in them */
	uint32_t drop_clean;           /**< every so many-th clean is left out; 0: none */
	uint64_t cleans;
	struct sim *sim;           /**< NULL: real threads */
	struct timeline *timeline; /**< NULL: nobody wants one */
	struct backend backend;
	bool qemu; /**< whose memory it is, then */
	bool want_nvme;
	unsigned working_set; /**< so many translations may be alive at a time; 0: any number */
	struct smmu_topology topology;
	const struct design *design;
	struct smmu_mutex flush_lock; /**< design flush: one unmap at a time */
	struct oracle *oracle;

	struct machine_smmu *smmu;
	unsigned smmus;
	struct machine_device *device;
	unsigned devices, ats;
	struct machine_domain *domain;
	unsigned domains;
	unsigned guests;                 /**< so many of them have one */
	unsigned guests_with_substreams; /**< … and so many at most have substreams */
	unsigned owners;                 /**< so many of them are over somebody else's table */
	struct owner_asids *asids;
	struct machine_pages *pages; /**< NULL: nobody waits for any */
	/** @name Where events go that the driver has given, and who takes page requests; NULL: nobody @{ */
	void (*on_event)(struct machine_smmu *s, const struct smmu_event *event);
	void (*on_serve)(struct machine_smmu *s);
	/** @} */
	unsigned
		visitors; /**< behind them: room for so many that come and go, one for each worker */
	struct smmu_domain identity;

	uint64_t data; /**< bus address of memory that DMA is to reach, 2 MiB aligned */
	uint64_t data_bytes;
	struct backend_tags tags; /**< of it; none with QEMU */
	uint64_t window;          /**< input address from which on the load has 64 GiB for itself */
	struct machine_reserved *reserved;
	size_t n_reserved;
	uint64_t canary;    /**< bus address of the page to which poisoned tables lead */
	bool lse2;          /**< processors store, and SMMUs read, 16 bytes in one piece */
	uint64_t poison[8]; /**< … and what they are filled with */
	bool early_free;
	bool no_data;  /**< DMA moves no data */
	bool faulty;   /**< a fault is on with which an SMMU may not confirm, or cut a device off */
	bool tampered; /**< a fault is on that the judge is to catch */
	unsigned few_ids;   /**< so many ids are left on every second SMMU; 0: all of them */
	uint64_t starts;    /**< of SMMUs, with the fault dirty-start */
	uint64_t adoptions; /**< tries, with the fault adopt-corrupt */
	uint64_t outages;   /**< times that an SMMU was suspended: what concerned it failed */
	uint64_t own_strikes[FAULT_KINDS]; /**< of the faults that are none of SMMUs or memory */
	uint64_t quarantined, unconfirmed, revived;
	uint64_t heap_base; /**< blocks alive before anything was set up */

	struct smmu_spinlock lock; /**< protects the four below; taken for a moment */
	struct violation violation[REPORT_MAX_VIOLATIONS];
	unsigned violations;
	struct machine_stray stray[MACHINE_STRAYS];
	unsigned strays;
	uint32_t stop; /**< enough was found */
	bool hung; /**< fibers wait for ever, with locks held: nothing of the driver may be called any more */
};

/**
 * Set up everything, SMMUs enabled, nothing attached. 0; or 2 after a message on standard error, with nothing left
 * behind.
 */
int machine_open(struct machine *m, const struct lab_config *o, const struct machine_config *cfg);

/**
 * Detach all, remove all, give everything back. Whatever is wrong then (a call that fails, memory that leaks) becomes a
 * violation. What the SMMUs have counted is added to @p r.
 */
void machine_close(struct machine *m, struct report *r);

/** The SMMUs are gone (QEMU died), and whatever was found means nothing: 2, after a message. Else 0. */
int machine_gone(struct machine *m);

/** Attach every device as a run does at its start. 0, or a negative error after a message. */
int machine_attach_all(struct machine *m);

/** What kind a domain is, as --stage has it. */
static inline const char *machine_stage(const struct machine_domain *d)
{
	return d->guest ? "nested" : d->owner ? "sva" : d->stage == 1 ? "1" : "2";
}

/** The oracle's number of a device's traffic in substream slot @p slot; 0: without one. */
static inline unsigned machine_slot(const struct machine_device *d, unsigned slot)
{
	return d->index * MACHINE_SSIDS + slot;
}

/** Input address of 2 MiB that a former owner maps, to the last of the reserved memory, and nobody else. */
static inline uint64_t machine_former_iova(const struct machine *m)
{
	return m->window + 0x38000000;
}

/** What the judge takes a stage of former owners' tables for, as a domain (machine_adopt.c). */
static inline unsigned machine_former_domain(const struct machine *m, unsigned stage)
{
	return m->domains + m->visitors + stage - 1;
}

/** The number of visitor @p n, as a domain. */
static inline unsigned machine_visitor(const struct machine *m, unsigned n)
{
	return m->domains + n;
}

/** Memory as the SMMUs see it. */
static inline const struct smmu_ram *machine_seen(const struct machine *m)
{
	return m->posix.cache_ctx ? &m->shadow.seen : &m->ram;
}

/** Nanoseconds of the run's clock. */
static inline uint64_t machine_now(const struct machine *m)
{
	return smmu_port_now(&m->port);
}

/** Do nothing for about @p ns. */
void machine_pause(struct machine *m, uint64_t ns);

/** @name Taking turns: true if the caller has it now; never waits @{ */
bool machine_take(uint32_t *busy);
void machine_give(uint32_t *busy);
/** @} */

/**
 * After a call that has to succeed in the end: true if it failed for an allocation that was made to fail, and is to be
 * tried again; the fourth time with allocations that succeed. *@p tries starts at 0.
 */
bool machine_try_again(struct machine *m, int rc, unsigned *tries);

/** (Re-)make the driver's device of @p d. 0 or the driver's error. */
int machine_add_device(struct machine_device *d);

/** @name Attachments, with the oracle told. The device is taken. Errors as the driver's. @{ */
int machine_attach(struct machine_device *d, unsigned to);
/** Of substream slot @p slot, 1 and up. */
int machine_attach_pasid(struct machine_device *d, unsigned slot, unsigned to);
/** @} */

/**
 * What a device's own traffic can be attached to: domain @p n, or the next that is not an owner's; where all are,
 * ORACLE_IDENTITY or ORACLE_BLOCKED.
 */
unsigned machine_own(const struct machine *m, unsigned n);
/** Map in a domain, whoever writes its table. Errors as smmu_map. */
int machine_map(struct machine_domain *d, uint64_t iova, uint64_t pa, uint64_t size, unsigned prot,
		unsigned flags);

/**
 * SMMU number @p smmu has just come up: owners' ASIDs are theirs, and somebody else has taken most of the others, if machine_few_ids
 * says so. 0 or the driver's error.
 */
int machine_crowd(struct machine *m, unsigned smmu);
/** Probe and enable SMMU number @p smmu. 0 or the driver's error. */
int machine_enable(struct machine *m, unsigned smmu);

/** @name Faults (machine_faults.c) @{ */
/** How often fault @p id struck. Any thread. */
uint64_t machine_struck(struct machine *m, enum fault_id id);
/** True if a call may honestly have returned @p rc: -SMMU_EIO, and a fault that keeps an SMMU from confirming has struck. */
bool machine_may_fail(struct machine *m, int rc);
/** True if an attach may find no id left on the SMMU. */
bool machine_few_ids(const struct machine *m, unsigned smmu);
/** True if the SMMU has stopped for good, or did not come up again: it has to be brought up anew. */
bool machine_dead(const struct machine *m, unsigned smmu);
/** @} */

/** Take an SMMU away, and wait for one that takes its time to confirm it. 0 or the driver's error. */
int machine_remove(struct machine *m, unsigned smmu);
/** Bring an SMMU back that has stopped for good, in place; all its devices are taken by the caller. 0 or the driver's error. */
int machine_restart(struct machine *m, unsigned smmu);
/** Remove an SMMU and bring it up again; all its devices are taken by the caller. 0 or the driver's error. */
int machine_replug(struct machine *m, unsigned smmu);
/** A device whose ATC stopped answering: reset it and give it to the driver anew. The device is taken. */
int machine_reset_device(struct machine_device *d);
/**
 * @name A device is reset or pulled out (machine_life.c); it is taken, and no fence of the caller's is open
 * Errors as the driver's. While it is being reset the judge takes it for attached to nothing.
 * @{ */
int machine_reset_begin(struct machine_device *d);
/** Attach slot @p slot meanwhile, to no guest's domain. */
int machine_reset_attach(struct machine_device *d, unsigned slot, unsigned to);
/** -SMMU_EIO: it is not back, and has to be given to the driver anew. */
int machine_reset_end(struct machine_device *d);
/** One that is cut off is reset, and comes back as it was. -SMMU_EIO: as above. */
int machine_recover(struct machine_device *d);
/** It is gone. What is left is to give it to the driver anew, some time later. */
void machine_pull(struct machine_device *d);
/** @} */

/** All has come to rest: complain if the driver has not counted what it sent. */
void machine_check_stats(struct machine *m);
/** Let the driver say on standard error how its SMMUs and domains stand. */
void machine_dump(struct machine *m);

/** Serve events, errors and strays of all instances, once. Returns how many events there were. */
uint64_t machine_serve(struct machine *m);

/** @name Judging (judge.c) @{ */
struct dma_count {
	uint64_t dma, blocked, stale, lost, unjudged;
	uint64_t guest_substreams; /**< of dma: under substreams of guests, and judged … */
	uint64_t guest_refused;    /**< … and rightly refused */
	uint64_t guest_passed;     /**< of dma: past a guest's stage 1, by its S1DSS, and landed */
	uint64_t events;           /**< that were served to make room for more */
};

enum { MACHINE_WRITE = 1, MACHINE_PRIVILEGED = 2, MACHINE_UNTRANSLATED = 4, MACHINE_FETCH = 8 };

/** One judged access (MACHINE_…; 0 reads) of stream number @p stream and substream slot @p slot of @p d. True if it landed. */
bool machine_dma(struct machine *m, struct dma_count *count, struct machine_device *d,
		 unsigned stream, unsigned slot, uint64_t iova, unsigned access);

/** An access to @p pa that says to be translated, of a device that may not send one: it must not land. */
void machine_forge(struct machine *m, struct dma_count *count, struct machine_device *d,
		   unsigned stream, uint64_t pa, bool write);

/** Something that is no DMA went wrong: the driver's fault, in words. */
void machine_complain(struct machine *m, unsigned smmu, uint64_t iova, const char *missing,
		      const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/** Room for another violation: then it is the caller's to fill; NULL: there are enough. */
struct violation *machine_violation(struct machine *m, uint64_t iova, uint32_t stream,
				    unsigned smmu);
/** @} */

/** Tell the judge what the privileged may execute of a domain: a guest's stage 1 lets the unprivileged write everything. */
static inline void machine_oracle_rule(struct machine *m, const struct machine_domain *d)
{
	oracle_rule(m->oracle, d->index,
		    d->guest        ? ORACLE_NOT_PRIVILEGED
		    : d->stage == 1 ? ORACLE_NOT_WRITABLE
				    : ORACLE_PRIVILEGED_EXECUTES);
}

/** The tag of a page of DMA memory that is mapped at @p iova of @p domain. */
static inline uint64_t machine_tag(unsigned domain, uint64_t iova)
{
	return 0x5a00000000000000ull | (uint64_t)domain << 48 | iova >> 12;
}
#define MACHINE_TAG_FREE 0x66726565ull

/** Where the tag and the stamp of the page at @p pa are; NULL: it is no memory. */
uint64_t *machine_tag_words(struct machine *m, uint64_t pa);

/** Write @p tag (and no stamp) into each page of @p size bytes of DMA memory. */
void machine_tag_pages(struct machine *m, uint64_t pa, uint64_t size, uint64_t tag, bool per_page);

#endif
