/* SPDX-License-Identifier: BSD-2-Clause */
/* The summary of a run, in words and as JSON. */
#include "report_print.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

#include "output.h"

static void put(struct json_object *o, const char *name, uint64_t value)
{
	json_object_object_add(o, name, json_object_new_uint64(value));
}

static void put_text(struct json_object *o, const char *name, const char *value)
{
	json_object_object_add(o, name, json_object_new_string(value));
}

static struct json_object *violation_json(const struct violation *v)
{
	struct json_object *o = json_object_new_object();

	put(o, "iova", v->iova);
	put(o, "stream", v->stream);
	if (v->has_ssid)
		put(o, "substream", v->ssid);
	put(o, "smmu", v->smmu);
	put_text(o, "held_by", v->held_by);
	put_text(o, "missing", v->missing);
	put_text(o, "text", v->text);
	return o;
}

static struct json_object *faults_json(const struct report *r)
{
	struct json_object *list = json_object_new_array();
	unsigned i;

	for (i = 0; i < r->faults; i++) {
		struct json_object *o = json_object_new_object();

		put_text(o, "name", fault_info[r->fault[i].id].name);
		if (r->fault[i].barrier) {
			put_text(o, "barrier", r->fault[i].barrier);
			put_text(o, "litmus", fault_litmus(r->fault[i].barrier));
		}
		put(o, "every", r->fault[i].every);
		put(o, "struck", r->fault[i].struck);
		json_object_array_add(list, o);
	}
	return list;
}

/* What the driver itself has counted. */
static void put_driver(struct json_object *top, const struct report *r)
{
	const struct smmu_instance_stats *s = &r->driver;
	struct json_object *o = json_object_new_object();

	put(o, "tlbi", s->tlbi);
	put(o, "atc_inv", s->atc_inv);
	put(o, "cfgi", s->cfgi);
	put(o, "sync", s->sync);
	put(o, "waits", s->waits);
	put(o, "longest_wait_ns", s->longest_wait_ns);
	put(o, "retries", s->retries);
	put(o, "atc_timeouts", s->atc_timeouts);
	put(o, "cmdq_errors", s->cmdq_errors);
	put(o, "given_up", s->given_up);
	put(o, "quarantines", s->quarantines);
	put(o, "errors", s->errors);
	put(o, "events_lost", s->events_lost);
	put(o, "sweeps", r->sweeps.sweeps);
	put(o, "entries", r->sweeps.entries);
	put(o, "sweeps_failed", r->sweeps.failed);
	json_object_object_add(top, "driver", o);
}

/* Commands and times. */
static void put_costs(struct json_object *top, const struct report *r)
{
	struct json_object *sub;

	sub = json_object_new_object();
	put(sub, "tlbi", r->commands.tlbi);
	put(sub, "atc_inv", r->commands.atc_inv);
	put(sub, "cfgi", r->commands.cfgi);
	put(sub, "sync", r->commands.sync);
	put(sub, "other", r->commands.other);
	json_object_object_add(top, "commands", sub);
	sub = json_object_new_object();
	put(sub, "p50", r->unmap_p50);
	put(sub, "p99", r->unmap_p99);
	put(sub, "max", r->unmap_max);
	if (r->unmap_total)
		put(sub, "total", r->unmap_total);
	json_object_object_add(top, "unmap_ns", sub);
}

struct json_object *report_short_json(const struct report *r)
{
	struct json_object *top = json_object_new_object();

	put_text(top, "design", design_name(r->design));
	put_text(top, "result", r->violations ? "violation" : "ok");
	put_costs(top, r);
	put(top, "elapsed_ns", r->elapsed_ns);
	return top;
}

struct json_object *report_json(const struct report *r, const struct lab_config *o)
{
	struct json_object *top = json_object_new_object(), *sub;
	unsigned i;

	if (!top)
		return NULL;
	put_text(top, "result", r->violations ? "violation" : "ok");
	put_text(top, "design", design_name(r->design));
	put_text(top, "device", o->qemu ? "qemu" : "model");
	put(top, "seed", o->seed);
	put(top, "smmus", r->smmus);
	put(top, "devices", r->devices);
	put(top, "ats", r->ats);
	put(top, "threads", o->threads);
	put(top, "ops", r->ops);
	put(top, "maps", r->maps);
	put(top, "unmaps", r->unmaps);
	put(top, "attaches", r->attaches);
	put(top, "detaches", r->detaches);
	put(top, "removals", r->removals);
	put(top, "resets", r->resets);
	put(top, "splits", r->splits);
	put(top, "joined", r->joined_blocks);
	put(top, "reclaimed", r->reclaimed);
	put(top, "dirty_reads", r->dirty_reads);
	put(top, "dirty_pages", r->dirty_pages);
	put(top, "dirty_over", r->dirty_over);
	put(top, "suspends", r->suspends);
	put(top, "returns", r->returns);
	put(top, "reserved", r->reserved);
	put(top, "adoptions", r->adoptions);
	put(top, "taken_over", r->taken_over);
	put(top, "guests", r->guests);
	sub = json_object_new_object();
	put(sub, "dma", r->guest_substreams);
	put(sub, "blocked", r->guest_refused);
	put(sub, "past_stage_1", r->guest_passed);
	put(sub, "cds", r->guest_cds);
	json_object_object_add(top, "guest_substreams", sub);
	put(top, "renumbered", r->renumbered);
	if (o->page_faults) {
		sub = json_object_new_object();
		put(sub, "handed_out", r->faults_handed);
		put(sub, "answered", r->faults_answered);
		put(sub, "ended", r->faults_ended);
		put(sub, "turned_away", r->faults_turned_away);
		put(sub, "groups", r->page_groups);
		put(sub, "overflows", r->pri_overflows);
		put(sub, "tried_again", r->retried);
		put(sub, "landed", r->retried_landed);
		json_object_object_add(top, "page_faults", sub);
	}
	put(top, "released", r->released);
	put(top, "refused_calls", r->refused_calls);
	put(top, "dma", r->dma);
	put(top, "blocked", r->blocked);
	put(top, "stale", r->stale);
	put(top, "lost", r->lost);
	if (o->real_clock)
		put(top, "unjudged", r->unjudged);
	put(top, "events", r->events);
	put(top, "quarantined", r->quarantined);
	put(top, "unconfirmed", r->unconfirmed);
	put(top, "revived", r->revived);
	put(top, "survived", r->survived);
	json_object_object_add(top, "faults", faults_json(r));
	put(top, "over", r->over);
	put_costs(top, r);
	put_driver(top, r);
	if (r->masked_points) {
		sub = json_object_new_object();
		put(sub, "points", r->masked_points);
		put(sub, "ns", r->masked_ns);
		json_object_object_add(top, "masked", sub);
	}
	put(top, "elapsed_ns", r->elapsed_ns);
	json_object_object_add(top, "interrupted", json_object_new_boolean(r->interrupted));
	json_object_object_add(top, "stopped", json_object_new_boolean(r->full));
	sub = json_object_new_array();
	for (i = 0; i < r->violations; i++)
		json_object_array_add(sub, violation_json(&r->violation[i]));
	json_object_object_add(top, "violations", sub);
	sub = json_object_new_array();
	for (i = 0; i < r->described; i++)
		json_object_array_add(sub, json_object_new_string(r->smmu[i].text));
	if (r->described)
		json_object_object_add(top, "described", sub);
	else
		json_object_put(sub);
	return top;
}

int report_write_json(const char *path, const char *command, struct json_object *top)
{
	const char *text = NULL;
	bool to_stdout = !strcmp(path, "-"), bad;
	FILE *out;

	if (top)
		text = json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
								   JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text) {
		json_object_put(top);
		fprintf(stderr, "smmuv3 %s: out of memory\n", command);
		return 2;
	}
	errno = 0;
	out = to_stdout ? stdout : fopen(path, "w");
	bad = !out || fprintf(out, "%s\n", text) < 0 || fflush(out);
	if (out && !to_stdout && fclose(out))
		bad = true;
	json_object_put(top);
	if (!bad)
		return 0;
	fprintf(stderr, "smmuv3 %s: --json %s: %s; expected a place to write to\n", command, path,
		strerror(errno ? errno : EIO));
	if (to_stdout)
		clearerr(stdout); /* it has been said */
	return 2;
}

int report_status(const struct report *r, const struct lab_config *o)
{
	int status = 0;
	unsigned i;

	if (r->violations)
		return 1;
	if (r->unwritten)
		return 2;
	for (i = 0; i < r->faults; i++) {
		if (r->fault[i].struck)
			continue;
		fprintf(stderr,
			"%s: the fault %s:%u never struck, so the run says nothing about it; "
			"expected\n"
			"more --ops, a smaller EVERY, or a machine that has what it breaks\n",
			o->who, fault_info[r->fault[i].id].name, r->fault[i].every);
		status = 2;
	}
	return status;
}

static void print_violations(FILE *out, const struct report *r, const struct lab_config *o)
{
	unsigned i;

	for (i = 0; i < r->violations; i++) {
		const struct violation *v = &r->violation[i];

		fprintf(out, "\nviolation %u: iova 0x%" PRIx64 ", stream 0x%" PRIx32, i + 1,
			v->iova, v->stream);
		if (v->has_ssid)
			fprintf(out, " substream %" PRIu32, v->ssid);
		fprintf(out, ", smmu %u\n  held by %s; missing: %s\n  ", v->smmu, v->held_by,
			v->missing);
		output_wrap(out, v->text, 2, 2, OUTPUT_COLUMNS);
	}
	for (i = 0; i < r->described; i++) {
		fprintf(out, "\nsmmu %u: ", r->smmu[i].smmu);
		output_wrap(out, r->smmu[i].text, 8, 8, OUTPUT_COLUMNS);
	}
	if (r->full)
		fprintf(out,
			"\nThe run stopped here, after %" PRIu64
			" operations: there are %u violations, and more may follow.\n",
			r->ops, r->violations);
	if (r->violations)
		fprintf(out, "\nrepeat it with the same options and --seed %" PRIu64 "%s\n",
			o->seed, o->real_clock ? " (real threads: it may need several tries)" : "");
}

/* A barrier that is left out without a violation is missed by another judge. */
static void print_litmus(FILE *out, const struct report *r)
{
	char text[300];
	unsigned i;

	for (i = 0; i < r->faults && !r->violations; i++) {
		if (!r->fault[i].barrier)
			continue;
		snprintf(text, sizeof(text),
			 "this run does not need %s; its removal is shown by "
			 "proofs/litmus/%s.lit, which proofs/run.sh explores with and without it",
			 r->fault[i].barrier, fault_litmus(r->fault[i].barrier));
		fprintf(out, "  barrier    ");
		output_wrap(out, text, 13, 13, OUTPUT_COLUMNS);
	}
}

void report_print(FILE *out, const struct report *r, const struct lab_config *o)
{
	char text[400];
	unsigned i;

	if (r->interrupted)
		fprintf(out, "interrupted; so far ");
	fprintf(out,
		"%s: %" PRIu64 " operations on %u SMMU%s with %u devices (%u with ATS), design %s, "
		"seed %" PRIu64 "\n\n",
		r->violations ? "VIOLATION" : "ok", r->ops, r->smmus, r->smmus == 1 ? "" : "s",
		r->devices, r->ats, design_name(r->design), o->seed);
	fprintf(out,
		"  calls      %" PRIu64 " map, %" PRIu64 " unmap, %" PRIu64 " attach, %" PRIu64
		" detach, %" PRIu64 " removal of an SMMU\n",
		r->maps, r->unmaps, r->attaches, r->detaches, r->removals);
	if (r->resets)
		fprintf(out,
			"             %" PRIu64
			" times a device was reset, or was gone and came back\n",
			r->resets);
	if (r->splits || r->joined_blocks || r->reclaimed)
		fprintf(out,
			"             %" PRIu64 " times split at an address, %" PRIu64
			" tables became blocks, %" PRIu64 " empty ones went\n",
			r->splits, r->joined_blocks, r->reclaimed);
	if (r->dirty_reads)
		fprintf(out,
			"             %" PRIu64 " times asked what was written: %" PRIu64
			" pages, %" PRIu64 " of them by no device\n",
			r->dirty_reads, r->dirty_pages, r->dirty_over);
	if (r->suspends || r->returns)
		fprintf(out,
			"             %" PRIu64 " times an SMMU was suspended, %" PRIu64
			" times left to somebody else, with %" PRIu64 " streams\n"
			"             that passed when it came up again\n",
			r->suspends, r->returns, r->reserved);
	if (r->adoptions)
		fprintf(out,
			"             %" PRIu64 " adoptions of an SMMU, %" PRIu64
			" devices taken over that went on meanwhile\n",
			r->adoptions, r->taken_over);
	if (r->guests)
		fprintf(out,
			"             %" PRIu64
			" times a guest took pages away from its devices by itself\n",
			r->guests);
	if (r->guest_substreams)
		fprintf(out,
			"             %" PRIu64 " DMA judged under substreams of guests, %" PRIu64
			" of them rightly refused, %" PRIu64 " past\n"
			"             their stage 1; %" PRIu64 " CDs changed by guests\n",
			r->guest_substreams, r->guest_refused, r->guest_passed, r->guest_cds);
	if (r->renumbered || r->released)
		fprintf(out,
			"             %" PRIu64 " times an owner's table got another ASID, %" PRIu64
			" owners went and left their devices\n",
			r->renumbered, r->released);
	if (o->page_faults)
		fprintf(out,
			"  page       %" PRIu64 " faults handed out: %" PRIu64 " answered, %" PRIu64
			" ended by the driver; %" PRIu64 " turned away\n"
			"             %" PRIu64 " groups of page requests, %" PRIu64
			" overflows; %" PRIu64 " stalled accesses tried again, %" PRIu64
			" landed\n",
			r->faults_handed, r->faults_answered, r->faults_ended,
			r->faults_turned_away, r->page_groups, r->pri_overflows, r->retried,
			r->retried_landed);
	if (r->refused_calls)
		fprintf(out,
			"             %" PRIu64 " wrong on purpose: refused, and nothing changed\n",
			r->refused_calls);
	fprintf(out,
		"  DMA        %" PRIu64 ": %" PRIu64 " landed where they must, %" PRIu64
		" were blocked where they must\n",
		r->dma, r->dma - r->blocked - r->stale - r->lost - r->unjudged, r->blocked);
	if (r->unjudged)
		fprintf(out,
			"             %" PRIu64
			" not judged: something changed during the access\n",
			r->unjudged);
	fprintf(out, "  judge      stale %" PRIu64 ", lost %" PRIu64 "\n", r->stale, r->lost);
	fprintf(out,
		"  commands   %" PRIu64 " TLBI, %" PRIu64 " ATC_INV, %" PRIu64 " CFGI, %" PRIu64
		" SYNC, %" PRIu64 " other\n",
		r->commands.tlbi, r->commands.atc_inv, r->commands.cfgi, r->commands.sync,
		r->commands.other);
	if (r->sweeps.sweeps)
		fprintf(out,
			"  sweeps     %" PRIu64 " over %" PRIu64 " entries of arrays; %" PRIu64
			" were not confirmed\n",
			r->sweeps.sweeps, r->sweeps.entries, r->sweeps.failed);
	if (r->driver.waits)
		fprintf(out,
			"  waits      %" PRIu64 " for an SMMU, %" PRIu64 " ns (longest); %" PRIu64
			" batches issued again, %" PRIu64 " ATC time-outs\n",
			r->driver.waits, r->driver.longest_wait_ns, r->driver.retries,
			r->driver.atc_timeouts);
	if (o->qemu)
		fprintf(out, "  one unmap  not measured: QEMU's SMMUs take no time of the virtual "
			     "clock\n");
	else
		fprintf(out,
			"  one unmap  %" PRIu64 " ns (median), %" PRIu64 " ns (99%%), %" PRIu64
			" ns (longest), %s clock\n",
			r->unmap_p50, r->unmap_p99, r->unmap_max,
			o->real_clock ? "real" : "virtual");
	if (r->over)
		fprintf(out,
			"  too much   %" PRIu64
			" entries of TLBs and ATCs dropped that were still of use\n",
			r->over);
	if (r->masked_points)
		fprintf(out,
			"  masked     %" PRIu64
			" accesses, barriers and locks at most with interrupts off, %" PRIu64
			" ns\n",
			r->masked_points, r->masked_ns);
	for (i = 0; i < r->faults; i++)
		fprintf(out, "  %s     %s:%u struck %" PRIu64 " times\n", i ? "      " : "faults",
			fault_info[r->fault[i].id].name, r->fault[i].every, r->fault[i].struck);
	print_litmus(out, r);
	if (r->quarantined || r->unconfirmed || r->revived) {
		snprintf(text, sizeof(text),
			 "%" PRIu64 " devices quarantined, %" PRIu64
			 " calls told -EIO because an SMMU did not confirm, %" PRIu64
			 " SMMUs that had stopped brought up again",
			 r->quarantined, r->unconfirmed, r->revived);
		fprintf(out, "  survived   ");
		output_wrap(out, text, 13, 13, OUTPUT_COLUMNS);
	}
	print_violations(out, r, o);
}
