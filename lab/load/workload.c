/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting the workers, the devices and the service of interrupts; adding up what they did. */
#include "workload.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "crash.h"
#include "guest.h"
#include "machine_pages.h"
#include "progress.h"

uint64_t workload_data_bytes(const struct lab_config *o)
{
	return (uint64_t)(o->threads + o->interrupts) * SHARE_PAGES << 12;
}

/* By operations, or by the run's clock where that is what ends it. */
static void show_progress(const struct workload *w, uint64_t n)
{
	uint64_t now = machine_now(w->m);

	if (w->until_ns == UINT64_MAX)
		progress_show(w->m->o->who, "operations", n, w->limit);
	else
		progress_show(w->m->o->who,
			      w->m->sim ? "ms of the virtual clock" : "ms of the real clock",
			      (now - w->start_ns) / 1000000, (w->until_ns - w->start_ns) / 1000000);
}

/* The next operation, if there is one. */
static bool next(struct workload *w)
{
	const int *interrupted = w->m->o->interrupted;
	uint64_t n = smmu_fetch_add(&w->begun, 1);

	if (interrupted && __atomic_load_n(interrupted, __ATOMIC_RELAXED)) {
		smmu_store(&w->interrupted, 1);
		smmu_store(&w->m->stop, 1);
	}
	if (n >= w->limit || smmu_load(&w->m->stop) ||
	    (w->until_ns != UINT64_MAX && machine_now(w->m) >= w->until_ns)) {
		smmu_fetch_sub(&w->begun, 1);
		return false;
	}
	if (n % 256 == 0)
		show_progress(w, n);
	return true;
}

static void worker_main(void *arg)
{
	struct worker *k = arg;
	struct machine *m = k->w->m;

	worker_close(k);
	while (next(k->w)) {
		worker_step(k);
		k->doing = NULL;
		/* What a program does between two calls. */
		if (m->sim)
			sim_charge(m->sim, smmu_random_below(&k->random, 400));
	}
	worker_end(k);
	smmu_fetch_sub(&k->w->working, 1);
}

/*
 * For how long the workers have begun nothing new: they wait, for a time-out say. What goes on beside them goes on the more
 * slowly, the longer that lasts, so that a minute of waiting is not a minute of polling.
 */
static uint64_t waited(struct worker *k)
{
	uint64_t begun = smmu_load(&k->w->begun), now = machine_now(k->w->m);

	if (begun != k->seen_begun) {
		k->seen_begun = begun;
		k->seen_at = now;
	}
	return now - k->seen_at;
}

#define A_CALL_NS 20000u
/* With real threads somebody may be sleeping until then. */
#define A_LONG_REST_NS 50000000u
#define A_LONG_SIMULATED_REST_NS 2000000000u

/* Devices that do DMA as long as there are workers. */
static void mover_main(void *arg)
{
	struct worker *k = arg;
	struct machine *m = k->w->m;

	while (smmu_load_acquire(&k->w->working) && !smmu_load(&m->stop)) {
		uint64_t idle = waited(k),
			 longest = m->sim ? A_LONG_SIMULATED_REST_NS : A_LONG_REST_NS;

		worker_dma(k);
		if (m->pages && worker_chance(k, 1, 4))
			machine_pages_answer(m, &k->random);
		/* Real threads share processors with the SMMUs: bursts, and a rest. */
		if (m->sim || idle > 10 * A_CALL_NS || k->count.dma % 16 == 0)
			machine_pause(
				m, 50 + smmu_random_below(&k->random, 800) +
					   (idle > A_CALL_NS ? smmu_min64(idle / 4, longest) : 0));
	}
}

static bool called(void *arg)
{
	const struct worker *k = arg;
	const struct machine *m = k->w->m;

	return !smmu_load_acquire(&k->w->working) || m->strays ||
	       m->backend.ops->any_interrupt(m->backend.ctx);
}

/* An interrupt is served at once; where somebody else holds its SMMU, a little later each time. */
static void service_main(void *arg)
{
	struct worker *k = arg;
	struct machine *m = k->w->m;
	uint64_t pause = 0;

	while (smmu_load_acquire(&k->w->working)) {
		uint64_t served = machine_serve(m);

		k->events += served;
		pause = served ? 0 : smmu_min64(pause + pause / 8 + 1000, 50000000);
		machine_pause(m, 1000 + (m->sim ? pause : 4000));
		if (m->sim && m->backend.ops->any_interrupt) {
			if (!called(k))
				pause = 0;
			sim_wait(m->sim, called, k);
		}
	}
	k->events += machine_serve(m);
}

struct thread {
	pthread_t id;
	void (*fn)(void *arg);
	void *arg;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	smmu_posix_thread_register();
	t->fn(t->arg);
	smmu_posix_thread_unregister();
	return NULL;
}

static int run_threads(struct workload *w, struct thread *t, unsigned n)
{
	unsigned i, started;
	int rc = 0;

	for (started = 0; started < n && !rc; started++) {
		rc = pthread_create(&t[started].id, NULL, thread_main, &t[started]);
		if (started < w->workers)
			w->worker[started].thread = t[started].id;
		if (rc)
			break;
	}
	if (rc) {
		smmu_store(&w->m->stop, 1);
		smmu_store(&w->working, 0);
	}
	/* The last first: it signals the others, which have to be there. */
	for (i = started; i-- > 0;)
		pthread_join(t[i].id, NULL);
	return rc ? -1 : 0;
}

/* The workers are the first fibers. */
static void who_waits(char *buf, size_t size, void *arg)
{
	const struct workload *w = arg;
	size_t at = 0;
	unsigned i;

	for (i = 0; i < w->workers && at < size; i++) {
		const char *doing = w->worker[i].doing;
		int n = snprintf(buf + at, size - at, "%s thread %u in \"%s\"", i ? ";" : ":", i,
				 doing ? doing : "nothing");

		at += (size_t)n;
		if (w->handler && at < size && sim_is_interrupted(w->m->sim, (int)i))
			at += (size_t)snprintf(buf + at, size - at,
					       ", interrupted by a handler in \"%s\"",
					       w->handler->doing ? w->handler->doing : "nothing");
	}
}

static int run_fibers(struct workload *w, const struct thread *t, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (sim_spawn(w->m->sim, t[i].fn, t[i].arg) < 0)
			return -1;
	}
	crash_run(w->m, "all threads wait for something that never happens", who_waits, w);
	return 0;
}

static int worker_init(struct workload *w, unsigned id, bool real)
{
	struct worker *k = &w->worker[id];
	unsigned d;

	k->w = w;
	k->id = &w->worker[id] == w->handler ? w->workers : id;
	smmu_random_seed(&k->random, w->m->o->seed * 1000003 + id);
	k->hot = calloc((size_t)w->m->domains * HOT, sizeof(*k->hot));
	if (!real)
		return k->hot ? 0 : -1;
	k->window = calloc(w->m->domains, sizeof(*k->window));
	if (!k->hot || !k->window || frames_init(&k->share, SHARE_PAGES))
		return -1;
	for (d = 0; d < w->m->domains; d++) {
		if (frames_init(&k->window[d], WINDOW_PAGES) ||
		    oracle_window(w->m->oracle, d, window_base(k), (uint64_t)WINDOW_PAGES << 12) ||
		    guest_window(w->m, d, window_base(k), (uint64_t)WINDOW_PAGES << 12))
			return -1;
	}
	return w->m->visitors ? worker_visit_init(k) : 0;
}

static void worker_fini(struct workload *w, struct worker *k)
{
	unsigned d;

	for (d = 0; k->window && d < w->m->domains; d++)
		frames_fini(&k->window[d]);
	free(k->window);
	free(k->hot);
	worker_held_fini(k);
	frames_fini(&k->share);
	latency_free(&k->latency);
}

static void add_up(struct workload *w, struct report *r)
{
	const struct latency **list = calloc(w->workers, sizeof(const struct latency *));
	unsigned i;

	for (i = 0; i < w->workers + w->movers + 1 + (w->handler != NULL); i++) {
		const struct worker *k = &w->worker[i];

		r->maps += k->maps;
		r->unmaps += k->unmaps;
		r->attaches += k->attaches;
		r->guests += k->guests;
		r->guest_cds += k->cds;
		r->guest_substreams += k->count.guest_substreams;
		r->guest_refused += k->count.guest_refused;
		r->guest_passed += k->count.guest_passed;
		r->resets += k->resets;
		r->splits += k->splits;
		r->joined_blocks += k->joined_blocks;
		r->reclaimed += k->reclaimed;
		r->dirty_reads += k->dirty_reads;
		r->dirty_pages += k->dirty_pages;
		r->dirty_over += k->dirty_over;
		r->renumbered += k->renumbered;
		r->released += k->released;
		r->adoptions += k->adoptions;
		r->taken_over += k->taken_over;
		r->suspends += k->suspends;
		r->returns += k->returns;
		r->reserved += k->reserved;
		r->detaches += k->detaches;
		r->removals += k->removals;
		r->refused_calls += k->refused_calls;
		r->events += k->events + k->count.events;
		r->dma += k->count.dma;
		r->blocked += k->count.blocked;
		r->stale += k->count.stale;
		r->lost += k->count.lost;
		r->unjudged += k->count.unjudged;
		if (list && i < w->workers)
			list[i] = &k->latency;
	}
	if (list)
		latency_summary(list, w->workers, &r->unmap_p50, &r->unmap_p99, &r->unmap_max);
	free(list);
	r->ops += w->begun;
	r->interrupted = w->interrupted;
}

int workload_run(struct machine *m, struct report *r)
{
	const struct lab_config *o = m->o;
	struct workload w = {.m = m, .workers = o->threads, .limit = o->ops, .working = o->threads};
	struct thread *thread;
	unsigned i, n, all;
	uint64_t start = machine_now(m);
	int rc = -1;

	w.start_ns = start;
	w.movers = m->devices < 8 ? 1 : 2;
	n = w.workers + w.movers + 1;
	all = n + o->interrupts;
	w.until_ns = o->seconds ? start + (uint64_t)o->seconds * 1000000000 : UINT64_MAX;
	w.worker = calloc(all, sizeof(*w.worker));
	thread = calloc(all, sizeof(*thread));
	i = 0;
	if (w.worker && thread && !workload_big_init(&w))
		for (; i < n; i++) {
			if (worker_init(&w, i, i < w.workers))
				break;
			thread[i].arg = &w.worker[i];
			thread[i].fn = i < w.workers ? worker_main
				       : i + 1 < n   ? mover_main
						     : service_main;
		}
	if (i == n && o->interrupts) {
		w.handler = &w.worker[n];
		/* Its window, its memory and its guest are those behind the workers'. */
		if (worker_init(&w, n, true))
			i = 0;
		thread[n].arg = &w;
		thread[n].fn = workload_irq_main;
	}
	if (i == n && !workload_adopt_init(&w)) {
		workload_irq_start(&w);
		rc = m->sim ? run_fibers(&w, thread, n) : run_threads(&w, thread, all);
		workload_irq_stop(&w);
	}
	progress_done();
	r->elapsed_ns = machine_now(m) - start;
	if (rc)
		fprintf(stderr, "%s: out of memory or threads\n", o->who);
	else
		add_up(&w, r);
	if (!m->hung)
		machine_check_stats(m);
	for (i = 0; w.worker && i < all; i++)
		worker_fini(&w, &w.worker[i]);
	free(w.worker);
	free(thread);
	return rc ? 2 : 0;
}
