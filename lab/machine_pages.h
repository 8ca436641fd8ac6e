/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine_pages.h
 * Accesses that wait for a page (--page-faults): devices without ATS stall where the SMMU can choose, those with ATS send page
 * requests in groups of up to four. What the driver hands out waits in one inbox, and is answered late, in any order, by any
 * thread; some never, but by the driver. The judge looks at each access that is tried again, and at the end nothing waits.
 */
#ifndef SMMU_LAB_MACHINE_PAGES_H
#define SMMU_LAB_MACHINE_PAGES_H

#include "machine.h"

struct machine_pages;

/** Make the inbox, if the run has page faults. 0 or -1: no memory. */
int machine_pages_init(struct machine *m);

/** @name An SMMU @{ */
/** It is enabled: have its faults handed out. Without memory for that the driver ends what stalls. */
void machine_pages_up(struct machine *m, unsigned smmu);
/** It is going to be removed; all its devices are taken. All that waits ends. */
void machine_pages_down(struct machine *m, unsigned smmu);
/** It was removed: devices that have asked are initialised again. */
void machine_pages_gone(struct machine *m, unsigned smmu);
/** It is going to be suspended, all its devices are taken: they ask for nothing more. What waits is left to the driver. */
void machine_pages_suspend(struct machine *m, unsigned smmu);
/** It is suspended, or back: nothing that waited may be answered any more, and devices begin anew. */
void machine_pages_suspended(struct machine *m, unsigned smmu);
/** The driver has given an event. Any context. */
void machine_pages_event(struct machine_smmu *s, const struct smmu_event *event);
/** Take page requests. Any context, one caller at a time. */
void machine_pages_requests(struct machine_smmu *s);
/** @} */

/** Answer something that waits. False: nothing does. Any context. */
bool machine_pages_answer(struct machine *m, struct smmu_random *random);

/** @name A device @{ */
/** It is going to be reset or has been pulled out: all that it has asked for ends, and it asks for nothing. It is taken. */
void machine_pages_forget(struct machine_device *d);
/** It was reset. */
void machine_pages_back(struct machine_device *d);
/** An access was refused: it asks for the page, with up to three before it. */
void machine_pages_ask(struct machine_device *d, unsigned stream, unsigned slot, uint64_t iova,
		       bool write, struct smmu_random *random);
/** A page of which it was told that it is there. False: none. */
bool machine_pages_told(struct machine_device *d, unsigned *stream, unsigned *slot, uint64_t *iova);
/** It has as many accesses in flight as it can have: it sends no other. */
bool machine_pages_busy(const struct machine_device *d);
/** @} */

/** From the model, with its lock: an access that had stalled was tried again. */
void machine_pages_retried(void *ctx, const struct smmu_dma_result *r);
/** What that broke, into the violations. */
void machine_pages_report(struct machine *m);
/** Nothing happens any more: answer all, and complain if something waits or was answered twice. */
void machine_pages_check(struct machine *m);
void machine_pages_free(struct machine *m, struct report *r);

#endif
