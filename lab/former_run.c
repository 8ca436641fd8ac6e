/* SPDX-License-Identifier: BSD-2-Clause */
/* How a former owner runs its SMMU, and lets it go. */
#include "former.h"

#include <smmuv3/hw/cmd.h>

#include "raw.h"

static void put_command(const struct former *f, unsigned n, struct smmu_cmd cmd)
{
	uint64_t *at = former_word(f, f->cmdq + n * 16ull);

	at[0] = cmd.w[0];
	at[1] = cmd.w[1];
}

static void devices_ats(struct former *f, bool on)
{
	struct machine *m = f->m;
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == f->smmu && f->of[i].ats && k < d->n_streams; k++)
			m->backend.ops->set_ats(m->backend.ctx, d->smmu, d->stream[k], on, 12);
	}
}

static bool disable(struct former *f)
{
	const struct smmu_bus *bus = raw_bus(f->m, f->smmu);

	raw_put32(bus, SMMU_CR0, 0);
	if (!raw_reaches(f->m, bus, SMMU_CR0ACK, 0))
		return false;
	raw_put32(bus, SMMU_IRQ_CTRL, 0);
	return raw_reaches(f->m, bus, SMMU_IRQ_CTRLACK, 0);
}

bool former_start(struct former *f)
{
	const struct smmu_bus *bus = raw_bus(f->m, f->smmu);
	const bool coherent = f->idr0 & SMMU_IDR0_COHACC;
	uint32_t queues = (uint32_t)(SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	uint32_t last = 0;

	if (f->idr0 & SMMU_IDR0_ATS)
		queues |= (uint32_t)SMMU_CR0_ATSCHK;
	if (!disable(f))
		return false;
	/* Write-back, inner shareable. */
	raw_put32(bus, SMMU_CR1, coherent ? 0xd75 : 0);
	raw_put32(bus, SMMU_CR2, (uint32_t)(SMMU_CR2_RECINVSID | (f->e2h ? SMMU_CR2_E2H : 0)));
	raw_put64(bus, SMMU_STRTAB_BASE, f->first_bus);
	raw_put32(bus, SMMU_STRTAB_BASE_CFG, f->log2 | (f->split ? f->split << 6 | 1 << 16 : 0));
	raw_put64(bus, SMMU_CMDQ_BASE, f->cmdq | FORMER_QUEUE_LOG2);
	raw_put32(bus, SMMU_CMDQ_PROD, 0);
	raw_put32(bus, SMMU_CMDQ_CONS, 0);
	raw_put64(bus, SMMU_EVENTQ_BASE, f->eventq | FORMER_QUEUE_LOG2);
	raw_put32(bus, SMMU_EVENTQ_PROD, 0);
	raw_put32(bus, SMMU_EVENTQ_CONS, 0);
	put_command(f, last++, smmu_cmd_cfgi_all());
	put_command(f, last++, smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE));
	put_command(f, last++, smmu_cmd_tlbi_nsnh_all());
	if (f->idr0 & SMMU_IDR0_HYP)
		put_command(f, last++, smmu_cmd_tlbi_el2_all());
	put_command(f, last++, smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE));
	former_publish(f);
	raw_put32(bus, SMMU_CR0, queues);
	if (!raw_reaches(f->m, bus, SMMU_CR0ACK, queues))
		return false;
	raw_put32(bus, SMMU_CMDQ_PROD, last);
	if (!raw_consumed(f->m, bus, last))
		return false;
	raw_put32(bus, SMMU_CR0, (uint32_t)SMMU_CR0_SMMUEN | queues);
	if (!raw_reaches(f->m, bus, SMMU_CR0ACK, (uint32_t)SMMU_CR0_SMMUEN | queues))
		return false;
	devices_ats(f, true);
	return true;
}

bool former_stop(struct former *f)
{
	devices_ats(f, false);
	return disable(f);
}

void former_quiet(struct former *f)
{
	if (smmu_load(&f->m->smmu[f->smmu].former_runs))
		devices_ats(f, false);
}
