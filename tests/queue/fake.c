/* SPDX-License-Identifier: BSD-2-Clause */
/* The consumer made by hand, and the check of what it consumed. */
#include "fake.h"

struct smmu_cmd test_cmd(unsigned who, unsigned batch, unsigned i)
{
	return (struct smmu_cmd){{CMD_TEST | (uint64_t)who << 32, (uint64_t)batch << 32 | i}};
}

struct smmu_cmd test_bad_cmd(unsigned who, unsigned batch, unsigned i)
{
	return (struct smmu_cmd){{CMD_BAD | (uint64_t)who << 32, (uint64_t)batch << 32 | i}};
}

static uint32_t read32(void *ctx, uint32_t offset)
{
	struct fake *f = ctx;

	if (smmu_load(&f->state) == FAKE_GONE)
		return UINT32_MAX;
	/* No position is taken before there is room for it. */
	if (f->q)
		CHECK((smmu_load_acquire(&f->q->tail) & ~SMMU_CMDQ_SHUT) <=
		      smmu_load(&f->consumed) + (1u << f->log2size));
	switch (offset) {
	case SMMU_CMDQ_PROD:
		return smmu_load_acquire(&f->prod);
	case SMMU_CMDQ_CONS:
		return smmu_load_acquire(&f->cons);
	case SMMU_GERROR:
		return smmu_load_acquire(&f->gerror);
	case SMMU_GERRORN:
		return smmu_load_acquire(&f->gerrorn);
	default:
		CHECK(!"a register that the queue has no business with");
	}
	return 0;
}

static void write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct fake *f = ctx;
	uint32_t size = 1u << f->log2size, ahead, step;

	if (smmu_load(&f->state) == FAKE_GONE)
		return;
	switch (offset) {
	case SMMU_CMDQ_PROD:
		CHECK(value < 2 * size);
		step = (value - smmu_load(&f->prod)) & (2 * size - 1);
		ahead = (value - (smmu_load_acquire(&f->cons) & (uint32_t)SMMU_CMDQ_CONS_RD)) &
			(2 * size - 1);
		/* Forward, by at least one, and never over what was not consumed. */
		CHECK(step >= 1 && step <= size && ahead <= size);
		f->prod_writes++;
		f->full += ahead == size;
		smmu_store_release(&f->prod, value);
		break;
	case SMMU_GERRORN:
		/* Nothing is acknowledged but what is active. */
		CHECK(value != smmu_load(&f->gerrorn));
		CHECK(!((value ^ smmu_load(&f->gerrorn)) &
			~(smmu_load(&f->gerror) ^ smmu_load(&f->gerrorn))));
		smmu_store_release(&f->gerrorn, value);
		break;
	default:
		CHECK(!"a register that the queue has no business with");
	}
}

static uint64_t read64(void *ctx, uint32_t offset)
{
	CHECK(!"no 64-bit register is read");
	return 0;
}

static void write64(void *ctx, uint32_t offset, uint64_t value)
{
	CHECK(!"no 64-bit register is written");
}

static void relax(void *ctx)
{
	const struct fake *f = ctx;

	if (f->rest)
		f->rest();
}

static const struct smmu_bus_ops ops = {read32, read64, write32, write64, relax};

static void stop_with(struct fake *f, const struct smmu_cmd *cmd, uint32_t code)
{
	uint32_t cons = smmu_load(&f->cons) & (uint32_t)SMMU_CMDQ_CONS_RD;

	f->cerrors++;
	f->blamed =
		smmu_cmd_opcode(cmd) == SMMU_CMD_SYNC ? f->last_who : (unsigned)(cmd->w[0] >> 32);
	smmu_store_release(&f->cons, cons | (uint32_t)smmu_field_prep(SMMU_CMDQ_CONS_ERR, code));
	smmu_store_release(&f->gerror, smmu_load(&f->gerror) ^ (uint32_t)SMMU_GERROR_CMDQ_ERR);
}

/** Take the command at CONS; false if it stops the queue. */
static bool take(struct fake *f, struct smmu_cmd *cmd)
{
	struct smmu_cmd c = *cmd;

	if (f->aborts && f->abort_at == f->consumed) {
		f->aborts--;
		stop_with(f, &c, SMMU_CERROR_ABT);
		return false;
	}
	CHECK(c.w[0] >> 8 != FAKE_POISON >> 8 && c.w[1] != FAKE_POISON);
	if (f->ills && f->ill_at == f->consumed) {
		f->ills--;
		stop_with(f, &c, SMMU_CERROR_ILL);
		return false;
	}
	switch (smmu_cmd_opcode(&c)) {
	case CMD_BAD:
		stop_with(f, &c, f->error_code ? f->error_code : SMMU_CERROR_ILL);
		return false;
	case CMD_ATC:
		f->atc_pending = f->atc_silent;
		f->atc_waits = f->atc_ns != 0;
		break;
	case CMD_TEST:
		break;
	case SMMU_CMD_SYNC:
		if (f->atc_waits) {
			f->atc_waits = false;
			f->next_ns = sim_now(f->sim) + f->atc_ns;
			return false;
		}
		if (f->atc_pending) {
			f->atc_pending = f->atc_waits = false;
			stop_with(f, &c, SMMU_CERROR_ATC_INV_SYNC);
			return false;
		}
		break;
	default:
		CHECK(!"no such command was submitted");
	}
	CHECK(f->logged < FAKE_LOG);
	f->log[f->logged++] = c;
	if (smmu_cmd_opcode(&c) != SMMU_CMD_SYNC)
		f->last_who = (unsigned)(c.w[0] >> 32);
	/* Whoever reads it a second time, or takes it for written, will know. What it was may be asked. */
	smmu_store(&cmd->w[0], (FAKE_POISON & ~SMMU_CMD_W0_OP) | (c.w[0] & SMMU_CMD_W0_OP));
	cmd->w[1] = FAKE_POISON;
	if (smmu_cmd_opcode(&c) == SMMU_CMD_SYNC && c.w[1] & SMMU_CMD_SYNC_W1_MSIADDR) {
		uint64_t at = (c.w[1] & SMMU_CMD_SYNC_W1_MSIADDR) + f->msi_bias;
		uint32_t *msi = smmu_ram_at(&f->ram, at, 4);

		CHECK(msi && smmu_field_get(SMMU_CMD_SYNC_W0_CS, c.w[0]) == SMMU_CMD_SYNC_CS_IRQ);
		smmu_store_release(&f->consumed, f->consumed + 1);
		if (f->msi_aborts) {
			f->msi_aborts--;
			if (f->gerror == f->gerrorn)
				f->gerror ^= (uint32_t)SMMU_GERROR_MSI_CMDQ_ABT_ERR;
			return true;
		}
		smmu_store_release(msi, (uint32_t)smmu_field_get(SMMU_CMD_SYNC_W0_MSIDATA, c.w[0]));
		return true;
	}
	smmu_store_release(&f->consumed, f->consumed + 1);
	return true;
}

/** Commands are not taken while a command error is active. */
static bool stopped(const struct fake *f)
{
	return ((smmu_load(&f->gerror) ^ smmu_load_acquire(&f->gerrorn)) & SMMU_GERROR_CMDQ_ERR) !=
	       0;
}

bool fake_turn(struct fake *f, unsigned most)
{
	uint32_t mask = (2u << f->log2size) - 1, prod = smmu_load_acquire(&f->prod);
	uint32_t at = (uint32_t)f->consumed & mask;
	bool any = false, ok = true;

	if (smmu_load(&f->state) != FAKE_RUNS || stopped(f))
		return false;
	while (ok && most-- && at != prod) {
		ok = take(f, &f->ring[at & (mask >> 1)]);
		at = (uint32_t)f->consumed & mask;
		any = true;
		/* CONS moves in jumps: it is written after the last one, or when the queue stops. */
		if (!ok)
			break;
	}
	if (any && ok)
		smmu_store_release(&f->cons, at);
	else if (any)
		smmu_store_release(&f->cons,
				   (smmu_load(&f->cons) & ~(uint32_t)SMMU_CMDQ_CONS_RD) | at);
	return any;
}

static bool has_work(const struct fake *f)
{
	return f->ring && f->state == FAKE_RUNS && !stopped(f) &&
	       (uint32_t)(f->consumed & ((2u << f->log2size) - 1)) != f->prod;
}

static uint64_t actor_next(void *ctx)
{
	struct fake *f = ctx;

	return has_work(f) ? f->next_ns : UINT64_MAX;
}

static void actor_advance(void *ctx, uint64_t now_ns)
{
	struct fake *f = ctx;

	if (!has_work(f) || now_ns < f->next_ns)
		return;
	f->next_ns = now_ns + 1 + smmu_random_below(&f->random, f->pause_ns);
	fake_turn(f, 1 + (unsigned)smmu_random_below(&f->random, f->jump_max));
}

void fake_init(struct fake *f, struct sim *sim, uint64_t seed)
{
	memset(f, 0, sizeof(*f));
	f->bus = (struct smmu_bus){&ops, f};
	smmu_random_seed(&f->random, seed);
	CHECK(smmu_ram_create(&f->ram, SMMU_RAM_DEFAULT_BASE, 64u << 20) == 0);
	CHECK(smmu_heap_init(&f->heap, &f->ram, 0, 0) == 0);
	f->posix.heap = &f->heap;
	f->posix.stderr_level = -1;
	if (sim) {
		f->posix.clock = sim_clock;
		f->posix.clock_ctx = sim;
		CHECK(sim_add_actor(sim, actor_next, actor_advance, f) == 0);
	}
	sim_port_init(&f->port, &f->posix);
	f->sim = sim;
	f->jump_max = 1;
	f->pause_ns = 100;
	f->log = malloc(FAKE_LOG * sizeof(*f->log));
	CHECK(f->log);
}

void fake_fini(struct fake *f)
{
	if (f->sim)
		sim_remove_actor(f->sim, f);
	free(f->log);
	CHECK(smmu_heap_live(&f->heap) == 0);
	smmu_heap_fini(&f->heap);
	smmu_ram_destroy(&f->ram);
}

void fake_bind(struct fake *f, struct smmu_cmdq *q)
{
	uint64_t base = smmu_cmdq_base(q);

	f->q = q;
	f->log2size = q->log2size;
	CHECK((base & 31) == q->log2size);
	CHECK(!((base & SMMU_QUEUE_BASE_ADDR) & ((16ull << q->log2size) - 1)));
	f->ring = smmu_ram_at(&f->ram, base & SMMU_QUEUE_BASE_ADDR, 16ull << q->log2size);
	CHECK(f->ring);
	memset(f->ring, 0xee, 16ull << q->log2size);
}

void fake_reset(struct fake *f, struct smmu_cmdq *q)
{
	smmu_cmdq_close(q);
	f->state = FAKE_STUCK;
	f->gerror = f->gerrorn = 0;
	f->prod = f->cons = smmu_cmdq_restart(q);
	f->consumed = q->turn;
	f->logged = 0;
	f->cerrors = f->aborts = f->ills = 0;
	f->atc_pending = f->atc_waits = false;
	memset(f->ring, 0xee, 16ull << f->log2size);
	f->state = FAKE_RUNS;
	smmu_cmdq_open(q);
}

struct smmu_cmdq_config fake_config(struct fake *f, unsigned log2size, bool msi,
				    uint64_t timeout_ns)
{
	return (struct smmu_cmdq_config){.port = &f->port,
					 .mmio = {&f->bus},
					 .name = "fake7",
					 .log2size = log2size,
					 .msi = msi,
					 .timeout_ns = timeout_ns};
}

void fake_queue(struct fake *f, struct smmu_cmdq *q, unsigned log2size, bool msi,
		uint64_t timeout_ns)
{
	struct smmu_cmdq_config cfg = fake_config(f, log2size, msi, timeout_ns);

	CHECK(smmu_cmdq_init(q, &cfg) == 0);
	CHECK(f->heap.dma_bytes == smmu_cmdq_dma_size(&cfg));
	CHECK(f->heap.cpu_bytes == smmu_cmdq_mem_size(&cfg));
	fake_bind(f, q);
}

size_t batch_fill(void *ctx, struct smmu_cmd *dst, size_t room)
{
	struct batch *b = ctx;
	size_t n = 0;

	/* In steps, so that others get to look meanwhile. */
	for (uint64_t ns = b->at ? 0 : b->stall_ns; ns; ns -= smmu_min64(ns, 10000))
		sim_sleep(b->sim, smmu_min64(ns, 10000));
	CHECK(room);
	for (; n < room && b->at + b->shorter < b->n; n++, b->at++) {
		dst[n] = test_cmd(b->who, b->number, b->at);
		if ((int)b->at == b->bad)
			dst[n].w[0] ^= CMD_TEST ^ CMD_BAD;
		if ((int)b->at == b->atc)
			dst[n].w[0] ^= CMD_TEST ^ CMD_ATC;
	}
	return n;
}

int fake_submit(struct smmu_cmdq *q, unsigned n, struct batch *b, struct smmu_cmdq_token *token)
{
	struct smmu_cmd cmd;

	if (n != 1 || b->shorter)
		return smmu_cmdq_submit(q, n, batch_fill, b, token);
	batch_fill(b, &cmd, 1);
	return smmu_cmdq_submit_one(q, &cmd, token);
}

/** How far the commands of one producer have come. */
struct progress {
	unsigned batch, at;
};

void fake_check_log(const struct fake *f, unsigned producers, unsigned batches,
		    const unsigned *lengths, bool again)
{
	struct progress *progress = calloc(producers, sizeof(*progress));
	int open = -1; /* whose piece is not ended by a CMD_SYNC yet */

	CHECK(progress);
	for (size_t at = 0; at < f->logged; at++) {
		unsigned who = (unsigned)(f->log[at].w[0] >> 32);
		unsigned batch = (unsigned)(f->log[at].w[1] >> 32), i = (unsigned)f->log[at].w[1];
		struct progress *p;

		if (smmu_cmd_opcode(&f->log[at]) == SMMU_CMD_SYNC) {
			open = -1;
			continue;
		}
		CHECK(who < producers && batch < batches);
		p = &progress[who];
		if (open >= 0) {
			/* Nothing in between. */
			CHECK((unsigned)open == who && batch == p->batch && i == p->at);
		} else if (batch == p->batch + 1) {
			/* The one before is whole, but for a command that was illegal and stands there as a CMD_SYNC. */
			CHECK(p->at + again >= lengths[who * batches + p->batch]);
			CHECK(i == 0 || (again && i == 1));
		} else {
			CHECK(batch == p->batch);
			CHECK(i == p->at || (again && (i == p->at + 1 || i <= 1)));
		}
		CHECK(i < lengths[who * batches + batch]);
		*p = (struct progress){batch, i + 1};
		open = (int)who;
	}
	CHECK(open < 0);
	for (unsigned who = 0; who < producers; who++) {
		CHECK(progress[who].batch == batches - 1);
		CHECK(progress[who].at + again >= lengths[who * batches + batches - 1]);
	}
	free(progress);
}

void fake_bench_up(struct fake_bench *b, uint64_t seed, unsigned log2size, bool msi)
{
	b->sim = sim_create(seed);
	sim_set_max_step(b->sim, 100000);
	fake_init(&b->f, b->sim, seed);
	fake_queue(&b->f, &b->q, log2size, msi, 1000000);
}

void fake_bench_down(struct fake_bench *b)
{
	smmu_cmdq_fini(&b->q);
	fake_fini(&b->f);
	sim_destroy(b->sim);
}

struct smmu_cmdq_token fake_bench_submit(struct fake_bench *b, unsigned who, unsigned n, int bad,
					 int atc)
{
	struct batch batch = {.who = who, .n = n, .bad = bad, .atc = atc};
	struct smmu_cmdq_token token;

	assert_int_equal(fake_submit(&b->q, n, &batch, &token), 0);
	return token;
}
