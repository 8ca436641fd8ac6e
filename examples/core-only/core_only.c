/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file core_only.c
 * For those that have a command queue already: the invalidation core alone (the headers and src/inv/, nothing else),
 * on top of a queue of one's own.
 *
 * The queue here is a ring in this process that prints what a real one would hand to its SMMU. Everything else is as in a
 * driver: attach merges operations into a domain's array and publishes it, an unmap follows the array, a detach takes
 * operations out again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <smmuv3/inv.h>

/* ---- The queue that the embedder owns already ---- */

#define RING \
	64u /* a program of more commands would have to be cut at its CMD_SYNCs; the real ones have thousands */

struct own_smmu {
	struct smmu_inv_target target; /* what the core knows of it */
	struct smmu_cmd ring[RING];
	uint64_t prod, cons;
};

static const char *command_name(const struct smmu_cmd *cmd)
{
	switch (smmu_cmd_opcode(cmd)) {
	case SMMU_CMD_TLBI_NH_VA:
		return "TLBI_NH_VA";
	case SMMU_CMD_TLBI_NH_ASID:
		return "TLBI_NH_ASID";
	case SMMU_CMD_TLBI_S2_IPA:
		return "TLBI_S2_IPA";
	case SMMU_CMD_TLBI_S12_VMALL:
		return "TLBI_S12_VMALL";
	case SMMU_CMD_ATC_INV:
		return "ATC_INV";
	case SMMU_CMD_SYNC:
		return "SYNC";
	default:
		return "?";
	}
}

/* Here the ring "reaches the hardware". A driver would read its CMDQ_CONS instead. */
static void consume(struct own_smmu *smmu)
{
	for (; smmu->cons < smmu->prod; smmu->cons++) {
		const struct smmu_cmd *cmd = &smmu->ring[smmu->cons % RING];

		printf("    smmu%" PRIu32 " %-14s %016" PRIx64 " %016" PRIx64 "\n",
		       smmu->target.index, command_name(cmd), cmd->w[0], cmd->w[1]);
	}
}

/* The four functions that the core asks for. */

static int own_submit(struct smmu_inv_target *t, struct smmu_inv_program *p,
		      struct smmu_cmdq_token *token)
{
	struct own_smmu *smmu = smmu_container_of(t, struct own_smmu, target);
	struct smmu_cmd chunk[8];
	size_t n;

	if (smmu_inv_program_count(p) + 1 > RING)
		return -SMMU_ENOSPC;
	consume(smmu); /* room, as a full queue would wait for it */
	do {
		n = smmu_inv_program_next(p, chunk, SMMU_ARRAY_SIZE(chunk));
		for (size_t i = 0; i < n; i++)
			smmu->ring[smmu->prod++ % RING] = chunk[i];
	} while (n == SMMU_ARRAY_SIZE(chunk));
	smmu->ring[smmu->prod++ % RING] = (struct smmu_cmd){{SMMU_CMD_SYNC, 0}};
	token->end = smmu->prod;
	return 0;
}

static enum smmu_cmdq_status own_poll(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token)
{
	const struct own_smmu *smmu = smmu_container_of(t, struct own_smmu, target);

	return smmu->cons >= token->end ? SMMU_CMDQ_DONE : SMMU_CMDQ_PENDING;
}

static enum smmu_cmdq_status own_wait(struct smmu_inv_target *t,
				      const struct smmu_cmdq_token *token)
{
	consume(smmu_container_of(t, struct own_smmu, target));
	return own_poll(t, token);
}

static int own_quarantine(struct smmu_inv_target *t, struct smmu_inv_owner *owner)
{
	/* A driver makes the device's STEs abort and waits for the CFGI. This ring never reports an ATC time-out. */
	owner->cut = SMMU_CUT_DONE;
	printf("    smmu%" PRIu32 ": a device was cut off\n", t->index);
	return 0;
}

static const struct smmu_inv_target_ops own_ops = {
	.submit = own_submit,
	.poll = own_poll,
	.wait = own_wait,
	.quarantine = own_quarantine,
};

/* ---- What the core wants of a port: memory for arrays. A sweep wants nothing. ---- */

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

/* ---- A domain of the embedder's: its array, and whatever else it has ---- */

static struct smmu_inv_array *domain_array;
static struct smmu_inv_debt domain_debt;

static int attach(struct smmu_inv *set, uint32_t n)
{
	struct smmu_inv_array *old = domain_array, *new;

	smmu_inv_sort(set, n);
	new = smmu_inv_merge(&port, old, set, n);
	if (!new)
		return -SMMU_ENOMEM;
	smmu_rcu_publish(&domain_array, new);
	smmu_mb(); /* before the STE may lead anyone to the page table */
	smmu_inv_array_retire(&rcu, old);
	return 0;
}

static void show(void)
{
	static const char *const kinds[] = {"S1 ASID", "S2 VMID", "S1 clear", "ATS", "ATS full"};

	for (uint32_t i = 0; i < domain_array->count; i++) {
		const struct smmu_inv *e = &domain_array->entry[i];

		printf("    {smmu%" PRIu32 ", %s, %" PRIu32 ", users %" PRIu32 "}\n", e->index,
		       kinds[e->kind], e->id, e->users);
	}
}

int main(void)
{
	static struct own_smmu smmu[2];
	struct smmu_inv first[2], second[2], third[2];
	struct smmu_inv_owner device[3] = {{SMMU_CUT_NO}};
	struct smmu_gather gather;
	struct smmu_fence fence;

	for (uint32_t i = 0; i < 2; i++)
		smmu[i].target = (struct smmu_inv_target){
			.ops = &own_ops, .index = i, .flags = SMMU_INV_RANGE};

	puts("attach streams 3 and 4 behind smmu0 (its VMID 1) and stream 5 behind smmu1 (its VMID "
	     "7), all with ATS:");
	smmu_inv_make_vmid(&first[0], &smmu[0].target, 1);
	smmu_inv_make_ats(&first[1], &smmu[0].target, 3, -1, false, &device[0]);
	smmu_inv_make_vmid(&second[0], &smmu[0].target, 1);
	smmu_inv_make_ats(&second[1], &smmu[0].target, 4, -1, false, &device[1]);
	smmu_inv_make_vmid(&third[0], &smmu[1].target, 7);
	smmu_inv_make_ats(&third[1], &smmu[1].target, 5, -1, false, &device[2]);
	if (attach(first, 2) || attach(second, 2) || attach(third, 2))
		return EXIT_FAILURE;
	show();

	puts("unmap 3 pages at 0x200000, already gone from the page table; one program for each "
	     "SMMU:");
	smmu_gather_init(&gather, 12);
	for (uint64_t iova = 0x200000; iova < 0x203000; iova += 0x1000)
		smmu_gather_leaf(&gather, iova, 12, 3);
	smmu_inv_submit(&fence, &rcu, &domain_array, &domain_debt, &gather);
	printf("  submitted, nothing waited for: the fence says %s\n",
	       smmu_fence_poll(&fence) == -SMMU_EAGAIN ? "not yet" : "finished");
	if (smmu_fence_wait(&fence))
		return EXIT_FAILURE;
	puts("  finished: the pages may be used for something else");

	puts("detach stream 4 (its STE aborts already), then invalidate everything:");
	smmu_inv_unref(domain_array, second, 2);
	show();
	if (smmu_inv_sync(&rcu, &domain_array, &domain_debt, NULL))
		return EXIT_FAILURE;
	smmu_inv_array_retire(&rcu, domain_array);
	return EXIT_SUCCESS;
}
