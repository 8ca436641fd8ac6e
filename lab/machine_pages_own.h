/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine_pages_own.h
 * What the files of machine_pages.h share.
 */
#ifndef SMMU_LAB_MACHINE_PAGES_OWN_H
#define SMMU_LAB_MACHINE_PAGES_OWN_H

#include "machine_build.h"
#include "machine_pages.h"

#define INBOX 192u
/* Few enough for the driver to find no room now and then. */
#define ROOM 24u
#define PER_STREAM 12u
#define GROUPS 6u
#define GROUP_PAGES 4u
#define PRI_OFF 8u
/* So many accesses may wait in one SMMU. */
#define IN_FLIGHT 40u

struct letter {
	bool full;
	unsigned smmu;
	struct smmu_fault fault;
	/** Of whom, NULL: nobody that the run knows; and how often that had moved when it was handed out. */
	const struct machine_device *d;
	unsigned slot;
	uint32_t moves;
	/** How often its SMMU had been suspended before it was handed out. */
	uint32_t outages;
};

/** A group of requests of a stream: the last at iova. */
struct group {
	bool open;
	unsigned slot;
	uint64_t iova;
};

struct asker {
	uint32_t busy; /* taken by whoever looks at it */
	bool shut;     /* it is being reset, or is not there */
	bool off_duty; /* its SMMU is suspended */
	/* It was told "response failure": so many times it does not ask, then its PRI is reset. */
	unsigned off;
	struct group group[MACHINE_STREAMS][GROUPS];
};

struct machine_pages {
	struct smmu_spinlock lock; /* protects the letters; any context */
	struct letter letter[INBOX];
	unsigned letters;
	struct asker *asker; /* of each device */
	uint64_t handed, answered, ended, asked, retried, landed, turned_away, overflows;
	/* The first access that was tried again and should not have been what it was. */
	uint32_t broken;
	struct smmu_dma_result what;
	char why[160];
};

/** Letters of SMMU number @p smmu, and of device @p d (NULL: any), out of the inbox: the next into *@p out. */
bool machine_pages_pick(struct machine *m, unsigned smmu, const struct machine_device *d,
			struct letter *out);
/** Only in a read section, or while nobody takes the SMMU away; @p twice: and again, which must not count. */
void machine_pages_reply(struct machine *m, const struct letter *l, enum smmu_fault_answer how,
			 bool twice);
/** Read all that its queues hold; nobody else is at it. */
void machine_pages_drain(struct machine *m, unsigned smmu);

#endif
