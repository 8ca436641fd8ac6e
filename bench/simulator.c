/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How fast the judge is: operations of `smmuv3 run` a second of processor time, on 1 to 16 SMMUs. The median of several seeds, and
 * how much longer an operation takes on more SMMUs, which do more for it: each has its own commands, and its devices their accesses.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "suite.h"
#include "workload.h"

#define SEEDS 5u
#define OPS 20000u

static double processor_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Operations a second of one run; 0 after a message. */
static double rate(const struct suite_options *o, unsigned smmus, uint64_t seed, unsigned ops)
{
	struct lab_config c;
	struct machine_config cfg = {.few_ids = true};
	struct machine *m = malloc(sizeof(*m));
	struct report r = {0};
	double start = processor_seconds();
	bool ran;

	lab_config_default(&c);
	c.who = o->who;
	c.smmus = smmus;
	c.domains = 4;
	c.stage[1] = 2;
	c.n_stages = 2;
	c.ops = ops;
	c.seed = seed;
	cfg.data_bytes = workload_data_bytes(&c);
	cfg.domains = c.domains;
	cfg.visitors = c.threads;
	if (!m || machine_open(m, &c, &cfg)) {
		free(m);
		return 0;
	}
	ran = !machine_attach_all(m) && !workload_run(m, &r);
	machine_close(m, &r);
	free(m);
	if (ran && !r.violations)
		return (double)r.ops / (processor_seconds() - start);
	fprintf(stderr, "%s: a run on %u SMMUs went wrong: %s\n", o->who, smmus,
		r.violations ? r.violation[0].text : "no result");
	return 0;
}

void bench_simulator(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned smmus[] = {1, 2, 4, 16};
	const unsigned seeds = o->scale ? SEEDS : 1, ops = o->scale ? OPS : OPS / 40;
	double one[SEEDS], figure[SEEDS], times[SEEDS];

	t->unit = "operations a processor second";
	t->title = "smmuv3 run, 4 devices on each SMMU, 2 with ATS; 4 domains of both stages, 4 "
		   "threads";
	t->x = "smmus";
	for (unsigned n = 0; n < sizeof(smmus) / sizeof(smmus[0]) && !t->failed; n++) {
		struct suite_row *row;

		for (unsigned s = 0; s < seeds && !t->failed; s++) {
			figure[s] = rate(o, smmus[n], o->seed + s, ops);
			t->failed = !(figure[s] > 0);
			if (!n)
				one[s] = figure[s];
			times[s] = one[s] / figure[s];
		}
		if (t->failed)
			return;
		row = suite_row(t, "run", 0);
		suite_param(row, "smmus", smmus[n]);
		suite_spread(row, figure, seeds);
		row = suite_row(t, "time of an operation / on one SMMU", 0);
		suite_param(row, "smmus", smmus[n]);
		suite_spread(row, times, seeds);
	}
}
