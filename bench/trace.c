/* SPDX-License-Identifier: BSD-2-Clause */
/* All unmaps of a real trace, under each design, on 1 to 8 SMMUs: virtual time, judged as every replay is. */
#include <stdio.h>
#include <stdlib.h>

#include "replay.h"
#include "suite.h"

static void play(struct suite_table *t, const struct suite_options *o, struct trace *trace,
		 unsigned smmus, enum design_id design, unsigned cpu_rate)
{
	struct machine_config cfg = {0};
	struct machine *m = malloc(sizeof(*m));
	struct replay_left left;
	struct report r = {0};
	struct lab_config c;
	struct suite_row *row;

	lab_config_default(&c);
	c.who = o->who;
	c.seed = o->seed;
	c.smmus = smmus;
	c.design = design;
	c.threads = 1;
	c.cpu_rate = cpu_rate;
	replay_configure(trace, &c, &cfg, false);
	if (!m || machine_open(m, &c, &cfg)) {
		free(m);
		t->failed = true;
		return;
	}
	m->no_data = true;
	t->failed = replay_attach(m) || replay_run(m, trace, &r, &left);
	machine_close(m, &r);
	free(m);
	if (r.violations) {
		fprintf(stderr, "%s: the replay went wrong: %s\n", o->who, r.violation[0].text);
		t->failed = true;
	}
	row = suite_row(t, design_name(design), (double)r.unmap_total / 1000);
	suite_param(row, "smmus", smmus);
	suite_param(row, "tlbi", (double)r.commands.tlbi);
	suite_param(row, "atc_inv", (double)r.commands.atc_inv);
	suite_param(row, "sync", (double)r.commands.sync);
	suite_param(row, "cpu_rate", cpu_rate);
}

void bench_trace(struct suite_table *t, const struct suite_options *o)
{
	struct trace *trace;
	char err[5120];

	t->unit = "virtual us";
	t->title = "all unmaps of the trace of an NVMe disk, 2 of 4 devices with ATS";
	t->x = "smmus";
	t->log_y = true;
	if (!o->trace)
		return;
	trace = malloc(sizeof(*trace));
	if (!trace || trace_open(trace, o->trace, false, err, sizeof(err))) {
		fprintf(stderr, "%s: %s\n", o->who, trace ? err : "out of memory");
		free(trace);
		t->failed = true;
		return;
	}
	for (unsigned d = 0; d < DESIGN_KINDS; d++)
		for (unsigned processor = 0; processor < 2; processor++)
			for (unsigned n = 1; n <= (o->scale ? 8u : 1u) && !t->failed;
			     n *= n == 1 ? 4 : 2)
				play(t, o, trace, n, (enum design_id)d,
				     processor ? o->cpu_rate : 0);
	trace_close(trace);
	free(trace);
}
