/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the judge has of guests with substreams: their address spaces beside the first, and stage 2 alone, which traffic reaches that
 * passes stage 1 (S1DSS). Each is a view of the guest's domain: the host gives and takes the same pages in all of them.
 */
#include "guest_inside.h"

static unsigned first_view(const struct machine *m)
{
	return m->domains + m->visitors + MACHINE_FORMER_DOMAINS;
}

unsigned guest_views(const struct machine *m)
{
	return smmu_min64(m->guests, m->guests_with_substreams) * GUEST_VIEWS;
}

unsigned guest_view(const struct machine *m, const struct machine_domain *d, unsigned space)
{
	return space ? first_view(m) + d->guest->number * GUEST_VIEWS + space - 1 : d->index;
}

unsigned guest_home(const struct machine *m, unsigned to, uint64_t *shift)
{
	unsigned n = to - first_view(m), i;

	if (shift)
		*shift = 0;
	if (to < first_view(m) || n >= guest_views(m))
		return to;
	for (i = 0; !m->domain[i].guest || m->domain[i].guest->number != n / GUEST_VIEWS; i++)
		;
	if (shift && n % GUEST_VIEWS == GUEST_PASSES)
		*shift = m->domain[i].shift;
	return i;
}

bool guest_has(const struct machine *m, unsigned to)
{
	to = guest_home(m, to, NULL);
	return to < m->domains && m->domain[to].guest;
}

int guest_window(struct machine *m, unsigned domain, uint64_t iova, uint64_t size)
{
	const struct machine_domain *d = &m->domain[domain];
	unsigned i;

	for (i = 1; d->guest && d->guest->device && i <= GUEST_SPACES; i++)
		if (oracle_window(m->oracle, guest_view(m, d, i),
				  iova + (i == GUEST_SPACES ? d->shift : 0), size))
			return -1;
	return 0;
}

int guest_watch(struct machine *m)
{
	unsigned i, space;
	size_t r;

	for (i = 0; i < m->domains; i++) {
		const struct machine_domain *d = &m->domain[i];
		unsigned passes;

		if (!d->guest || !d->guest->device)
			continue;
		for (space = 1; space < GUEST_SPACES; space++) {
			oracle_view(m->oracle, guest_view(m, d, space), i, 0, false);
			oracle_rule(m->oracle, guest_view(m, d, space), ORACLE_NOT_PRIVILEGED);
		}
		passes = guest_view(m, d, GUEST_SPACES);
		oracle_view(m->oracle, passes, i, d->shift, true);
		/* What stays mapped one to one is so in stage 2 as well. */
		for (r = 0; r < m->n_reserved; r++)
			if (oracle_window(m->oracle, passes, m->reserved[r].base,
					  m->reserved[r].size))
				return -1;
	}
	return 0;
}

struct guest *guest_with(const struct machine_device *dev)
{
	struct machine *m = dev->m;
	unsigned i;

	for (i = 0; dev->dev.plugged && i < m->domains; i++) {
		struct guest *g = m->domain[i].guest;

		if (g && g->smmu && dev->dev.plugged == &g->smmu[dev->smmu].v)
			return g;
	}
	return NULL;
}
