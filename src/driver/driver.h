/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the driver share. */
#ifndef SMMU_SRC_DRIVER_DRIVER_H
#define SMMU_SRC_DRIVER_DRIVER_H

#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/handover.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/instance.h>
#include <smmuv3/trace.h>
#include <smmuv3/nested.h>

#include "../util/message.h"
#include "registers.h"

/** Of steps that all have to be done, whatever becomes of each: the first error. */
static inline int smmu_first_error(int so_far, int now)
{
	return so_far ? so_far : now;
}

/* ---- instance.c, reach.c, handlers.c ---- */

/** Nothing is on the instance, nothing counted. */
void smmu_instance_begin(struct smmu_instance *inst);
/** Queues, ids, and a stream table if it has none. The errors of smmu_instance_enable; nothing is kept then. */
int smmu_instance_allocate(struct smmu_instance *inst);
void smmu_instance_free(struct smmu_instance *inst);
/** Handlers may touch its queues and registers from now on. */
void smmu_instance_serve(struct smmu_instance *inst);
/** Disable it and free everything, or let it be held. */
int smmu_instance_stop(struct smmu_instance *inst);

/** 0 if the SMMU can put out the @p size bytes at @p bus; else -SMMU_ERANGE, and the log names @p what, both numbers. */
int smmu_instance_reaches(const struct smmu_instance *inst, const char *what, uint64_t bus,
			  uint64_t size);
/** Begin a handler: true if the instance is served; then it ends with smmu_handler_exit. Any context. */
bool smmu_handler_enter(struct smmu_instance *inst, unsigned *cookie);
void smmu_handler_exit(struct smmu_instance *inst, unsigned cookie);
/**
 * SMMUEN stays 1, and no handler takes events any more: what the event queue says to have stalled, or is about to, is ended, as
 * nobody else learns its tag.
 */
void smmu_instance_end_stalls(struct smmu_instance *inst);
/** As smmu_instance_page_request, for a handler that has begun. */
int smmu_handler_page_request(struct smmu_instance *inst, struct smmu_pri *pri);
/** No handler touches a register or a queue after this. Waits for readers: may sleep. */
void smmu_handlers_stop(struct smmu_instance *inst);

/* ---- ids.c: ASIDs and VMIDs of one instance. Callers hold the instance's lock, except for init and fini ---- */

/** Ids 1 … 2^bits-1; 0 is never handed out. -SMMU_ENOMEM. */
int smmu_ids_init(struct smmu_ids *ids, const struct smmu_port *port, unsigned bits);
void smmu_ids_fini(struct smmu_ids *ids, const struct smmu_port *port);
/** An id that is free, or -SMMU_ENOSPC. The search goes on from the last one, so that ids are reused late. */
int smmu_ids_take(struct smmu_ids *ids);
void smmu_ids_give(struct smmu_ids *ids, uint32_t id);
/** An id that is not used any more, but may have entries in the TLB: it stays taken until the TLB was cleaned of it. */
void smmu_ids_retire(struct smmu_ids *ids, uint32_t id);
/** Up to @p max ids that were retired and not cleaned. Their number. */
uint32_t smmu_ids_retired(const struct smmu_ids *ids, uint32_t *list, uint32_t max);
/** The TLB holds nothing of @p id, which was retired: it is free again. */
void smmu_ids_cleaned(struct smmu_ids *ids, uint32_t id);
/** Nobody has @p id any more, and the TLB was not cleaned of it. */
bool smmu_ids_is_retired(const struct smmu_ids *ids, uint32_t id);
/** Take @p id, by name. -SMMU_EBUSY: it is taken, or retired. */
int smmu_ids_claim(struct smmu_ids *ids, uint32_t id);
/** Hand @p first to @p last out by name alone from now on. -SMMU_EBUSY: one was handed out otherwise. */
int smmu_ids_reserve(struct smmu_ids *ids, uint32_t first, uint32_t last);
size_t smmu_ids_size(unsigned bits);

/** What tags a former owner's translations, so far as a change of tags could meet others' (takeover.c). */
struct smmu_former_tags {
	bool e2h;         /**< CR2.E2H */
	bool any;         /**< a stream of stage 1 alone is kept, */
	uint32_t world;   /**< the first one's VMID, or SMMU_WORLD_EL2, */
	bool worlds;      /**< and there are others */
	bool zero_stage2; /**< some stage 2 has VMID 0 */
};
#define SMMU_WORLD_EL2 0x10000u

/** Ids that a former owner's tables use, until smmu_instance_adopt_end. */
struct smmu_adoption {
	uint64_t *asids, *vmids;
	size_t asid_bytes, vmid_bytes;
	struct smmu_former_tags tags;
	/** It is over in memory, and the SMMU has not confirmed: what it has cached of STEs without a device may pass. */
	bool ended;
};
/** Free what is kept of an adoption, if there was one. */
void smmu_adoption_free(struct smmu_instance *inst);

/* ---- entry.c: changing an STE or a CD that the SMMU may be reading ---- */

struct smmu_entry_kind {
	void (*used)(const uint64_t *entry, uint64_t *mask);
	/** Word 0 that makes the entry refuse all traffic in a defined way. */
	uint64_t (*halt)(const uint64_t *entry);
	/** Bits that may change at any time, used or not. */
	uint64_t free[8];
};
extern const struct smmu_entry_kind smmu_ste_kind, smmu_cd_kind;

/** Entries with the same contents that change together, and how caches are told. */
struct smmu_entry_change {
	const struct smmu_port *port;
	const struct smmu_entry_kind *kind;
	/** The @p i-th of them. */
	uint64_t *(*live)(void *ctx, unsigned i);
	unsigned n;
	/** Invalidate the entries in the configuration caches and wait. 0 or a negative error. */
	int (*sync)(void *ctx);
	void *ctx;
	/** Held while storing; may be NULL. */
	struct smmu_spinlock *lock;
	/** Under lock: when not 0 nothing is stored any more; may be NULL. */
	const uint32_t *frozen;
};

/**
 * Bring the entries from what they are to @p target, so that the SMMU at each moment sees the old, the new, or (if they differ
 * in more than one unit that both use) a refusing entry. 0; -SMMU_EIO: frozen, or a sync failed: then the entries refuse,
 * in memory.
 */
int smmu_entry_change(const struct smmu_entry_change *c, const uint64_t target[8]);
/** True if smmu_entry_change from what @p live is to @p target never shows a refusing entry that is neither. */
bool smmu_entry_hitless(const struct smmu_entry_kind *kind, const struct smmu_port *port,
			const uint64_t live[8], const uint64_t target[8]);

/* ---- strtab.c: the stream table. Callers hold the instance's lock ---- */

int smmu_strtab_init(struct smmu_instance *inst);
void smmu_strtab_fini(struct smmu_instance *inst);
void smmu_strtab_memory(const struct smmu_instance *inst, size_t *dma, size_t *plain);
/** Add the bytes of the second-level tables that @p n streams would add. */
void smmu_strtab_missing(const struct smmu_instance *inst, const uint32_t *sids, uint32_t n,
			 size_t *dma, size_t *plain);
/** Write STRTAB_BASE and STRTAB_BASE_CFG. */
void smmu_strtab_program(struct smmu_instance *inst);
/**
 * The STE of @p sid, with its table made if it was missing. The SMMU may have cached that there is none, until a CFGI_STE
 * without Leaf was synchronised. -SMMU_ERANGE, -SMMU_ENOMEM.
 */
int smmu_strtab_ste(struct smmu_instance *inst, uint32_t sid, struct smmu_ste **ste);
/** The device that has stream @p sid; NULL: none. */
struct smmu_device *smmu_strtab_owner(const struct smmu_instance *inst, uint32_t sid);
/** The streams @p s, whose STEs were asked for, are those of @p dev from now on, or nobody's (NULL). */
void smmu_strtab_own(struct smmu_instance *inst, const struct smmu_streams *s,
		     struct smmu_device *dev);

/** The stream table is the one at @p bus, which is @p l1 here and stays somebody else's; @p split 0: linear. -SMMU_ENOMEM. */
int smmu_strtab_adopt(struct smmu_instance *inst, uint8_t log2size, uint8_t split, void *l1,
		      uint64_t bus);
/** Make the second-level table *@p ste of descriptor @p i, all aborting; the descriptor does not lead to it. -SMMU_ENOMEM, -SMMU_ERANGE. */
int smmu_strtab_make(struct smmu_instance *inst, uint32_t i, struct smmu_ste **ste);
void smmu_strtab_unmake(struct smmu_instance *inst, uint32_t i);
/** Each descriptor leads to the table that was made for it, or nowhere. */
void smmu_strtab_hook_all(struct smmu_instance *inst);
/**
 * An STE that a former owner has written aborts, in memory. Where its CDs were goes on standing there, as nobody looks at it (IHI 0070 G.b,
 * 5.2), but who asks whether accesses may have stalled by it.
 */
void smmu_strtab_abort_former(const struct smmu_instance *inst, struct smmu_ste *ste);
/** STEs of nobody abort, in memory. */
void smmu_strtab_abort_unowned(struct smmu_instance *inst);
/** They do, and the SMMU has confirmed it: what has stalled by what they were before ends. 0, -SMMU_EIO. */
int smmu_strtab_end_stalls(struct smmu_instance *inst);

/* ---- cdtab.c: context descriptors of a device. Callers hold the device's lock ---- */

void smmu_cdtab_memory(const struct smmu_instance *inst, unsigned ssid_bits, size_t *dma,
		       size_t *plain);
int smmu_cdtab_init(struct smmu_streams *s, unsigned ssid_bits);
void smmu_cdtab_fini(struct smmu_streams *s);
/** Make the leaf of @p ssid's CD if it is missing. The SMMU is not led to it yet. -SMMU_ENOMEM, -SMMU_ERANGE. */
int smmu_cdtab_make(struct smmu_streams *s, uint32_t ssid);
/** The CD of @p ssid; NULL: its leaf was not made, so it is not valid. */
struct smmu_cd *smmu_cdtab_cd(const struct smmu_streams *s, uint32_t ssid);
/** True if the table leads to @p ssid's leaf, which is there. */
bool smmu_cdtab_hooked(const struct smmu_streams *s, uint32_t ssid);
/** Lead the table to @p ssid's leaf, which is there and complete; whoever does tells the caches. */
void smmu_cdtab_hook(struct smmu_streams *s, uint32_t ssid);
/** S1FMT, S1CONTEXTPTR and S1CDMAX of the STE. */
uint64_t smmu_cdtab_ste_bits(const struct smmu_streams *s);

/* ---- target.c: an instance as the sweep sees it ---- */

void smmu_target_init(struct smmu_instance *inst);
/** The name of the instance behind a target that is there. */
const char *smmu_target_name(const struct smmu_inv_target *t);
/** IDR3.BBML of it. */
unsigned smmu_target_bbml(const struct smmu_inv_target *t);

/* ---- config.c: what STEs and CDs say ---- */

/** The STE of a stream that nobody has: it aborts, and what the next one needs of word 1 lies ready. */
void smmu_make_abort(const struct smmu_instance *inst, struct smmu_ste *ste);
void smmu_make_ste(const struct smmu_device *dev, bool ats, uint32_t vmid, struct smmu_ste *ste);
/** @p stalls: of the device. */
void smmu_make_cd(const struct smmu_instance *inst, bool stalls, const struct smmu_domain *domain,
		  uint32_t asid, struct smmu_cd *cd);
/** One that is valid and leads nowhere: accesses are refused without a record, translation requests with no permission. */
void smmu_make_quiet_cd(const struct smmu_instance *inst, const struct smmu_domain *domain,
			uint32_t asid, struct smmu_cd *cd);
/** 0, or -SMMU_EOPNOTSUPP with the reason in the log. */
int smmu_domain_check(const struct smmu_instance *inst, const struct smmu_domain *domain);

static inline bool smmu_domain_has_table(const struct smmu_domain *domain)
{
	return domain && (domain->kind == SMMU_DOMAIN_STAGE1 || domain->kind == SMMU_DOMAIN_STAGE2);
}

/** The table is somebody else's (sva.h). */
static inline bool smmu_domain_is_foreign(const struct smmu_domain *domain)
{
	return domain && smmu_load(&domain->sva.asid);
}

/** A nested domain in which traffic passes. */
static inline bool smmu_domain_nests(const struct smmu_domain *domain)
{
	return domain && domain->kind == SMMU_DOMAIN_NESTED &&
	       domain->guest.kind >= SMMU_GUEST_STE_BYPASS;
}

/** Traffic is translated, under a tag: the attachment stands in an array. */
static inline bool smmu_domain_has_tag(const struct smmu_domain *domain)
{
	return smmu_domain_has_table(domain) || smmu_domain_nests(domain);
}

/** The domain in whose array attachments to @p domain stand: a nested one's parent, or itself. */
static inline struct smmu_domain *smmu_domain_keeper(struct smmu_domain *domain)
{
	return domain->vsmmu ? domain->vsmmu->parent : domain;
}

/* ---- issue.c: commands issued and waited for ---- */

/** Issue CFGI or TLBI commands and wait, twice where the instance needs that. 0, -SMMU_EIO. */
int smmu_instance_issue(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n,
			bool may_sleep);
/** Issue ATC_INV commands and wait. 0; -SMMU_ETIMEDOUT: an ATC did not answer; -SMMU_EIO. May sleep. */
int smmu_instance_issue_atc(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n);

/** Count CFGI, TLBI, ATC_INV and CMD_SYNC by their kind, with SMMU_STATS. Any context. */
static inline void smmu_instance_count(struct smmu_instance *inst, const struct smmu_cmd *cmds,
				       size_t n)
{
	uint64_t tlbi = 0, atc_inv = 0, cfgi = 0;

	for (size_t i = 0; SMMU_STATS && i < n; i++) {
		unsigned op = smmu_cmd_opcode(&cmds[i]);

		atc_inv += op == SMMU_CMD_ATC_INV;
		tlbi += op < SMMU_CMD_ATC_INV;
		cfgi += op < SMMU_CMD_TLBI_NH_ALL;
	}
	tlbi -= cfgi;
	/* One addition for most sweeps: what costs is that processors share the counter. */
	if (tlbi)
		SMMU_COUNT(&inst->counts.tlbi, tlbi);
	if (atc_inv)
		SMMU_COUNT(&inst->counts.atc_inv, atc_inv);
	if (cfgi)
		SMMU_COUNT(&inst->counts.cfgi, cfgi);
}

/* ---- membership.c: a domain's array and ids ---- */

/** @p a joins its domain: find or take the id, merge, publish. -SMMU_ENOSPC, -SMMU_ENOMEM, -SMMU_EIO: nothing changed. */
int smmu_domain_join(struct smmu_streams *s, struct smmu_attachment *a);
/**
 * @p a is a stand-in's, whose streams are about to be led to @p next, which has its id: its domain is swept under that tag as well
 * until @p a leaves. -SMMU_ENOMEM: nothing changed.
 */
int smmu_domain_follow(struct smmu_streams *s, struct smmu_attachment *a,
		       const struct smmu_attachment *next);

/** One of many that join a domain together. */
struct smmu_newcomer {
	struct smmu_streams *streams;
	struct smmu_attachment *attachment;
	bool first;  /**< behind its instance */
	bool shared; /**< its tag is in use there */
};
/** The same for @p n attachments to @p domain, which is not a nested one: all of them or none, with one copy and one wait. */
int smmu_domain_join_many(struct smmu_domain *domain, struct smmu_newcomer *newcomer, uint32_t n);
/**
 * @p a leaves its domain. No STE or CD leads to it, and the SMMU has confirmed that. The last user retires the id: no
 * access can hit what the TLB holds of it, so it is cleaned when it is needed again.
 */
void smmu_domain_leave(struct smmu_streams *s, const struct smmu_attachment *a);
/** A VMID of @p inst, for a guest of @p parent: -SMMU_ENOSPC. Retired when it is given back. May sleep. */
int smmu_instance_take_vmid(struct smmu_instance *inst, const struct smmu_domain *parent);
void smmu_instance_give_vmid(struct smmu_instance *inst, const struct smmu_domain *parent,
			     uint16_t vmid);
/** @p a leaves its domain because the SMMU is off for good: no command, no id. */
void smmu_domain_drop(struct smmu_streams *s, const struct smmu_attachment *a);

/** True if @p domain's array has the ASID @p asid on some instance. The domain's lock is held. */
bool smmu_domain_has_asid(struct smmu_domain *domain, uint32_t asid);

/* ---- pasids.c: the substreams of a device. Callers hold its lock ---- */

struct smmu_attachment *smmu_pasids_find(const struct smmu_device *dev, uint32_t ssid);
/** Put @p a there, in place of what has its number. */
void smmu_pasids_put(struct smmu_device *dev, struct smmu_attachment *a);
/** Take the one with that number out, if there is one. */
void smmu_pasids_remove(struct smmu_device *dev, uint32_t ssid);

/* ---- stream.c: the streams of a device ---- */

/** Bytes of plain memory for @p nr streams. */
size_t smmu_streams_size(uint32_t nr);
/** Streams without their STEs, but with CDs. -SMMU_ENOMEM, and the errors of smmu_cdtab_init; nothing is kept then. */
int smmu_streams_make(const struct smmu_device_config *cfg, unsigned ssid_bits,
		      struct smmu_streams **made);
/** Free the streams; nothing is attached or leaving. */
void smmu_streams_free(struct smmu_streams *s);

static inline bool smmu_streams_cut(const struct smmu_streams *s)
{
	return smmu_load(&s->owner.cut) != SMMU_CUT_NO;
}

/** Nobody asks their ATCs: cut off, and not about to come back. Read once in a read section, for all that is done in it. */
static inline bool smmu_streams_unasked(const struct smmu_streams *s)
{
	uint32_t cut = smmu_load(&s->owner.cut);

	return cut == SMMU_CUT_BEGUN || cut == SMMU_CUT_DONE;
}

/** Bring all STEs to @p ste. 0; -SMMU_EIO: not confirmed, or cut off. The device's lock is held. */
int smmu_streams_write(struct smmu_streams *s, const struct smmu_ste *ste);
/** True if the SMMU would see only the old or the new STE on the way from here to @p ste. */
bool smmu_streams_hitless(const struct smmu_streams *s, const struct smmu_ste *ste);
/** True if CDs can be reached: an STE, in memory or in a cache, leads to them. */
bool smmu_streams_reach_cds(struct smmu_streams *s);
/** Let the STEs abort, in memory, now; the SMMU is not told. */
void smmu_streams_halt(struct smmu_streams *s);
/** Tell the SMMU to forget the STEs of all streams, and the CDs under them (IHI 0070 G.b, 4.3.1), and wait. */
int smmu_streams_forget(struct smmu_streams *s, bool may_sleep);
/**
 * Drop what the ATCs hold of @p ssid (0: of traffic without one), or with @p all of everything. Streams that do not
 * answer are cut off. 0; -SMMU_EIO: not dropped, whether cut off or not.
 */
int smmu_streams_clear_atc(struct smmu_streams *s, uint32_t ssid, bool all);
/**
 * Cut the streams off: their STEs abort, whatever an attach may be doing. Any context; waits for the SMMU, without
 * sleeping. 0: it took effect. -SMMU_EIO: not confirmed.
 */
int smmu_streams_cut_off(struct smmu_streams *s);
/** The same for a device that is reset or gone, which is nobody's fault. */
int smmu_streams_rest(struct smmu_streams *s, bool may_sleep);
/**
 * Let the streams back, which are cut off (confirmed): sweeps ask their ATCs again, and nothing is left in the TLB that one was not
 * told to drop. Their STEs abort as before. The device's lock is held; waits for readers: may sleep.
 */
void smmu_streams_let_back(struct smmu_streams *s);
/** The SMMU is disabled: who was leaving has left. */
void smmu_streams_drop(struct smmu_streams *s);
/**
 * The SMMU has confirmed all that was stored, or the streams are off: who was leaving has left. Else they stay.
 * The device's lock is held.
 */
void smmu_streams_settle(struct smmu_streams *s);

/* ---- takeover.c ---- */

/**
 * smmu_streams_write where the STEs are those of somebody else (smmu_streams.mixed): each by itself, and without a moment at which
 * its traffic faults where there is a way.
 */
int smmu_streams_take_over(struct smmu_streams *s, const struct smmu_ste *ste);

/* ---- reserved.c ---- */

/** A device of the library's own for a reserved stream, until the embedder adds one that has the stream. */
struct smmu_stand_in {
	struct smmu_device dev; /**< first, and with stands_in set */
	struct smmu_stand_in *next;
	const struct smmu_streams
		*taker; /**< whose stream it is now; its domain is in use until that is attached */
};

/** Add and attach stand-ins: SMMUEN is off. The errors of smmu_device_init and smmu_attach; what was added stays. */
int smmu_reserved_install(struct smmu_instance *inst, const struct smmu_reserved *list, uint32_t n);
/** The SMMU is off and no device is on the instance. */
void smmu_reserved_free(struct smmu_instance *inst);

/* ---- standin.c ---- */

/** With other devices' locks held: a stand-in's comes last. Those of smmu_attach_many have greater ones. */
#define SMMU_DEPTH_STAND_IN 1u

/** Take the device off its instance's list, if no more than @p pins walks stand on it. Its lock is held. */
bool smmu_device_unhook(struct smmu_device *dev, uint32_t pins);
/** The streams @p s have the streams of stand-ins from now on; or (@p back) those have them again. The instance's lock is held. */
void smmu_stand_ins_displace(struct smmu_instance *inst, struct smmu_streams *s, bool back);
/**
 * The streams @p s are about to be led to @p next: let the domains of the stand-ins that had them follow (smmu_domain_follow).
 * -SMMU_ENOMEM: no STE may change; who follows already is swept for more than it needs, until a later attach. The lock of the
 * device is held.
 */
int smmu_stand_ins_follow(struct smmu_streams *s, const struct smmu_attachment *next);
/**
 * Once the SMMU has confirmed that the streams @p s go where their device wants, drop the stand-ins that had them. The lock of
 * the device is held, if it is there.
 */
void smmu_stand_ins_release(struct smmu_streams *s);

/* ---- shares.c: the places that streams have among the faults that wait. Callers hold the lock of those ---- */

struct smmu_fault_share;
struct smmu_fault_shares;

/** @p n nodes at @p node, which are enough for @p n places. */
void smmu_shares_init(struct smmu_fault_shares *s, struct smmu_fault_share *node, uint32_t n);
/** So many places stream @p sid has. */
uint32_t smmu_shares_of(struct smmu_fault_shares *s, uint32_t sid);
/** It takes one; gives one back. */
void smmu_shares_take(struct smmu_fault_shares *s, uint32_t sid);
void smmu_shares_give(struct smmu_fault_shares *s, uint32_t sid);

/* ---- fault.c ---- */

/** It is being suspended, and no handler runs: what waits has ended with SMMUEN, and nobody may answer it. */
void smmu_faults_forget(struct smmu_instance *inst);
/** End the faults of @p s that wait: of substream @p ssid (0: of traffic without one), or all. Waits, without sleeping. */
void smmu_streams_end_faults(const struct smmu_streams *s, uint32_t ssid, bool all);
/**
 * Their STEs abort, and the SMMU has confirmed that: end what has stalled and nobody can name, as its record was lost (IHI
 * 0070 G.b, 4.7.2). Without such a loss nothing is sent: it would give tags back whose events are still to be read.
 */
void smmu_streams_end_lost(struct smmu_streams *s);

/* ---- attach.c, attach_steps.c, attach_pasid.c; the device's lock is held, and it has an instance ---- */

/** What an attach to @p domain asks first, and its errors. */
int smmu_device_may_attach(struct smmu_device *dev, const struct smmu_domain *domain);
/** The record of an attachment, and room for its CD. -SMMU_ENOMEM: nothing changed. */
int smmu_attachment_make(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
			 struct smmu_attachment **made);
/** From what the device is attached to, to @p a (NULL: blocked), which has joined its domain: the errors of smmu_attach from there on. */
int smmu_device_switch(struct smmu_device *dev, struct smmu_attachment *a);
/** smmu_device_confirm. */
int smmu_device_ask_again(struct smmu_device *dev);
/** The SMMU did not confirm a change, as its caller knows: the device's STEs abort, in memory. */
void smmu_device_not_confirmed(struct smmu_device *dev);
/** Turn ATS off in the device, if it is on, without a word to its ATC. */
void smmu_device_silence(struct smmu_device *dev);
/** Write the STEs that the device's attachments want, and turn ATS on if it is wanted; its ATC answers. 0, -SMMU_EIO. */
int smmu_device_write(struct smmu_device *dev);

/** A device whose streams go on by STEs that are not ours: they abort from here on. Takes its lock: may sleep. */
void smmu_device_end_kept(struct smmu_device *dev);
/** Detach everything; the device's lock is held. */
void smmu_device_detach_all(struct smmu_device *dev);
/** The same where the SMMU is disabled: without a command. */
void smmu_device_drop_all(struct smmu_device *dev);
/** ATS is off, and stays off. Takes the device's lock: may sleep. */
void smmu_device_end_ats(struct smmu_device *dev);

/** For smmu_instance_suspend and revive: off, whatever it was; or on again where it is wanted. Takes its lock: may sleep. */
void smmu_device_ats(struct smmu_device *dev, bool on);

/* ---- vsmmu.c ---- */

/** The instance is being removed, and no device is on it any more: its virtual SMMUs are dead from here on. May sleep. */
void smmu_instance_drop_vsmmus(struct smmu_instance *inst);
/** smmu_vsmmu_unplug; the device's lock is held. */
void smmu_device_unplug(struct smmu_device *dev);

/* ---- device.c ---- */

/** smmu_device_ats of every device of @p inst. */
void smmu_instance_ats(struct smmu_instance *inst, bool on);

/** smmu_device_end_kept of every device of @p inst. */
void smmu_instance_end_kept(struct smmu_instance *inst);

/** For smmu_instance_remove: ATS goes off in every device of @p inst, for good. May sleep. */
void smmu_instance_end_ats(struct smmu_instance *inst);
/** And drop every device; with @p disabled the SMMU is, so that no command is needed. May sleep. */
void smmu_instance_drop_devices(struct smmu_instance *inst, bool disabled);
/**
 * The SMMU works again: settle what it had not confirmed of devices, of those that are gone, and of ids. 0; -SMMU_EIO: not
 * all. Takes locks: may sleep.
 */
int smmu_instance_confirm_all(struct smmu_instance *inst);
/** The SMMU is known to be off, and reaches nothing any more: free what is kept of devices that are gone. May sleep. */
void smmu_instance_drop_leftovers(struct smmu_instance *inst);

#endif
