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
 *
 * A share of the devices with substreams has a table of CDs in its guest (guest_cds.c), one for each substream that the load uses,
 * and each leads to one of the guest's address spaces, or to none. To the judge the spaces beside the first are views of the
 * domain: the guest maps the same addresses there, or leaves them out. So is what traffic reaches that passes stage 1, at the
 * addresses of stage 2.
 */
#ifndef SMMU_LAB_GUEST_H
#define SMMU_LAB_GUEST_H

#include "machine.h"

struct guest;

/** Address spaces, each with a table and an ASID. */
#define GUEST_SPACES 3u
/** What the judge has of a guest besides its domain: spaces 1 and up, and stage 2 alone. */
#define GUEST_VIEWS GUEST_SPACES
#define GUEST_PASSES (GUEST_SPACES - 1)

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

/** @name What the judge has of guests (guest_views.c) @{ */
/** How many views all of them have. */
unsigned guest_views(const struct machine *m);
/** Tell the judge of them. 0, or -1: no memory. */
int guest_watch(struct machine *m);
/** Space @p space of the guest of @p d, as a domain; GUEST_SPACES: stage 2 alone. */
unsigned guest_view(const struct machine *m, const struct machine_domain *d, unsigned space);
/** The domain of which @p to is a view, or @p to; *@p shift (may be NULL): how much higher its addresses are. */
unsigned guest_home(const struct machine *m, unsigned to, uint64_t *shift);
/** Is it a guest's domain, or a view of it? */
bool guest_has(const struct machine *m, unsigned to);
/** Another window of the load, of @p size bytes from @p iova on in domain @p domain: its views show it. 0, or -1: no memory. */
int guest_window(struct machine *m, unsigned domain, uint64_t iova, uint64_t size);
/** @} */

/**
 * What @p dev is attached to for @p d: the parent, or what an STE of the guest has made of it;
 * another one each time.
 */
struct smmu_domain *guest_target(struct machine_domain *d, const struct machine_device *dev);
/** What slot @p slot of @p dev leads to, as the judge sees it, while it is attached to @p nested, a guest's. */
unsigned guest_leads(const struct machine_device *dev, const struct smmu_domain *nested,
		     unsigned slot);
/** Has the guest that @p dev is attached to a table of CDs for it? @p dev is taken. */
bool guest_has_substreams(const struct machine_device *dev);
/**
 * The guest that has @p dev, which is taken, gives substream slot @p slot another address space, or none, and says so; the judge is
 * told. 0; -SMMU_EIO: an SMMU did not confirm, and the slot is in doubt until the device is detached.
 */
int guest_change_cd(struct machine_device *dev, unsigned slot, struct smmu_random *random);
/**
 * What a guest that has @p dev attaches it to so that nothing is let through: an STE of abort, every second time. NULL: the
 * host detaches it.
 */
struct smmu_domain *guest_blocks(const struct machine_device *dev);
/**
 * Before @p dev is attached to @p to (NULL: to no guest): it leaves the guest that knows it, for
 * which it is detached first, and gets names in the other. 0 or the driver's error, after which it
 * may be detached.
 */
int guest_enter(struct machine_device *dev, struct machine_domain *to);

/** Is there a space @p space, with room for more in it? */
bool guest_has_space(const struct machine_domain *d, unsigned space);
/**
 * The guest maps a range to @p ipa in its space @p space; @p atomic: it must not sleep. 0 or an error; no guest: 0.
 */
int guest_map(struct machine_domain *d, unsigned space, uint64_t iova, uint64_t ipa, uint64_t size,
	      bool atomic);
/**
 * The guest unmaps a range of its space @p space, and invalidates it as guests do, chosen by @p
 * random. 0: no device of it reaches the range; -SMMU_ENOENT: it had not mapped it; -SMMU_EIO: an
 * SMMU did not confirm. No guest: 0.
 */
int guest_unmap(struct machine *m, struct machine_domain *d, unsigned space, uint64_t iova,
		uint64_t size, struct smmu_random *random);

/**
 * The guest gives its first address space another ASID, while its devices go on: CD, CFGI_CD, and what is
 * left under the old one. What is promised stays. 0; -SMMU_EIO: an SMMU did not confirm; until the
 * next time the guest invalidates everything. Waits for readers: no fence of the caller's is open.
 */
int guest_renumber(struct machine *m, struct machine_domain *d);

#endif
