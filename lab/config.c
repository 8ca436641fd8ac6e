/* SPDX-License-Identifier: BSD-2-Clause */
/* What a run is to be. */
#include "config.h"

#include <stddef.h>

void lab_config_default(struct lab_config *c)
{
	*c = (struct lab_config){.who = "smmuv3",
				 .smmus = 2,
				 .devices = 4,
				 .ats = 2,
				 .domains = 2,
				 .stage = {1},
				 .n_stages = 1,
				 .threads = 4,
				 .ops = 20000,
				 .seed = 1,
				 .design = DESIGN_SWEEP};
}

bool lab_fault(const struct lab_config *c, enum fault_id id, unsigned *every)
{
	for (unsigned i = 0; i < c->n_inject; i++) {
		if (c->inject[i].id == id) {
			if (every)
				*every = c->inject[i].every;
			return true;
		}
	}
	return false;
}

const char *design_name(enum design_id id)
{
	static const char *const names[DESIGN_KINDS] = {"sweep", "serial", "list", "flush"};

	return names[id];
}
