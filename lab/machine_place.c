/* SPDX-License-Identifier: BSD-2-Clause */
/* Which SMMUs and devices a machine has: from firmware tables, or made up. */
#include "machine_build.h"

#include <stdlib.h>
#include <string.h>

#include "machine_qemu.h"
#include "machine_table.h"

int machine_load_topology(struct machine *m)
{
	const struct lab_config *o = m->o;

	if (o->topology) {
		m->topology = *o->topology;
		if (!m->topology.n_smmus || m->topology.n_smmus > 64)
			return machine_fail(
				m, "the table describes %zu SMMUv3 instances, expected 1 to 64",
				m->topology.n_smmus);
	} else if (smmu_topology_synthetic(o->smmus, o->devices * MACHINE_STREAMS, &m->topology)) {
		return machine_fail(m, "out of memory");
	}
	m->smmus = (unsigned)m->topology.n_smmus;
	return 0;
}

void machine_free_topology(struct machine *m)
{
	if (!m->o->topology)
		smmu_topology_free(&m->topology);
}

/* Devices of an instance: as many as wanted, or as many as have a stream of their own. */
static unsigned devices_of(const struct machine *m, unsigned smmu)
{
	uint64_t n = m->topology.smmus[smmu].n_streams;

	return n < m->o->devices ? (unsigned)n : m->o->devices;
}

/*
 * What devices look like, in turn: streams, and bits of their substreams. Beyond 10 bits the driver makes context
 * descriptor tables of two levels, where the SMMU knows those; 6 bits fill one leaf.
 */
static const struct shape {
	unsigned streams;
	uint8_t ssid_bits;
} shapes[] = {{1, 0}, {1, 2}, {2, 0}, {1, 11}, {1, 0}, {2, 2}, {2, 12}, {1, 6}};

/** Are all domains for substreams? */
static bool only_sva(const struct machine *m)
{
	unsigned i;

	for (i = 0; i < m->o->n_stages && m->o->stage[i] == LAB_SVA; i++)
		;
	return i == m->o->n_stages;
}

static void place_device(struct machine *m, unsigned smmu, unsigned n, unsigned per)
{
	struct machine_device *d = &m->device[m->devices];
	const struct smmu_topology_root *root;
	/* Where there are few devices, those of odd SMMUs are of the second half. */
	unsigned turn = n + (m->o->devices <= 4 && smmu % 2 ? 4 : 0);
	const struct shape *shape = &shapes[turn % SMMU_ARRAY_SIZE(shapes)];
	uint8_t ssid_bits;

	*d = (struct machine_device){.m = m, .smmu = smmu, .index = m->devices++};
	machine_pick_stream(m, smmu, n, &d->stream[d->n_streams++]);
	/* Some devices have a second stream, where the topology has one left. */
	if (shape->streams == 2 && !machine_pick_stream(m, smmu, per + n, &d->stream[1]))
		d->n_streams++;
	root = smmu_topology_root_of(&m->topology, smmu, d->stream[0]);
	d->ats = m->o->ats_given || !root || root->made_up ? n < m->o->ats : root->ats;
	ssid_bits = shape->ssid_bits;
	if (!ssid_bits && only_sva(m))
		ssid_bits = 3;
	if (root && root->has_pasid && root->pasid_bits < ssid_bits)
		ssid_bits = root->pasid_bits < 2 ? 0 : root->pasid_bits;
	m->ats += d->ats;
	d->stalls = m->o->page_faults && !d->ats;
	if (m->qemu || !ssid_bits)
		return;
	d->ssid_bits = ssid_bits;
	d->ats_always = m->o->resets && d->ats;
	d->ssid[1] = 1;
	d->ssid[2] = 1u << (ssid_bits - 1);
	d->ssid[3] = (1u << ssid_bits) - 1;
}

int machine_place(struct machine *m)
{
	unsigned i, n, total = 0;

	for (i = 0; i < m->smmus; i++)
		total += devices_of(m, i);
	if (!total)
		return machine_fail(m, "the topology has no stream that reaches an SMMU (--devices "
				       "N makes some up)");
	m->device = calloc(total, sizeof(*m->device));
	m->smmu = calloc(m->smmus, sizeof(*m->smmu));
	if (!m->device || !m->smmu)
		return machine_fail(m, "out of memory");
	for (i = 0; i < m->smmus; i++) {
		for (n = 0; n < devices_of(m, i); n++)
			place_device(m, i, n, devices_of(m, i));
	}
	return 0;
}

unsigned machine_stream_bits(const struct machine *m)
{
	unsigned i, k, bits = 8;

	for (i = 0; i < m->devices; i++) {
		for (k = 0; k < m->device[i].n_streams; k++) {
			while (bits < 32 && m->device[i].stream[k] >> bits)
				bits++;
		}
	}
	return bits;
}
