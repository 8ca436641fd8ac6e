/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fault "dirty-start": before the driver brings an SMMU up, somebody else has used it and has left it running: a stream
 * table that lets every stream through, a command and an event queue in the middle of a lap, MSIs on, caches full of its
 * configuration, and devices that go on with their DMA. From the moment the driver has the SMMU up, no stream that
 * nobody added reaches anything, and nothing is written where the former owner wanted it.
 */
#include <smmuv3/hw/cmd.h>
#include <smmuv3/hw/regs.h>
#include <smmuv3/hw/ste.h>
#include <string.h>

#include "machine_build.h"
#include "raw.h"

/* What the former owner of one SMMU has in memory, in the room before the heap, behind the canary. */
#define DIRTY_LOG2 7u /* streams, in a linear table */
#define DIRTY_TABLE 0u
#define DIRTY_CMDQ (0x40u << DIRTY_LOG2)
#define DIRTY_EVENTQ (DIRTY_CMDQ + 0x1000)
#define DIRTY_MSI (DIRTY_CMDQ + 0x2000)
#define DIRTY_BYTES 0x6000u
#define DIRTY_SPY 0x5b9u

static uint64_t room(const struct machine *m, unsigned smmu)
{
	return m->canary + 0x10000 + (uint64_t)smmu * DIRTY_BYTES;
}

static uint64_t *word(const struct machine *m, uint64_t bus)
{
	return smmu_ram_at(machine_seen(m), bus, 8);
}

static void put_command(const struct machine *m, uint64_t at, unsigned n, struct smmu_cmd cmd)
{
	word(m, at + n * 16)[0] = cmd.w[0];
	word(m, at + n * 16)[1] = cmd.w[1];
}

static bool leave_running(struct machine *m, unsigned smmu)
{
	const struct smmu_bus *bus = raw_bus(m, smmu);
	uint64_t base = room(m, smmu);
	const uint64_t ste =
		SMMU_STE_W0_V | smmu_field_prep(SMMU_STE_W0_CONFIG, SMMU_STE_CONFIG_BYPASS);
	const uint32_t cmdq = (uint32_t)SMMU_CR0_CMDQEN, last = 4;
	unsigned i;

	memset(word(m, base), 0, DIRTY_BYTES);
	for (i = 0; i < 1u << DIRTY_LOG2; i++)
		*word(m, base + DIRTY_TABLE + i * 64) = ste;
	*word(m, base + DIRTY_MSI) = DIRTY_SPY;
	raw_put32(bus, SMMU_CR0, 0);
	if (!raw_reaches(m, bus, SMMU_CR0ACK, 0))
		return false;
	raw_put32(bus, SMMU_IRQ_CTRL, 0);
	if (!raw_reaches(m, bus, SMMU_IRQ_CTRLACK, 0))
		return false;
	raw_put32(bus, SMMU_CR1, 0);
	raw_put32(bus, SMMU_CR2, 0);
	raw_put64(bus, SMMU_STRTAB_BASE, base + DIRTY_TABLE);
	raw_put32(bus, SMMU_STRTAB_BASE_CFG, DIRTY_LOG2);
	raw_put64(bus, SMMU_CMDQ_BASE, (base + DIRTY_CMDQ) | 5);
	raw_put32(bus, SMMU_CMDQ_PROD, 0);
	raw_put32(bus, SMMU_CMDQ_CONS, 0);
	raw_put64(bus, SMMU_EVENTQ_BASE, (base + DIRTY_EVENTQ) | 5);
	raw_put32(bus, SMMU_EVENTQ_PROD, 0);
	raw_put32(bus, SMMU_EVENTQ_CONS, 0);
	if (smmu % 2 == 0) {
		/* Only even ones have MSIs; see backend_model.c. */
		raw_put64(bus, SMMU_EVENTQ_IRQ_CFG0, base + DIRTY_MSI);
		raw_put32(bus, SMMU_EVENTQ_IRQ_CFG1, DIRTY_SPY + 1);
		raw_put64(bus, SMMU_GERROR_IRQ_CFG0, base + DIRTY_MSI);
		raw_put32(bus, SMMU_GERROR_IRQ_CFG1, DIRTY_SPY + 1);
	}
	raw_put32(bus, SMMU_CR0, cmdq);
	if (!raw_reaches(m, bus, SMMU_CR0ACK, cmdq))
		return false;
	put_command(m, base + DIRTY_CMDQ, 0, smmu_cmd_cfgi_all());
	put_command(m, base + DIRTY_CMDQ, 1, smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE));
	put_command(m, base + DIRTY_CMDQ, 2, smmu_cmd_tlbi_nsnh_all());
	put_command(m, base + DIRTY_CMDQ, 3, smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE));
	raw_put32(bus, SMMU_CMDQ_PROD, last);
	if (!raw_consumed(m, bus, last))
		return false;
	raw_put32(bus, SMMU_IRQ_CTRL, 7);
	raw_reaches(m, bus, SMMU_IRQ_CTRLACK, 7);
	raw_put32(bus, SMMU_CR0, (uint32_t)(SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN) | cmdq);
	return raw_reaches(m, bus, SMMU_CR0ACK,
			   (uint32_t)(SMMU_CR0_SMMUEN | SMMU_CR0_EVENTQEN) | cmdq);
}

bool machine_bring_dirt(struct machine *m, unsigned smmu)
{
	unsigned every;

	if (!lab_fault(m->o, FAULT_DIRTY_START, &every) || m->starts++ % every)
		return false;
	if (!leave_running(m, smmu))
		return false;
	smmu_fetch_add(&m->own_strikes[FAULT_DIRTY_START], 1);
	return true;
}

void machine_leave_dirt(struct machine *m, unsigned smmu)
{
	/* What came until now the former owner had asked for. */
	if (lab_fault(m->o, FAULT_DIRTY_START, NULL))
		*word(m, room(m, smmu) + DIRTY_MSI) = DIRTY_SPY;
}

void machine_check_dirt(struct machine *m, unsigned smmu)
{
	if (!lab_fault(m->o, FAULT_DIRTY_START, NULL) ||
	    *word(m, room(m, smmu) + DIRTY_MSI) == DIRTY_SPY)
		return;
	machine_complain(m, smmu, room(m, smmu), "registers",
			 "smmu %u wrote an interrupt to the address of a former owner after the "
			 "driver had it up",
			 smmu);
}
