/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiting for the command queue: where it stands, whether a batch is complete, and when the hardware is given up.
 *
 * Fact 1. A batch is complete when its last CMD_SYNC was consumed (IHI 0070 G.b, 4.7.3). CONS says so, or the MSI of that
 *         CMD_SYNC does: its word then has exactly that lap, and no other CMD_SYNC writes that lap to that slot. If the
 *         slot has gone to a later lap, `cons` is past the batch, since it was raised to let the slot go.
 * Fact 2. `opened` is read before CONS, and `stuck` and `opened` are after: a value is used only if the queue was not closed
 *         in between, nor closed and opened. So what a reset left in CONS between the two is never taken for progress.
 *         A value that is late is below `cons` at worst, as more than a lap cannot pass without that being raised.
 * Fact 3. Errors are remembered before the hardware goes on (cmdq_error.c), so who finds its batch complete, or consumed by
 *         starting over, and then looks at the errors sees all that could have hit it.
 * Fact 4. An ATC time-out is told once the CMD_SYNC that met it has been consumed after all: then everything but the
 *         CMD_ATC_INVs is complete (4.7.3), and no later CMD_SYNC can fail for them.
 *
 * All who wait look after the queue, but together not more often than every LOOK_NS: they serve errors, whose interrupt may
 * be off or wait for us, and note whether CONS moves.
 */
#include <smmuv3/trace.h>

#include "cmdq.h"

#define LOOK_NS 20000u /* between two looks after the queue */
#define LOOK_POLLS 32u /* polls between two looks at the clock */
#define QUICK_LOOKS 3u /* of a wait, before it looks at the clock */
#define SPIN_NS 50000u /* then a wait that may sleep does */
#define PAUSE_PART 64u /* of the time waited so far: pause between two looks at CONS */
#define STEP_PART 4u   /* of a time-out: what the time between two looks counts for, at most */

/** @p seen is a value of q->cons from before: the real CONS is at or above it, fact 3 of cmdq.c. */
static inline __attribute__((__always_inline__)) uint64_t read_cons(struct smmu_cmdq *q,
								    uint64_t seen, uint32_t *reg)
{
	uint32_t opened = smmu_load_acquire(&q->opened), value;
	uint64_t now;

	value = *reg = smmu_mmio_read32(&q->mmio, SMMU_CMDQ_CONS);
	/* What the SMMU wrote before it moved CONS is visible after; pairs with Q1 for `published`. */
	SMMU_BARRIER(cmdq_cons_before_rest, smmu_dma_rmb());
	/* RD has at least as many bits as an index. */
	now = seen + cmdq_index(q, value - seen);
	/* The registers of a device that is gone read as ones. Whatever else it says, it took no more than it was given. */
	if (value == UINT32_MAX || now > smmu_load(&q->published) ||
	    smmu_load_acquire(&q->stuck) == CMDQ_CLOSED || smmu_load(&q->opened) != opened)
		return seen;
	return now;
}

uint64_t smmu_cmdq_cons(struct smmu_cmdq *q, uint32_t *reg)
{
	uint32_t unused;

	return read_cons(q, smmu_load_acquire(&q->cons), reg ? reg : &unused);
}

void smmu_cmdq_raise_cons(struct smmu_cmdq *q, uint64_t now)
{
	uint64_t seen = smmu_load(&q->cons);

	while (now > seen && !smmu_compare_exchange(&q->cons, &seen, now))
		;
}

static inline __attribute__((__always_inline__)) bool
batch_is_complete(struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	uint64_t end = token->end, cons;
	uint32_t reg;

	/* In this order: the word changes again only after `cons` has passed it. */
	if (q->msi && cmdq_msi_bus(q, end - 1)) {
		if (smmu_load_acquire(&q->msi[cmdq_slot(q, end - 1)]) == cmdq_lap(q, end - 1))
			return true;
		return smmu_load_acquire(&q->cons) >= end;
	}
	cons = smmu_load_acquire(&q->cons);
	if (cons >= end)
		return true;
	/* Not raised: a producer that is short of room does that, once a lap. */
	return read_cons(q, cons, &reg) >= end || smmu_load_acquire(&q->cons) >= end;
}

/** The state of a batch that is not done, or that an error may have hit. */
static __attribute__((__noinline__)) enum smmu_cmdq_status
look_closer(struct smmu_cmdq *q, const struct smmu_cmdq_token *token, bool done)
{
	if (smmu_load(&q->errors) != token->errors) {
		enum smmu_cmdq_status hit = smmu_cmdq_hit(q, token);

		/* Fact 4. */
		if (hit == SMMU_CMDQ_LOST || (hit == SMMU_CMDQ_ATC_TIMEOUT && done)) {
			smmu_count(hit == SMMU_CMDQ_LOST ? &q->counts.lost
							 : &q->counts.atc_timeouts,
				   1);
			return hit;
		}
	}
	if (done)
		return SMMU_CMDQ_DONE;
	return smmu_cmdq_dead(q) ? SMMU_CMDQ_DEAD : SMMU_CMDQ_PENDING;
}

static inline enum smmu_cmdq_status poll_once(struct smmu_cmdq *q,
					      const struct smmu_cmdq_token *token)
{
	bool done = batch_is_complete(q, token);

	/* Fact 3. */
	if (SMMU_BARRIER(cmdq_error_seen, smmu_load_acquire(&q->errors)) == token->errors) {
		if (done)
			return SMMU_CMDQ_DONE;
		if (!smmu_load(&q->stuck))
			return SMMU_CMDQ_PENDING;
	}
	return look_closer(q, token, done);
}

enum smmu_cmdq_status smmu_cmdq_poll(struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	enum smmu_cmdq_status status = poll_once(q, token);
	uint32_t polls;

	if (status != SMMU_CMDQ_PENDING) {
		SMMU_TRACE_SYNC(q, token, status);
		return status;
	}
	/* Fact 7 of cmdq.c. */
	if (smmu_load(&q->published) < token->end)
		smmu_cmdq_help(q);
	/* Counts of others may be lost: it is only about how often. */
	polls = smmu_load(&q->polls) + 1;
	smmu_store(&q->polls, polls);
	if (polls % LOOK_POLLS == 0)
		smmu_cmdq_look_after(q, smmu_port_now(q->port));
	return status;
}

/** Somebody has waited: off the way of a sweep, as the hardware was what took its time. */
static void count_wait(struct smmu_cmdq *q, uint64_t ns)
{
	uint64_t longest = smmu_counted(&q->counts.longest_wait_ns);

	smmu_count(&q->counts.waits, 1);
	while (ns > longest && !smmu_count_raise(&q->counts.longest_wait_ns, &longest, ns))
		;
}

static __attribute__((__noinline__)) enum smmu_cmdq_status
wait_long(struct smmu_cmdq *q, const struct smmu_cmdq_token *token, bool may_sleep)
{
	struct cmdq_patience p = {0};
	enum smmu_cmdq_status status;
	/* The pauses' own clock begins after the first of them, so that a short wait reads it once. */
	uint64_t began = SMMU_STATS ? smmu_port_now(q->port) : 0;
	unsigned looks = 0;

	/* Fact 7 of cmdq.c. */
	if (smmu_load(&q->published) < token->end)
		smmu_cmdq_help(q);
	do {
		if (looks++ >= QUICK_LOOKS)
			smmu_cmdq_pause(q, &p, may_sleep);
		status = poll_once(q, token);
	} while (status == SMMU_CMDQ_PENDING);
	count_wait(q, p.waits ? p.now - (SMMU_STATS ? began : p.since) : 0);
	return status;
}

static __attribute__((__noinline__)) enum smmu_cmdq_status
wait_closer(struct smmu_cmdq *q, const struct smmu_cmdq_token *token, bool may_sleep)
{
	enum smmu_cmdq_status status = poll_once(q, token);

	if (status == SMMU_CMDQ_PENDING)
		status = wait_long(q, token, may_sleep);
	SMMU_TRACE_SYNC(q, token, status);
	return status;
}

enum smmu_cmdq_status smmu_cmdq_wait(struct smmu_cmdq *q, const struct smmu_cmdq_token *token,
				     bool may_sleep)
{
	/* Done at the first look, and nothing went wrong. */
	if (batch_is_complete(q, token) &&
	    SMMU_BARRIER(cmdq_error_seen, smmu_load_acquire(&q->errors)) == token->errors) {
		SMMU_TRACE_SYNC(q, token, SMMU_CMDQ_DONE);
		return SMMU_CMDQ_DONE;
	}
	return wait_closer(q, token, may_sleep);
}

void smmu_cmdq_pause(struct smmu_cmdq *q, struct cmdq_patience *p, bool may_sleep)
{
	uint64_t now;

	do {
		if (may_sleep && p->waits && p->now - p->since > SPIN_NS)
			smmu_wait_pause(&q->mmio, true);
		else
			smmu_relax(&q->mmio);
		p->now = now = smmu_port_now(q->port);
		if (!p->waits) {
			p->waits = true;
			p->since = p->until = now;
		}
	} while (now < p->until);
	/* Well below the longest step that counts, so that a time-out takes its time and no more. */
	p->until = now + smmu_min64((now - p->since) / PAUSE_PART, q->timeout_ns / STEP_PART / 2);
	smmu_cmdq_help(q);
	smmu_cmdq_look_after(q, now);
}

/* ---- Giving the hardware up, and taking it back ---- */

static void tell(struct smmu_cmdq *q, uint32_t cons)
{
	struct smmu_message m SMMU_UNINIT;

	smmu_text_str(smmu_message_begin(&m, q->name), "command queue: no progress for ");
	smmu_text_dec(&m.text, q->still_ns / 1000000);
	smmu_text_str(&m.text, " ms, PROD ");
	smmu_text_hex(&m.text, smmu_mmio_read32(&q->mmio, SMMU_CMDQ_PROD), 1);
	smmu_text_str(&m.text, ", CONS ");
	smmu_text_hex(&m.text, cons, 1);
	smmu_text_str(&m.text, ": the SMMU is given up until it moves or is reset");
	smmu_message_log(&m, q->port, SMMU_LOG_ERROR);
}

static void tell_moves(struct smmu_cmdq *q)
{
	struct smmu_message m SMMU_UNINIT;

	smmu_text_str(smmu_message_begin(&m, q->name), "command queue: moves again");
	smmu_message_log(&m, q->port, SMMU_LOG_WARN);
}

/**
 * True if the hardware at @p cons waits for an ATC, or that cannot be told: at a CMD_ATC_INV, or at a CMD_SYNC with one
 * between it and the CMD_SYNC before. The slots behind CONS tell as long as their next lap has not been handed out.
 */
static bool waits_for_atc(const struct smmu_cmdq *q, uint64_t cons)
{
	for (uint64_t back = 0; back < q->piece && back <= cons; back++) {
		uint64_t w0 = smmu_load(&q->ring[cmdq_slot(q, cons - back)].w[0]);
		uint64_t op = smmu_field_get(SMMU_CMD_W0_OP, w0);

		if (smmu_load_acquire(&q->tail) > cons - back + cmdq_size(q))
			return true;
		if (op == SMMU_CMD_ATC_INV)
			return true;
		if ((op == SMMU_CMD_SYNC) != !back)
			return false;
	}
	return false;
}

/** Go from the one state to the other, if the queue is in it. */
static bool become(struct smmu_cmdq *q, uint32_t from, uint32_t to)
{
	return smmu_load(&q->stuck) == from && smmu_compare_exchange(&q->stuck, &from, to);
}

/** Note where CONS stands now, and what that means. */
static void observe(struct smmu_cmdq *q, uint64_t now)
{
	bool given_up = false, moves = false;
	uint64_t cons, step;
	smmu_irqflags flags;
	uint32_t reg;

	flags = smmu_spin_lock(&q->error_lock);
	cons = read_cons(q, smmu_load_acquire(&q->cons), &reg);
	/* Also for who waits for an MSI that does not come. */
	smmu_cmdq_raise_cons(q, cons);
	step = now > q->seen_at ? now - q->seen_at : 0;
	q->seen_at = now;
	/* Hardware that had nothing before it is not to blame, even if a producer has lost its processor meanwhile. */
	if (cons != q->seen_cons || q->seen_idle) {
		q->seen_cons = cons;
		q->seen_idle = cons == smmu_load(&q->published);
		q->still_ns = 0;
		moves = become(q, CMDQ_TIMED_OUT, CMDQ_RUNS);
	} else {
		q->still_ns += smmu_min64(step, q->timeout_ns / STEP_PART);
		given_up = q->still_ns >= q->timeout_ns &&
			   (q->still_ns >= q->atc_timeout_ns || !waits_for_atc(q, cons)) &&
			   become(q, CMDQ_RUNS, CMDQ_TIMED_OUT);
	}
	if (given_up)
		smmu_count(&q->counts.given_up, 1);
	smmu_spin_unlock(&q->error_lock, flags);
	if (given_up)
		tell(q, reg);
	if (moves)
		tell_moves(q);
}

void smmu_cmdq_look_after(struct smmu_cmdq *q, uint64_t now)
{
	if (now - smmu_load(&q->looked) < LOOK_NS)
		return;
	smmu_store(&q->looked, now);
	smmu_cmdq_serve_error(q);
	observe(q, now);
}

bool smmu_cmdq_dead(struct smmu_cmdq *q)
{
	if (smmu_load(&q->stuck) == CMDQ_TIMED_OUT)
		observe(q, smmu_port_now(q->port));
	return smmu_load(&q->stuck) != CMDQ_RUNS;
}
