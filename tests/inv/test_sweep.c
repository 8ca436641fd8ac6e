/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sweep: which commands each instance gets, in which order, and what happens when something goes wrong. The targets
 * here are queues made of an array; each test decides how they answer.
 */
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

static struct queue q[SMMUS];
/** The device that has a stream: streams_each neighbours have one. */
static struct smmu_inv_owner owner[STREAMS];
static unsigned streams_each;
static struct smmu_inv_debt debt;
static struct test_port tp;
static unsigned in_flight, most_in_flight;
static char order[256]; /**< s: submit, w: wait */

/** What another sweep found out about a device. */
static void cut(unsigned device, uint32_t how)
{
	smmu_inv_cut_begin(&q[0].target, &owner[device]);
	owner[device].cut = how;
}

static int q_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
		    struct smmu_cmdq_token *token)
{
	struct queue *me = smmu_container_of(t, struct queue, target);
	unsigned count = smmu_inv_program_count(p), got = 0, first;

	if (me->refuse)
		return -SMMU_EIO;
	first = me->n;
	while (got < count) {
		size_t room = count - got < me->chunk ? count - got : me->chunk;
		size_t n = smmu_inv_program_next(p, me->log + me->n, room);

		assert_int_equal(n, room);
		me->n += (unsigned)n;
		got += (unsigned)n;
	}
	assert_int_equal(smmu_inv_program_next(p, me->log + me->n, 4), 0);
	me->log[me->n++] =
		smmu_cmd_sync(SMMU_CMD_SYNC_CS_SEV); /* the queue's own, told apart by its CS */
	token->end = me->n;
	token->length = me->n - first;
	token->errors = me->submits++;
	me->polls = 0;
	if (++in_flight > most_in_flight)
		most_in_flight = in_flight;
	if (strlen(order) < sizeof(order) - 1)
		order[strlen(order)] = 's';
	return 0;
}

static enum smmu_cmdq_status answer(struct queue *me, const struct smmu_cmdq_token *token)
{
	if (token->errors < me->answers)
		return me->answer[token->errors];
	for (uint64_t i = token->end - token->length; i < token->end; i++)
		if (smmu_cmd_opcode(&me->log[i]) == SMMU_CMD_ATC_INV &&
		    me->dead[smmu_field_get(SMMU_CMD_W0_SID, me->log[i].w[0])]) {
			me->timeouts++;
			if (me->others)
				cut(me->others, SMMU_CUT_DONE);
			return SMMU_CMDQ_ATC_TIMEOUT;
		}
	for (uint64_t i = token->end - token->length; i < token->end; i++)
		if (smmu_cmd_opcode(&me->log[i]) == SMMU_CMD_ATC_INV)
			me->asked[smmu_field_get(SMMU_CMD_W0_SID, me->log[i].w[0])]++;
	return SMMU_CMDQ_DONE;
}

static enum smmu_cmdq_status q_poll(struct smmu_inv_target *t, const struct smmu_cmdq_token *token)
{
	struct queue *me = smmu_container_of(t, struct queue, target);

	if (me->polls++ < me->pending_polls)
		return SMMU_CMDQ_PENDING;
	in_flight--;
	return answer(me, token);
}

static enum smmu_cmdq_status q_wait(struct smmu_inv_target *t, const struct smmu_cmdq_token *token)
{
	struct queue *me = smmu_container_of(t, struct queue, target);

	me->waits++;
	in_flight--;
	if (strlen(order) < sizeof(order) - 1)
		order[strlen(order)] = 'w';
	return answer(me, token);
}

static int q_quarantine(struct smmu_inv_target *t, struct smmu_inv_owner *who)
{
	struct queue *me = smmu_container_of(t, struct queue, target);

	assert_true(who >= owner && who < owner + STREAMS);
	me->quarantines++;
	smmu_inv_cut_begin(t, who);
	if (!me->quarantine_error)
		who->cut = SMMU_CUT_DONE;
	return me->quarantine_error;
}

static const struct smmu_inv_target_ops ops = {q_submit, q_poll, q_wait, q_quarantine};

static int setup(void **state)
{
	test_port_init(&tp);
	memset(q, 0, sizeof(q));
	memset(order, 0, sizeof(order));
	memset(owner, 0, sizeof(owner));
	memset(&debt, 0, sizeof(debt));
	streams_each = 1;
	in_flight = most_in_flight = 0;
	for (unsigned i = 0; i < SMMUS; i++) {
		q[i].target =
			(struct smmu_inv_target){.ops = &ops, .index = i, .flags = SMMU_INV_RANGE};
		q[i].chunk = 1 + i % 3;
	}
	return 0;
}

static struct smmu_inv_array *live;

static void add(unsigned s, enum smmu_inv_kind kind, uint32_t id)
{
	struct smmu_inv e;
	struct smmu_inv_array *a;

	if (kind == SMMU_INV_S1_ASID)
		smmu_inv_make_asid(&e, &q[s].target, id);
	else if (kind == SMMU_INV_S2_VMID)
		smmu_inv_make_vmid(&e, &q[s].target, id);
	else if (kind == SMMU_INV_S2_VMID_S1_CLEAR)
		smmu_inv_make_s1_clear(&e, &q[s].target, id);
	else
		smmu_inv_make_ats(&e, &q[s].target, id, -1, kind == SMMU_INV_ATS_FULL,
				  &owner[id / streams_each]);
	a = smmu_inv_merge(&tp.port, live, &e, 1);
	smmu_inv_array_free(live);
	live = a;
}

static int teardown(void **state)
{
	smmu_inv_array_free(live);
	live = NULL;
	assert_int_equal(tp.live, 0);
	/* No read section was left open: this would wait for ever. */
	smmu_rcu_synchronize(&tp.rcu);
	return 0;
}

static struct smmu_gather pages(uint64_t start, unsigned n)
{
	struct smmu_gather g;

	smmu_gather_init(&g, 12);
	for (unsigned i = 0; i < n; i++)
		smmu_gather_leaf(&g, start + i * 4096, 12, 3);
	return g;
}

/** The opcodes that instance @p s got: "12 46 40 46s"; the queue's own SYNC is marked with an s. */
static const char *opcodes(unsigned s)
{
	static char text[2048];
	size_t at = 0;

	text[0] = 0;
	for (unsigned i = 0; i < q[s].n; i++) {
		bool own = smmu_field_get(SMMU_CMD_SYNC_W0_CS, q[s].log[i].w[0]) ==
			   SMMU_CMD_SYNC_CS_SEV;

		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%02x%s", at ? " " : "",
				       smmu_cmd_opcode(&q[s].log[i]),
				       own && smmu_cmd_opcode(&q[s].log[i]) == SMMU_CMD_SYNC ? "s"
											     : "");
	}
	return text;
}

static void sweep_ok(const struct smmu_gather *g)
{
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, g), 0);
	assert_int_equal(in_flight, 0);
}

/* TLBI, SYNC, ATC_INV, SYNC: one submission for each instance; all submitted before the first wait. */
static void test_program(void **state)
{
	struct smmu_gather g = pages(0x10000, 3);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 0x10);
	add(0, SMMU_INV_ATS, 0x20);
	add(2, SMMU_INV_S2_VMID, 9);
	sweep_ok(&g);
	/* Three pages: one range command; ATC spans 0x10-0x11 and 0x12. */
	assert_string_equal(opcodes(0), "12 46 40 40 40 40 46s");
	assert_string_equal(opcodes(2), "2a 46s");
	assert_string_equal(opcodes(1), "");
	assert_string_equal(order, "ssww");
	/* NUM = 2, SCALE = 0, ASID 7, address, TG 4K, TTL 3, leaf. */
	assert_int_equal(q[0].log[0].w[0], 0x0007000000002012ULL);
	assert_int_equal(q[0].log[0].w[1], 0x10000 | 1 << 10 | 3 << 8 | 1);
	assert_int_equal(q[0].log[2].w[0], 0x0000001000000040ULL);
	assert_int_equal(q[0].log[2].w[1], 0x10001);
	assert_int_equal(q[0].log[3].w[0], 0x0000002000000040ULL);
	assert_int_equal(q[0].log[3].w[1], 0x10001);
	assert_int_equal(q[0].log[4].w[0], 0x0000001000000040ULL);
	assert_int_equal(q[0].log[4].w[1], 0x12000);
	assert_int_equal(q[0].log[5].w[0], 0x0000002000000040ULL);
	assert_int_equal(q[0].log[5].w[1], 0x12000);
}

/* A nesting parent: stage 2 by address, then all of stage 1, then ATCs, and a SYNC between each. */
static void test_nesting_parent(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S2_VMID, 1);
	add(0, SMMU_INV_S2_VMID_S1_CLEAR, 1);
	add(0, SMMU_INV_ATS_FULL, 3);
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "2a 46 10 46 40 46s");
	assert_int_equal(q[0].log[4].w[1] & SMMU_CMD_ATC_INV_W1_SIZE, SMMU_CMD_ATC_INV_SIZE_ALL);
	/* A full flush ends, and takes each operation once. */
	q[0].n = 0;
	sweep_ok(NULL);
	assert_string_equal(opcodes(0), "28 46 10 46 40 46s");
}

static void test_whole(void **state)
{
	struct smmu_gather g = pages(0x10000, 600);

	q[1].target.flags = 0;
	add(0, SMMU_INV_S1_ASID, 7);
	add(1, SMMU_INV_S1_ASID, 8);
	add(1, SMMU_INV_ATS, 0x10);
	sweep_ok(&g);
	assert_string_equal(
		opcodes(0),
		"12 12 46s"); /* 600 = 11 * 2^3 + 16 * 2^5 … as few ranges as it takes */
	assert_string_equal(
		opcodes(1),
		"11 46 40 40 40 40 40 40 40 40 46s"); /* 600 single ones: the whole ASID is cheaper */
}

/* Nothing attached: nothing to do, no error. Operations that are gone are skipped, their targets not followed. */
static void test_empty_and_gone(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_inv gone[2];

	sweep_ok(&g);
	sweep_ok(NULL);
	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	add(1, SMMU_INV_S1_ASID, 8);
	smmu_inv_make_asid(&gone[0], &q[0].target, 7);
	smmu_inv_make_ats(&gone[1], &q[0].target, 3, -1, false, &owner[3]);
	smmu_inv_unref(live, gone, 2);
	for (uint32_t i = 0; i < live->count; i++)
		if (!live->entry[i].users)
			live->entry[i].target =
				(struct smmu_inv_target *)0x10; /* the instance is gone */
	live->group[0].target = (struct smmu_inv_target *)0x10;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "");
	assert_string_equal(opcodes(1), "12 46s");
}

static void test_quirks(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	q[0].target.flags |= SMMU_INV_SPLIT_ATC;
	q[1].target.flags |= SMMU_INV_TLBI_TWICE;
	for (unsigned s = 0; s < 2; s++) {
		add(s, SMMU_INV_S2_VMID, 5);
		add(s, SMMU_INV_S2_VMID_S1_CLEAR, 5);
		add(s, SMMU_INV_ATS, 3);
	}
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "2a 46 10 46s 40 46s");
	assert_string_equal(opcodes(1), "2a 46 2a 46 10 46 10 46 40 46s");
	assert_string_equal(
		order,
		"sswsww"); /* 0: TLB done, then its ATC part goes in before anything waits for it */
}

/* More instances than one fence holds: in waves, all of them served, never more than fit. */
static void test_waves(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	for (unsigned s = 0; s < SMMUS; s++)
		add(s, SMMU_INV_S1_ASID, s + 1);
	sweep_ok(&g);
	for (unsigned s = 0; s < SMMUS; s++)
		assert_string_equal(opcodes(s), "12 46s");
	assert_int_equal(most_in_flight, SMMU_FENCE_FLIGHTS);
}

static void test_poll(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_fence f;
	int turns = 0, r;

	q[0].pending_polls = 3;
	q[1].target.flags |= SMMU_INV_SPLIT_ATC;
	for (unsigned s = 0; s < SMMUS; s++) {
		add(s, SMMU_INV_S1_ASID, s + 1);
		add(s, SMMU_INV_ATS, 3);
	}
	smmu_inv_submit(&f, &tp.rcu, &live, &debt, &g);
	while ((r = smmu_fence_poll(&f)) == -SMMU_EAGAIN)
		assert_true(++turns < 100);
	assert_int_equal(r, 0);
	assert_true(turns > 3);
	for (unsigned s = 0; s < SMMUS; s++)
		assert_string_equal(opcodes(s), s == 1 ? "12 46s 40 46s" : "12 46 40 46s");
	assert_int_equal(smmu_fence_poll(&f), 0); /* asking again does no harm */
	assert_int_equal(smmu_fence_wait(&f), 0);
}

/* A program that was hit comes again as a whole; not for ever. */
static void test_lost(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	q[0].answer[0] = q[0].answer[1] = SMMU_CMDQ_LOST;
	q[0].answers = 2;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 46s 12 46 40 46s 12 46 40 46s");
	/* The fourth time by whole ids: shorter programs are hit less often. */
	q[0].answer[2] = SMMU_CMDQ_LOST;
	q[0].answers = 3;
	q[0].submits = q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 46s 12 46 40 46s 12 46 40 46s 11 46 40 46s");
	for (int i = 0; i < 16; i++)
		q[0].answer[i] = SMMU_CMDQ_LOST;
	q[0].answers = 16;
	q[0].submits = 0;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
}

/* A time-out though the program asks no ATC is somebody else's: what it did ask for may not be complete (4.7.3). */
static void test_timeout_of_others(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	q[0].answer[0] = SMMU_CMDQ_ATC_TIMEOUT;
	q[0].answers = 1;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46s 12 46s");
	assert_int_equal(q[0].quarantines, 0);
	for (int i = 0; i < 16; i++)
		q[0].answer[i] = SMMU_CMDQ_ATC_TIMEOUT;
	q[0].answers = 16;
	q[0].submits = 0;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
}

/* One ATC does not answer: it is found, cut off, the others are served, and no later sweep asks it. */
static void test_quarantine(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	for (uint32_t s = 1; s <= 4; s++)
		add(0, SMMU_INV_ATS, s);
	add(1, SMMU_INV_ATS, 3);
	owner[3].cut = SMMU_CUT_NO;
	q[0].dead[3] = true;
	sweep_ok(&g);
	assert_int_equal(owner[3].cut, SMMU_CUT_DONE);
	assert_int_equal(q[0].quarantines, 1);
	/* All four; 1 and 2; 3 and 4; 3; 4. */
	assert_string_equal(opcodes(0), "12 46 40 40 40 40 46s 40 40 46s 40 40 46s 40 46s 40 46s");
	assert_int_equal(q[0].timeouts, 3);
	for (uint32_t s = 1; s <= 4; s++)
		assert_int_equal(q[0].asked[s], s != 3);
	q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 40 46s");
	/* Nor through another array, on which the device is already. */
	add(2, SMMU_INV_S1_ASID, 1);
	q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 40 46s");
}

/* All that timed out belongs to one device: it is the one, and nobody is asked a second time. */
static void test_quarantine_alone(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	streams_each = 8;
	add(0, SMMU_INV_S1_ASID, 7);
	for (uint32_t s = 8; s < 16; s++)
		add(0, SMMU_INV_ATS, s);
	q[0].dead[12] = true;
	sweep_ok(&g);
	assert_int_equal(q[0].timeouts, 1);
	assert_int_equal(q[0].quarantines, 1);
	assert_int_equal(owner[1].cut, SMMU_CUT_DONE);
	/* A healthy device beside it, in the middle of its streams, is asked again. */
	owner[1].cut = SMMU_CUT_NO;
	q[0].timeouts = 0;
	add(0, SMMU_INV_ATS, 16);
	sweep_ok(&g);
	assert_int_equal(owner[1].cut, SMMU_CUT_DONE);
	assert_int_equal(owner[2].cut, SMMU_CUT_NO);
	assert_int_equal(q[0].asked[16], 1);
	assert_in_range(q[0].timeouts, 2, 3);
}

static unsigned log2_up(unsigned n)
{
	unsigned log = 0;

	while (1u << log < n)
		log++;
	return log;
}

/*
 * Any silent k of n: all of them are found and nobody else, everybody else has answered once, and it took no more
 * time-outs than k ways down a tree of halves have nodes.
 */
static void test_quarantine_many(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_inv_owner before[STREAMS];
	uint64_t seed = test_seed();
	unsigned most = 0;

	for (unsigned round = 0; round < 400; round++) {
		unsigned n = 1 + (unsigned)(test_random(&seed) % 32), k = 0;

		setup(NULL);
		q[0].chunk = 8;
		for (uint32_t s = 0; s < n; s++) {
			add(0, SMMU_INV_ATS, s);
			/* Some were found out before, and are not asked. */
			if (round & 1 && test_random(&seed) % 2) {
				cut(s, SMMU_CUT_DONE);
				continue;
			}
			q[0].dead[s] = test_random(&seed) % n < 1 + round % 4;
			k += q[0].dead[s];
		}
		memcpy(before, owner, sizeof(before));
		sweep_ok(&g);
		for (uint32_t s = 0; s < n; s++) {
			assert_int_equal(owner[s].cut,
					 q[0].dead[s] ? SMMU_CUT_DONE : before[s].cut);
			assert_int_equal(q[0].asked[s], !q[0].dead[s] && !before[s].cut);
		}
		assert_int_equal(q[0].quarantines, k);
		assert_true(q[0].timeouts <= k * (log2_up(n) + 1));
		assert_true(q[0].timeouts <= 2 * n);
		if (k == 1 && n == 32 && q[0].timeouts > most)
			most = q[0].timeouts;
		smmu_inv_array_free(live);
		live = NULL;
	}
	assert_true(most <= 6);
}

/* Another sweep finds the silent one out first: who is left alone is not to blame for it. */
static void test_quarantine_by_others(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	add(0, SMMU_INV_ATS, 4);
	q[0].dead[3] = true;
	q[0].others = 3;
	sweep_ok(&g);
	assert_int_equal(q[0].quarantines, 0);
	assert_int_equal(owner[4].cut, SMMU_CUT_NO);
	assert_int_equal(q[0].asked[4], 1);
}

/* What the cut-off does to the SMMU is not confirmed: no sweep that leaves the device out ends well. */
static void test_quarantine_unconfirmed(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	q[0].dead[3] = true;
	q[0].quarantine_error = -SMMU_EIO;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_int_equal(q[0].quarantines, 2);
	assert_int_equal(q[0].timeouts, 1);
	q[0].quarantine_error = 0;
	sweep_ok(&g);
	assert_int_equal(q[0].quarantines, 3);
	sweep_ok(&g);
	assert_int_equal(q[0].quarantines, 3);
}

/* A sweep failed on one instance: the next ones are of everything, on all, until one is confirmed. */
static void test_debt(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);
	struct smmu_fence before, after;

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 3);
	add(1, SMMU_INV_S1_ASID, 8);
	q[1].refuse = true;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_true(smmu_inv_owes(&debt));
	q[0].n = 0;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_string_equal(opcodes(0), "11 46 40 46s");
	assert_int_equal(q[0].log[2].w[1] & SMMU_CMD_ATC_INV_W1_SIZE, SMMU_CMD_ATC_INV_SIZE_ALL);
	q[1].refuse = false;
	/* One that began before a failure does not make it good. */
	smmu_inv_submit(&before, &tp.rcu, &live, &debt, &g);
	q[1].refuse = true;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	q[1].refuse = false;
	assert_int_equal(smmu_fence_wait(&before), 0);
	assert_true(smmu_inv_owes(&debt));
	/* The older of two ends last: what the younger one settled stays settled. */
	smmu_inv_submit(&before, &tp.rcu, &live, &debt, &g);
	smmu_inv_submit(&after, &tp.rcu, &live, &debt, &g);
	q[1].n = 0;
	assert_int_equal(smmu_fence_wait(&after), 0);
	assert_false(smmu_inv_owes(&debt));
	assert_int_equal(smmu_fence_wait(&before), 0);
	assert_false(smmu_inv_owes(&debt));
	q[1].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(1), "12 46s");
}

/* A dead instance is an error, but the others are served first, and the read section is left. */
static void test_dead(void **state)
{
	struct smmu_gather g = pages(0x10000, 1);

	for (unsigned s = 0; s < 3; s++)
		add(s, SMMU_INV_S1_ASID, 7);
	q[0].answer[0] = SMMU_CMDQ_DEAD;
	q[0].answers = 1;
	q[1].refuse = true;
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, &g), -SMMU_EIO);
	assert_string_equal(opcodes(2), "12 46s");
	assert_int_equal(q[2].waits, 1);
}

/** A queue before whose eyes stream 1 is detached. */
static int midway_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
			 struct smmu_cmdq_token *token)
{
	struct smmu_inv gone;

	smmu_inv_make_ats(&gone, t, 1, -1, false, &owner[1]);
	smmu_inv_unref(live, &gone, 1);
	return q_submit(t, p, token);
}

/*
 * An operation that goes away between counting and writing: where nothing had gone before, it is asked once too often; else
 * it leaves SYNCs in its place, so that the unit stays whole.
 */
static void test_gone_midway(void **state)
{
	static const struct smmu_inv_target_ops late = {midway_submit, q_poll, q_wait,
							q_quarantine};
	struct smmu_gather g = pages(0x10000, 3);
	struct smmu_inv gone;

	add(0, SMMU_INV_S1_ASID, 7);
	add(0, SMMU_INV_ATS, 1);
	add(0, SMMU_INV_ATS, 2);
	q[0].target.ops = &late;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 40 40 46s");
	add(0, SMMU_INV_ATS, 1);
	add(0, SMMU_INV_ATS, 3);
	smmu_inv_make_ats(&gone, &q[0].target, 3, -1, false, &owner[3]);
	smmu_inv_unref(live, &gone, 1);
	q[0].n = 0;
	sweep_ok(&g);
	assert_string_equal(opcodes(0), "12 46 40 40 46 46 46s");
	assert_int_equal(q[0].log[2].w[0] >> 32, 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_program),
		T(test_nesting_parent),
		T(test_whole),
		T(test_empty_and_gone),
		T(test_quirks),
		T(test_waves),
		T(test_poll),
		T(test_lost),
		T(test_timeout_of_others),
		T(test_quarantine),
		T(test_dead),
		T(test_gone_midway),
		T(test_quarantine_alone),
		T(test_quarantine_many),
		T(test_quarantine_unconfirmed),
		T(test_quarantine_by_others),
		T(test_debt),
	};

	return cmocka_run_group_tests_name("inv sweep", tests, NULL, NULL);
}
