/* SPDX-License-Identifier: BSD-2-Clause */
/* Workers suspend SMMUs, leave them to somebody else and bring them back, while others map and unmap in the same domains. */
#include "machine_power.h"
#include "workload.h"

#include "machine_adopt.h"

static bool complain(struct worker *k, unsigned smmu, const char *what, int rc)
{
	return worker_coped(k, smmu, "power", what, rc);
}

static void suspend(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;
	uint64_t off = worker_chance(k, 3, 4) ? 1 + worker_below(k, 30000) : 0;

	complain(k, smmu, "an SMMU cannot be suspended", machine_suspend(m, smmu));
	worker_look_at_all(k, smmu);
	if (worker_chance(k, 1, 2))
		worker_unmap(k);
	k->suspends += complain(k, smmu, "an SMMU that was suspended does not come back",
				machine_resume(m, smmu, off));
	worker_look_at_all(k, smmu);
}

static void turn(struct worker *k, unsigned smmu)
{
	struct machine *m = k->w->m;

	if (machine_is_left(m, smmu)) {
		worker_look_at_all(k, smmu);
		k->returns += complain(k, smmu, "an SMMU that was left does not come up again",
				       machine_return(m, smmu, &k->random, &k->reserved));
	} else if (machine_former_runs(m, smmu) || machine_dead(m, smmu)) {
		return;
	} else if (worker_chance(k, 1, 2)) {
		suspend(k, smmu);
		return;
	} else {
		k->removals++;
		complain(k, smmu, "an SMMU cannot be left to somebody else",
			 machine_hand_over(m, smmu, worker_chance(k, 3, 4)));
	}
	worker_look_at_all(k, smmu);
}

void worker_power(struct worker *k)
{
	unsigned smmu = (unsigned)worker_below(k, k->w->m->smmus);

	if (worker_chance(k, 1, 2)) {
		worker_take_over(k);
		return;
	}
	/* With everything on it, while its domains go on elsewhere. */
	if (worker_chance(k, 1, 6)) {
		worker_remove(k);
		return;
	}
	if (!worker_take_smmu(k, smmu))
		return;
	turn(k, smmu);
	worker_give_smmu(k, smmu);
}
