/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated threads: interrupts and pre-emption.
 *
 * An interrupt handler runs on the stack of the fiber that it interrupts, to its end, at a point or where a masked section
 * ends: other fibers go on meanwhile, the interrupted one cannot. While the fiber masks interrupts, or is in a handler, one
 * is kept. A device that answers an access of the fiber passes no point and ends no masked section: the answer is one step.
 *
 * A pre-empted fiber stands still until the one that got its processor has finished an operation (sim_charge, sim_sleep or
 * its end) or sleeps (a mutex, a grace period): what a task of higher priority does to one of lower.
 */
#include "ram.h"
#include "sim_internal.h"

/* A handler that looked so often in vain, or for so long, waits for what it has interrupted. */
#define HANDLER_LOOKS 200000u

static void chance_next(struct sim *sim, struct sim_chance *c)
{
	c->at = c->mean ? sim->points + 1 + smmu_random_below(&sim->random, 2 * c->mean - 1)
			: UINT64_MAX;
	sim_stop_point(sim);
}

void sim_chance_set(struct sim *sim, struct sim_chance *c, unsigned num, unsigned den)
{
	sim_close(sim);
	c->mean = num ? smmu_max64(den / num, 1) : 0;
	chance_next(sim, c);
}

static void serve(struct sim *sim)
{
	struct sim_fiber *self = sim->current;
	const void *site = self->site;
	unsigned barren = self->barren, looks = self->looks, turn_points = self->turn_points;
	uint64_t since = self->since;
	bool waits = self->waits;
	bool (*cond)(void *arg) = self->cond;

	self->waits = false;
	self->cond = NULL;
	self->irq_pending = false;
	self->in_handler = true;
	self->handler_since = self->time;
	self->handler_looks = 0;
	self->site = NULL;
	sim->interrupt(sim->interrupt_arg);
	sim_close(sim);
	self->in_handler = false;
	self->site = site;
	self->barren = barren;
	self->looks = looks;
	self->turn_points = turn_points;
	self->waits = waits;
	self->cond = cond;
	self->since = since;
	sim_note(sim, 0x19ULL << 32 | (uint32_t)self->id);
}

static void pre_empt(struct sim *sim)
{
	struct sim_fiber *self = sim->current, *other;

	if (self->masked || self->in_handler || self->holds || sim->fibers < 2)
		return;
	other = sim->fiber[smmu_random_below(&sim->random, sim->fibers)];
	if (other == self || other->ended || other->held_by || other->holds)
		return;
	self->held_by = other;
	other->holds = self;
	sim_ready_at(sim, self, self->wake);
	sim_give_way(sim);
}

void sim_let_go(struct sim *sim, struct sim_fiber *self)
{
	struct sim_fiber *held = self->holds;

	if (!held)
		return;
	self->holds = NULL;
	held->held_by = NULL;
	held->time = smmu_max64(held->time, self->time);
	sim_ready_at(sim, held, held->spinning ? held->wake : held->time);
	sim->drowsy = true;
	sim->others = smmu_min64(sim->others, held->wake);
}

void sim_strike(struct sim *sim)
{
	struct sim_fiber *self = sim->current;

	if (sim->points >= sim->preempt.at) {
		chance_next(sim, &sim->preempt);
		pre_empt(sim);
	}
	if (sim->points >= sim->strike.at) {
		chance_next(sim, &sim->strike);
		self->irq_pending = true;
	}
	if (self->irq_pending && !self->masked && !self->in_handler)
		serve(sim);
}

void sim_do_irq_save(const void *site)
{
	struct sim *sim = the_sim;
	struct sim_fiber *self = sim->current;

	if (sim->acting || self->masked++)
		return;
	sim_catch_up(sim);
	self->masked_site = site;
	self->masked_points = self->own_points;
	self->masked_ns = self->time;
}

void sim_do_irq_restore(void)
{
	struct sim *sim = the_sim;
	struct sim_fiber *self = sim->current;

	if (sim->acting || --self->masked)
		return;
	sim_catch_up(sim);
	if (self->own_points - self->masked_points > sim->longest.points) {
		sim->longest.points = self->own_points - self->masked_points;
		sim->longest.ns = self->time - self->masked_ns;
		sim->longest.site = self->masked_site;
	}
	if (self->irq_pending && !self->in_handler)
		serve(sim);
}

bool sim_handler_hangs(const struct sim *sim, struct sim_fiber *self)
{
	return self->in_handler && (++self->handler_looks > HANDLER_LOOKS ||
				    self->time - self->handler_since > sim->patience);
}

void sim_set_interrupt(struct sim *sim, void (*fn)(void *arg), void *arg, unsigned num,
		       unsigned den)
{
	sim->interrupt = fn;
	sim->interrupt_arg = arg;
	sim_chance_set(sim, &sim->strike, fn ? num : 0, den);
}

void sim_set_preemption(struct sim *sim, unsigned num, unsigned den)
{
	sim_chance_set(sim, &sim->preempt, num, den);
}

bool sim_in_interrupt(const struct sim *sim)
{
	return sim->current->in_handler;
}

bool sim_is_interrupted(const struct sim *sim, int id)
{
	return sim->fiber[id]->in_handler;
}

struct sim_masked sim_longest_masked(const struct sim *sim)
{
	return sim->longest;
}

/* In a simulation the heap passes no point, so no handler comes; and the end of a masked section would be a place for one. */
smmu_irqflags smmu_heap_mask(void)
{
	if (!sim_on)
		sim_thread_keep_out();
	return 0;
}

void smmu_heap_unmask(smmu_irqflags flags)
{
	(void)flags;
	if (!sim_on)
		sim_thread_let_in();
}

/* ---- signals as the interrupts of real threads ---- */

__thread struct sim_thread_irq sim_thread_irq;
static void (*thread_handler)(void *arg);
static void *thread_handler_arg;

void sim_thread_catch_up(void)
{
	while (__atomic_exchange_n(&sim_thread_irq.pending, 0, __ATOMIC_RELAXED)) {
		sim_thread_irq.masked++;
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		__atomic_load_n(&thread_handler, __ATOMIC_ACQUIRE)(
			__atomic_load_n(&thread_handler_arg, __ATOMIC_RELAXED));
		__atomic_signal_fence(__ATOMIC_SEQ_CST);
		sim_thread_irq.masked--;
	}
}

void sim_thread_interrupt(void (*fn)(void *arg), void *arg)
{
	if (!__atomic_load_n(&thread_handler, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&thread_handler_arg, arg, __ATOMIC_RELAXED);
		__atomic_store_n(&thread_handler, fn, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&sim_thread_irq.pending, 1, __ATOMIC_RELAXED);
	if (!sim_thread_irq.masked)
		sim_thread_catch_up();
}

/* ---- barriers by name ---- */

#define NAME(name, text) #name,
#define TEXT(name, text) text,
const char *const sim_barrier_names[] = {SMMU_BARRIERS(NAME) NULL};
const char *const sim_barrier_texts[] = {SMMU_BARRIERS(TEXT) NULL};
#undef NAME
#undef TEXT
bool sim_dropped[SIM_BARRIERS];

int sim_drop_barrier(const char *name)
{
	unsigned i;

	for (i = 0; sim_barrier_names[i]; i++) {
		if (!__builtin_strcmp(sim_barrier_names[i], name)) {
			sim_dropped[i + 1] = true;
			return 0;
		}
	}
	return -1;
}

void sim_keep_barriers(void)
{
	unsigned i;

	for (i = 0; i < SIM_BARRIERS; i++)
		sim_dropped[i] = false;
}
