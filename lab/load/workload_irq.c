/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts: at any point at which a worker has them on, a handler runs on its processor, to its end. It serves what the
 * SMMUs interrupt for, and maps and unmaps in a window of its own, as the handler of a network device does.
 */
#include "workload.h"

#include <signal.h>
#include <string.h>

/* So many points pass between two interrupts, and between two pre-emptions, on average. */
#define INTERRUPT_POINTS 400u
#define PREEMPTION_POINTS 4000u
#define JOIN_PREEMPTION_POINTS 500u

static void handle(void *arg)
{
	struct workload *w = arg;
	struct worker *k = w->handler;

	/* Handlers of two processors may run at the same time; this one does what one at a time can do. */
	if (!machine_take(&w->handling))
		return;
	k->doing = "serve";
	k->events += machine_serve(w->m);
	k->doing = "map or unmap";
	if (k->n_live < MAX_LIVE / 4 && worker_chance(k, 1, 2))
		worker_map(k);
	else
		worker_unmap(k);
	machine_give(&w->handling);
}

/* With real threads an interrupt is a signal, which comes when a worker is in the library and does not keep it out. */
static struct workload *signalled;

static void on_signal(int number)
{
	(void)number;
	sim_thread_interrupt(handle, signalled);
}

static void catch_signals(struct workload *w)
{
	struct sigaction act = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

	signalled = w;
	sigemptyset(&act.sa_mask);
	sigaction(SIGUSR1, &act, NULL);
}

void workload_irq_main(void *arg)
{
	struct workload *w = arg;
	unsigned i;

	while (smmu_load_acquire(&w->working)) {
		for (i = 0; i < w->workers; i++)
			pthread_kill(w->worker[i].thread, SIGUSR1);
		machine_pause(w->m, 100000);
	}
}

void workload_irq_start(struct workload *w)
{
	if (w->m->o->joins && w->m->sim)
		sim_set_preemption(w->m->sim, 1, JOIN_PREEMPTION_POINTS);
	if (!w->handler)
		return;
	w->handler->atomic = true;
	if (!w->m->sim) {
		catch_signals(w);
		return;
	}
	sim_set_interrupt(w->m->sim, handle, w, 1, INTERRUPT_POINTS);
	if (!w->m->o->joins)
		sim_set_preemption(w->m->sim, 1, PREEMPTION_POINTS);
}

void workload_irq_stop(struct workload *w)
{
	if (w->m->sim)
		sim_set_preemption(w->m->sim, 0, 1);
	if (!w->handler)
		return;
	if (w->m->sim)
		sim_set_interrupt(w->m->sim, NULL, NULL, 0, 1);
	if (w->m->hung)
		return;
	while (w->handler->n_live)
		worker_unmap(w->handler);
	worker_confirm(w->handler);
}
