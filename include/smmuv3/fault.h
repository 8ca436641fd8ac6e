/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file fault.h
 * Accesses that wait for a page: transactions that the SMMU has stalled, and page requests of PCIe
 * devices (PRI). Each is handed to the embedder with all that is known about it, and waits until
 * the embedder has answered it, once.
 *
 *     on the interrupt of the event queue:
 *         while (smmu_instance_event(inst, &event) == 1)
 *             if (smmu_fault_stalled(&faults, &event, &fault) == 1)
 *                 map the page, or not; smmu_fault_answer(&faults, &fault, …), now or later
 *     on that of the PRI queue:
 *         while (smmu_fault_request(&faults, &fault) == 1)
 *             map the page; if (fault.answer) smmu_fault_answer(&faults, &fault, …)
 *
 * What devices have asked for when their SMMU is removed, suspended or revived is forgotten, as
 * CMD_PRI_RESP does nothing while SMMUEN is 0: PRI goes off in them before, and is initialised
 * again afterwards (IHI 0070 G.b, 4.5.2, 6.3.9.6); likewise before a device is reset, and what the
 * PRI queue still holds of it is taken (after smmu_device_reset_prepare). What has stalled then
 * aborts, read or not, as SMMUEN goes; tags and groups of before are free, so no answer to one is
 * sent any more: what waits counts as ended. What has stalled, and its record was lost
 * (GERROR.EVENTQ_ABT_ERR), is ended when its device is attached to nothing or reset (4.7.2).
 *
 * Of what waits there is at most a number that the embedder chooses; what is beyond it is answered
 * at once. What is not answered when its device is detached, reset or gone is ended by the library.
 * IHI 0070 G.b, 3.12.2, 4.7.1, 8.1, 4.5.2.
 */
#ifndef SMMUV3_FAULT_H
#define SMMUV3_FAULT_H

#include <smmuv3/instance.h>

SMMU_BEGIN_DECLS

enum smmu_fault_kind {
	SMMU_FAULT_STALL, /**< a transaction that the SMMU holds */
	SMMU_FAULT_PAGE,  /**< a page request */
};

enum smmu_fault_answer {
	/** The page is there: the transaction is tried again, or the device asks again. */
	SMMU_FAULT_RETRY,
	/** There is no such page: the transaction aborts; the device is told "invalid request". */
	SMMU_FAULT_INVALID,
	/**
	 * As INVALID, and the device is told "response failure": it makes no request until its PRI
	 * was reset.
	 */
	SMMU_FAULT_FAILURE,
};

struct smmu_fault {
	uint8_t kind; /**< enum smmu_fault_kind */
	uint8_t type; /**< stall: SMMU_F_TRANSLATION …; page request: 0 */
	bool read, write, exec, priv;
	bool s2;  /**< stall: stage 2 failed, at ipa */
	bool ssv; /**< ssid is valid */
	/** It waits for an answer. False: a page request that is not the last of its group. */
	bool answer;
	uint16_t tag;    /**< STAG, or page request group */
	uint32_t sid;    /**< stream */
	uint32_t ssid;   /**< substream */
	uint64_t addr;   /**< input address; of a page request: of its page */
	uint64_t ipa;    /**< page of the intermediate address, if s2 */
	uint32_t place;  /**< private */
	uint64_t serial; /**< private */
};

/** How many places a stream has; private. */
struct smmu_fault_share {
	uint32_t sid, places, child[2];
};

struct smmu_fault_shares {
	struct smmu_fault_share *node;
	uint32_t root, free;
};

/** The faults of one instance that wait for an answer. Fields are private. */
struct smmu_faults {
	struct smmu_instance *inst;
	const struct smmu_port *port;
	struct smmu_spinlock lock; /**< protects what follows; any context; short */
	/** serial 0: a free place, and `place` is one more than the next that is free; 0: none. */
	struct smmu_fault *waiting;
	struct smmu_fault_shares shares;
	uint32_t room, used, per_stream, free;
	uint64_t serial;
	uint64_t turned_away; /**< answered at once, as there was no room; public */
	uint64_t refused;     /**< … as its stream had its share; public */
	uint64_t ended;       /**< ended by the library; public */
};

/**
 * Have faults of @p inst answered by the embedder: up to @p room wait at a time. Without this,
 * stalled transactions are ended when smmu_instance_event takes their event.
 *
 * @return
 *   0
 *   -SMMU_EINVAL  @p room is 0, or the instance is not enabled
 *   -SMMU_EBUSY   the instance has some already
 *   -SMMU_ENOMEM
 *
 * Not while devices of the instance are attached or detached. May sleep.
 */
int smmu_faults_init(struct smmu_faults *f, struct smmu_instance *inst, uint32_t room);

/**
 * Let no stream have more than @p most places (room at first; 0: room), so that one that asks
 * without end leaves some to others. What is beyond them is refused at once: a stalled transaction
 * is aborted, and a page request group is answered with "invalid request", for which no device asks
 * again. What waits already goes on waiting. Any context; does not sleep.
 */
void smmu_faults_limit(struct smmu_faults *f, uint32_t most);

/**
 * End all that wait (SMMU_FAULT_FAILURE) and free the places. Before smmu_instance_remove; nobody
 * takes or answers faults any more, or attaches or detaches devices of the instance. May sleep.
 */
void smmu_faults_fini(struct smmu_faults *f);

/**
 * The fault behind an event that smmu_instance_event has just given.
 *
 * @return 1: *@p fault waits for an answer. 0: the event says nothing of a stall, or there was no
 * room and the transaction was aborted, or the SMMU was suspended since.
 *
 * Where smmu_instance_event may be called; waits for the SMMU if there is no room, without
 * sleeping.
 */
int smmu_fault_stalled(struct smmu_faults *f, const struct smmu_event *event,
		       struct smmu_fault *fault);

/**
 * Take the next page request (smmu_instance_page_request, whose rules hold). Requests of a group
 * come in order, and an answer to the last of them (fault->answer) is one to all. Markers of the
 * end of a PASID are left out. Where there is no room the group is answered with success, so that
 * the device asks again; where its stream has its share (smmu_faults_limit), with "invalid
 * request".
 *
 * @return 1: *@p fault. 0: there is none. -SMMU_EAGAIN: as many requests as the queue holds were
 *   left out or answered like that, and there may be more: call again, now or later; no interrupt
 *   will say so. A device that asks as fast as it is answered does not hold its caller up.
 *
 * Any context that is not itself interrupted by another caller.
 */
int smmu_fault_request(struct smmu_faults *f, struct smmu_fault *fault);

/**
 * Answer @p fault, by a copy of what smmu_fault_stalled or smmu_fault_request gave; only the first
 * answer counts, whoever gives it.
 *
 * @return
 *   0             the SMMU has taken the answer
 *   -SMMU_EINVAL  it is not one that waits for an answer, or @p answer is none: it goes on waiting
 *   -SMMU_ENOENT  it was answered, or ended by the library or with a suspend, before
 *   -SMMU_ENODEV  the SMMU is not up, or is being suspended; it has ended, or does so presently
 *   -SMMU_EIO     the SMMU does not confirm; it counts as answered
 *
 * Any context; waits for the SMMU, without sleeping.
 */
int smmu_fault_answer(struct smmu_faults *f, const struct smmu_fault *fault,
		      enum smmu_fault_answer answer);

SMMU_END_DECLS

#endif
