/* SPDX-License-Identifier: BSD-2-Clause */
/* One processor and a consumer of commands that moves only while the processor waits. */
#include "irq_machine.h"

struct irq_machine irq;
struct machine machine;

static uint32_t index_mask(void)
{
	return 2 * machine.q.mask + 1;
}

/** Take the command at CONS; false if there is none, or it stops the queue. */
static bool take(void)
{
	struct smmu_cmd *cmd = &machine.q.ring[machine.cons & machine.q.mask];

	if (machine.gerror != machine.gerrorn || (machine.cons & index_mask()) == machine.prod)
		return false;
	if (machine.ill_at == machine.consumed) {
		machine.ill_at = UINT64_MAX;
		machine.cons |= (uint32_t)smmu_field_prep(SMMU_CMDQ_CONS_ERR, SMMU_CERROR_ILL);
		machine.gerror ^= (uint32_t)SMMU_GERROR_CMDQ_ERR;
		return false;
	}
	CHECK(machine.logged < MACHINE_LOG);
	machine.log[machine.logged++] = *cmd;
	CHECK(smmu_cmd_opcode(cmd) == MACHINE_CMD || smmu_cmd_opcode(cmd) == SMMU_CMD_SYNC);
	if (smmu_cmd_opcode(cmd) == SMMU_CMD_SYNC && cmd->w[1] & SMMU_CMD_SYNC_W1_MSIADDR) {
		uint32_t *msi = (uint32_t *)(uintptr_t)(cmd->w[1] & SMMU_CMD_SYNC_W1_MSIADDR);

		smmu_store_release(msi,
				   (uint32_t)smmu_field_get(SMMU_CMD_SYNC_W0_MSIDATA, cmd->w[0]));
	}
	memset(cmd, 0xee, sizeof(*cmd));
	machine.consumed++;
	machine.cons = (machine.cons + 1) & index_mask();
	machine.turns = 0;
	return true;
}

void machine_take_all(void)
{
	while (take())
		;
}

static uint32_t read32(uint32_t offset)
{
	switch (offset) {
	case SMMU_CMDQ_PROD:
		return machine.prod;
	case SMMU_CMDQ_CONS:
		return machine.cons;
	case SMMU_GERROR:
		return machine.gerror;
	default:
		CHECK(offset == SMMU_GERRORN);
		return machine.gerrorn;
	}
}

static void write32(uint32_t offset, uint32_t value)
{
	if (offset == SMMU_GERRORN) {
		machine.gerrorn = value;
		return;
	}
	CHECK(offset == SMMU_CMDQ_PROD);
	CHECK(((value - machine.cons) & index_mask()) <= machine.q.mask + 1);
	machine.prod = value;
}

/** A turn of a wait: nobody waits with interrupts masked, and nobody waits for what will not come. */
static void relax(void)
{
	CHECK(!irq.masks);
	CHECK(machine.turns++ < 10000);
	machine.now += 100;
	if (machine.slow) {
		machine.slow--;
		return;
	}
	for (unsigned i = 0; i < machine.per_relax; i++)
		if (!take())
			break;
}

static void *dma_alloc(void *ctx, size_t size, size_t align, unsigned flags, uint64_t *bus)
{
	void *p = aligned_alloc(align, size < align ? align : size);

	CHECK(p);
	memset(p, 0, size);
	*bus = (uintptr_t)p;
	return p;
}

static void *cpu_alloc(void *ctx, size_t size)
{
	return calloc(1, size);
}

static void give(void *ctx, void *p, size_t size)
{
	free(p);
}

static uint64_t now_ns(void *ctx)
{
	return machine.now;
}

void machine_up(unsigned log2size, bool msi)
{
	struct smmu_cmdq_config cfg = {.port = &machine.port,
				       .name = "machine",
				       .log2size = log2size,
				       .msi = msi,
				       .timeout_ns = 1000000};

	memset(&machine, 0, sizeof(machine));
	memset(&irq, 0, sizeof(irq));
	machine.ops = (struct smmu_port_ops){.dma_alloc = dma_alloc,
					     .dma_free = give,
					     .alloc = cpu_alloc,
					     .free = give,
					     .now_ns = now_ns};
	machine.port.ops = &machine.ops;
	machine.per_relax = 1;
	machine.ill_at = UINT64_MAX;
	irq.read32 = read32;
	irq.write32 = write32;
	irq.relax = relax;
	CHECK(smmu_cmdq_init(&machine.q, &cfg) == 0);
}

void machine_down(void)
{
	CHECK(!irq.masks);
	smmu_cmdq_fini(&machine.q);
}

size_t machine_fill(void *ctx, struct smmu_cmd *dst, size_t room)
{
	struct machine_batch *b = ctx;

	for (size_t i = 0; i < room; i++)
		dst[i] = (struct smmu_cmd){{MACHINE_CMD | (uint64_t)b->who << 32, b->at++}};
	return room;
}

int machine_submit(unsigned n, struct machine_batch *b, struct smmu_cmdq_token *token)
{
	struct smmu_cmd cmd;

	if (n != 1)
		return smmu_cmdq_submit(&machine.q, n, machine_fill, b, token);
	machine_fill(b, &cmd, 1);
	return smmu_cmdq_submit_one(&machine.q, &cmd, token);
}

void machine_check_log(unsigned whos, const unsigned *lengths)
{
	unsigned *at = calloc(whos, sizeof(*at));
	int open = -1;

	CHECK(at);
	for (size_t i = 0; i < machine.logged; i++) {
		unsigned who = (unsigned)(machine.log[i].w[0] >> 32);

		if (smmu_cmd_opcode(&machine.log[i]) == SMMU_CMD_SYNC) {
			open = -1;
			continue;
		}
		CHECK(who < whos && machine.log[i].w[1] == at[who]++);
		CHECK(open < 0 || (unsigned)open == who);
		open = (int)who;
	}
	CHECK(open < 0);
	for (unsigned who = 0; who < whos; who++)
		CHECK(at[who] == lengths[who]);
	free(at);
}
