/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that stays mapped one to one in every domain: the judge watches it, a domain maps it, and drops it at its end. */
#include "machine_table.h"

#include "guest.h"

int machine_reserved_watch(struct machine *m, unsigned domains)
{
	unsigned d;
	size_t i;

	for (i = 0; i < m->n_reserved; i++)
		for (d = 0; d < domains; d++)
			if (oracle_window(m->oracle, d, m->reserved[i].base, m->reserved[i].size))
				return -1;
	return 0;
}

static void show(struct machine *m, unsigned domain, uint64_t at, uint64_t n, uint64_t memory)
{
	oracle_map_alone_begin(m->oracle, domain, at, n, memory, ORACLE_READ | ORACLE_WRITE);
	sim_doorbell();
	oracle_map_alone_end(m->oracle, domain, at, n, true);
}

int machine_reserved_map(struct machine *m, struct machine_domain *d)
{
	size_t i;
	int rc = 0;

	for (i = 0; i < m->n_reserved && !rc; i++) {
		const struct machine_reserved *r = &m->reserved[i];
		uint64_t memory = r->memory, at, n;

		for (at = r->base; at < r->base + r->size && !rc; at += n) {
			n = smmu_min64(MACHINE_RESERVED_PIECE - (at & (MACHINE_RESERVED_PIECE - 1)),
				       r->base + r->size - at);
			rc = machine_map(d, at, memory + (at & (MACHINE_RESERVED_PIECE - 1)), n,
					 SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
			if (!rc)
				rc = guest_map(d, 0, at, at, n, false);
			if (rc)
				break;
			show(m, d->index, at, n, memory + (at & (MACHINE_RESERVED_PIECE - 1)));
			if (d->guest && guest_has_space(d, 1))
				show(m, guest_view(m, d, GUEST_SPACES), at, n,
				     memory + (at & (MACHINE_RESERVED_PIECE - 1)));
		}
	}
	return rc;
}

void machine_reserved_drop(struct machine *m, unsigned index, bool done)
{
	size_t i;

	for (i = 0; i < m->n_reserved; i++) {
		const struct machine_reserved *r = &m->reserved[i];

		if (done)
			oracle_unmap_end(m->oracle, index, r->base, r->size, true);
		else
			oracle_unmap_begin(m->oracle, index, r->base, r->size);
	}
}
