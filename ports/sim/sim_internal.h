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
/* While all spin: the clock's first step if no device has anything to do, and how far one may be ahead of it. */
#define SIM_FIRST_STEP_NS 100u
#define SIM_FIRST_JUMP_NS 10000u
/* A turn with more points than any poll loop has is taken for work. */
#define SIM_POLL_POINTS 512u
/* What the points where threads meet count for in the chance to lose the processor; a mere access counts 1. */
#define SIM_HEAVY 8

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
	const uint64_t *at; /* or NULL: */
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
	bool hung, gave_up;
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
	 * The quiet road: points of these kinds (bits) the running fiber passes without a look around, as long as there are
	 * fewer points than quiet_until behind it and it gets before quiet_ns. Computed by sim_grant; 0 kinds: none. Up to
	 * point `counted` the fiber's own counters know of what it has passed (sim_catch_up).
	 */
	uint32_t quiet_kinds;
	uint64_t quiet_until, quiet_ns, counted;
	uint16_t watched
		[STORE_BUFFER_PLACES]; /* read-modify-writes of each place that linger in all buffers */
	/* When each fiber goes on; UINT64_MAX also for one that has ended or is held. */
	uint64_t ready[SIM_FIBERS];
	struct sim_fiber *earliest; /* of them, */
	uint64_t second;            /* and when the next one goes on, */
	bool in_order;              /* if that is known */
	void (*interrupt)(void *arg);
	void *interrupt_arg;
	struct sim_chance strike, preempt;
	struct sim_masked longest;
};

extern struct sim *the_sim;

/* scheduler */
static inline void sim_note(struct sim *sim, uint64_t what)
{
	uint64_t x = (sim->digest ^ what ^ sim->now) + 0x9e3779b97f4a7c15;

	sim->digest = (x ^ (x >> 29)) * 0xbf58476d1ce4e5b9;
}

void sim_wake_spinning(struct sim *sim, uint64_t at, bool now);

/*
 * Something happened at @at: who spins looks again, not earlier. @now: all at once, else each when it is time. Until another
 * one spins, or is let go, a second call of the latter kind changes nothing.
 */
static inline void sim_wake(struct sim *sim, uint64_t at, bool now)
{
	if (!now && !sim->drowsy)
		return;
	sim->drowsy = false;
	if (sim->spinning)
		sim_wake_spinning(sim, at, now);
}

/* Tell the running fiber's own counters of the points that it has passed quietly, and what time it is. */
static inline void sim_catch_up(struct sim *sim)
{
	struct sim_fiber *self = sim->current;
	uint64_t passed = sim->points - sim->counted;

	sim->counted = sim->points;
	self->time = sim->now;
	self->own_points += passed;
	self->turn_points += (unsigned)passed;
	if (self->turn_points > SIM_POLL_POINTS)
		self->waits = false;
	if (passed && !self->site)
		sim->progress = sim->now;
}

/* The quiet road ends. First in whatever else a fiber does. */
static inline void sim_close(struct sim *sim)
{
	sim_catch_up(sim);
	sim->quiet_kinds = 0;
}

/* What a point of a kind counts for in the chance to lose the processor. */
static inline int sim_weight(enum sim_point_kind kind)
{
	return kind <= SIM_POINT_STORE ? 1 : SIM_HEAVY;
}

/* Pass a point quietly: true if nothing is to be looked at there. */
static inline bool sim_pass(struct sim *sim, enum sim_point_kind kind)
{
	uint64_t then = sim->now + sim->cost[kind];
	int64_t luck = sim->luck - sim_weight(kind);

	if (!(sim->quiet_kinds >> kind & 1) || sim->points >= sim->quiet_until ||
	    then >= sim->quiet_ns || luck <= 0)
		return false;
	sim->points++;
	sim->luck = luck;
	sim->now = then;
	return true;
}

/* @f goes on at @wake, or has been held or let go. */
static inline void sim_ready_at(struct sim *sim, struct sim_fiber *f, uint64_t wake)
{
	uint64_t ready = f->ended || f->held_by ? UINT64_MAX : wake;

	f->wake = wake;
	if (f->id < 0 || sim->ready[f->id] == ready)
		return;
	sim->ready[f->id] = ready;
	sim->in_order = false;
}

/* What strikes at a point has been put off, or brought forward. */
static inline void sim_stop_point(struct sim *sim)
{
	sim->stop_point = smmu_min64(sim->land_point, smmu_min64(sim->strike.at, sim->preempt.at));
}

uint64_t sim_next_event(struct sim *sim);
/* Let everything happen that is due now. Returns when something happens next. */
uint64_t sim_act(struct sim *sim);
/* Time goes by: @ns and a point that counts @weight. */
void sim_spend(struct sim *sim, uint64_t ns, int weight);
void sim_host_goes_on(struct sim *sim, uint64_t until);
void sim_draw_luck(struct sim *sim);
void sim_report_hang(const struct sim *sim);
/* The running fiber looked in vain: it looks again later. */
void sim_look_later(struct sim *sim, struct sim_fiber *f);
/* Let the next one go on; returns when it is this one again. */
void sim_give_way(struct sim *sim);
/* The running fiber got on: whoever waits for it looks again. */
void sim_worked(struct sim *sim);

/* memory */
void sim_find_landing(struct sim *sim);

/* When the next store lands. */
static inline uint64_t sim_next_landing(struct sim *sim)
{
	if (sim->land_stale)
		sim_find_landing(sim);
	return sim->land_at;
}

void sim_land(struct sim *sim);

static inline void sim_land_due(struct sim *sim)
{
	if (sim->now >= sim->land_at || sim->points >= sim->land_point)
		sim_land(sim);
}

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
