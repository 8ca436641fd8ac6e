/* SPDX-License-Identifier: BSD-2-Clause */
/* Targets that note what they get. */
#include "queues.h"

struct queue q[SMMUS];
struct smmu_inv_owner owner[STREAMS];
unsigned streams_each;
struct smmu_inv_debt debt;
struct test_port tp;
unsigned in_flight, most_in_flight;
char order[256];

void cut(unsigned device, uint32_t how)
{
	smmu_inv_cut_begin(&q[0].target, &owner[device]);
	owner[device].cut = how;
}

int q_submit(struct smmu_inv_target *t, struct smmu_inv_program *p, struct smmu_cmdq_token *token)
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

enum smmu_cmdq_status q_poll(struct smmu_inv_target *t, const struct smmu_cmdq_token *token)
{
	struct queue *me = smmu_container_of(t, struct queue, target);

	if (me->polls++ < me->pending_polls)
		return SMMU_CMDQ_PENDING;
	in_flight--;
	return answer(me, token);
}

enum smmu_cmdq_status q_wait(struct smmu_inv_target *t, const struct smmu_cmdq_token *token)
{
	struct queue *me = smmu_container_of(t, struct queue, target);

	me->waits++;
	in_flight--;
	if (strlen(order) < sizeof(order) - 1)
		order[strlen(order)] = 'w';
	return answer(me, token);
}

int q_quarantine(struct smmu_inv_target *t, struct smmu_inv_owner *who)
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

int setup(void **state)
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

struct smmu_inv_array *live;

void add(unsigned s, enum smmu_inv_kind kind, uint32_t id)
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

int teardown(void **state)
{
	smmu_inv_array_free(live);
	live = NULL;
	assert_int_equal(tp.live, 0);
	/* No read section was left open: this would wait for ever. */
	smmu_rcu_synchronize(&tp.rcu);
	return 0;
}

struct smmu_gather pages(uint64_t start, unsigned n)
{
	struct smmu_gather g;

	smmu_gather_init(&g, 12);
	for (unsigned i = 0; i < n; i++)
		smmu_gather_leaf(&g, start + i * 4096, 12, 3);
	return g;
}

const char *opcodes(unsigned s)
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

void sweep_ok(const struct smmu_gather *g)
{
	assert_int_equal(smmu_inv_sync(&tp.rcu, &live, &debt, g), 0);
	assert_int_equal(in_flight, 0);
}
