/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of sweeps share: targets that are queues made of an array, one array of operations on them, and how they
 * answer.
 */
#ifndef INV_QUEUES_H
#define INV_QUEUES_H

#include "inv_test.h"

#define LOG 4096
#define SMMUS (2 * SMMU_FENCE_FLIGHTS + 20)
#define STREAMS 64

/** A target that notes what it gets. */
struct queue {
	struct smmu_inv_target target;
	struct smmu_cmd log[LOG];
	unsigned n, submits, waits;
	enum smmu_cmdq_status answer[16]; /**< for each submit in turn */
	unsigned answers;
	bool dead[STREAMS];      /**< programs that ask this stream time out */
	unsigned timeouts;       /**< how often that was so */
	unsigned asked[STREAMS]; /**< ATC_INV for this stream in programs that ended well */
	unsigned quarantines;
	int quarantine_error;
	uint32_t others; /**< at a time-out, another sweep finds this device out first; 0: none */
	unsigned pending_polls; /**< so many polls of each program say pending */
	unsigned polls;
	bool refuse;
	size_t chunk; /**< commands taken from the program at a time */
};

extern struct queue q[SMMUS];
/** The device that has a stream: streams_each neighbours have one. */
extern struct smmu_inv_owner owner[STREAMS];
extern unsigned streams_each;
extern struct smmu_inv_debt debt;
extern struct test_port tp;
extern unsigned in_flight, most_in_flight;
extern char order[256]; /**< s: submit, w: wait */
/** The published array. */
extern struct smmu_inv_array *live;

/** What a target does, for one that does something besides. */
int q_submit(struct smmu_inv_target *t, struct smmu_inv_program *p, struct smmu_cmdq_token *token);
enum smmu_cmdq_status q_poll(struct smmu_inv_target *t, const struct smmu_cmdq_token *token);
enum smmu_cmdq_status q_wait(struct smmu_inv_target *t, const struct smmu_cmdq_token *token);
int q_quarantine(struct smmu_inv_target *t, struct smmu_inv_owner *who);

/** Before and after each test. */
int setup(void **state);
int teardown(void **state);
/** What another sweep found out about a device. */
void cut(unsigned device, uint32_t how);
/** Add an operation of instance @p s to the array. */
void add(unsigned s, enum smmu_inv_kind kind, uint32_t id);
/** @p n pages of 4K from @p start on were unmapped. */
struct smmu_gather pages(uint64_t start, unsigned n);
/** The opcodes that instance @p s got: "12 46 40 46s"; the queue's own SYNC is marked with an s. */
const char *opcodes(unsigned s);
/** A sweep that ends well. */
void sweep_ok(const struct smmu_gather *g);

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

#endif
