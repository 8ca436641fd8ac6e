/* SPDX-License-Identifier: BSD-2-Clause */
#include "landing.h"

unsigned landing_looks;

static bool (*does_land)(uint32_t stream);
static uint32_t watched[3];

void landing_look(void)
{
	for (unsigned i = 0; i < 3; i++)
		if (watched[i])
			assert_true(does_land(watched[i]));
	landing_looks++;
}

static void on_access(struct rig_smmu *s, bool write, uint32_t offset)
{
	landing_look();
}

static void on_store(const void *p)
{
	/* Not between the halves of a store that the SMMU sees as one. */
	if (!rig_pair)
		landing_look();
}

void landing_watch(struct rig *rig, bool (*lands)(uint32_t stream), uint32_t a, uint32_t b,
		   uint32_t c)
{
	does_land = lands;
	watched[0] = a;
	watched[1] = b;
	watched[2] = c;
	rig->on_access = on_access;
	rig_store_hook = on_store;
	landing_looks = 0;
}

void landing_end(struct rig *rig)
{
	rig->on_access = NULL;
	rig_store_hook = NULL;
	watched[0] = watched[1] = watched[2] = 0;
}
