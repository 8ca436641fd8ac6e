/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation core alone, with threads: two SMMUs with TLBs and command queues of the embedder's own, one address space
 * of 64 pages. Two threads unmap pages and map them again, a third attaches and detaches the second SMMU all the time, and
 * two are the SMMUs: they fill their TLBs by walks and execute commands. After each unmap no TLB may hold the page.
 *
 *   cc core_threads.c $(pkg-config --cflags --libs libsmmuv3)
 */
#include <pthread.h>
#include <sched.h>
#include <smmuv3/inv.h>
#include <stdio.h>
#include <stdlib.h>

#define SMMUS 2u
#define PAGES 64u
#define RING 256u
#define UNMAPS 2000u
#define ASID(smmu) (7 + (smmu))

/* ---- An SMMU: a queue, a TLB, and a thread ---- */

struct own_smmu {
	struct smmu_inv_target target;
	pthread_mutex_t lock; /* of all below: a walk and a command do not meet in the middle */
	struct smmu_cmd ring[RING];
	uint64_t prod, cons;
	bool attached; /* whether its device may walk the page table */
	bool tlb[PAGES];
};

static struct own_smmu smmu[SMMUS];
static bool pte[PAGES]; /* the page table */
static bool stop;

static void execute(struct own_smmu *s, const struct smmu_cmd *cmd)
{
	uint64_t first = cmd->w[1] >> 12, n = 1;

	if (smmu_cmd_opcode(cmd) == SMMU_CMD_TLBI_NH_ASID) {
		first = 0;
		n = PAGES;
	} else if (smmu_cmd_opcode(cmd) != SMMU_CMD_TLBI_NH_VA) {
		return;
	}
	for (uint64_t i = first; i < first + n && i < PAGES; i++)
		s->tlb[i] = false;
}

static void *smmu_thread(void *arg)
{
	struct own_smmu *s = arg;

	for (unsigned page = 0; !smmu_load(&stop); page = (page + 7) % PAGES) {
		pthread_mutex_lock(&s->lock);
		if (s->attached && smmu_load_acquire(&pte[page]))
			s->tlb[page] = true;
		while (s->cons < s->prod)
			execute(s, &s->ring[s->cons++ % RING]);
		pthread_mutex_unlock(&s->lock);
		sched_yield();
	}
	return NULL;
}

/* ---- The four functions that the core asks for ---- */

static int own_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
		      struct smmu_cmdq_token *token)
{
	struct own_smmu *s = smmu_container_of(t, struct own_smmu, target);
	struct smmu_cmd cmd;

	pthread_mutex_lock(&s->lock);
	while (s->prod + smmu_inv_program_count(p) >= s->cons + RING) {
		pthread_mutex_unlock(&s->lock);
		smmu_relax(NULL);
		pthread_mutex_lock(&s->lock);
	}
	while (smmu_inv_program_next(p, &cmd, 1))
		s->ring[s->prod++ % RING] = cmd;
	token->end = s->prod;
	pthread_mutex_unlock(&s->lock);
	return 0;
}

static enum smmu_cmdq_status own_poll(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token)
{
	struct own_smmu *s = smmu_container_of(t, struct own_smmu, target);
	bool done;

	pthread_mutex_lock(&s->lock);
	done = s->cons >= token->end;
	pthread_mutex_unlock(&s->lock);
	return done ? SMMU_CMDQ_DONE : SMMU_CMDQ_PENDING;
}

static enum smmu_cmdq_status own_wait(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token)
{
	while (own_poll(t, token) == SMMU_CMDQ_PENDING)
		smmu_relax(NULL);
	return SMMU_CMDQ_DONE;
}

static int own_quarantine(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	return -SMMU_EIO; /* nobody has an ATC here */
}

static const struct smmu_inv_target_ops own_ops = {own_submit, own_poll, own_wait, own_quarantine};

/* ---- The address space ---- */

static void *port_alloc(void *ctx, size_t size)
{
	return calloc(1, size);
}

static void port_free(void *ctx, void *p, size_t size)
{
	free(p);
}

static const struct smmu_port_ops port_ops = {.alloc = port_alloc, .free = port_free};
static struct smmu_rcu rcu;
static const struct smmu_port port = {.ops = &port_ops, .rcu = &rcu};
static struct smmu_inv_array *array;
static struct smmu_inv_debt debt;

static bool attach(unsigned i)
{
	struct smmu_inv_array *old = array, *new;
	struct smmu_inv op;

	smmu_inv_make_asid(&op, &smmu[i].target, ASID(i));
	new = smmu_inv_merge(&port, old, &op, 1);
	if (!new)
		return false;
	smmu_rcu_publish(&array, new);
	smmu_mb(); /* the array is there before the device walks */
	smmu_inv_array_retire(&rcu, old);
	pthread_mutex_lock(&smmu[i].lock);
	smmu[i].attached = true;
	pthread_mutex_unlock(&smmu[i].lock);
	return true;
}

static void detach(unsigned i)
{
	struct smmu_inv op;

	smmu_inv_make_asid(&op, &smmu[i].target, ASID(i));
	pthread_mutex_lock(&smmu[i].lock);
	smmu[i].attached = false;
	for (unsigned page = 0; page < PAGES; page++)
		smmu[i].tlb[page] = false;
	pthread_mutex_unlock(&smmu[i].lock);
	smmu_inv_unref(array, &op, 1); /* cannot fail; sweeps skip it from here on */
}

static void *mover(void *arg)
{
	unsigned *moves = arg;

	while (!smmu_load(&stop) && attach(1)) {
		detach(1);
		++*moves;
	}
	return NULL;
}

static void *unmapper(void *arg)
{
	unsigned id = *(unsigned *)arg, stale = 0;

	for (unsigned n = 0; n < UNMAPS; n++) {
		unsigned page = (n * 2 + id) % PAGES;
		struct smmu_gather range;

		smmu_store_release(&pte[page], true);
		smmu_store(&pte[page], false);
		smmu_gather_init(&range, 12);
		smmu_gather_leaf(&range, (uint64_t)page << 12, 12, 3);
		if (smmu_inv_sync(&rcu, &array, &debt, &range))
			stale++;
		for (unsigned i = 0; i < SMMUS; i++) {
			pthread_mutex_lock(&smmu[i].lock);
			stale += smmu[i].tlb[page];
			pthread_mutex_unlock(&smmu[i].lock);
		}
	}
	*(unsigned *)arg = stale;
	return NULL;
}

int main(void)
{
	pthread_t walkers[SMMUS], unmappers[2], moving;
	unsigned arg[2] = {0, 1}, moves = 0;

	for (unsigned i = 0; i < SMMUS; i++) {
		smmu[i].target = (struct smmu_inv_target){.ops = &own_ops, .index = i};
		pthread_mutex_init(&smmu[i].lock, NULL);
	}
	if (!attach(0))
		return EXIT_FAILURE;
	for (unsigned i = 0; i < SMMUS; i++)
		pthread_create(&walkers[i], NULL, smmu_thread, &smmu[i]);
	pthread_create(&moving, NULL, mover, &moves);
	for (unsigned i = 0; i < 2; i++)
		pthread_create(&unmappers[i], NULL, unmapper, &arg[i]);
	for (unsigned i = 0; i < 2; i++)
		pthread_join(unmappers[i], NULL);
	smmu_store(&stop, true);
	for (unsigned i = 0; i < SMMUS; i++)
		pthread_join(walkers[i], NULL);
	pthread_join(moving, NULL);
	smmu_inv_array_retire(&rcu, array);
	smmu_rcu_synchronize(&rcu);
	printf("%u unmaps beside %u attaches and detaches: %u stale\n", 2 * UNMAPS, moves,
	       arg[0] + arg[1]);
	return arg[0] + arg[1] ? EXIT_FAILURE : EXIT_SUCCESS;
}
