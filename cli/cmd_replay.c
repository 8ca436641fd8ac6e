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

/* A gigabyte that the trace never maps: there is one, as its events are fewer than its places. */
static uint64_t gap(const struct trace *t)
{
	const uint64_t size = 1ull << 30;
	uint64_t at = size;
	size_t i = 0;

	while (i < t->count) {
		const struct trace_event *e = &t->event[i++];

		if (e->map && e->iova < at + size && at < e->iova + e->size) {
			at = smmu_align_up(e->iova + e->size, size);
			i = 0;
		}
	}
	return at;
}

static int play(const struct lab_config *o, const struct trace *t,
		const struct replay_memory *memory, struct report *r)
{
	/* Its times are for comparing designs and machines. */
	struct machine_config cfg = {.exact = true,
				     .data_bytes = replay_memory_bytes(memory),
				     .domains = 1,
				     .nvme = true};
	struct machine *m = malloc(sizeof(*m));
	int rc;

	if (!m)
		return 2;
	*r = (struct report){0};
	rc = machine_open(m, o, &cfg);
	if (!rc) {
		/* A trace may map one page twice: the pages carry no tags of their own. */
		m->no_data = true;
		rc = 2;
		if (!machine_attach_all(m) && !machine_qemu_start(m, gap(t)))
			rc = replay_run(m, t, memory, r);
		if (machine_gone(m))
			rc = 2;
		machine_close(m, r);
	}
	free(m);
	return rc;
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

static int show(const struct options *o, const struct report *r, unsigned n)
{
	struct json_object *top;
	int rc = 0;

	if (!o->json || strcmp(o->json, "-")) {
		report_print(stdout, &r[0], &o->lab);
		if (n > 1)
			print_compare(r, n, &o->lab);
	}
	if (o->json) {
		top = report_json(&r[0], &o->lab);
		if (top && n > 1)
			json_object_object_add(top, "compare", compare_json(r, n));
		rc = report_write_json(o->json, "replay", top);
	}
	return rc;
}

static int replay(struct options *o, const struct trace *t, const struct replay_memory *memory)
{
	struct report r[DESIGN_KINDS];
	/* Faults are for one design at a time. */
	unsigned n = o->design_given || o->lab.n_inject ? 1 : DESIGN_KINDS, i;
	int rc = 0, status = 0;

	for (i = 0; i < n && !rc; i++) {
		if (n > 1)
			o->lab.design = (enum design_id)i;
		rc = play(&o->lab, t, memory, &r[i]);
		if (!rc && status != 1)
			status = report_status(&r[i], &o->lab);
	}
	if (!rc)
		rc = show(o, r, n);
	return rc ? rc : status;
}

int cmd_replay(int argc, char **argv)
{
	struct replay_memory memory;
	char err[5120];
	struct options o;
	struct smmu_topology topology;
	struct trace t;
	int rc = options_parse(&o, CMD_REPLAY, argc, argv, 1);

	if (rc)
		return rc;
	if (o.help) {
		help_print(stdout, "replay");
		return 0;
	}
	if (!o.n_words)
		return options_fail(&o, "it wants a trace: smmuv3 replay FILE");
	o.lab.threads = 1;
	if (load_topology(&o, &topology))
		return 2;
	if (trace_read(&t, o.words[0], err, sizeof(err))) {
		fprintf(stderr, "smmuv3 replay: %s\n", err);
		return 2;
	}
	if (trace_check(&t, o.words[0], err, sizeof(err))) {
		fprintf(stderr, "smmuv3 replay: %s\n", err);
		rc = 2;
	} else {
		rc = replay_memory_init(&memory, &t);
		if (rc) {
			fprintf(stderr, "smmuv3 replay: %s: %s\n", o.words[0],
				rc == -2 ? "reaches more than 4 GiB of memory, expected less"
					 : "out of memory");
			rc = 2;
		} else {
			rc = replay(&o, &t, &memory);
			replay_memory_fini(&memory);
		}
	}
	trace_free(&t);
	return rc;
}
