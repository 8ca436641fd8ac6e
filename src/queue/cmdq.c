/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command queue: positions, admission, writing and publishing. cmdq_life.c makes it and starts it over.
 *
 * Positions are 64-bit counts of commands since the queue was made; position p lives in slot p mod size, in lap p div
 * size. Hardware's PROD and CONS are the low log2size+1 bits of a position.
 *
 *   cons <= (real CONS) <= published <= tail <= cons + size          turn <= published, equal when nobody is publishing
 *
 * A batch goes in pieces of at most q->piece positions, nearly always in one. For each piece, with interrupts masked:
 *
 *   P1  if tail + n <= cons + size: compare-exchange of tail by tail + n; the piece is [pos, end). Else interrupts back,
 *       wait for room, again
 *   P2  write the commands and, last, a CMD_SYNC; mark the last slot with the end and the batch
 *   P3  turn == pos: it is our turn. Else mark the first slot: whoever has the turn before us goes on over it
 *   P4  with the turn: published := end, PROD := end, turn := end, and on over what is marked there
 *
 * Fact 1. tail <= cons + size: P1 found it so for the tail that it replaced, and `cons` does not fall. So the slot of a
 *         position that was taken is free: its command of the lap before was consumed.
 * Fact 2. Nobody is admitted to a queue that is being closed: smmu_cmdq_close sets SMMU_CMDQ_SHUT in `tail`, which is beyond all
 *         room, and a compare-exchange that began before it fails. Whoever was admitted before is waited for. `stuck` says
 *         that the queue is closed before `tail` is shut, and until it no longer is: so who waits for room waits for the
 *         hardware alone, never for whoever closes or opens the queue, whom it may have interrupted. Who looked at `stuck`
 *         before all that and comes when `tail` is open again is admitted, and finds its batch dead until `stuck` follows.
 * Fact 3. The real CONS is at most size ahead of `cons` by fact 1, and `cons` never passes it: it is only raised, to
 *         values read from the register and expanded upward from an earlier value of `cons` (smmu_cmdq_cons). So
 *         the log2size+1 bits of the register determine the position.
 * Fact 4. Nobody who holds something waits, and nobody who waits holds something: between P1 and P4 there is no wait, and
 *         before P1 nothing is held. With interrupts (and pre-emption by whoever uses the queue) masked there, a handler
 *         finds no piece of its own processor unfinished, so it gets through as a producer on another processor would.
 * Fact 5. Admission makes progress: a compare-exchange fails only because another one succeeded; who has failed TAKE_TRIES
 *         times lets interrupts in and begins again. A producer that sees room go to others asks for less each time, down to one command
 *         and its CMD_SYNC.
 * Fact 6. `published` moves from t only by whoever has the turn at t. Either the piece at t is the mover's own and not
 *         marked (P3): then nobody else can know its end. Or it is marked: then the compare-exchange from t picks one.
 *         A mark is valid at t if it lies in (t, t + size]: marks of earlier laps are at most t, of later ones beyond.
 * Fact 7. No written piece is forgotten. Its writer marks it, and then loads `turn`; who passes the turn stores `turn`, and then
 *         looks whether there is somebody behind: positions beyond it are taken. If so, a barrier, and the look at the
 *         mark: the writer's two and these are in one order, so one of the two sees the other's store. If not, there is no
 *         barrier, and where both are so close together that neither sees the other, or a publisher that has worked long
 *         enough leaves the rest, the next producer finds the mark, or the poll or wait of any batch that is not published
 *         does (smmu_cmdq_help): every batch is polled or waited for. (proofs/litmus/queue-turn.lit)
 * Fact 8. What the SMMU reads is there: commands and marks are written before P3, by the writer itself or, through the
 *         acquiring load of the mark, before the publisher's; Q1 orders them before PROD. `published` is stored before Q1
 *         too, so CONS is never seen beyond it.
 * Fact 9. A piece with CMD_ATC_INV ends with a CMD_SYNC of its own, before another's begins. So an ATC that does not answer
 *         stops a CMD_SYNC of the batch that asked it (cmdq_error.c).
 *
 * IHI 0070 G.b, 3.5.1 (circular queues), 3.21.2 (order towards the queues), 4.7.3 (CMD_SYNC): commands behind a CMD_SYNC
 * do not begin before it is complete, which is what programs like TLBI, SYNC, ATC_INV, SYNC in one submission rest on; for
 * parts that deviate there is SMMU_QUIRK_SPLIT_ATC.
 */
#include "cmdq.h"

#define PUBLISH_PIECES 16 /* of others, with one write of PROD */
#define PUBLISH_TIMES 8   /* writes of PROD by one publisher, with interrupts masked */
#define TAKE_TRIES 16     /* to take positions while others do, with interrupts masked */

/* MSI writes go to ordinary memory: inner shareable, write-back. */
#define MSI_SH_INNER 3u
#define MSI_ATTR_OIWB 0xfu

/* ---- Publishing. Interrupts are masked ---- */

/** The end of the piece that begins at @p pos, if it is written and marked; else 0. */
static inline uint64_t marked(const struct smmu_cmdq *q, uint64_t pos)
{
	uint64_t end =
		SMMU_BARRIER(cmdq_mark_seen, smmu_load_acquire(&q->mark[cmdq_slot(q, pos)].end));

	/* Fact 6. */
	return end - pos - 1 <= q->mask ? end : 0;
}

/** Move PROD to @p end and pass the turn on: what is marked there, to be published next. */
static inline uint64_t pass(struct smmu_cmdq *q, uint64_t end)
{
	smmu_store(&q->published, end);
	/* Q1: pairs with the SMMU's reading of PROD before the commands, and of CONS in smmu_cmdq_cons. */
	SMMU_BARRIER(cmdq_commands_visible, smmu_dma_wmb());
	smmu_mmio_write32(&q->mmio, SMMU_CMDQ_PROD, cmdq_index(q, end));
	/* Pairs with the loads in hand_over and publish_marked: PROD is written by one after the other. */
	smmu_store_release(&q->turn, end);
	/* Fact 7. */
	if (smmu_load(&q->tail) == end)
		return 0;
	SMMU_BARRIER(cmdq_turn_passed, smmu_fence());
	return marked(q, end);
}

/**
 * On over what others have marked: PROD stands at @p end, and @p next is the end of the piece there. It and what calls it
 * return 0, as a submit does: then that can jump here, and has nothing to save.
 */
static __attribute__((__noinline__)) int publish_others(struct smmu_cmdq *q, uint64_t end,
							uint64_t next)
{
	for (unsigned times = 1; next && times < PUBLISH_TIMES; times++) {
		if (!smmu_compare_exchange(&q->published, &end, next))
			return 0;
		/* Ours until `turn` follows: one write of PROD for all that is there by now. */
		for (unsigned i = 0; next && i < PUBLISH_PIECES; i++) {
			end = next;
			next = marked(q, end);
		}
		next = pass(q, end);
	}
	return 0;
}

/** P4: the piece that ends at @p end, and on over what is marked behind. `published` is where `turn` is, or at @p end. */
static inline int publish(struct smmu_cmdq *q, uint64_t end)
{
	uint64_t next = pass(q, end);

	return next ? publish_others(q, end, next) : 0;
}

/** Publish the piece that has the turn, if it is marked and nobody is at it. */
static void publish_marked(struct smmu_cmdq *q)
{
	uint64_t turn = SMMU_BARRIER(cmdq_turn_seen, smmu_load_sc(&q->turn)), end = marked(q, turn);

	if (end && smmu_load(&q->published) == turn &&
	    smmu_compare_exchange(&q->published, &turn, end))
		publish(q, end);
}

void smmu_cmdq_help(struct smmu_cmdq *q)
{
	smmu_irqflags flags;

	if (!marked(q, smmu_load(&q->turn)))
		return;
	flags = smmu_irq_save();
	publish_marked(q);
	smmu_irq_restore(flags);
}

/* ---- Admission ---- */

/** P1, once: take @p n positions from *@p pos on, where `tail` was seen; else where it is. Interrupts are masked. */
static inline bool try_take(struct smmu_cmdq *q, uint32_t n, uint64_t *pos)
{
	/* Pairs with the raising of `cons`: what was read of these slots was read before. */
	return *pos + n - 1 - smmu_load_acquire(&q->cons) <= q->mask &&
	       smmu_compare_exchange(&q->tail, pos, *pos + n);
}

/** P1: take @p n positions, from *@p pos on. Interrupts are masked. */
static bool take(struct smmu_cmdq *q, uint32_t n, uint64_t *pos)
{
	*pos = smmu_load(&q->tail);
	for (unsigned tries = 0; tries < TAKE_TRIES; tries++)
		if (try_take(q, n, pos))
			return true;
	return false;
}

/** Wait until @p n positions may be free, or fewer if others take them each time: how many to ask for; 0: dead. */
static uint32_t wait_room(struct smmu_cmdq *q, uint32_t n)
{
	uint64_t cons = smmu_load_acquire(&q->cons), since = cons;
	struct cmdq_patience p = {0};

	while (!smmu_cmdq_dead(q)) {
		uint64_t now;

		if (smmu_load(&q->tail) + n - cons <= cmdq_size(q))
			return n;
		if (n > 2 && cons - since >= 2 * (uint64_t)n) {
			n = n / 2 < 2 ? 2 : n / 2;
			since = cons;
		}
		now = smmu_cmdq_cons(q, NULL);
		if (now <= cons) {
			smmu_cmdq_pause(q, &p, false);
			continue;
		}
		smmu_cmdq_raise_cons(q, now);
		cons = now;
		/* While it moves, who has waited long does not look less often than who has just come. */
		p.waits = false;
	}
	return 0;
}

/* ---- Writing ---- */

/** What is left of @p n commands from @p got on. */
static __attribute__((__noinline__)) void pad(struct smmu_cmd *dst, size_t got, size_t n)
{
	while (got < n)
		dst[got++] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
}

/** @p n commands to @p dst, without a wrap. */
static inline void write_commands(struct smmu_cmd *dst, size_t n, smmu_cmdq_fill fill, void *ctx)
{
	size_t got = n ? fill(ctx, dst, n) : 0;

	if (got < n)
		pad(dst, got, n);
}

/** The CMD_SYNC at @p pos ends a batch: it reports its completion. */
static void write_sync_msi(struct smmu_cmdq *q, uint64_t pos)
{
	uint64_t msi = cmdq_msi_bus(q, pos);

	if (!msi)
		return;
	/* What a CMD_SYNC of 2^32 laps ago wrote is not taken for this one's: cmdq_wait.c compares exactly. */
	smmu_store_release(&q->msi[cmdq_slot(q, pos)], 0);
	q->ring[cmdq_slot(q, pos)] =
		smmu_cmd_sync_msi(msi, cmdq_lap(q, pos), MSI_SH_INNER, MSI_ATTR_OIWB);
}

static void clean_piece(struct smmu_cmdq *q, uint64_t pos, size_t n)
{
	size_t part = smmu_min64(n, cmdq_size(q) - cmdq_slot(q, pos));

	smmu_port_clean(q->port, &q->ring[cmdq_slot(q, pos)], part * sizeof(struct smmu_cmd));
	if (part < n)
		smmu_port_clean(q->port, q->ring, (n - part) * sizeof(struct smmu_cmd));
}

/** The piece [@p pos, @p end) is written; where there are MSIs, or the SMMU does not see the processors' caches. */
static __attribute__((__noinline__)) void finish_piece(struct smmu_cmdq *q, uint64_t pos,
						       uint64_t end, bool last)
{
	if (q->msi && last)
		write_sync_msi(q, end - 1);
	if (q->cleans)
		clean_piece(q, pos, end - pos);
}

/** P2: the commands of the piece [@p pos, @p end). Interrupts are masked. */
static void write_piece(struct smmu_cmdq *q, uint64_t pos, uint64_t end, bool last,
			smmu_cmdq_fill fill, void *ctx)
{
	struct smmu_cmd *dst = &q->ring[cmdq_slot(q, pos)], *sync;
	size_t commands = end - 1 - pos, to_wrap = cmdq_size(q) - cmdq_slot(q, pos);

	if (commands < to_wrap) {
		write_commands(dst, commands, fill, ctx);
		sync = dst + commands;
	} else {
		write_commands(dst, to_wrap, fill, ctx);
		write_commands(q->ring, commands - to_wrap, fill, ctx);
		sync = q->ring + (commands - to_wrap);
	}
	*sync = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	if (q->finishes)
		finish_piece(q, pos, end, last);
}

/** P3 where it is not our turn: from here on others may publish the piece. */
static __attribute__((__noinline__)) int leave(struct smmu_cmdq *q, uint64_t pos, uint64_t end)
{
	smmu_exchange(&q->mark[cmdq_slot(q, pos)].end, end);
	publish_marked(q);
	return 0;
}

/**
 * P2 and P3: mark the piece [@p pos, @p end) of the batch that began at @p batch, and publish it if it has the turn. @p mark is
 * that of its last position.
 */
static inline int hand_over(struct smmu_cmdq *q, uint64_t pos, uint64_t end, uint64_t batch,
			    struct smmu_cmdq_mark *mark)
{
	smmu_store(&mark->batch, batch);
	smmu_store(&mark->end, end);
	/* Pairs with the store in pass. */
	return smmu_load_acquire(&q->turn) == pos ? publish(q, end) : leave(q, pos, end);
}

/** The same where the mark of the piece is all of it, so that others may publish it before us. */
static void hand_over_one(struct smmu_cmdq *q, uint64_t pos, uint64_t batch)
{
	smmu_store(&q->mark[cmdq_slot(q, pos)].batch, batch);
	leave(q, pos, pos + 1);
}

/** P1 to P4 for one piece of @p n positions, the @p first of a batch, or what follows: true, and the token's; false: no room. */
static bool submit_piece(struct smmu_cmdq *q, uint32_t n, bool last, smmu_cmdq_fill fill, void *ctx,
			 struct smmu_cmdq_token *token, bool first)
{
	smmu_irqflags flags = smmu_irq_save();
	uint64_t pos;
	bool taken = take(q, n, &pos);

	if (taken) {
		uint64_t batch = first ? pos : token->end - token->length;

		write_piece(q, pos, pos + n, last, fill, ctx);
		if (n > 1)
			hand_over(q, pos, pos + n, batch, &q->mark[cmdq_slot(q, pos + n - 1)]);
		else
			hand_over_one(q, pos, batch);
		token->end = pos + n;
		token->length = (uint32_t)(pos + n - batch);
	}
	smmu_irq_restore(flags);
	return taken;
}

/** Errors that did not hit what is written of a batch so far: only a limited number of them is remembered. */
static void skip_errors(struct smmu_cmdq *q, struct smmu_cmdq_token *token, bool nothing_yet)
{
	uint32_t errors = smmu_load_acquire(&q->errors);

	if (errors != token->errors &&
	    (nothing_yet || smmu_cmdq_hit(q, token) == SMMU_CMDQ_PENDING))
		token->errors = errors;
}

/** A batch for which there was no room at once, or that is longer than a piece. */
static __attribute__((__noinline__)) int submit_pieces(struct smmu_cmdq *q, uint64_t left,
						       smmu_cmdq_fill fill, void *ctx,
						       struct smmu_cmdq_token *token)
{
	uint32_t n = (uint32_t)smmu_min64(left, q->piece);
	bool first = true;

	token->errors = smmu_load_acquire(&q->errors);
	for (;;) {
		n = wait_room(q, n);
		if (!n)
			return -SMMU_EIO;
		skip_errors(q, token, first);
		if (!submit_piece(q, n, n == left, fill, ctx, token, first))
			continue;
		if (n == left)
			return 0;
		first = false;
		/* The CMD_SYNC at the end of a piece is not one of the batch's own. */
		left -= n - 1;
		n = (uint32_t)smmu_min64(left, q->piece);
	}
}

/**
 * P1 as it nearly always is: @p n commands and their CMD_SYNC in one piece, without a wrap, at the first try. True: they
 * are taken from @p pos on, where `tail` was seen, and interrupts are masked. @p sync: the slot of the CMD_SYNC, if there
 * is no wrap.
 */
static inline bool take_at_once(struct smmu_cmdq *q, uint32_t n, uint64_t pos, uint32_t sync,
				smmu_irqflags *flags, struct smmu_cmdq_token *token)
{
	token->errors = smmu_load_acquire(&q->errors);
	if (sync > q->mask || smmu_load(&q->stuck))
		return false;
	*flags = smmu_irq_save();
	if (!try_take(q, n + 1, &pos)) {
		smmu_irq_restore(*flags);
		return false;
	}
	token->end = pos + n + 1;
	token->length = n + 1;
	return true;
}

/** P3 and P4 for all of a batch; its CMD_SYNC is at slot @p sync. Returns 0. */
static inline int hand_over_all(struct smmu_cmdq *q, uint64_t pos, uint64_t end, uint32_t sync,
				smmu_irqflags flags)
{
	int done = hand_over(q, pos, end, pos, &q->mark[sync]);

	smmu_irq_restore(flags);
	return done;
}

static __attribute__((__noinline__)) int finish_all(struct smmu_cmdq *q, uint64_t pos, uint64_t end,
						    uint32_t sync, smmu_irqflags flags)
{
	finish_piece(q, pos, end, true);
	return hand_over_all(q, pos, end, sync, flags);
}

/** P2, where the commands are written and the CMD_SYNC is not, to P4. Returns 0. */
static inline int finish_at_once(struct smmu_cmdq *q, uint64_t pos, uint64_t end, uint32_t sync,
				 smmu_irqflags flags)
{
	q->ring[sync] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	return q->finishes ? finish_all(q, pos, end, sync, flags)
			   : hand_over_all(q, pos, end, sync, flags);
}

int smmu_cmdq_submit(struct smmu_cmdq *q, uint32_t n, smmu_cmdq_fill fill, void *ctx,
		     struct smmu_cmdq_token *token)
{
	uint64_t pos = smmu_load(&q->tail);
	uint32_t sync = cmdq_slot(q, pos) + n;
	smmu_irqflags flags;
	size_t got;

	if (n - 1 >= q->piece - 1 || !take_at_once(q, n, pos, sync, &flags, token))
		return submit_pieces(q, (uint64_t)n + 1, fill, ctx, token);
	got = fill(ctx, &q->ring[sync - n], n);
	if (got < n)
		pad(&q->ring[sync - n], got, n);
	return finish_at_once(q, pos, pos + n + 1, sync, flags);
}

struct copy {
	const struct smmu_cmd *cmds;
	size_t left;
};

static size_t fill_copy(void *ctx, struct smmu_cmd *dst, size_t room)
{
	struct copy *c = ctx;
	size_t n = room < c->left ? room : c->left;

	for (size_t i = 0; i < n; i++)
		dst[i] = c->cmds[i];
	c->cmds += n;
	c->left -= n;
	return n;
}

static __attribute__((__noinline__)) int
submit_one_later(struct smmu_cmdq *q, const struct smmu_cmd *cmd, struct smmu_cmdq_token *token)
{
	struct copy c = {cmd, 1};

	return submit_pieces(q, 2, fill_copy, &c, token);
}

int smmu_cmdq_submit_one(struct smmu_cmdq *q, const struct smmu_cmd *cmd,
			 struct smmu_cmdq_token *token)
{
	uint64_t pos = smmu_load(&q->tail);
	uint32_t sync = cmdq_slot(q, pos) + 1;
	smmu_irqflags flags;

	if (!take_at_once(q, 1, pos, sync, &flags, token))
		return submit_one_later(q, cmd, token);
	q->ring[sync - 1] = *cmd;
	return finish_at_once(q, pos, pos + 2, sync, flags);
}

#define ISSUE_TRIES 8

int smmu_cmdq_issue(struct smmu_cmdq *q, const struct smmu_cmd *cmds, uint32_t n, bool may_sleep)
{
	for (int tries = 0; tries < ISSUE_TRIES; tries++) {
		struct copy c = {cmds, n};
		struct smmu_cmdq_token token;

		if (n == 1 ? smmu_cmdq_submit_one(q, cmds, &token)
			   : smmu_cmdq_submit(q, n, fill_copy, &c, &token))
			return -SMMU_EIO;
		switch (smmu_cmdq_wait(q, &token, may_sleep)) {
		case SMMU_CMDQ_DONE:
			return 0;
		case SMMU_CMDQ_ATC_TIMEOUT:
			return -SMMU_ETIMEDOUT;
		case SMMU_CMDQ_LOST:
			continue;
		default:
			return -SMMU_EIO;
		}
	}
	return -SMMU_EIO;
}
