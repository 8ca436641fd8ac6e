/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the driver share. */
#ifndef SMMU_SRC_DRIVER_DRIVER_H
#define SMMU_SRC_DRIVER_DRIVER_H

#include <smmuv3/device.h>
#include <smmuv3/domain.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/instance.h>

#include "../util/message.h"

/** Of steps that all have to be done, whatever becomes of each: the first error. */
static inline int smmu_first_error(int so_far, int now)
{
	return so_far ? so_far : now;
}

/* ---- instance.c, registers.c, handlers.c ---- */

/** 0 if the SMMU can put out the @p size bytes at @p bus; else -SMMU_ERANGE, and the log names @p what, both numbers. */
int smmu_instance_reaches(const struct smmu_instance *inst, const char *what, uint64_t bus,
			  uint64_t size);
/**
 * Let the SMMU abort all traffic and make no access of its own. -SMMU_ETIMEDOUT: a register does not acknowledge, and what
 * the SMMU was told of may still be in use; -SMMU_EBUSY: a former owner's command queues are on, out of reach.
 */
int smmu_registers_stop(struct smmu_instance *inst);
/** After smmu_registers_stop: take every register over and enable. -SMMU_ETIMEDOUT, -SMMU_EIO (service failure mode). */
int smmu_registers_start(struct smmu_instance *inst);
/** No handler touches a register or a queue after this. Waits for readers: may sleep. */
void smmu_handlers_stop(struct smmu_instance *inst);

/* ---- ids.c: ASIDs and VMIDs of one instance. Callers hold the instance's lock, except for init and fini ---- */

/** Ids 1 … 2^bits-1; 0 is never handed out. -SMMU_ENOMEM. */
int smmu_ids_init(struct smmu_ids *ids, const struct smmu_port *port, unsigned bits);
void smmu_ids_fini(struct smmu_ids *ids, const struct smmu_port *port);
/** An id that is free, or -SMMU_ENOSPC. The search goes on from the last one, so that ids are reused late. */
int smmu_ids_take(struct smmu_ids *ids);
void smmu_ids_give(struct smmu_ids *ids, uint32_t id);
size_t smmu_ids_size(unsigned bits);

/* ---- entry.c: changing an STE or a CD that the SMMU may be reading ---- */

struct smmu_entry_kind {
	void (*used)(const uint64_t *entry, uint64_t *mask);
	/** Word 0 that makes the entry refuse all traffic in a defined way. */
	uint64_t (*halt)(const uint64_t *entry);
};
extern const struct smmu_entry_kind smmu_ste_kind, smmu_cd_kind;

/** Entries with the same contents that change together, and how caches are told. */
struct smmu_entry_change {
	const struct smmu_port *port;
	const struct smmu_entry_kind *kind;
	uint64_t *live[SMMU_DEVICE_STREAMS];
	unsigned n;
	/** Invalidate the entries in the configuration caches and wait. 0 or a negative error. */
	int (*sync)(void *ctx);
	void *ctx;
	struct smmu_spinlock *lock; /**< held while storing; may be NULL */
	const uint32_t
		*frozen; /**< under lock: when not 0 nothing is stored any more; may be NULL */
};

/**
 * Bring the entries from what they are to @p target, so that the SMMU at each moment sees the old, the new, or (if they differ
 * in more than one word that both use) a refusing entry. 0; -SMMU_EIO: frozen, or a sync failed (all stores were done).
 */
int smmu_entry_change(const struct smmu_entry_change *c, const uint64_t target[8]);

/* ---- strtab.c: the stream table. Callers hold the instance's lock ---- */

int smmu_strtab_init(struct smmu_instance *inst);
void smmu_strtab_fini(struct smmu_instance *inst);
void smmu_strtab_memory(const struct smmu_instance *inst, size_t *dma, size_t *plain);
/** Bytes of the second-level tables that @p n streams would add. */
size_t smmu_strtab_missing(const struct smmu_instance *inst, const uint32_t *sids, uint32_t n);
/** Write STRTAB_BASE and STRTAB_BASE_CFG. */
void smmu_strtab_program(struct smmu_instance *inst);
/** The STE of @p sid, with its table made if it was missing. -SMMU_ERANGE, -SMMU_ENOMEM, -SMMU_EIO. */
int smmu_strtab_ste(struct smmu_instance *inst, uint32_t sid, struct smmu_ste **ste);

/* ---- cdtab.c: context descriptors of a device. Callers hold the device's lock ---- */

void smmu_cdtab_memory(const struct smmu_instance *inst, unsigned ssid_bits, size_t *dma,
		       size_t *plain);
int smmu_cdtab_init(struct smmu_device *dev);
void smmu_cdtab_fini(struct smmu_device *dev);
/** The CD of @p ssid, with its table made if it was missing: -SMMU_ENOMEM. */
int smmu_cdtab_cd(struct smmu_device *dev, uint32_t ssid, struct smmu_cd **cd);
/** S1FMT, S1CONTEXTPTR and S1CDMAX of the STE. */
uint64_t smmu_cdtab_ste_bits(const struct smmu_device *dev);

/* ---- target.c: an instance as the sweep sees it ---- */

void smmu_target_init(struct smmu_instance *inst);
/** Cut a device off: its STEs abort, whatever an attach may be doing. Any context. */
void smmu_device_quarantine(struct smmu_device *dev);

/* ---- config.c: what STEs and CDs say ---- */

void smmu_make_ste(const struct smmu_device *dev, bool ats, uint32_t vmid, struct smmu_ste *ste);
void smmu_make_cd(const struct smmu_device *dev, const struct smmu_domain *domain, uint32_t asid,
		  struct smmu_cd *cd);
/** 0, or -SMMU_EOPNOTSUPP with the reason in the log. */
int smmu_domain_check(const struct smmu_instance *inst, const struct smmu_domain *domain);

static inline bool smmu_domain_has_table(const struct smmu_domain *domain)
{
	return domain && (domain->kind == SMMU_DOMAIN_STAGE1 || domain->kind == SMMU_DOMAIN_STAGE2);
}

/* ---- membership.c, device.c, attach.c ---- */

/** One attachment's place in a domain's array: its tag on the instance, and the device's ATS operations. */
struct smmu_membership {
	struct smmu_domain *domain;
	uint32_t id; /**< ASID or VMID on the device's instance */
	uint32_t n;
	struct smmu_inv set[1 + SMMU_DEVICE_STREAMS];
};

/** Join @p domain: find or take the id, merge, publish. -SMMU_ENOSPC, -SMMU_ENOMEM: nothing changed. */
int smmu_domain_join(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
		     struct smmu_membership *m);
/** Leave @p domain. The STE or CD no longer leads to it. Cleans and gives back the id after its last user. */
void smmu_domain_leave(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain);
/**
 * Write the STEs as the device's state wants them; @p new_cds: the CDs behind them are others than before.
 * -SMMU_EIO: the SMMU is dead or the device cut off. The device's lock is held.
 */
int smmu_device_write_ste(struct smmu_device *dev, bool ats, uint32_t vmid, bool new_cds);
/** Drop what the ATC holds of one substream (0: of untagged traffic); a device that does not answer is cut off. */
int smmu_device_clear_atc(struct smmu_device *dev, uint32_t ssid);
/** Detach everything; the device's lock is held. */
void smmu_device_detach_all(struct smmu_device *dev);

/** Issue CFGI or TLBI commands and wait, twice where the instance needs that. May sleep. */
int smmu_instance_issue(struct smmu_instance *inst, const struct smmu_cmd *cmds, uint32_t n);

#endif
