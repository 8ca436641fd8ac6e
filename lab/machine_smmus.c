/* SPDX-License-Identifier: BSD-2-Clause */
/* The SMMUs of a machine: the model behind them, what stands between it and the driver, and bringing one up. */
#include "machine_build.h"

#include <stdio.h>
#include <stdlib.h>

#include "machine_qemu.h"
#include "machine_table.h"
#include "machine_pages.h"
#include "owner.h"
#include "processor.h"

static void on_stray(void *ctx, unsigned from, const struct smmu_cmd *cmd)
{
	struct machine *m = ctx;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&m->lock);
	if (m->strays < MACHINE_STRAYS)
		m->stray[m->strays++] = (struct machine_stray){from, *cmd};
	smmu_spin_unlock(&m->lock, flags);
}

/* By the traffic that filled the entry, if what that is attached to stands still. */
static bool still_mapped(void *ctx, unsigned smmu, uint32_t stream, bool has_ssid, uint32_t ssid,
			 uint64_t base, uint64_t size)
{
	const struct machine *m = ctx;
	unsigned i, slot, to;
	bool changing;

	for (i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];

		if (d->smmu == smmu &&
		    (d->stream[0] == stream || (d->n_streams == 2 && d->stream[1] == stream)))
			break;
	}
	if (i == m->devices || !m->oracle)
		return false;
	for (slot = 0; slot < MACHINE_SSIDS; slot++) {
		if (has_ssid ? slot && m->device[i].ssid[slot] == ssid : !slot)
			break;
	}
	if (slot == MACHINE_SSIDS)
		return false;
	slot = machine_slot(&m->device[i], slot);
	to = oracle_attached(m->oracle, slot, &changing);
	return !changing && !oracle_in_doubt(m->oracle, slot) && to < m->domains &&
	       oracle_still_mapped(m->oracle, to, base, size);
}

/* Of eight SMMUs, some have errata, and the driver is told so by its quirks. */
static const struct {
	uint32_t quirk;
	unsigned erratum;
} errata[8] = {
	[3] = {SMMU_QUIRK_NO_MSI, SMMU_ERRATUM_MSI},
	[4] = {SMMU_QUIRK_NO_RANGE, SMMU_ERRATUM_RANGE},
	[5] = {SMMU_QUIRK_SPLIT_ATC, SMMU_ERRATUM_SPLIT_ATC},
	[6] = {SMMU_QUIRK_TWICE, SMMU_ERRATUM_TWICE},
};

int machine_open_backend(struct machine *m, const struct machine_config *cfg)
{
	bool *coherent = calloc(m->smmus, sizeof(*coherent));
	unsigned defect[SMMU_MODEL_MAX_INSTANCES] = {0};
	struct backend_model_config c = {
		.smmus = m->smmus,
		.exact = cfg->exact,
		.calm = cfg->calm,
		.dirty = m->o->dirty,
		.tables = m->o->tables,
		.slow_percent = m->o->slow_percent,
		.sync_ns = cfg->exact ? m->o->sync_ns : 0,
		.atc_ns = cfg->exact ? m->o->atc_ns : 0,
		.coherent = coherent,
		.errata = defect,
		.sid_bits = machine_stream_bits(m),
		.ssid_bits = MACHINE_SSID_BITS,
		.real_clock = m->o->real_clock,
		.lse2 = m->lse2,
		.eight_only = lab_fault(m->o, FAULT_TORN_PAIR, NULL),
		.seed = m->o->seed,
		.ram = &m->ram,
		.seen = m->posix.cache_ctx ? &m->shadow.seen : NULL,
		.heap = &m->heap,
		.tags = m->tags,
		.still_mapped = still_mapped,
		.mapped_ctx = m,
		.stalls = m->o->page_faults,
		.retried = machine_pages_retried,
		.retried_ctx = m,
		.atc_timeout_ns = lab_fault(m->o, FAULT_ATC_SLOW, NULL) ? 60000000000ull : 1000000,
		.now_ns = sim_clock,
		.now_ctx = m->sim,
		.timeline = m->timeline,
	};
	unsigned i, k;

	if (!coherent)
		return machine_fail(m, "out of memory");
	for (i = 0; i < m->smmus; i++)
		coherent[i] = m->topology.smmus[i].coherent && !m->o->non_coherent;
	/*
	 * The model's part that overlooks an entry may overlook what it has made out of that one by the second command, too, and
	 * no driver can mend that: it is there to be caught alone.
	 */
	for (i = 0; !cfg->exact && i < m->smmus; i++) {
		if (errata[i % 8].erratum != SMMU_ERRATUM_TWICE ||
		    lab_fault(m->o, FAULT_NO_QUIRK, NULL))
			defect[i] = errata[i % 8].erratum;
	}
	i = backend_model_open(&m->backend, &c) != 0;
	free(coherent);
	if (i)
		return machine_fail(m, "out of memory");
	if (m->sim)
		sim_add_actor_at(m->sim, smmu_model_next_at(backend_model_actor(&m->backend)),
				 smmu_model_advance, backend_model_actor(&m->backend));
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; k < d->n_streams; k++) {
			if (m->backend.ops->add_device(m->backend.ctx, d->smmu, d->stream[k],
						       d->ats))
				return machine_fail(m, "out of memory");
		}
	}
	if (m->backend.ops->start(m->backend.ctx))
		return machine_fail(m, "no threads for the SMMUs");
	return 0;
}

bool machine_few_ids(const struct machine *m, unsigned smmu)
{
	return m->few_ids && smmu % 2;
}

/* Somebody else has taken all ids but @n from 1 on. */
static void crowd(const struct machine *m, struct smmu_ids *ids, unsigned n)
{
	uint32_t id;

	for (id = n + 1; id < ids->count; id++)
		if (!owner_asids_has(m, id))
			ids->bitmap[id / 64] |= 1ull << id % 64;
}

int machine_crowd(struct machine *m, unsigned i)
{
	struct smmu_instance *inst = &m->smmu[i].inst;
	int rc = owner_asids_reserve(m, i);

	if (!rc && machine_few_ids(m, i)) {
		crowd(m, &inst->asids, m->few_ids);
		crowd(m, &inst->vmids, m->few_ids);
	}
	return rc;
}

int machine_enable(struct machine *m, unsigned i)
{
	struct machine_smmu *s = &m->smmu[i];
	int rc;

	s->events = 0;
	s->events_before = m->backend.ops->events ? m->backend.ops->events(m->backend.ctx, i) : 0;
	s->events_lost = false;
	rc = smmu_instance_probe(&s->inst, &s->cfg);
	if (!rc)
		rc = smmu_instance_enable(&s->inst);
	if (!rc)
		rc = machine_crowd(m, i);
	if (!rc)
		machine_pages_up(m, i);
	smmu_store(&s->present, !rc);
	smmu_store(&s->broken, 0);
	return rc;
}

static void on_publish(void *ctx, uint32_t commands, uint32_t syncs)
{
	struct machine_smmu *s = ctx;
	uint64_t since = machine_now(s->m);

	processor_publish(s->m, commands);
	if (s->m->timeline)
		timeline_publish(s->m->timeline, (unsigned)(s - s->m->smmu), since, syncs);
}

static void on_wait(void *ctx)
{
	struct machine_smmu *s = ctx;

	timeline_wait(s->m->timeline);
}

static const struct cmdlog_witness witness = {.published = on_publish, .waits = on_wait};

int machine_open_smmu(struct machine *m, unsigned i, const struct machine_config *cfg)
{
	struct machine_smmu *s = &m->smmu[i];
	int rc;

	s->m = m;
	smmu_tamper_init(&s->tamper, m->backend.ops->bus(m->backend.ctx, i), machine_seen(m), i);
	s->tamper.misdirect = on_stray;
	s->tamper.misdirect_ctx = m;
	if (cmdlog_init(&s->log, &s->tamper.bus, &m->ram, &m->port))
		return machine_fail(m, "out of memory");
	s->log.witness = &witness;
	s->log.witness_ctx = s;
	snprintf(s->name, sizeof(s->name), "smmu%u", i);
	s->cfg = (struct smmu_instance_config){
		.port = &m->port,
		.mmio = {.bus = &s->log.bus},
		.index = i,
		.name = s->name,
		.coherent_override = m->topology.smmus[i].coherent && !m->o->non_coherent,
	};
	if (m->qemu)
		s->cfg.evtq_log2 = BACKEND_QEMU_EVTQ_LOG2;
	/* Small queues on some, so that they fill up and wrap; and the quirks, one by one. */
	if (!cfg->exact) {
		s->cfg.cmdq_log2 = i % 3 == 1 ? 5 : 10;
		if (lab_fault(m->o, FAULT_NO_QUIRK, NULL))
			m->own_strikes[FAULT_NO_QUIRK] += errata[i % 8].quirk != 0;
		else
			s->cfg.quirks = errata[i % 8].quirk;
		if (i % 8 == 7)
			s->cfg.atc_max = 2;
		if (m->o->page_faults && i % 2) {
			s->cfg.evtq_log2 = 3;
			s->cfg.priq_log2 = 3;
		}
	}
	/* As the table names the part; the model has a page 1, whatever the part has. */
	s->cfg.quirks |= machine_table_quirks(&m->topology.smmus[i]) & ~SMMU_QUIRK_PAGE0_ONLY;
	machine_bring_dirt(m, i);
	rc = machine_enable(m, i);
	machine_leave_dirt(m, i);
	if (rc)
		return machine_fail(m, "smmu %u does not come up: error %d", i, rc);
	return 0;
}
