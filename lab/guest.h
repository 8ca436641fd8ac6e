/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file guest.h Domains of stage "nested": guests with a virtual SMMU on each SMMU, a table and a
 * CD in their own memory.
 *
 * To the judge such a domain is one of stage 2. What the load maps there is mapped by the host, in
 * the parent, at another address, and by the guest, to that one, in its stage 1; a device reaches a
 * page if both say so.
 * What the host takes away the driver has to clear, what the guest takes away the guest clears by
 * commands of its own.
 */
#ifndef SMMU_LAB_GUEST_H
#define SMMU_LAB_GUEST_H

#include "machine.h"

struct guest;

/**
 * Make the guest of @p d, whose parent domain is there, without virtual SMMUs. 0, or -1: memory is
 * short.
 */
int guest_open(struct machine *m, struct machine_domain *d);
/**
 * Nothing is attached any more: end its virtual SMMUs, so that the parent can be finished. No
 * guest: nothing.
 */
void guest_close(struct machine *m, struct machine_domain *d);
/** The parent is finished: give its memory back. */
void guest_free(struct machine *m, struct machine_domain *d);

/** Give every guest a virtual SMMU on SMMU number @p smmu, which is up. 0 or the driver's error. */
int guest_smmu_up(struct machine *m, unsigned smmu);
/** SMMU number @p smmu was removed: its virtual SMMUs end. Waits for guests that are using them. */
void guest_smmu_down(struct machine *m, unsigned smmu);

/**
 * What devices of SMMU number @p smmu are attached to for @p d: the parent, or what an STE of the
 * guest has made of it; another one each time.
 */
struct smmu_domain *guest_target(struct machine_domain *d, unsigned smmu);
/**
 * What a guest that has @p dev attaches it to so that nothing is let through: an STE of abort, every second time. NULL: the
 * host detaches it.
 */
struct smmu_domain *guest_blocks(const struct machine_device *dev);
/** Whether it is attached to that. */
bool guest_is_blocked(const struct machine_device *dev);
/**
 * Before @p dev is attached to @p to (NULL: to no guest): it leaves the guest that knows it, for
 * which it is detached first, and gets names in the other. 0 or the driver's error, after which it
 * may be detached.
 */
int guest_enter(struct machine_device *dev, struct machine_domain *to);

/** The guest maps a range to @p ipa; @p atomic: it must not sleep. 0 or an error; no guest: 0. */
int guest_map(struct machine_domain *d, uint64_t iova, uint64_t ipa, uint64_t size, bool atomic);
/**
 * The guest unmaps a range, and invalidates it as guests do, chosen by @p random. 0: no device of
 * it reaches the range; -SMMU_ENOENT: it had not mapped it; -SMMU_EIO: an SMMU did not confirm. No
 * guest: 0.
 */
int guest_unmap(struct machine *m, struct machine_domain *d, uint64_t iova, uint64_t size,
		struct smmu_random *random);

/**
 * The guest gives its address space another ASID, while its devices go on: CD, CFGI_CD, and what is
 * left under the old one. What is promised stays. 0; -SMMU_EIO: an SMMU did not confirm; until the
 * next time the guest invalidates everything. Waits for readers: no fence of the caller's is open.
 */
int guest_renumber(struct machine *m, struct machine_domain *d);

#endif
