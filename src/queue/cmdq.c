/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command queue.
 *
 * Positions are 64-bit counts of commands since the queue was made; position p lives in slot p mod size, in lap p div
 * size. Hardware's PROD and CONS are the low log2size+1 bits of a position.
 *
 *   cons <= (real CONS) <= published <= tail        tail may run ahead of cons by more than the size
 *
 * A producer takes the positions [tail, tail+n) with one fetch-and-add, for any n. It writes each slot once the slot is
 * free, then notes the lap in written[slot]. PROD is moved over all slots that are written, without a gap, by the
 * publisher: whoever finds the count `publishing` at 0. The others add 1 and leave; the publisher takes that as "look
 * again".
 *
 * Fact 1. A slot of position p is free once cons > p - size, because then the command of the lap before was consumed.
 * Fact 2. `cons` never falls and never passes the real CONS: it is only raised, by compare-and-exchange, to values read
 *         from the register and expanded upward from an earlier value of `cons` (cons_refresh).
 * Fact 3. The real CONS is at most size ahead of the highest value `cons` has had: what lies beyond was not published,
 *         because its slots were not free by fact 1. So the log2size+1 bits of the register determine the position.
 * Fact 4. No written slot is left unpublished: a producer's stores to written[] come before its increment of `publishing`;
 *         a publisher leaves only by subtracting all the increments that it has served, and it looks at written[] after
 *         the read-modify-write that showed it each of them.
 * Fact 5. A batch enters as a unit, since its positions are consecutive and each position is published once.
 * Fact 6. Nobody waits for another producer, but through the hardware: a full queue waits for CONS, and a producer that
 *         waits has published what it wrote before. (The hardware itself stops at a slot that is not written yet.)
 *
 * IHI 0070: "SMMU circular queues", "Command queue entries"; SMMU_CMDQ_BASE, PROD, CONS.
 */
#include <smmuv3/hw/regs.h>

#include "cmdq.h"

#define CMDQ_LOG2_MAX 19u
#define CHUNK_MAX 64u /* commands between two looks at who else wants to publish */

static uint64_t queue_size(const struct smmu_cmdq *q)
{
	return SMMU_BIT(q->log2size);
}

static uint32_t slot_of(const struct smmu_cmdq *q, uint64_t pos)
{
	return (uint32_t)(pos & (queue_size(q) - 1));
}

/** The lap of @p pos, counted from 1: what written[] and msi[] hold when it is done. */
static uint32_t lap_of(const struct smmu_cmdq *q, uint64_t pos)
{
	return (uint32_t)(pos >> q->log2size) + 1;
}

size_t smmu_cmdq_dma_size(const struct smmu_cmdq_config *cfg)
{
	size_t entries = (size_t)1 << cfg->log2size;

	return entries * sizeof(struct smmu_cmd) + (cfg->msi ? entries * sizeof(uint32_t) : 0);
}

size_t smmu_cmdq_mem_size(const struct smmu_cmdq_config *cfg)
{
	return sizeof(uint32_t) << cfg->log2size;
}

int smmu_cmdq_init(struct smmu_cmdq *q, const struct smmu_cmdq_config *cfg)
{
	const struct smmu_port *port = cfg->port;
	size_t ring = sizeof(struct smmu_cmd) << cfg->log2size;

	if (cfg->log2size < 1 || cfg->log2size > CMDQ_LOG2_MAX)
		return -SMMU_EINVAL;
	*q = (struct smmu_cmdq){.port = port,
				.mmio = cfg->mmio,
				.name = cfg->name,
				.log2size = cfg->log2size,
				.timeout_ns = cfg->timeout_ns,
				.base_attr = cfg->base_attr};
	smmu_spin_init(&q->error_lock);
	q->written = port->ops->alloc(port->ctx, smmu_cmdq_mem_size(cfg));
	/* The base is aligned to the size of the queue, at least 32 bytes. */
	q->ring = port->ops->dma_alloc(port->ctx, ring, smmu_max64(ring, 32), 0, &q->ring_bus);
	if (cfg->msi)
		q->msi = port->ops->dma_alloc(port->ctx, sizeof(uint32_t) << cfg->log2size, 64, 0,
					      &q->msi_bus);
	if (q->written && q->ring && (q->msi || !cfg->msi))
		return 0;
	smmu_cmdq_fini(q);
	return -SMMU_ENOMEM;
}

void smmu_cmdq_fini(struct smmu_cmdq *q)
{
	const struct smmu_port *port = q->port;

	if (q->written)
		port->ops->free(port->ctx, q->written, sizeof(uint32_t) << q->log2size);
	if (q->ring)
		port->ops->dma_free(port->ctx, q->ring, sizeof(struct smmu_cmd) << q->log2size);
	if (q->msi)
		port->ops->dma_free(port->ctx, q->msi, sizeof(uint32_t) << q->log2size);
	q->written = NULL;
	q->ring = NULL;
	q->msi = NULL;
}

uint64_t smmu_cmdq_base(const struct smmu_cmdq *q)
{
	return (q->ring_bus & SMMU_QUEUE_BASE_ADDR) | q->base_attr | q->log2size;
}

void smmu_cmdq_restart(struct smmu_cmdq *q)
{
	for (uint32_t i = 0; i < queue_size(q); i++) {
		q->written[i] = 0;
		if (q->msi)
			q->msi[i] = 0;
	}
	q->tail = q->published = q->cons = 0;
	q->publishing = q->errors = q->aborts = q->stuck = 0;
}

uint64_t smmu_cmdq_cons_refresh(struct smmu_cmdq *q, uint32_t *reg)
{
	uint64_t mask = 2 * queue_size(q) - 1;
	/* Taken before the register is read: the real CONS is at or above it, fact 2. */
	uint64_t seen = smmu_load_acquire(&q->cons);
	uint32_t value = smmu_mmio_read32(&q->mmio, SMMU_CMDQ_CONS);
	uint64_t now = seen + ((smmu_field_get(SMMU_CMDQ_CONS_RD, value) - seen) & mask);

	/* What the SMMU wrote before it moved CONS (an error's events) is visible after. */
	smmu_dma_rmb();
	if (reg)
		*reg = value;
	/* The registers of a device that is gone read as ones. Whatever else it says, it took no more than it was given. */
	if (value == UINT32_MAX || now > smmu_load(&q->published))
		return seen;
	while (now > seen && !smmu_compare_exchange(&q->cons, &seen, now))
		;
	return now > seen ? now : seen;
}

/** Move PROD over everything that is written, unless somebody else is at it and will. */
static void publish(struct smmu_cmdq *q)
{
	uint32_t served = 1, before;

	if (smmu_fetch_add(&q->publishing, 1))
		return;
	for (;;) {
		uint64_t pos = q->published;

		while (smmu_load_acquire(&q->written[slot_of(q, pos)]) == lap_of(q, pos))
			pos++;
		if (pos != q->published) {
			/* First, so that the real CONS is never seen beyond it. */
			smmu_store(&q->published, pos);
			smmu_dma_wmb();
			smmu_mmio_write32(&q->mmio, SMMU_CMDQ_PROD,
					  (uint32_t)(pos & (2 * queue_size(q) - 1)));
		}
		before = smmu_fetch_sub(&q->publishing, served);
		if (before == served)
			return;
		served = before - served;
	}
}

/** A wait for the hardware: gives up when it had commands and CONS has not moved for the time-out. */
struct patience {
	uint64_t cons;
	uint64_t since;
	uint64_t looked; /* at GERROR */
	bool idle;       /* nothing was published beyond cons then */
};

static void patience_start(struct smmu_cmdq *q, struct patience *w)
{
	w->cons = smmu_load(&q->cons);
	w->idle = w->cons == smmu_load(&q->published);
	w->since = w->looked = smmu_port_now(q->port);
}

static void tell_timeout(struct smmu_cmdq *q, uint32_t cons)
{
	struct smmu_text t;
	char buf[160];

	smmu_text_init(&t, buf, sizeof(buf));
	smmu_text_str(&t, q->name);
	smmu_text_str(&t, ": command queue: no progress for ");
	smmu_text_dec(&t, q->timeout_ns / 1000000);
	smmu_text_str(&t, " ms, PROD ");
	smmu_text_hex(&t, smmu_mmio_read32(&q->mmio, SMMU_CMDQ_PROD), 1);
	smmu_text_str(&t, ", CONS ");
	smmu_text_hex(&t, cons, 1);
	smmu_text_str(&t, ": the SMMU is given up until it is reset");
	smmu_port_log(q->port, SMMU_LOG_ERROR, buf);
}

/** One turn of a wait; false once the hardware counts as dead. */
static bool patience_left(struct smmu_cmdq *q, struct patience *w)
{
	uint64_t now, cons;
	uint32_t reg;

	if (smmu_load(&q->stuck))
		return false;
	smmu_relax(&q->mmio);
	now = smmu_port_now(q->port);
	/* An error stops the queue; its interrupt may be off, or may wait for us. */
	if (now - w->looked > ERROR_POLL_NS) {
		w->looked = now;
		smmu_cmdq_serve_error(q);
	}
	if (now - w->since < q->timeout_ns)
		return true;
	cons = smmu_cmdq_cons_refresh(q, &reg);
	/*
	 * Hardware that had nothing before it is not to blame: a producer ahead of us has reserved its place and lost its
	 * processor before it published.
	 */
	if (cons != w->cons || w->idle) {
		w->cons = cons;
		w->idle = cons == smmu_load(&q->published);
		w->since = now;
		return true;
	}
	if (!smmu_exchange(&q->stuck, 1))
		tell_timeout(q, reg);
	return false;
}

/** Wait until the slot of @p pos is free; returns how many slots from there on are, without wrapping; 0: dead. */
static uint32_t wait_room(struct smmu_cmdq *q, uint64_t pos)
{
	uint64_t size = queue_size(q), cons = smmu_load_acquire(&q->cons);
	uint64_t to_wrap = size - slot_of(q, pos);
	struct patience w;

	if (pos - cons >= size) {
		/* Somebody may wait for what is written here already. */
		publish(q);
		patience_start(q, &w);
		while (pos - (cons = smmu_cmdq_cons_refresh(q, NULL)) >= size)
			if (!patience_left(q, &w))
				return 0;
	}
	return (uint32_t)smmu_min64(cons + size - pos, to_wrap);
}

/** The CMD_SYNC that ends the batch at @p pos. */
static struct smmu_cmd last_sync(const struct smmu_cmdq *q, uint64_t pos)
{
	if (!q->msi)
		return smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
	return smmu_cmd_sync_msi(q->msi_bus + sizeof(uint32_t) * slot_of(q, pos), lap_of(q, pos),
				 MSI_SH_INNER, MSI_ATTR_OIWB);
}

int smmu_cmdq_submit(struct smmu_cmdq *q, uint32_t n, smmu_cmdq_fill fill, void *ctx,
		     struct smmu_cmdq_token *token)
{
	uint64_t pos;

	if (smmu_load(&q->stuck))
		return -SMMU_EIO;
	token->errors = smmu_load_acquire(&q->errors);
	pos = token->first = smmu_fetch_add(&q->tail, (uint64_t)n + 1);
	token->end = pos + n + 1;
	while (pos < token->end) {
		uint32_t room = wait_room(q, pos), want, got = 0;
		struct smmu_cmd *dst = &q->ring[slot_of(q, pos)];

		if (!room)
			return -SMMU_EIO;
		if (room > CHUNK_MAX)
			room = CHUNK_MAX;
		want = (uint32_t)smmu_min64(room, token->end - 1 - pos);
		if (want)
			got = (uint32_t)fill(ctx, dst, want);
		while (got < want)
			dst[got++] = smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE);
		if (got < room && pos + got == token->end - 1) {
			dst[got] = last_sync(q, pos + got);
			got++;
		}
		if (q->port->ops->clean)
			smmu_port_clean(q->port, dst, got * sizeof(*dst));
		for (uint32_t i = 0; i < got; i++)
			smmu_store_release(&q->written[slot_of(q, pos + i)], lap_of(q, pos + i));
		pos += got;
	}
	publish(q);
	return 0;
}

static bool complete(struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	uint64_t last = token->end - 1;

	if (smmu_load_acquire(&q->cons) >= token->end)
		return true;
	if (q->msi) {
		uint32_t lap = smmu_load_acquire(&q->msi[slot_of(q, last)]);

		/* Laps wrap after 2^32; what is waited for is never that old. */
		return (int32_t)(lap - lap_of(q, last)) >= 0;
	}
	return smmu_cmdq_cons_refresh(q, NULL) >= token->end;
}

enum smmu_cmdq_status smmu_cmdq_poll(struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	bool done = complete(q, token);

	/*
	 * Looked at after completion: an error is recorded before the queue goes on, and what was recorded about this
	 * batch is therefore seen.
	 */
	if (smmu_load_acquire(&q->errors) != token->errors) {
		enum smmu_cmdq_status hit = smmu_cmdq_hit(q, token);

		if (hit != SMMU_CMDQ_PENDING)
			return hit;
	}
	if (done)
		return SMMU_CMDQ_DONE;
	return smmu_load(&q->stuck) ? SMMU_CMDQ_DEAD : SMMU_CMDQ_PENDING;
}

enum smmu_cmdq_status smmu_cmdq_wait(struct smmu_cmdq *q, const struct smmu_cmdq_token *token)
{
	enum smmu_cmdq_status status = smmu_cmdq_poll(q, token);
	struct patience w;

	if (status != SMMU_CMDQ_PENDING)
		return status;
	patience_start(q, &w);
	while ((status = smmu_cmdq_poll(q, token)) == SMMU_CMDQ_PENDING)
		if (!patience_left(q, &w))
			return SMMU_CMDQ_DEAD;
	return status;
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

int smmu_cmdq_issue(struct smmu_cmdq *q, const struct smmu_cmd *cmds, uint32_t n)
{
	for (int tries = 0; tries < ISSUE_TRIES; tries++) {
		struct copy c = {cmds, n};
		struct smmu_cmdq_token token;

		if (smmu_cmdq_submit(q, n, fill_copy, &c, &token))
			return -SMMU_EIO;
		switch (smmu_cmdq_wait(q, &token)) {
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
