/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One unmap of a domain that N SMMUs share, by the virtual clock: what the hardware takes, exactly. Every SMMU has the
 * same latencies (240 ns for a CMD_SYNC, 1,000 ns for an ATC), or one of them is slower.
 */
#include <stdio.h>
#include <stdlib.h>

#include <smmuv3/pgtable.h>

#include "machine.h"
#include "suite.h"

#define IOVA 0x800000000ull

struct job {
	struct machine *m;
	uint64_t ns;
	int rc;
};

static void unmap_once(void *arg)
{
	struct job *job = arg;
	struct machine *m = job->m;
	uint64_t start;

	job->rc = smmu_map(&m->domain[0].d, IOVA, m->data, 4096, SMMU_PROT_READ, 0);
	if (job->rc)
		return;
	start = machine_now(m);
	job->rc = m->design->unmap(m, &m->domain[0], IOVA, 4096);
	job->ns = machine_now(m) - start;
}

/* Virtual nanoseconds of one unmap; 0 after a message. */
static uint64_t measure(struct suite_table *t, const struct lab_config *c)
{
	struct machine_config cfg = {.exact = true,
				     .calm = true,
				     .data_bytes = 2u << 20,
				     .domains = 1,
				     .one_granule = true};
	struct machine *m = malloc(sizeof(*m));
	struct report r = {0};
	struct job job = {.m = m};

	if (!m || machine_open(m, c, &cfg)) {
		free(m);
		t->failed = true;
		return 0;
	}
	if (machine_attach_all(m) || sim_spawn(m->sim, unmap_once, &job) < 0 || sim_run(m->sim) ||
	    job.rc)
		t->failed = true;
	machine_close(m, &r);
	free(m);
	if (r.violations || t->failed) {
		fprintf(stderr, "%s: a measurement went wrong: %s\n", c->who,
			r.violations ? r.violation[0].text : "no result");
		t->failed = true;
	}
	return job.ns;
}

static void one(struct suite_table *t, const struct suite_options *o, unsigned smmus, unsigned ats,
		enum design_id design, unsigned slow)
{
	struct lab_config c;
	struct suite_row *row;

	lab_config_default(&c);
	c.who = o->who;
	c.seed = o->seed;
	c.smmus = smmus;
	c.ats = ats;
	c.design = design;
	c.slow_percent = slow;
	row = suite_row(t, design_name(design), (double)measure(t, &c));
	suite_param(row, "smmus", smmus);
	suite_param(row, "ats", ats);
	if (slow)
		suite_param(row, "slow_percent", slow);
}

void bench_instances(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned smmus[] = {1, 2, 4, 8, 16, 32, 64}, ats[] = {0, 1, 4};

	t->unit = "virtual ns";
	t->title = "one unmap of 4K, domain shared by N SMMUs of 4 devices; hardware's time alone";
	t->x = "smmus";
	t->log_y = true;
	for (unsigned d = 0; d < DESIGN_KINDS; d++)
		for (unsigned a = 0; a < 3; a++)
			for (unsigned i = 0; i < (o->scale ? 7u : 3u) && !t->failed; i++)
				one(t, o, smmus[i], ats[a], (enum design_id)d, 0);
}

void bench_slow_one(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned percent[] = {100, 200, 400, 800, 1600};

	t->unit = "virtual ns";
	t->title = "one unmap on 8 SMMUs, the last of them slower by a factor; smmus 1: the slow "
		   "one alone";
	t->x = "slow_percent";
	for (unsigned d = 0; d < DESIGN_KINDS; d++)
		for (unsigned i = 0; i < (o->scale ? 5u : 2u) && !t->failed; i++) {
			one(t, o, 8, 4, (enum design_id)d, percent[i]);
			one(t, o, 1, 4, (enum design_id)d, percent[i]);
		}
}
