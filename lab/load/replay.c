/* SPDX-License-Identifier: BSD-2-Clause */
/* Playing a trace. */
#include "replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <smmuv3/pgtable.h>

#include "crash.h"
#include "latency.h"
#include "machine_build.h"
#include "machine_table.h"
#include "processor.h"
#include "progress.h"

#define PIECE_SHIFT 21
/** 4 GiB. They hold no data, so with the model only addresses are taken; QEMU has memory behind them. */
#define PIECES 2048ull
#define QEMU_PIECES 128ull
/** The largest block but those of 1 GiB: nothing larger is mapped at once, so that an unmap splits no more than this. */
#define BLOCK_MAX (512ull << 20)
#define WITNESSES 3u
#define PROT (SMMU_PROT_READ | SMMU_PROT_WRITE)

struct replay {
	struct machine *m;
	struct trace *t;
	struct replay_left *left;
	struct smmu_random random;
	struct latency latency;
	struct dma_count count;
	uint64_t maps, unmaps, events, total_ns;
	uint64_t data, pieces; /* where the folded memory begins, and how much it is */
	unsigned *device;      /* numbers of devices, domain by domain */
	unsigned *first;       /* of a domain: where its devices begin */
	char err[512];         /* the trace cannot be read any more */
	int rc;
	uint32_t done;
};

void replay_configure(const struct trace *t, struct lab_config *o, struct machine_config *cfg,
		      bool fixed)
{
	unsigned most = o->qemu ? 7 : 1024;

	if (!fixed && o->devices < t->domains && o->devices < most) {
		o->devices = t->domains < most ? t->domains : most;
		if (!o->ats_given)
			o->ats = o->devices / 2;
	}
	cfg->exact = true;
	cfg->domains = t->domains;
	cfg->granule_shift = t->granule_shift;
	/* Room to begin at a multiple of the largest block. */
	cfg->data_bytes =
		o->qemu ? QEMU_PIECES << PIECE_SHIFT : (PIECES << PIECE_SHIFT) + BLOCK_MAX;
	cfg->nvme = true;
}

int replay_attach(struct machine *m)
{
	unsigned i, nth = 0;
	int rc;

	for (i = 0; i < m->devices; i++) {
		unsigned tries = 0;

		nth = i && m->device[i].smmu == m->device[i - 1].smmu ? nth + 1 : 0;
		do
			rc = machine_attach(&m->device[i], nth % m->domains);
		while (machine_try_again(m, rc, &tries));
		if (rc) {
			machine_fail(m, "device %u cannot be attached: error %d", i, rc);
			return rc;
		}
	}
	return 0;
}

/* Where @p pa lies in the machine, and how much follows it there side by side. */
static uint64_t place(const struct replay *r, uint64_t pa, uint64_t *room)
{
	uint64_t bytes = r->pieces << PIECE_SHIFT, at = pa & (bytes - 1);

	*room = smmu_min64(bytes - at, BLOCK_MAX - (at & (BLOCK_MAX - 1)));
	return r->data + at;
}

/* Some devices, ATS or not, reach the range: who, and where. */
struct witness {
	struct machine_device *device; /* NULL: the domain has none */
	unsigned stream;
	uint64_t offset;
};

static void choose(struct replay *r, struct witness *w, unsigned domain, uint64_t size)
{
	unsigned n = r->first[domain + 1] - r->first[domain];

	w->device = NULL;
	if (!n)
		return;
	w->device = &r->m->device[r->device[r->first[domain] + smmu_random_below(&r->random, n)]];
	w->stream = (unsigned)smmu_random_below(&r->random, w->device->n_streams);
	w->offset = smmu_random_below(&r->random, size) & ~7ull;
}

static void dma(struct replay *r, const struct witness *w, uint64_t iova)
{
	if (r->m->n_reserved && w->device && smmu_random_chance(&r->random, 1, 4))
		machine_dma(r->m, &r->count, w->device, w->stream, 0,
			    machine_reserved_iova(r->m, &r->random), MACHINE_WRITE);
	if (w->device)
		machine_dma(r->m, &r->count, w->device, w->stream, 0, iova + w->offset,
			    smmu_random_chance(&r->random, 1, 2));
}

static int map_one(struct replay *r, unsigned domain, uint64_t iova, uint64_t pa, uint64_t size)
{
	struct machine *m = r->m;
	int rc;

	oracle_map_begin(m->oracle, domain, iova, size, pa, ORACLE_READ | ORACLE_WRITE);
	timeline_begin(m->timeline, "map");
	rc = smmu_map(&m->domain[domain].d, iova, pa, size, PROT, 0);
	timeline_end(m->timeline);
	if (rc == -SMMU_ENOMEM && m->heap.fail.every) {
		/* An allocation was made to fail; the next one is not. */
		oracle_map_end(m->oracle, domain, iova, size, false);
		oracle_map_begin(m->oracle, domain, iova, size, pa, ORACLE_READ | ORACLE_WRITE);
		rc = smmu_map(&m->domain[domain].d, iova, pa, size, PROT, 0);
	}
	sim_doorbell();
	oracle_map_end(m->oracle, domain, iova, size, !rc);
	return rc;
}

static int unmap_one(struct replay *r, unsigned domain, uint64_t iova, uint64_t size)
{
	struct machine *m = r->m;
	uint64_t start;
	int rc;

	oracle_unmap_begin(m->oracle, domain, iova, size);
	start = machine_now(m);
	timeline_begin(m->timeline, "unmap");
	processor_call(m, size);
	rc = m->design->unmap(m, &m->domain[domain], iova, size);
	timeline_end(m->timeline);
	start = machine_now(m) - start;
	oracle_unmap_end(m->oracle, domain, iova, size, rc != -SMMU_EINVAL);
	if (!rc) {
		latency_add(&r->latency, start);
		r->total_ns += start;
	}
	return rc;
}

static int play_map(struct replay *r, const struct trace_call *c)
{
	struct machine *m = r->m;
	struct witness w;
	uint64_t at, room, n;
	int rc = 0;

	if (machine_is_reserved(m, c->iova, c->size)) {
		r->left->reserved++;
		return 0;
	}
	/* The player is the only one who judges, so windows may be added on the way. */
	if (oracle_window(m->oracle, c->domain, c->iova, c->size))
		rc = -SMMU_ENOMEM;
	for (at = 0; at < c->size && !rc; at += n) {
		uint64_t pa = place(r, c->pa + at, &room);

		n = smmu_min64(room, c->size - at);
		rc = map_one(r, c->domain, c->iova + at, pa, n);
		if (rc)
			break;
	}
	if (rc && at) {
		int undo = unmap_one(r, c->domain, c->iova, at);

		if (undo)
			rc = undo;
	}
	if ((rc == -SMMU_ENOMEM && !m->heap.fail.every) || rc == -SMMU_ERANGE) {
		r->left->no_memory += rc == -SMMU_ENOMEM;
		r->left->beyond += rc == -SMMU_ERANGE;
		return 0;
	}
	if (rc) {
		machine_complain(m, 0, c->iova, "map",
				 "the map of line %" PRIu64 " failed with error %d", c->line, rc);
		return rc;
	}
	r->maps++;
	choose(r, &w, c->domain, c->size);
	dma(r, &w, c->iova);
	return 0;
}

/*
 * The range takes a part of a block with it. As Linux did, all of the blocks at its two ends goes, and what was not meant
 * comes back page by page.
 */
static int split(struct replay *r, const struct trace_call *c)
{
	struct oracle *o = r->m->oracle;
	unsigned domain = c->domain, granule = r->m->domain[domain].granule_shift;
	uint64_t page = 1ull << granule, block = page << (granule - 3), pa, at;
	uint64_t low = c->iova & ~(block - 1), high = smmu_align_up(c->iova + c->size, block);
	uint64_t *kept;
	int rc = 0;

	r->left->split++;
	/* Where nothing is mapped the block is no block, so the range ends there. */
	while (low < c->iova && (!oracle_mapped(o, domain, low, &pa) ||
				 machine_is_reserved(r->m, low, c->iova - low)))
		low += page;
	while (high > c->iova + c->size &&
	       (!oracle_mapped(o, domain, high - page, &pa) ||
		machine_is_reserved(r->m, c->iova + c->size, high - c->iova - c->size)))
		high -= page;
	kept = calloc((size_t)((high - low) >> granule), sizeof(*kept));
	if (!kept)
		return -SMMU_ENOMEM;
	for (at = low; at < high; at += page) {
		bool meant = at >= c->iova && at < c->iova + c->size;

		kept[(at - low) >> granule] = !meant && oracle_mapped(o, domain, at, &pa) ? pa : 0;
	}
	for (at = low; at < high && !rc; at += page) {
		uint64_t end = at;

		while (end < high && oracle_mapped(o, domain, end, &pa))
			end += page;
		if (end == at)
			continue;
		rc = unmap_one(r, domain, at, end - at);
		at = end;
	}
	for (at = low; at < high && !rc; at += page)
		if (kept[(at - low) >> granule])
			rc = map_one(r, domain, at, kept[(at - low) >> granule], page);
	free(kept);
	return rc;
}

static int play_unmap(struct replay *r, const struct trace_call *c)
{
	struct machine *m = r->m;
	struct witness w[WITNESSES];
	uint64_t pa;
	unsigned i;
	int rc;

	/* Its map could not be played. */
	if (machine_is_reserved(m, c->iova, c->size) ||
	    !oracle_mapped(m->oracle, c->domain, c->iova, &pa)) {
		r->left->follow++;
		return 0;
	}
	for (i = 0; i < WITNESSES; i++) {
		choose(r, &w[i], c->domain, c->size);
		dma(r, &w[i], c->iova);
	}
	rc = unmap_one(r, c->domain, c->iova, c->size);
	if (rc == -SMMU_EINVAL)
		rc = split(r, c);
	if (rc) {
		machine_complain(m, 0, c->iova, "unmap",
				 "the unmap of line %" PRIu64 " failed with error %d", c->line, rc);
		return rc;
	}
	r->unmaps++;
	for (i = 0; i < WITNESSES; i++)
		dma(r, &w[i], c->iova);
	return 0;
}

static void player_main(void *arg)
{
	struct replay *r = arg;
	struct trace_call c;
	uint64_t n = 0;
	unsigned i;
	int rc;

	while ((rc = trace_next(r->t, &c, r->err, sizeof(r->err))) > 0 && !smmu_load(&r->m->stop)) {
		if (n++ % 1024 == 0)
			progress_show("smmuv3 replay", "bytes", trace_position(r->t), r->t->bytes);
		if (c.map ? play_map(r, &c) : play_unmap(r, &c))
			break;
	}
	r->rc = rc < 0 ? 2 : 0;
	/* Devices that were cut off are given back at the end of the machine. */
	for (i = 0; i < r->m->devices; i++)
		r->m->quarantined += smmu_device_quarantined(&r->m->device[i].dev);
	r->done = 1;
}

/* Somebody has interrupted, or all is played. */
static bool called(void *arg)
{
	const struct replay *r = arg;

	return smmu_load(&r->done) || r->m->strays ||
	       r->m->backend.ops->any_interrupt(r->m->backend.ctx);
}

/* As that of a run. It sleeps where it can: a player that waits for ever is noticed when nobody else gets on. */
static void service_main(void *arg)
{
	struct replay *r = arg;
	struct machine *m = r->m;
	uint64_t pause = 0;

	while (!smmu_load_acquire(&r->done)) {
		uint64_t served = machine_serve(m);

		r->events += served;
		pause = served ? 0 : smmu_min64(pause + pause / 8 + 1000, 50000000);
		machine_pause(m, 1000 + pause);
		if (m->backend.ops->any_interrupt) {
			if (!called(r))
				pause = 0;
			sim_wait(m->sim, called, r);
		}
	}
	r->events += machine_serve(m);
}

/* Which devices each domain has. 0, or -1: no memory. */
static int list_devices(struct replay *r)
{
	struct machine *m = r->m;
	unsigned d, i, n = 0;

	r->device = calloc(m->devices, sizeof(*r->device));
	r->first = calloc(m->domains + 1, sizeof(*r->first));
	if (!r->device || !r->first)
		return -1;
	for (d = 0; d < m->domains; d++) {
		r->first[d] = n;
		for (i = 0; i < m->devices; i++)
			if (oracle_attached(m->oracle, machine_slot(&m->device[i], 0), NULL) == d)
				r->device[n++] = i;
		r->left->alone += n == r->first[d];
	}
	r->first[m->domains] = n;
	return 0;
}

static void report(const struct replay *r, struct report *out)
{
	const struct latency *l = &r->latency;

	out->ops = r->maps + r->unmaps;
	out->maps = r->maps;
	out->unmaps = r->unmaps;
	out->attaches = r->m->devices;
	out->events = r->events + r->count.events;
	out->dma = r->count.dma;
	out->blocked = r->count.blocked;
	out->stale = r->count.stale;
	out->lost = r->count.lost;
	out->unmap_total = r->total_ns;
	latency_summary(&l, 1, &out->unmap_p50, &out->unmap_p99, &out->unmap_max);
}

int replay_run(struct machine *m, struct trace *t, struct report *out, struct replay_left *left)
{
	struct replay r = {.m = m, .t = t, .left = left};
	uint64_t start = machine_now(m);
	int rc = 2;

	*left = (struct replay_left){0};
	r.pieces = m->qemu ? QEMU_PIECES : PIECES;
	r.data = m->qemu ? m->data : smmu_align_up(m->data, BLOCK_MAX);
	smmu_random_seed(&r.random, m->o->seed);
	if (trace_rewind(t, r.err, sizeof(r.err))) {
		machine_fail(m, "%s", r.err);
	} else if (list_devices(&r) || sim_spawn(m->sim, player_main, &r) < 0 ||
		   sim_spawn(m->sim, service_main, &r) < 0) {
		machine_fail(m, "out of memory");
	} else {
		crash_run(m, "the replay waits for something that never happens", NULL, NULL);
		progress_done();
		rc = r.rc;
		if (rc)
			machine_fail(m, "%s", r.err);
		out->elapsed_ns = machine_now(m) - start;
		report(&r, out);
	}
	latency_free(&r.latency);
	free(r.device);
	free(r.first);
	return rc;
}
