/* SPDX-License-Identifier: BSD-2-Clause */
/* `smmuv3 replay`: the calls of a trace, judged, and the designs compared on them. */
#include "commands.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "machine_qemu.h"
#include "replay.h"
#include "load_topology.h"
#include "report_print.h"

static int play(const struct lab_config *o, const struct machine_config *cfg, struct trace *t,
		struct report *r, struct replay_left *left)
{
	struct machine *m = malloc(sizeof(*m));
	int rc;

	if (!m)
		return 2;
	*r = (struct report){0};
	rc = machine_open(m, o, cfg);
	if (!rc) {
		/* A trace may map one page twice: the pages carry no tags of their own. */
		m->no_data = true;
		rc = 2;
		if (!replay_attach(m) && !machine_qemu_start(m, t->gap))
			rc = replay_run(m, t, r, left);
		if (machine_gone(m))
			rc = 2;
		machine_close(m, r);
	}
	free(m);
	return rc;
}

static void put(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

/* What the trace has, and what of it was played. */
static struct json_object *trace_json(const struct trace *t, const struct replay_left *left)
{
	static const char *const names[TRACE_LEFT_KINDS] = {[TRACE_LEFT_BAD] = "bad",
							    [TRACE_LEFT_UNMAPPED] =
								    "unmapped_unknown",
							    [TRACE_LEFT_NOTHING] = "nothing",
							    [TRACE_LEFT_DOMAINS] = "domains",
							    [TRACE_LEFT_LARGE] = "too_large"};
	struct json_object *o = json_object_new_object(), *sub = json_object_new_object();
	const struct trace_counts *c = &t->survey;
	unsigned i;

	put(o, "lines", c->lines);
	put(o, "events", c->events);
	put(o, "used", c->used);
	put(o, "other_events", c->other);
	put(o, "lost_places", c->lost);
	put(o, "made_up_unmaps", c->made_up);
	put(o, "partly_mapped", c->partly);
	put(o, "long_lines", c->long_lines);
	put(o, "domains", t->domains);
	put(o, "granule", 1ull << t->granule_shift);
	for (i = 0; i < TRACE_LEFT_KINDS; i++)
		put(sub, names[i], c->left[i]);
	put(sub, "no_memory", left->no_memory);
	put(sub, "beyond", left->beyond);
	put(sub, "reserved", left->reserved);
	put(sub, "follow", left->follow);
	json_object_object_add(o, "left_out", sub);
	put(o, "split_blocks", left->split);
	return o;
}

/* The warnings of the table and of the trace, and how much was left out of both. */
static void warnings_json(struct json_object *top, const struct smmu_topology *topology,
			  const struct trace *t, const struct replay_left *left)
{
	struct json_object *list;
	char text[256];
	unsigned i;

	topology_warnings_json(top, topology);
	json_object_object_get_ex(top, "warnings", &list);
	for (i = 0; trace_warning(t, i, text, sizeof(text)); i++)
		json_object_array_add(list, json_object_new_string(text));
	put(top, "left_out",
	    topology->left_out + trace_left_out(t) + left->no_memory + left->beyond +
		    left->reserved + left->follow);
}

static void print_trace(const struct trace *t, const struct replay_left *left)
{
	const struct trace_counts *c = &t->survey;

	printf("  trace      %" PRIu64 " of %" PRIu64
	       " map and unmap events used (%.1f%%), %u domain%s, "
	       "pages of %uK\n",
	       c->used, c->events, 100.0 * (double)c->used / (double)c->events, t->domains,
	       t->domains == 1 ? "" : "s", 1u << (t->granule_shift - 10));
	if (trace_left_out(t) || c->other || c->lost)
		printf("             %" PRIu64 " left out, %" PRIu64
		       " other events skipped, %" PRIu64 " place%s where events are missing\n",
		       trace_left_out(t), c->other, c->lost, c->lost == 1 ? "" : "s");
	if (left->no_memory || left->beyond)
		printf("             not played: %" PRIu64
		       " maps for lack of memory for tables, %" PRIu64
		       " beyond the domains' addresses\n",
		       left->no_memory, left->beyond);
	if (left->reserved)
		printf("             %" PRIu64 " maps of reserved memory left out\n",
		       left->reserved);
	if (left->split)
		printf("             %" PRIu64 " unmaps took a part of a block, which was split\n",
		       left->split);
	if (left->alone)
		printf("             %u domain%s without a device: more --devices give each one\n",
		       left->alone, left->alone == 1 ? "" : "s");
}

static struct json_object *compare_json(const struct report *r, unsigned n)
{
	struct json_object *list = json_object_new_array();
	unsigned i;

	for (i = 0; i < n; i++)
		json_object_array_add(list, report_short_json(&r[i]));
	return list;
}

static void print_compare(const struct report *r, unsigned n, const struct lab_config *o)
{
	unsigned i;

	/* QEMU's SMMUs take no time of the virtual clock. */
	if (o->qemu) {
		printf("\n  %-8s %10s %10s %10s\n", "design", "TLBI", "ATC_INV", "SYNC");
		for (i = 0; i < n; i++)
			printf("  %-8s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "\n",
			       design_name(r[i].design), r[i].commands.tlbi, r[i].commands.atc_inv,
			       r[i].commands.sync);
		return;
	}
	printf("\n  %-8s %10s %10s %10s %14s %14s %14s\n", "design", "TLBI", "ATC_INV", "SYNC",
	       "unmap median", "unmap 99%", "all unmaps");
	for (i = 0; i < n; i++)
		printf("  %-8s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %11" PRIu64
		       " ns %11" PRIu64 " ns %11" PRIu64 " us\n",
		       design_name(r[i].design), r[i].commands.tlbi, r[i].commands.atc_inv,
		       r[i].commands.sync, r[i].unmap_p50, r[i].unmap_p99, r[i].unmap_total / 1000);
}

/* What was played, and on what. */
struct play {
	const struct smmu_topology *topology;
	struct trace *t;
	struct report r[DESIGN_KINDS];
	struct replay_left left;
	unsigned n; /* designs */
};

static int show(const struct options *o, const struct play *p)
{
	struct json_object *top;
	int rc = 0;

	if (!o->json || strcmp(o->json, "-")) {
		report_print(stdout, &p->r[0], &o->lab);
		print_trace(p->t, &p->left);
		if (o->lab.cpu_rate)
			printf("  processor  %u million instructions a second of the virtual "
			       "clock\n",
			       o->lab.cpu_rate);
		if (p->n > 1)
			print_compare(p->r, p->n, &o->lab);
	}
	if (o->json) {
		top = report_json(&p->r[0], &o->lab);
		if (top) {
			json_object_object_add(top, "trace", trace_json(p->t, &p->left));
			put(top, "cpu_rate", o->lab.cpu_rate);
			warnings_json(top, p->topology, p->t, &p->left);
			if (p->n > 1)
				json_object_object_add(top, "compare", compare_json(p->r, p->n));
		}
		rc = report_write_json(o->json, "replay", top);
	}
	return rc;
}

static int replay(struct options *o, struct play *p)
{
	struct machine_config cfg = {0};
	unsigned i;
	int rc = 0, status = 0;

	/* Faults are for one design at a time. */
	p->n = o->design_given || o->lab.n_inject || o->lab.timeline ? 1 : DESIGN_KINDS;
	/* Its times are for comparing designs and machines. */
	replay_configure(p->t, &o->lab, &cfg, o->devices_given);
	for (i = 0; i < p->n && !rc; i++) {
		if (p->n > 1)
			o->lab.design = (enum design_id)i;
		rc = play(&o->lab, &cfg, p->t, &p->r[i], &p->left);
		if (!rc && status != 1)
			status = report_status(&p->r[i], &o->lab);
	}
	if (!rc)
		rc = show(o, p);
	return rc ? rc : status;
}

static int open_trace(const struct options *o, struct trace *t)
{
	char err[5120], text[256];
	unsigned i;

	if (trace_open(t, o->words[0], o->strict, err, sizeof(err))) {
		fprintf(stderr, "smmuv3 replay: %s\n", err);
		return 2;
	}
	for (i = 0; trace_warning(t, i, text, sizeof(text)); i++)
		say_warning(o, o->words[0], text);
	return 0;
}

int cmd_replay(int argc, char **argv)
{
	struct smmu_topology topology;
	struct options o;
	struct play *p;
	int rc = options_parse(&o, CMD_REPLAY, argc, argv, 1);

	if (rc)
		return rc;
	if (o.help) {
		help_print(stdout, "replay");
		return 0;
	}
	if (!o.n_words)
		return options_fail(&o, "it wants a trace: smmuv3 replay FILE");
	if (!strcmp(o.words[0], "-") &&
	    ((o.iort && !strcmp(o.iort, "-")) || (o.dtb && !strcmp(o.dtb, "-"))))
		return options_fail(&o, "the trace and the table cannot both be standard input");
	o.lab.threads = 1;
	if (load_topology(&o, &topology))
		return 2;
	p = calloc(1, sizeof(*p));
	if (p)
		p->t = calloc(1, sizeof(*p->t));
	if (!p || !p->t) {
		fprintf(stderr, "smmuv3 replay: out of memory\n");
		rc = 2;
	} else {
		p->topology = &topology;
		rc = open_trace(&o, p->t);
		if (!rc) {
			rc = replay(&o, p);
			trace_close(p->t);
		}
	}
	if (p)
		free(p->t);
	free(p);
	smmu_topology_free(&topology);
	return rc;
}
