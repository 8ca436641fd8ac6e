/* SPDX-License-Identifier: BSD-2-Clause */
/* What instructions take. */
#include "processor.h"

#include "machine.h"
#include "processor_cost.h"

#define BLOCK_SHIFT 21

static void spend(struct machine *m, double instructions)
{
	if (m->sim && m->o->cpu_rate && instructions > 0)
		sim_charge(m->sim, (uint64_t)(instructions * 1000 / m->o->cpu_rate + 0.5));
}

void processor_call(struct machine *m, uint64_t size)
{
	const struct processor_cost *c = &processor_cost[m->o->design];
	/* What is large is mapped in blocks, nearly always. */
	uint64_t pages = size >> BLOCK_SHIFT ? size >> BLOCK_SHIFT : size >> 12;

	spend(m, c->call + c->page * (double)(pages ? pages - 1 : 0));
}

void processor_publish(struct machine *m, uint32_t commands)
{
	const struct processor_cost *c = &processor_cost[m->o->design];

	spend(m, c->batch + c->command * commands);
}
