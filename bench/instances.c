/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One unmap of a domain that N SMMUs share, by the virtual clock, exactly: what the hardware takes alone, and with the
 * processor's time (lab/processor.h). Every SMMU has the same latencies (240 ns for a CMD_SYNC, 1,000 ns for an ATC, unless
 * varied), or one of them is slower.
 */
#include <stdio.h>

#include "exact.h"
#include "suite.h"

/* Virtual nanoseconds of one unmap; 0 after a message. */
static uint64_t measure(struct suite_table *t, const struct lab_config *c)
{
	struct report r;
	uint64_t ns = 0;

	t->failed |= exact_unmap(c, &ns, &r) || r.unwritten;
	if (r.violations || t->failed) {
		fprintf(stderr, "%s: a measurement went wrong: %s\n", c->who,
			r.violations ? r.violation[0].text : "no result");
		t->failed = true;
	}
	return ns;
}

/* What is varied, as rows name it; 0: left at its default, and not named. */
struct point {
	unsigned smmus, ats, slow_percent, sync_ns, atc_ns;
	bool processor, guests;
};

static double time_of(struct suite_table *t, const struct suite_options *o, enum design_id design,
		      const struct point *p)
{
	struct lab_config c;

	lab_config_default(&c);
	c.who = o->who;
	c.seed = o->seed;
	c.smmus = p->smmus;
	c.ats = p->ats;
	c.design = design;
	if (p->guests)
		c.stage[0] = LAB_NESTED;
	c.slow_percent = p->slow_percent;
	c.sync_ns = p->sync_ns;
	c.atc_ns = p->atc_ns;
	c.cpu_rate = p->processor ? o->cpu_rate : 0;
	/* The one of the README: 16 SMMUs, the processor counts. */
	if (design == DESIGN_SWEEP && p->processor && !p->guests &&
	    p->smmus == (o->scale ? 16 : 4) && p->ats == 4 && !p->sync_ns && !p->slow_percent)
		c.timeline = o->timeline;
	return (double)measure(t, &c);
}

double suite_unmap_ns(struct suite_table *t, const struct suite_options *o, unsigned sync_ns)
{
	struct point p = {.smmus = 1, .sync_ns = sync_ns, .processor = true};

	return time_of(t, o, DESIGN_SWEEP, &p);
}

static void one(struct suite_table *t, const struct suite_options *o, enum design_id design,
		struct point p)
{
	struct suite_row *row;

	if (t->failed)
		return;
	row = suite_row(t, design_name(design), time_of(t, o, design, &p));
	suite_param(row, "smmus", p.smmus);
	suite_param(row, "ats", p.ats);
	if (p.slow_percent)
		suite_param(row, "slow_percent", p.slow_percent);
	if (p.sync_ns)
		suite_param(row, "sync_ns", p.sync_ns);
	if (p.atc_ns)
		suite_param(row, "atc_ns", p.atc_ns);
	suite_param(row, "cpu_rate", p.processor ? o->cpu_rate : 0);
}

void bench_instances(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned smmus[] = {1, 2, 4, 8, 16, 32, 64}, ats[] = {0, 1, 4};

	t->unit = "virtual ns";
	t->title = "one unmap of 4K, domain shared by N SMMUs of 4 devices; cpu_rate 0: the "
		   "hardware's time alone";
	t->x = "smmus";
	t->log_y = true;
	for (unsigned d = 0; d < DESIGN_KINDS; d++)
		for (unsigned a = 0; a < 3; a++)
			for (unsigned processor = 0; processor < 2; processor++)
				for (unsigned i = 0; i < (o->scale ? 7u : 3u); i++)
					one(t, o, (enum design_id)d,
					    (struct point){.smmus = smmus[i],
							   .ats = ats[a],
							   .processor = processor});
}

void bench_latencies(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned smmus[] = {1, 8, 16, 64}, sync_ns[] = {240, 550},
			      atc_ns[] = {1000, 10000, 100000};

	t->unit = "virtual ns";
	t->title = "one unmap of 4K, N SMMUs of 4 devices with ATS; smmus 1: the slowest alone";
	t->x = "atc_ns";
	t->log_y = true;
	for (unsigned d = 0; d < 2; d++)
		for (unsigned s = 0; s < 2; s++)
			for (unsigned processor = 0; processor < 2; processor++)
				for (unsigned i = 0; i < (o->scale ? 4u : 2u); i++)
					for (unsigned a = 0; a < 3; a++)
						one(t, o, (enum design_id)d,
						    (struct point){.smmus = smmus[i],
								   .ats = 4,
								   .sync_ns = sync_ns[s],
								   .atc_ns = atc_ns[a],
								   .processor = processor});
}

void bench_slow_one(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned percent[] = {100, 200, 400, 800, 1600};

	t->unit = "virtual ns";
	t->title = "one unmap on 8 SMMUs, the last of them slower by a factor; smmus 1: the slow "
		   "one alone";
	t->x = "slow_percent";
	for (unsigned d = 0; d < DESIGN_KINDS; d++)
		for (unsigned processor = 0; processor < 2; processor++)
			for (unsigned i = 0; i < (o->scale ? 5u : 2u); i++)
				for (unsigned smmus = 1; smmus <= 8; smmus += 7)
					one(t, o, (enum design_id)d,
					    (struct point){.smmus = smmus,
							   .ats = 4,
							   .slow_percent = percent[i],
							   .processor = processor});
}

void bench_guests(struct suite_table *t, const struct suite_options *o)
{
	static const unsigned smmus[] = {1, 2, 4, 8, 16, 32}, percent[] = {0, 400};

	t->unit = "virtual ns";
	t->title =
		"one unmap of 4K of a parent with a virtual SMMU on each of N SMMUs of 4 devices; "
		"slow_percent: the last of them is slower, smmus 1: that one alone";
	t->x = "smmus";
	t->log_y = true;
	for (unsigned d = 0; d < 2; d++)
		for (unsigned a = 0; a < 2; a++)
			for (unsigned s = 0; s < 2; s++)
				for (unsigned processor = 0; processor < 2; processor++)
					for (unsigned i = 0; i < (o->scale ? 6u : 3u); i++)
						one(t, o, (enum design_id)d,
						    (struct point){.smmus = smmus[i],
								   .ats = a ? 4 : 0,
								   .slow_percent = percent[s],
								   .processor = processor,
								   .guests = true});
}
