/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of boot services: what each SMMU is left as. DMA is safe at every moment: streams go from what firmware mapped to
 * nothing, or to no translation where the policy hands them on, by changes that the SMMU confirms one by one; and an SMMU
 * is disabled only with GBPA.ABORT in force (smmu_instance_remove). Nothing is allocated from the firmware; what the library
 * needs comes out of the chunks that it has.
 *
 * - abort: an SMMU whose streams have no reserved memory is disabled and aborts everything. Its tables may go with boot
 *   services. One that has goes on, with those streams alone.
 * - bypass: PCI functions pass untranslated, everything else aborts. The SMMU stays on.
 * - keep: the SMMU stays on, streams abort, its tables stay: the next stage may adopt them.
 *
 * Reserved ranges of memory stay mapped under each policy, and named components pass under bypass and keep.
 */
#include "driver.h"

static const struct efi_guid vendor = SMMU_UEFI_GUID_VENDOR;

/* The table has to be told of now: to do it at the end would allocate. */
efi_status uefi_handover_prepare(void)
{
	uint64_t bus;

	uefi.handover = uefi_port.ops->dma_alloc(NULL, sizeof(*uefi.handover), 16, 0, &bus);
	if (!uefi.handover)
		return SMMU_EFI_OUT_OF_RESOURCES;
	uefi.handover->revision = 1;
	uefi.handover->size = sizeof(*uefi.handover);
	uefi.handover->exit = uefi.policy.exit;
	/* Where memory goes with boot services, nobody is to find a table in it. */
	if (uefi.policy.exit == UEFI_EXIT_ABORT)
		return SMMU_EFI_SUCCESS;
	return uefi_system->boot->install_configuration_table(&vendor, uefi.handover);
}

void uefi_handover_cancel(void)
{
	if (uefi.handover && uefi.policy.exit != UEFI_EXIT_ABORT)
		uefi_system->boot->install_configuration_table(&vendor, NULL);
	uefi.handover = NULL;
}

/* What becomes of one stream. True: it still reaches memory. */
static bool leave_stream(struct uefi_stream *s)
{
	bool pass = s->use == UEFI_STREAM_RESERVED;

	if (uefi.policy.exit == UEFI_EXIT_BYPASS && s->use == UEFI_STREAM_PCI)
		pass = !smmu_attach(&s->device, &uefi.identity);
	if (uefi.policy.exit != UEFI_EXIT_ABORT && s->use == UEFI_STREAM_IDENTITY)
		pass = true;
	if (!pass)
		smmu_detach(&s->device);
	return pass;
}

/*
 * What firmware mapped for a stream with reserved memory goes as well. The grants of reserved ranges are in no mapping, and
 * so they stay.
 */
static void end_mappings(void)
{
	for (struct uefi_mapping *m = uefi.mappings; m; m = m->next)
		for (struct uefi_share *s = m->shares; s; s = s->next)
			uefi_grant_remove(&s->space->grants, &s->grant, uefi_space_change,
					  s->space);
	for (unsigned c = 0; c < UEFI_SHADOW_CLASSES; c++)
		for (unsigned w = 0; w < 2; w++)
			for (struct uefi_shadow *s = uefi.shadows.free[c][w]; s; s = s->next)
				if (s->space)
					uefi_grant_remove(&s->space->grants, &s->grant,
							  uefi_space_change, s->space);
	for (struct uefi_mapping *m = uefi.mappings; m; m = m->next)
		if (m->shadow && m->shadow->space)
			uefi_grant_remove(&m->shadow->space->grants, &m->shadow->grant,
					  uefi_space_change, m->shadow->space);
}

void uefi_handover(void)
{
	struct uefi_handover *h = uefi.handover;
	bool any_reserved = false;

	uefi_memory_freeze();
	for (size_t i = 0; i < uefi.topology.n_smmus; i++)
		any_reserved |= uefi.smmu[i].up && uefi.smmu[i].reserved;
	for (struct uefi_stream *s = uefi.streams; s; s = s->next) {
		bool passes = leave_stream(s);
		size_t i = (size_t)(s->smmu - uefi.smmu);

		if (passes && i < UEFI_HANDOVER_SMMUS)
			h->smmu[i].streams++;
	}
	if (any_reserved)
		end_mappings();
	for (size_t i = 0; i < uefi.topology.n_smmus; i++) {
		struct uefi_smmu *s = &uefi.smmu[i];
		bool stays = uefi.policy.exit != UEFI_EXIT_ABORT || s->reserved;

		if (s->up && !stays)
			smmu_instance_remove(&s->instance);
		if (i >= UEFI_HANDOVER_SMMUS)
			continue;
		h->smmu[i].base = s->told->base;
		h->smmu[i].enabled = s->up && stays;
		h->count = (uint32_t)i + 1;
	}
}
