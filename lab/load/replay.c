/* SPDX-License-Identifier: BSD-2-Clause */
/* Playing a trace. */
#include "replay.h"

#include <stdio.h>
#include <stdlib.h>

#include <smmuv3/pgtable.h>

#include "latency.h"
#include "progress.h"

#define PIECE_SHIFT 21
#define MAX_PIECES 2048u
#define WITNESSES 3u

struct replay {
	struct machine *m;
	const struct trace *t;
	const struct replay_memory *memory;
	struct smmu_random random;
	struct latency latency;
	struct dma_count count;
	uint64_t maps, unmaps, events, total_ns;
	uint32_t done;
};

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int replay_memory_init(struct replay_memory *r, const struct trace *t)
{
	size_t i, n = 0, out = 0;
	uint64_t p;

	for (i = 0; i < t->count; i++) {
		if (t->event[i].map)
			n += (t->event[i].size >> PIECE_SHIFT) + 2;
		if (n > 64u << 20)
			return -2;
	}
	*r = (struct replay_memory){.piece = malloc((n ? n : 1) * sizeof(*r->piece))};
	if (!r->piece)
		return -1;
	for (i = 0, n = 0; i < t->count; i++) {
		const struct trace_event *e = &t->event[i];

		for (p = e->pa >> PIECE_SHIFT; e->map && p <= (e->pa + e->size - 1) >> PIECE_SHIFT;
		     p++)
			r->piece[n++] = p;
	}
	qsort(r->piece, n, sizeof(*r->piece), compare);
	for (i = 0; i < n; i++) {
		if (!out || r->piece[out - 1] != r->piece[i])
			r->piece[out++] = r->piece[i];
	}
	r->pieces = out;
	if (out <= MAX_PIECES)
		return 0;
	replay_memory_fini(r);
	return -2;
}

void replay_memory_fini(struct replay_memory *r)
{
	free(r->piece);
	*r = (struct replay_memory){0};
}

uint64_t replay_memory_bytes(const struct replay_memory *r)
{
	return (uint64_t)(r->pieces ? r->pieces : 1) << PIECE_SHIFT;
}

/* Pieces in a row in the trace are in a row here: a range stays one range. */
static uint64_t place(const struct replay *r, uint64_t pa)
{
	uint64_t number = pa >> PIECE_SHIFT;
	const uint64_t *at = bsearch(&number, r->memory->piece, r->memory->pieces,
				     sizeof(*r->memory->piece), compare);

	return r->m->data + ((uint64_t)(at - r->memory->piece) << PIECE_SHIFT) +
	       (pa & ((1u << PIECE_SHIFT) - 1));
}

/* Some devices, ATS or not, reach the range: @chosen says which and where. */
struct witness {
	unsigned device, stream;
	uint64_t offset;
};

static void choose(struct replay *r, struct witness *w, uint64_t size)
{
	w->device = (unsigned)smmu_random_below(&r->random, r->m->devices);
	w->stream = (unsigned)smmu_random_below(&r->random, r->m->device[w->device].n_streams);
	w->offset = smmu_random_below(&r->random, size) & ~7ull;
}

static void dma(struct replay *r, const struct witness *w, uint64_t iova)
{
	machine_dma(r->m, &r->count, &r->m->device[w->device], w->stream, 0, iova + w->offset,
		    smmu_random_chance(&r->random, 1, 2));
}

static int play_map(struct replay *r, const struct trace_event *e)
{
	struct machine *m = r->m;
	uint64_t pa = place(r, e->pa);
	struct witness w;
	int rc;

	oracle_map_begin(m->oracle, 0, e->iova, e->size, pa, ORACLE_READ | ORACLE_WRITE);
	rc = smmu_map(&m->domain[0].d, e->iova, pa, e->size, SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
	if (rc == -SMMU_ENOMEM && m->heap.fail.every) {
		/* An allocation was made to fail; the next one is not. */
		oracle_map_end(m->oracle, 0, e->iova, e->size, false);
		oracle_map_begin(m->oracle, 0, e->iova, e->size, pa, ORACLE_READ | ORACLE_WRITE);
		rc = smmu_map(&m->domain[0].d, e->iova, pa, e->size,
			      SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
	}
	oracle_map_end(m->oracle, 0, e->iova, e->size, !rc);
	if (rc) {
		machine_complain(m, 0, e->iova, "map", "the map of line %u failed with error %d",
				 e->line, rc);
		return rc;
	}
	r->maps++;
	choose(r, &w, e->size);
	dma(r, &w, e->iova);
	return 0;
}

static int play_unmap(struct replay *r, const struct trace_event *e)
{
	struct machine *m = r->m;
	struct witness w[WITNESSES];
	uint64_t start;
	unsigned i;
	int rc;

	for (i = 0; i < WITNESSES; i++) {
		choose(r, &w[i], e->size);
		dma(r, &w[i], e->iova);
	}
	oracle_unmap_begin(m->oracle, 0, e->iova, e->size);
	start = machine_now(m);
	rc = m->design->unmap(m, &m->domain[0], e->iova, e->size);
	start = machine_now(m) - start;
	latency_add(&r->latency, start);
	r->total_ns += start;
	oracle_unmap_end(m->oracle, 0, e->iova, e->size, true);
	if (rc) {
		machine_complain(m, 0, e->iova, "unmap",
				 "the unmap of line %u failed with error %d", e->line, rc);
		return rc;
	}
	r->unmaps++;
	for (i = 0; i < WITNESSES; i++)
		dma(r, &w[i], e->iova);
	return 0;
}

static void player_main(void *arg)
{
	struct replay *r = arg;
	size_t i;

	for (i = 0; i < r->t->count && !smmu_load(&r->m->stop); i++) {
		const struct trace_event *e = &r->t->event[i];

		if (i % 1024 == 0)
			progress_show("smmuv3 replay", "events", i, r->t->count);
		if (e->map ? play_map(r, e) : play_unmap(r, e))
			break;
	}
	/* Devices that were cut off are given back at the end of the machine. */
	for (i = 0; i < r->m->devices; i++)
		r->m->quarantined += smmu_device_quarantined(&r->m->device[i].dev);
	r->done = 1;
}

static void service_main(void *arg)
{
	struct replay *r = arg;

	while (!smmu_load_acquire(&r->done)) {
		r->events += machine_serve(r->m);
		machine_pause(r->m, 5000);
	}
	r->events += machine_serve(r->m);
}

static int windows(const struct replay *r)
{
	size_t i;

	for (i = 0; i < r->t->count; i++) {
		const struct trace_event *e = &r->t->event[i];

		if (e->map && oracle_window(r->m->oracle, 0, e->iova, e->size))
			return -1;
	}
	return 0;
}

int replay_run(struct machine *m, const struct trace *t, const struct replay_memory *memory,
	       struct report *out)
{
	struct replay r = {.m = m, .t = t, .memory = memory};
	uint64_t start = machine_now(m);
	const struct latency *l = &r.latency;

	smmu_random_seed(&r.random, m->o->seed);
	if (windows(&r) || sim_spawn(m->sim, player_main, &r) < 0 ||
	    sim_spawn(m->sim, service_main, &r) < 0) {
		fprintf(stderr, "smmuv3 replay: out of memory\n");
		return 2;
	}
	if (sim_run(m->sim))
		machine_complain(m, 0, 0, "progress",
				 "the replay waits for something that never happens");
	progress_done();
	out->elapsed_ns = machine_now(m) - start;
	out->ops = r.maps + r.unmaps;
	out->maps = r.maps;
	out->unmaps = r.unmaps;
	out->attaches = m->devices;
	out->events = r.events + r.count.events;
	out->dma = r.count.dma;
	out->blocked = r.count.blocked;
	out->stale = r.count.stale;
	out->lost = r.count.lost;
	out->unmap_total = r.total_ns;
	latency_summary(&l, 1, &out->unmap_p50, &out->unmap_p99, &out->unmap_max);
	latency_free(&r.latency);
	return 0;
}
