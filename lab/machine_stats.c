/* SPDX-License-Identifier: BSD-2-Clause */
/* What the driver says of itself: its counters, held against the witness on the bus, and its dumps. */
#include "machine_build.h"

#include <stdio.h>

static void add(struct smmu_instance_stats *sum, const struct smmu_instance_stats *s)
{
	sum->tlbi += s->tlbi;
	sum->atc_inv += s->atc_inv;
	sum->cfgi += s->cfgi;
	sum->sync += s->sync;
	sum->waits += s->waits;
	if (s->longest_wait_ns > sum->longest_wait_ns)
		sum->longest_wait_ns = s->longest_wait_ns;
	sum->retries += s->retries;
	sum->atc_timeouts += s->atc_timeouts;
	sum->cmdq_errors += s->cmdq_errors;
	sum->given_up += s->given_up;
	sum->quarantines += s->quarantines;
	sum->errors += s->errors;
	sum->events_lost += s->events_lost;
	sum->pri_overflows += s->pri_overflows;
}

/* Of SMMU number @smmu, from the start. */
static struct smmu_instance_stats total(const struct machine *m, unsigned smmu)
{
	struct smmu_instance_stats all = m->smmu[smmu].stats, now;

	smmu_instance_get_stats(&m->smmu[smmu].inst, &now);
	add(&all, &now);
	return all;
}

void machine_keep_stats(struct machine *m, unsigned smmu)
{
	m->smmu[smmu].stats = total(m, smmu);
}

void machine_report_stats(struct machine *m, struct report *r)
{
	struct smmu_domain_stats d;
	unsigned i;

	for (i = 0; i < m->smmus; i++) {
		struct smmu_instance_stats all = total(m, i);

		add(&r->driver, &all);
	}
	for (i = 0; i < m->domains; i++) {
		smmu_domain_get_stats(&m->domain[i].d, &d);
		r->sweeps.sweeps += d.sweeps;
		r->sweeps.entries += d.entries;
		r->sweeps.failed += d.failed;
	}
}

/*
 * All has come to rest. The designs beside the sweep submit commands of their own making, faults change commands on their way or
 * let them come again, QEMU's SMMUs have been reset behind the driver's back, and what is counted while an SMMU is suspended is not
 * sent.
 */
void machine_check_stats(struct machine *m)
{
	unsigned i;

	if (m->o->design != DESIGN_SWEEP || m->o->n_inject || m->qemu || smmu_load(&m->outages))
		return;
	for (i = 0; i < m->smmus; i++) {
		struct smmu_instance_stats all = total(m, i);
		struct report_commands c = {0};

		cmdlog_count(&m->smmu[i].log, &c);
		if (all.tlbi != c.tlbi || all.atc_inv != c.atc_inv || all.cfgi != c.cfgi ||
		    all.sync != c.sync + c.other)
			machine_complain(
				m, i, 0, "count",
				"smmu %u was sent %llu TLBI, %llu ATC_INV, %llu CFGI and "
				"%llu CMD_SYNC; the driver has counted %llu, %llu, %llu "
				"and %llu",
				i, (unsigned long long)c.tlbi, (unsigned long long)c.atc_inv,
				(unsigned long long)c.cfgi, (unsigned long long)c.sync,
				(unsigned long long)all.tlbi, (unsigned long long)all.atc_inv,
				(unsigned long long)all.cfgi, (unsigned long long)all.sync);
	}
}

void machine_dump(struct machine *m)
{
	unsigned i;
	int level = m->posix.stderr_level;

	if (m->hung)
		return;
	m->posix.stderr_level = SMMU_LOG_INFO;
	for (i = 0; i < m->smmus; i++)
		smmu_instance_dump(&m->smmu[i].inst);
	for (i = 0; i < m->domains; i++) {
		fprintf(stderr, "%s: domain %u\n", m->o->who, i);
		smmu_domain_dump(&m->domain[i].d);
	}
	m->posix.stderr_level = level;
}
