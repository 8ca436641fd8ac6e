/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an SMMU lives through: it is suspended and loses its power; it is left to somebody else, passing everything or
 * nothing, and comes up again with streams that must not stop; and at the end of a run it is left with its tables, by which the next
 * owner goes on.
 */
#include "machine_power.h"

#include <smmuv3/adopt.h>
#include <smmuv3/handover.h>
#include <stdlib.h>

#include "guest.h"
#include "machine_adopt.h"
#include "machine_build.h"
#include "machine_pages.h"
#include "machine_table.h"

static void block_all(struct machine *m, unsigned smmu, bool begin, bool off)
{
	unsigned i;

	for (i = 0; i < m->devices; i++)
		if (m->device[i].smmu == smmu)
			machine_block(&m->device[i], begin, off);
}

/* ---- suspend and resume ---- */

/* What each slot is attached to is noted, or is so again. */
static void come_back(struct machine *m, unsigned smmu, bool begin, int rc)
{
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && k < MACHINE_SSIDS; k++) {
			unsigned slot = machine_slot(d, k);

			if (begin) {
				oracle_attach_begin(m->oracle, slot, d->kept[k], false);
				continue;
			}
			if (!rc && machine_confirmed(d))
				oracle_certain(m->oracle, slot);
			else
				oracle_doubt(m->oracle, slot, d->kept[k]);
			smmu_mb();
			oracle_attach_end(m->oracle, slot, true);
		}
		if (d->smmu == smmu)
			machine_note_guest(d);
	}
}

static void still(struct machine *m, unsigned smmu, uint32_t wild)
{
	unsigned i;

	for (i = 0; i < m->devices; i++)
		if (m->device[i].smmu == smmu)
			smmu_store(&m->device[i].wild, wild);
}

int machine_suspend(struct machine *m, unsigned smmu)
{
	unsigned i, k;
	int rc;

	for (i = 0; i < m->devices; i++)
		for (k = 0; m->device[i].smmu == smmu && k < MACHINE_SSIDS; k++)
			m->device[i].kept[k] =
				oracle_attached(m->oracle, machine_slot(&m->device[i], k), NULL);
	smmu_fetch_add(&m->outages, 1);
	/* One that does not confirm goes on as it was, when it can again. */
	block_all(m, smmu, true, !m->faulty);
	m->smmu[smmu].events_lost = true;
	machine_pages_suspend(m, smmu);
	rc = smmu_instance_suspend(&m->smmu[smmu].inst);
	machine_pages_suspended(m, smmu);
	block_all(m, smmu, false, !rc);
	return rc;
}

int machine_resume(struct machine *m, unsigned smmu, uint64_t off_ns)
{
	int rc;

	/* Without power nothing is translated, or passes: devices have ended their DMA. */
	still(m, smmu, MACHINE_OFF);
	if (off_ns) {
		m->backend.ops->reset(m->backend.ctx, smmu);
		machine_pause(m, off_ns);
	}
	come_back(m, smmu, true, 0);
	rc = smmu_instance_revive(&m->smmu[smmu].inst);
	smmu_store(&m->smmu[smmu].broken, rc && rc != -SMMU_EIO);
	come_back(m, smmu, false, rc);
	/* One that did not come up may pass everything, and stays off until it does (machine_restart). */
	if (!rc || rc == -SMMU_EIO)
		still(m, smmu, 0);
	return rc;
}

/* ---- left to somebody else, and back ---- */

bool machine_is_left(const struct machine *m, unsigned smmu)
{
	return smmu_load(&m->smmu[smmu].left);
}

static void lead_all(struct machine *m, unsigned smmu, unsigned to, bool begin, int rc)
{
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && k < MACHINE_SSIDS; k++) {
			unsigned slot = machine_slot(d, k);
			unsigned from = oracle_attached(m->oracle, slot, NULL);

			if (begin) {
				/* What passed goes on. */
				oracle_attach_begin(m->oracle, slot, to,
						    from == ORACLE_IDENTITY &&
							    to == ORACLE_IDENTITY &&
							    !m->o->n_inject);
				continue;
			}
			if (!rc)
				oracle_certain(m->oracle, slot);
			else
				oracle_doubt(m->oracle, slot, to);
			smmu_mb();
			oracle_attach_end(m->oracle, slot, !rc);
		}
		if (d->smmu == smmu && !rc)
			smmu_store(&d->guests, 0);
	}
}

int machine_hand_over(struct machine *m, unsigned smmu, bool passing)
{
	struct machine_smmu *s = &m->smmu[smmu];
	unsigned to = passing ? ORACLE_IDENTITY : ORACLE_BLOCKED, i;
	int rc;

	lead_all(m, smmu, to, true, 0);
	if (smmu_load(&s->present))
		machine_check_dirt(m, smmu);
	smmu_store(&s->present, 0);
	machine_pages_down(m, smmu);
	rc = smmu_instance_hand_over(&s->inst,
				     passing ? SMMU_HAND_OVER_BYPASS : SMMU_HAND_OVER_ABORT);
	if (!rc)
		guest_smmu_down(m, smmu);
	for (i = 0; i < m->devices; i++)
		if (m->device[i].smmu == smmu)
			smmu_store_release(&m->device[i].present, 0);
	machine_pages_gone(m, smmu);
	machine_keep_stats(m, smmu);
	if (!rc) {
		machine_former_gone(m, smmu);
		/* No register is written, and its counters begin again. */
		smmu_instance_probe(&s->inst, &s->cfg);
	}
	lead_all(m, smmu, to, false, rc);
	smmu_store(&s->left, !rc);
	return rc;
}

/* Where a device's stream is to be from the first moment on; ORACLE_BLOCKED: it is not on the list. */
static void choose(struct machine_device *d, struct smmu_random *r)
{
	struct machine *m = d->m;
	unsigned to = machine_own(m, (unsigned)smmu_random_below(r, m->domains));

	/* A guest has to be entered before its domain can be used. */
	if (smmu_random_chance(r, 1, 3) || to >= m->domains || m->domain[to].guest)
		to = ORACLE_IDENTITY;
	d->kept[0] = smmu_random_chance(r, 2, 3) ? to : ORACLE_BLOCKED;
}

static uint32_t make_list(struct machine *m, unsigned smmu, struct smmu_random *r,
			  struct smmu_reserved *list)
{
	uint32_t n = 0;
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (d->smmu != smmu)
			continue;
		choose(d, r);
		for (k = 0; d->kept[0] != ORACLE_BLOCKED && k < d->n_streams; k++)
			list[n++] =
				(struct smmu_reserved){d->stream[k], machine_target(d, d->kept[0])};
		for (k = 0; k < MACHINE_SSIDS; k++) {
			unsigned to = k ? ORACLE_BLOCKED : d->kept[0];

			oracle_attach_begin(m->oracle, machine_slot(d, k), to,
					    to != ORACLE_BLOCKED && !m->o->n_inject);
		}
	}
	return n;
}

static void end_list(struct machine *m, unsigned smmu, int rc)
{
	unsigned i, k;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && k < MACHINE_SSIDS; k++) {
			unsigned slot = machine_slot(d, k);

			/* Nothing passes, or it does not say what does. */
			if (rc) {
				oracle_doubt(m->oracle, slot, ORACLE_IDENTITY);
				oracle_doubt(m->oracle, slot, d->kept[0]);
				oracle_attach_begin(m->oracle, slot, ORACLE_BLOCKED, false);
			}
			smmu_mb();
			oracle_attach_end(m->oracle, slot, true);
		}
	}
}

static int enable(struct machine *m, unsigned smmu, const struct smmu_reserved *list, uint32_t n)
{
	struct machine_smmu *s = &m->smmu[smmu];
	unsigned tries = 0;
	int rc;

	s->events_lost = true;
	do {
		rc = smmu_instance_probe(&s->inst, &s->cfg);
		if (!rc)
			rc = smmu_instance_enable_reserved(&s->inst, list, n);
	} while (!s->inst.held && machine_try_again(m, rc, &tries));
	if (!rc)
		rc = machine_crowd(m, smmu);
	smmu_store(&s->present, !rc);
	smmu_store(&s->broken, 0);
	smmu_store(&s->left, 0);
	return rc;
}

int machine_return(struct machine *m, unsigned smmu, struct smmu_random *r, uint64_t *streams)
{
	struct smmu_reserved *list = calloc((size_t)m->devices * MACHINE_STREAMS, sizeof(*list));
	unsigned i, tries = 0;
	uint32_t n;
	int rc;

	if (!list)
		return -SMMU_ENOMEM;
	n = make_list(m, smmu, r, list);
	rc = enable(m, smmu, list, n);
	free(list);
	end_list(m, smmu, rc);
	if (rc)
		return rc;
	machine_pages_up(m, smmu);
	*streams += n;
	do
		rc = guest_smmu_up(m, smmu);
	while (machine_try_again(m, rc, &tries));
	for (i = 0; !rc && i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (d->smmu != smmu)
			continue;
		smmu_store(&d->adopted, d->kept[0] != ORACLE_BLOCKED);
		/* Some are nobody's for a while. */
		if (smmu_random_chance(r, 1, 6))
			continue;
		tries = 0;
		do
			rc = machine_add_device(d);
		while (machine_try_again(m, rc, &tries));
	}
	return rc;
}

/* ---- the end of a run: the next owner goes on by our tables ---- */

/* What is mapped as long as the run lasts is reached by whatever is attached to a table. */
static void look(struct machine *m, unsigned smmu, struct dma_count *count)
{
	struct smmu_random r;
	unsigned i, k;

	smmu_random_seed(&r, m->o->seed + smmu);
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; d->smmu == smmu && k < 16; k++) {
			unsigned slot =
				d->ssid_bits ? (unsigned)smmu_random_below(&r, MACHINE_SSIDS) : 0;

			machine_dma(m, count, d, (unsigned)smmu_random_below(&r, d->n_streams),
				    slot, machine_reserved_iova(m, &r), 0);
		}
	}
}

static unsigned streams_that_pass(const struct machine *m, unsigned smmu)
{
	unsigned i, k, n = 0;

	for (i = 0; i < m->devices; i++) {
		const struct machine_device *d = &m->device[i];
		/* What comes of a guest's traffic its CDs say, which nobody looks at. */
		bool any = d->smmu == smmu && d->present && d->dev.domain && d->dev.domain->vsmmu &&
			   d->dev.domain->guest.kind == SMMU_GUEST_STE_STAGE1;

		for (k = 0; d->smmu == smmu && k < MACHINE_SSIDS; k++)
			any |= oracle_attached(m->oracle, machine_slot(d, k), NULL) !=
			       ORACLE_BLOCKED;
		n += any ? d->n_streams : 0;
	}
	return n;
}

static int next_owner(struct machine *m, unsigned smmu, struct smmu_instance *next)
{
	const uint64_t heap = m->ram.base + (m->heap.first << SMMU_RAM_PAGE_SHIFT);
	const uint64_t bytes = m->heap.pages << SMMU_RAM_PAGE_SHIFT;
	const struct smmu_adopt_memory memory = {heap, bytes, smmu_ram_at(&m->ram, heap, bytes)};
	const struct smmu_adopt_config cfg = {
		.memory = &memory, .nr_memory = 1, .bypass = true, .tables = UINT32_MAX};
	struct smmu_adopt_report report = {0};
	unsigned want = streams_that_pass(m, smmu);
	int rc = smmu_instance_probe(next, &m->smmu[smmu].cfg);

	if (!rc)
		rc = smmu_instance_adopt(next, &cfg, &report);
	if (rc || report.kept != want || report.refused)
		machine_complain(m, smmu, 0, "adoption",
				 "the tables of the library are left, and the next owner keeps %u "
				 "streams of %u and refuses %u (the first 0x%x: %s): error %d",
				 report.kept, want, report.refused, report.first,
				 report.first_why ? report.first_why : "-", rc);
	return rc;
}

static void ats_off(const struct machine_device *d)
{
	const struct backend *b = &d->m->backend;
	unsigned k;

	for (k = 0; d->ats && k < d->n_streams; k++)
		b->ops->set_ats(b->ctx, d->smmu, d->stream[k], false, 12);
}

static void leave_tables(struct machine *m, unsigned smmu, struct dma_count *count)
{
	struct machine_smmu *s = &m->smmu[smmu];
	struct smmu_instance *next = calloc(1, sizeof(*next));
	unsigned i;

	if (!next)
		return;
	if (smmu_instance_hand_over(&s->inst, SMMU_HAND_OVER_TABLES))
		machine_complain(m, smmu, 0, "hand-over", "an SMMU cannot be left with its tables");
	smmu_store(&s->present, 0);
	look(m, smmu, count);
	if (!next_owner(m, smmu, next)) {
		look(m, smmu, count);
		block_all(m, smmu, true, true);
		/* ATS is the devices' own; whoever has them now turns it off. */
		for (i = 0; i < m->devices; i++)
			if (m->device[i].smmu == smmu)
				ats_off(&m->device[i]);
		smmu_instance_remove(next);
		block_all(m, smmu, false, true);
		look(m, smmu, count);
	}
	smmu_instance_forget(&s->inst);
	for (i = 0; i < m->devices; i++)
		if (m->device[i].smmu == smmu)
			smmu_store(&m->device[i].present, 0);
	guest_smmu_down(m, smmu);
	free(next);
}

void machine_power_close(struct machine *m, struct dma_count *count)
{
	unsigned i;

	/* Where something may not be confirmed, or is known to be wrong, nothing is promised about its tables. */
	for (i = 0; m->o->life && !m->o->n_inject && !m->violations && i < m->smmus; i++)
		if (smmu_load(&m->smmu[i].present) && !machine_dead(m, i) && (m->o->seed + i) % 2)
			leave_tables(m, i, count);
}
