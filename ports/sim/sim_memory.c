/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Simulated threads: memory. Stores of the code under test may linger in the store buffer of their fiber; loads see the
 * fiber's own. A full barrier lets all land, a write barrier and a release keep the order, a read-modify-write goes to
 * memory itself, and whoever looks at its place finds all that came before: it is a release, and no barrier for what comes
 * after; a store that releases is the same. A register is written in order after what a barrier has put before it, and only that.
 */
#include "sim_internal.h"

static bool buffers(const struct sim *sim)
{
	return !sim->acting && sim->current != &sim->host && sim->mode != SIM_STORES_STRAIGHT;
}

/* Entries of the buffer of @f have landed, or one is new. */
static void count(struct sim *sim, struct sim_fiber *f, bool landed)
{
	uint64_t bit = 1ull << f->id % 64, *word = &sim->lingering[f->id / 64];

	*word = f->buffer.n ? *word | bit : *word & ~bit;
	sim->land_stale |= landed;
}

/* The number of the next fiber from @i on whose buffer is not empty, or SIM_FIBERS. */
static inline unsigned next_lingering(const struct sim *sim, unsigned i)
{
	while (i < SIM_FIBERS) {
		uint64_t rest = sim->lingering[i / 64] >> i % 64;

		if (rest)
			return i + (unsigned)__builtin_ctzll(rest);
		i = (i | 63) + 1;
		if (i >= sim->fibers)
			break;
	}
	return SIM_FIBERS;
}

void sim_find_landing(struct sim *sim)
{
	unsigned i, k;

	sim->land_stale = false;
	sim->land_at = sim->land_point = UINT64_MAX;
	for (i = next_lingering(sim, 0); i < SIM_FIBERS; i = next_lingering(sim, i + 1)) {
		const struct store_buffer *b = &sim->fiber[i]->buffer;

		for (k = 0; k < b->n; k++) {
			sim->land_at = smmu_min64(sim->land_at, b->e[k].at_ns);
			sim->land_point = smmu_min64(sim->land_point, b->e[k].at_point);
		}
	}
	sim_stop_point(sim);
}

void sim_land(struct sim *sim)
{
	bool any = false;
	unsigned i;

	for (i = next_lingering(sim, 0); i < SIM_FIBERS; i = next_lingering(sim, i + 1)) {
		bool some;

		/* What was retired may be called: it runs here, on behalf of another fiber, and must not switch. */
		sim->acting = true;
		some = store_buffer_commit_due(&sim->fiber[i]->buffer, sim->now, sim->points);
		sim->acting = false;
		count(sim, sim->fiber[i], some);
		any |= some;
	}
	if (any)
		sim_wake(sim, sim->now, true);
}

/* Run @land on the running fiber's buffer, which is not empty. */
static void land(struct sim *sim, void (*how)(struct store_buffer *b))
{
	sim_close(sim);
	sim->acting = true;
	how(&sim->current->buffer);
	sim->acting = false;
	count(sim, sim->current, true);
	sim_worked(sim);
}

void sim_drain(struct sim *sim)
{
	if (!sim->acting && sim->current->buffer.n)
		land(sim, store_buffer_drain);
}

static void linger(struct sim *sim, struct store_buffer_entry e)
{
	struct store_buffer *b = &sim->current->buffer;
	bool full = b->n == STORE_BUFFER_ENTRIES;

	if (full)
		sim_close(sim);
	e.at_ns = sim->now + smmu_random_below(&sim->random, sim->linger_ns + 1);
	e.at_point = sim->points + 1 + smmu_random_below(&sim->random, sim->linger_points);
	sim->acting = true; /* a full buffer lets one entry out */
	store_buffer_push(b, e);
	sim->acting = false;
	count(sim, sim->current, full);
	sim->event = smmu_min64(sim->event, e.at_ns);
	sim->land_at = smmu_min64(sim->land_at, e.at_ns);
	sim->land_point = smmu_min64(sim->land_point, e.at_point);
	sim_stop_point(sim);
	sim->quiet_ns = smmu_min64(sim->quiet_ns, e.at_ns);
	sim->quiet_until = smmu_min64(sim->quiet_until, sim->stop_point - 1);
}

static void flush(struct sim *sim, const volatile void *p, size_t size)
{
	bool any;

	sim_close(sim);
	sim->acting = true;
	any = store_buffer_flush(&sim->current->buffer, p, size);
	sim->acting = false;
	count(sim, sim->current, any);
}

/* The running fiber looks at @p: what others did before a read-modify-write of it lands. */
static void look(struct sim *sim, const volatile void *p, unsigned size)
{
	unsigned i;

	if (!sim->watched[store_buffer_place(p)])
		return;
	sim_close(sim);
	for (i = next_lingering(sim, 0); i < SIM_FIBERS; i = next_lingering(sim, i + 1)) {
		struct store_buffer *b = &sim->fiber[i]->buffer;
		bool any;

		if (!b->watches || sim->fiber[i] == sim->current)
			continue;
		sim->acting = true;
		any = store_buffer_look(b, p, size);
		sim->acting = false;
		if (!any)
			continue;
		count(sim, sim->fiber[i], true);
		sim_wake(sim, sim->now, true);
	}
}

/* ---- what the port's header calls ---- */

uint64_t sim_do_load(const volatile void *p, unsigned size)
{
	struct sim *sim = the_sim;
	struct store_buffer *b;
	int i;

	if (sim->acting)
		return sim_raw_load(p, size, true);
	sim_do_point(SIM_POINT_LOAD);
	look(sim, p, size);
	b = &sim->current->buffer;
	i = store_buffer_may_have(b, p) ? store_buffer_find(b, p, size) : -1;
	if (i < 0)
		return sim_raw_load(p, size, true);
	if (b->e[i].at == p && b->e[i].size == size)
		return b->e[i].value;
	flush(sim, p, size);
	return sim_raw_load(p, size, true);
}

bool sim_load_quietly(const volatile void *p)
{
	struct sim *sim = the_sim;
	unsigned place = store_buffer_place(p);

	return !(sim->watched[place] | (sim->current->buffer.stores >> place % 64 & 1)) &&
	       sim_pass(sim, SIM_POINT_LOAD);
}

void sim_do_load_sc(bool kept)
{
	struct sim *sim = the_sim;

	if (kept && !sim->acting && sim->current->buffer.n)
		land(sim, store_buffer_drain_releases);
}

/*
 * What comes before a release or a read-modify-write of @p, which goes to memory at once: what a barrier has put before it
 * lands; the rest waits until somebody looks at @p.
 */
static void release_at(struct sim *sim, const volatile void *p, unsigned size)
{
	struct store_buffer *b = &sim->current->buffer;

	if (b->n)
		flush(sim, p, size);
	if (b->n)
		land(sim, store_buffer_drain_ordered);
	if (b->n)
		linger(sim, (struct store_buffer_entry){.watch = p, .size = size, .release = true});
}

/*
 * Three in four plain stores go straight to memory if they may: what matters is that each pair can be seen in the other
 * order, and a buffer full of the leaves of one map would let nothing else linger for long.
 */
static bool straight(struct sim *sim, const volatile void *p, unsigned size)
{
	const struct store_buffer *b = &sim->current->buffer;

	if (!buffers(sim))
		return true;
	if (b->n && (b->e[0].generation != b->generation ||
		     (store_buffer_may_have(b, p) && store_buffer_find(b, p, size) >= 0)))
		return false;
	return smmu_random_below(&sim->random, 4) != 0;
}

void sim_do_store(volatile void *p, unsigned size, uint64_t value, bool release)
{
	struct sim *sim = the_sim;

	if (sim->acting) {
		sim_raw_store(p, size, value, true);
		return;
	}
	sim_do_point(SIM_POINT_STORE);
	if (release)
		release_at(sim, p, size);
	if (release || straight(sim, p, size))
		sim_raw_store(p, size, value, true);
	else
		linger(sim, (struct store_buffer_entry){.at = p, .value = value, .size = size});
}

void sim_do_publish(void *p, uint64_t value, bool release)
{
	struct sim *sim = the_sim;

	if (buffers(sim))
		linger(sim, (struct store_buffer_entry){.at = p,
							.value = value,
							.size = sizeof(void *),
							.release = release});
	else
		sim_raw_store(p, sizeof(void *), value, true);
	sim_do_point(SIM_POINT_PUBLISH);
}

/* In one piece it goes to memory at once, behind what a barrier has put before it, and no point is between its halves. */
bool sim_do_store_pair(uint64_t *p, uint64_t lo, uint64_t hi)
{
	struct sim *sim = the_sim;

	sim_do_point(SIM_POINT_STORE);
	if (!sim->acting && sim->current->buffer.n)
		flush(sim, p, 2 * sizeof(*p));
	if (!sim->acting && sim->current->buffer.n)
		land(sim, store_buffer_drain_ordered);
	if (!sim->torn_pairs)
		return false;
	sim->pairs_torn++;
	sim_raw_store(p, sizeof(*p), lo, false);
	sim_do_point(SIM_POINT_STORE);
	if (sim->between && !sim->acting)
		sim->between(sim->between_ctx);
	sim_raw_store(p + 1, sizeof(*p), hi, false);
	return true;
}

void sim_set_torn_pairs(struct sim *sim, bool torn, void (*between)(void *ctx), void *ctx)
{
	sim->torn_pairs = torn;
	sim->between = between;
	sim->between_ctx = ctx;
}

uint64_t sim_pairs_torn(const struct sim *sim)
{
	return sim->pairs_torn;
}

void sim_do_give(uint32_t *word)
{
	struct sim *sim = the_sim;

	if (buffers(sim) && sim->current->buffer.n)
		linger(sim, (struct store_buffer_entry){
				    .at = word, .size = sizeof(*word), .release = true});
	else
		sim_raw_store(word, sizeof(*word), 0, true);
}

void sim_do_rmw(volatile void *p, unsigned size)
{
	struct sim *sim = the_sim;

	if (sim->acting)
		return;
	sim_do_point(SIM_POINT_LOAD);
	look(sim, p, size);
	release_at(sim, p, size);
}

void sim_did_rmw(bool changed)
{
	if (!changed || the_sim->acting)
		return;
	sim_close(the_sim);
	sim_worked(the_sim);
}

void sim_do_barrier(bool full)
{
	struct sim *sim = the_sim;
	struct store_buffer *b = &sim->current->buffer;

	if (sim->acting || !b->n)
		return;
	if (full)
		sim_drain(sim);
	else
		b->generation++;
}

void sim_do_mmio_write(void)
{
	struct sim *sim = the_sim;

	sim_do_point(SIM_POINT_MMIO_WRITE);
	if (!sim->acting && sim->current->buffer.n)
		land(sim, store_buffer_drain_ordered);
}

void sim_doorbell(void)
{
	if (sim_on && !the_sim->acting && the_sim->current->buffer.n)
		land(the_sim, store_buffer_drain_ordered);
}

/* The newest release of lock @word that still lingers is taken back: true, and the lock stays taken. */
bool sim_do_retake(uint32_t *word)
{
	struct store_buffer *b = &the_sim->current->buffer;
	int i = the_sim->acting ? -1 : store_buffer_find(b, word, sizeof(*word));

	if (i < 0)
		return false;
	sim_close(the_sim);
	b->n--;
	for (; i < (int)b->n; i++)
		b->e[i] = b->e[i + 1];
	count(the_sim, the_sim->current, true);
	return true;
}

void sim_freeing(const void *p, size_t size)
{
	struct sim *sim = the_sim;
	unsigned i;

	if (!sim_on)
		return;
	for (i = next_lingering(sim, 0); i < SIM_FIBERS; i = next_lingering(sim, i + 1))
		store_buffer_forget(&sim->fiber[i]->buffer, p, size);
}

void sim_cleaning(const void *p, size_t size)
{
	if (sim_on && !the_sim->acting && the_sim->current->buffer.n)
		flush(the_sim, p, size);
}

/* ---- quiescence ---- */

unsigned smmu_rcu_enter(struct smmu_rcu *rcu)
{
	struct smmu_epoch *e = &rcu->epoch;
	unsigned cookie;

	if (!sim_on)
		return smmu_posix_rcu_enter(rcu);
	sim_do_point(SIM_POINT_RCU);
	/* As smmu_epoch_enter, but for its fence and its order. */
	cookie = smmu_epoch_cookie((unsigned)(the_sim->current->id + 1),
				   __atomic_load_n(&e->phase, __ATOMIC_RELAXED) & 1);
	__atomic_fetch_add(&smmu_epoch_count(e, cookie)->entered, 1, __ATOMIC_RELAXED);
	return cookie;
}

void smmu_rcu_exit(struct smmu_rcu *rcu, unsigned cookie)
{
	struct sim *sim = the_sim;

	if (!sim_on) {
		smmu_posix_rcu_exit(rcu, cookie);
		return;
	}
	/* Whoever sees that it was left sees what was stored before. */
	if (buffers(sim) && sim->current->buffer.n)
		linger(sim,
		       (struct store_buffer_entry){.rcu = rcu, .cookie = cookie, .release = true});
	else
		smmu_epoch_exit(&rcu->epoch, cookie);
	sim_do_point(SIM_POINT_RCU);
}

void smmu_rcu_synchronize(struct smmu_rcu *rcu)
{
	/* A grace period is a full barrier on every processor. */
	if (sim_on)
		sim_drain(the_sim);
	smmu_posix_rcu_synchronize(rcu, sim_spin_asleep);
}

void smmu_rcu_retire(struct smmu_rcu *rcu, struct smmu_rcu_head *head,
		     void (*fn)(struct smmu_rcu_head *head))
{
	/* While the store that unhooked it lingers, others still find it. */
	if (sim_on && buffers(the_sim) && the_sim->current->buffer.n)
		linger(the_sim, (struct store_buffer_entry){
					.rcu = rcu,
					.head = head,
					.fn = fn,
					.release = true,
				});
	else
		smmu_posix_rcu_retire(rcu, head, fn);
}

void sim_rcu_drain(struct smmu_rcu *rcu)
{
	if (sim_on)
		sim_drain(the_sim);
	smmu_posix_rcu_drain(rcu, sim_spin_asleep);
}
