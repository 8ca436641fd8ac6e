/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the scheduler, the memory and the interrupts of a simulation. */
#ifndef SMMU_SIM_INTERNAL_H
#define SMMU_SIM_INTERNAL_H

#include "fiber.h"
#include "sim.h"
#include "store_buffer.h"

#define SIM_FIBERS 256u
#define SIM_ACTORS 64u
#define SIM_STACK (256u << 10)
#define SIM_SPIN_NS 20u

struct sim_fiber {
	struct fiber fiber;
	int id; /* -1: the host */
	void (*fn)(void *arg);
	void *arg;
	uint64_t time; /* how far it has come */
	uint64_t
		wake; /* when it goes on: time, or later if it spins; UINT64_MAX: when something happens */
	const void *site; /* where it spins, or spun before this turn; NULL if it does not */
	bool spinning;
	bool ended;
	bool waits;              /* it has only looked, */
	uint64_t since;          /* since then */
	bool (*cond)(void *arg); /* it sleeps until this holds; NULL: it does not */
	void *arg_of_cond;
	unsigned barren; /* looks in vain since something happened */
	unsigned looks;  /* the same since it last did anything */
	unsigned turn_points;
	struct store_buffer buffer;
	/* interrupts */
	unsigned masked; /* depth */
	bool in_handler;
	bool irq_pending;
	uint64_t handler_since;
	unsigned handler_looks;
	const void *masked_site;
	uint64_t own_points;               /* passed by this fiber */
	uint64_t masked_points, masked_ns; /* own_points and time when it was masked */
	/* pre-emption: `held_by` got this fiber's processor */
	struct sim_fiber *held_by, *holds;
};

struct sim_actor {
	uint64_t (*next_ns)(void *ctx);
	void (*advance)(void *ctx, uint64_t now_ns);
	void *ctx;
};

/* Something that happens at random points: about every mean-th. */
struct sim_chance {
	uint64_t mean; /* 0: never */
	uint64_t at;   /* the point */
};

struct sim {
	uint64_t now;
	struct sim_fiber host; /* the thread itself, outside the fibers */
	struct sim_fiber *current;
	struct sim_fiber *fiber[SIM_FIBERS];
	unsigned fibers, alive, spinning;
	struct sim_actor actor[SIM_ACTORS];
	unsigned actors;
	bool acting; /* inside a device or a callback of a retired object: hooks do nothing */
	bool hung;
	struct smmu_random random, workload;
	uint64_t points, digest, slept;
	uint64_t progress; /* when a fiber last got on */
	uint64_t step, max_step, patience;
	uint64_t cost[SIM_POINT_KINDS];
	unsigned switch_num, switch_den;
	uint64_t switch_ns;
	int64_t luck;    /* counts down to the next loss of the processor */
	bool torn_pairs; /* a store of 16 bytes is two */
	uint64_t pairs_torn;
	void (*between)(void *ctx);
	void *between_ctx;
	enum sim_store_buffer mode;
	uint64_t linger_ns, linger_points;
	uint64_t lingering[SIM_FIBERS / 64]; /* fibers whose store buffer is not empty */
	uint64_t land_at, land_point; /* the first time and point at which an entry is due, */
	bool land_stale;              /* unless one has landed since they were found */
	uint64_t stop_point;          /* the first of land_point, strike and preempt */
	/* Up to here the running fiber needs to ask nobody: the earliest of the others, and the next event. */
	uint64_t others, event;
	bool dirty;  /* the event may have changed */
	bool drowsy; /* since the last sim_wake, somebody began to spin */
	/*
	 * So many loads the running fiber may do without anything to be looked at, and how many it was granted: those done are
	 * counted by sim_count_quiet.
	 */
	int64_t quiet, granted;
	uint16_t watched
		[STORE_BUFFER_PLACES]; /* read-modify-writes of each place that linger in all buffers */
	/* When each fiber goes on; UINT64_MAX also for one that has ended or is held. */
	uint64_t ready[SIM_FIBERS];
	void (*interrupt)(void *arg);
	void *interrupt_arg;
	struct sim_chance strike, preempt;
	struct sim_masked longest;
};

extern struct sim *the_sim;

/* scheduler */
void sim_note(struct sim *sim, uint64_t what);
void sim_wake(struct sim *sim, uint64_t at, bool now);
/* Count the points that sim_do_load has passed without a look. First in whatever else a fiber does. */
static inline void sim_count_quiet(struct sim *sim)
{
	int64_t passed = sim->granted - sim->quiet;

	sim->granted = sim->quiet = 0;
	sim->points += (uint64_t)passed;
	sim->luck -= passed;
	sim->current->own_points += (uint64_t)passed;
	sim->current->turn_points += (unsigned)passed;
}

/* @f goes on at @wake, or has been held or let go. */
static inline void sim_ready_at(struct sim *sim, struct sim_fiber *f, uint64_t wake)
{
	f->wake = wake;
	if (f->id >= 0)
		sim->ready[f->id] = f->ended || f->held_by ? UINT64_MAX : wake;
}

/* What strikes at a point has been put off, or brought forward. */
static inline void sim_stop_point(struct sim *sim)
{
	sim->stop_point = smmu_min64(sim->land_point, smmu_min64(sim->strike.at, sim->preempt.at));
}

/* Let the next one go on; returns when it is this one again. */
void sim_give_way(struct sim *sim);
/* The running fiber got on: whoever waits for it looks again. */
void sim_worked(struct sim *sim);

/* memory */
uint64_t sim_next_landing(struct sim *sim);
void sim_land_due(struct sim *sim);
/* Let all stores of the running fiber land. */
void sim_drain(struct sim *sim);

/* interrupts */
void sim_chance_set(struct sim *sim, struct sim_chance *c, unsigned num, unsigned den);
/* What strikes the running fiber at this point. */
void sim_strike(struct sim *sim);
/* The fiber waits asleep, ends or has finished an operation: what it pre-empted goes on. */
void sim_let_go(struct sim *sim, struct sim_fiber *self);
bool sim_handler_hangs(const struct sim *sim, struct sim_fiber *self);

#endif
