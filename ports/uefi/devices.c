/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From PCI functions to streams, and from streams to address spaces.
 *
 * Each function has a space of its own, so that a device reaches what was mapped for it and not what another one is
 * using just now: firmware meets devices that nobody has vouched for, and the price is three or four tables for each. Functions whose
 * accesses arrive under the same requester id (behind a bridge of conventional PCI) cannot be told apart and share one. With
 * uefi_policy.shared all have one space, over all SMMUs, for machines that are short of memory.
 */
#include "driver.h"

#define MOST_STREAMS \
	256u /* of one reserved range or component: a table that names more is not believed */
#define MOST_OF_FUNCTION (UEFI_ALIASES + 1)

/* Make the tables of a space agree with a change of its grants. */
int uefi_space_change(void *ctx, uint64_t first, uint64_t end, uint32_t from, uint32_t to)
{
	struct uefi_space *space = ctx;
	uint32_t prot = SMMU_PROT_NOEXEC;
	int error = 0;

	prot |= to & EDKII_IOMMU_READ ? SMMU_PROT_READ : 0;
	prot |= to & EDKII_IOMMU_WRITE ? SMMU_PROT_WRITE : 0;
	/*
	 * From one access to another there is a moment with none. Only a common buffer over a buffer that is mapped as well gets
	 * here, as everything else that overlaps is copied.
	 */
	if (from) {
		uefi.stats.withdrawals++;
#ifdef SMMU_UEFI_FLUSH_ALL
		struct smmu_freelist tables = {NULL};
		struct smmu_gather g;

		/* For comparison: the whole address space, whatever was unmapped. */
		smmu_gather_init(&g, 0);
		error = smmu_unmap_gather(&space->domain, first, end - first, 0, &g, &tables);
		if (!error)
			error = smmu_flush_all(&space->domain);
		if (!error)
			smmu_unmap_release(&space->domain, &tables);
#else
		error = smmu_unmap(&space->domain, first, end - first, 0);
#endif
		if (error == -SMMU_ENOENT)
			error = 0;
	}
	if (!error && to) {
		uefi.stats.grants++;
		error = smmu_map(&space->domain, first, first, end - first, prot, 0);
	}
	return error;
}

static struct uefi_space *new_space(void)
{
	const struct smmu_instance *instances[UEFI_HANDOVER_SMMUS];
	struct smmu_domain_config cfg = {
		.port = &uefi_port, .kind = uefi.kind, .instances = instances};
	struct uefi_space *space;

	if (uefi.policy.shared && uefi.spaces)
		return uefi.spaces;
	space = uefi_alloc(sizeof(*space));
	if (!space)
		return NULL;
	for (size_t i = 0; i < uefi.topology.n_smmus && cfg.nr_instances < UEFI_HANDOVER_SMMUS; i++)
		if (uefi.smmu[i].up)
			instances[cfg.nr_instances++] = &uefi.smmu[i].instance;
	/* Map() answers for all SMMUs alike, so a space fits all of them, whoever it is for. */
	cfg.granule_shift = (uint8_t)smmu_order_up(uefi.limits.granule);
	cfg.oas = (uint8_t)smmu_order_up(uefi.limits.reach);
	cfg.ias = cfg.oas;
	if (smmu_domain_init(&space->domain, &cfg)) {
		uefi_free(space);
		return NULL;
	}
	space->id = uefi.next_space++;
	space->next = uefi.spaces;
	uefi.spaces = space;
	return space;
}

static struct uefi_stream *find_stream(const struct uefi_smmu *smmu, uint32_t sid)
{
	struct uefi_stream *s = uefi.streams;

	while (s && (s->smmu != smmu || s->sid != sid))
		s = s->next;
	return s;
}

/* A stream of @p smmu for @p space, or for no translation. NULL: refused, or no memory; the log has why. */
static struct uefi_stream *new_stream(struct uefi_smmu *smmu, uint32_t sid,
				      struct uefi_space *space, enum uefi_stream_use use)
{
	struct uefi_stream *s = uefi_alloc(sizeof(*s));
	struct smmu_device_config cfg = {
		.instance = &smmu->instance, .streams = &sid, .nr_streams = 1, .name = smmu->name};
	int error;

	if (!s)
		return NULL;
	s->smmu = smmu;
	s->sid = sid;
	s->space = space;
	s->use = use;
	error = smmu_device_init(&s->device, &cfg);
	if (error) {
		uefi_free(s);
		uefi_say_value(SMMU_LOG_ERROR, smmu->name, "cannot take stream", sid);
		return NULL;
	}
	error = smmu_attach(&s->device, space ? &space->domain : &uefi.identity);
	if (error) {
		smmu_device_fini(&s->device);
		uefi_free(s);
		uefi_say_value(SMMU_LOG_ERROR, smmu->name, "cannot attach stream", sid);
		return NULL;
	}
	s->next = uefi.streams;
	uefi.streams = s;
	return s;
}

/* The SMMU and stream that a requester has, from the root complex of its segment. */
static struct uefi_smmu *route(uint32_t segment, uint32_t requester, uint32_t *sid)
{
	for (size_t i = 0; i < uefi.topology.n_roots; i++) {
		const struct smmu_topology_root *root = &uefi.topology.roots[i];

		if (!root->has_segment || root->segment != segment)
			continue;
		for (size_t k = 0; k < root->n_streams; k++) {
			const struct smmu_topology_streams *r = &root->streams[k];

			if (requester < r->first || requester - r->first >= r->count)
				continue;
			*sid = r->stream + (requester - r->first);
			return &uefi.smmu[r->smmu];
		}
	}
	return NULL;
}

/* Give @p f its streams: its own and those of its aliases, all of one space. False: no memory, or an SMMU refused. */
static bool add_streams(struct uefi_function *f)
{
	uint32_t id[MOST_OF_FUNCTION], sid[MOST_OF_FUNCTION];
	struct uefi_smmu *smmu[MOST_OF_FUNCTION];
	struct uefi_stream *known[MOST_OF_FUNCTION];
	unsigned n = 1 + uefi_pci_aliases(f->segment, f->requester, id + 1), found = 0;

	id[0] = f->requester;
	for (unsigned i = 0; i < n; i++) {
		smmu[i] = route(f->segment, id[i], &sid[i]);
		if (!smmu[i])
			continue;
		f->dead |= smmu[i]->broken;
		if (!smmu[i]->up)
			smmu[i] = NULL;
		if (!smmu[i])
			continue;
		found++;
		known[i] = find_stream(smmu[i], sid[i]);
		/* A device that was there first has a space already: the outermost alias decides, then its own id. */
		if (known[i] && known[i]->space)
			f->space = known[i]->space;
	}
	if (!found)
		return true;
	if (!f->space)
		f->space = new_space();
	if (!f->space)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (smmu[i] && !known[i] && !new_stream(smmu[i], sid[i], f->space, UEFI_STREAM_PCI))
			return false;
	return true;
}

struct uefi_function *uefi_function_of(efi_handle handle)
{
	uint32_t segment, requester;
	struct uefi_function *f;

	if (!uefi_pci_location(handle, &segment, &requester))
		return NULL;
	for (f = uefi.functions; f; f = f->next)
		if (f->segment == segment && f->requester == requester)
			return f;
	f = uefi_alloc(sizeof(*f));
	if (!f)
		return NULL;
	f->segment = segment;
	f->requester = requester;
	if (!add_streams(f)) {
		/* What it got stays with the SMMU and aborts; the next call tries again. */
		uefi_free(f);
		return NULL;
	}
	f->next = uefi.functions;
	uefi.functions = f;
	return f;
}

void uefi_devices_learn(void)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_PCI_IO;
	efi_handle *handles;
	uintptr_t n;

	if (efi_failed(uefi_system->boot->locate_handle_buffer(SMMU_EFI_LOCATE_PROTOCOL, &guid,
							       NULL, &n, &handles)))
		return;
	for (uintptr_t i = 0; i < n; i++)
		uefi_function_of(handles[i]);
	uefi_system->boot->free_pool(handles);
}

static void reserve(const struct smmu_topology_reserved *r)
{
	struct uefi_smmu *smmu = &uefi.smmu[r->smmu];
	uint64_t n = r->count < MOST_STREAMS ? r->count : MOST_STREAMS;

	if (!smmu->up)
		return;
	if (n < r->count)
		uefi_say_value(SMMU_LOG_WARN, r->name, "too many streams; left out from", n);
	for (uint64_t i = 0; i < n; i++) {
		uint32_t sid = r->stream + (uint32_t)i;
		struct uefi_stream *s = find_stream(smmu, sid);
		struct uefi_share *share = uefi_alloc(sizeof(*share));
		struct uefi_space *space = s ? s->space : new_space();

		if (share && space) {
			share->grant.first = r->base & ~(uefi.limits.granule - 1);
			share->grant.end = smmu_align_up(r->base + r->size, uefi.limits.granule);
			share->grant.access = EDKII_IOMMU_READ | EDKII_IOMMU_WRITE;
			/* The memory is mapped before the stream is let at it. */
			if (uefi_grant_add(&space->grants, &share->grant, uefi_space_change, space))
				uefi_free(share);
			else if (s || new_stream(smmu, sid, space, UEFI_STREAM_RESERVED))
				continue;
		}
		uefi_say_value(SMMU_LOG_ERROR, r->name, "reserved memory is not mapped for stream",
			       sid);
	}
}

void uefi_devices_reserve(void)
{
	for (size_t i = 0; i < uefi.topology.n_reserved; i++)
		reserve(&uefi.topology.reserved[i]);
	for (size_t i = 0; i < uefi.topology.n_roots; i++) {
		const struct smmu_topology_root *root = &uefi.topology.roots[i];

		if (root->kind != SMMU_TOPOLOGY_NAMED_COMPONENT)
			continue;
		for (size_t k = 0; k < root->n_streams; k++) {
			const struct smmu_topology_streams *r = &root->streams[k];
			struct uefi_smmu *smmu = &uefi.smmu[r->smmu];

			if (!smmu->up)
				continue;
			for (uint64_t j = 0; j < r->count && j < MOST_STREAMS; j++)
				if (!find_stream(smmu, r->stream + (uint32_t)j))
					new_stream(smmu, r->stream + (uint32_t)j, NULL,
						   UEFI_STREAM_IDENTITY);
		}
	}
}

void uefi_devices_stop(void)
{
	while (uefi.streams) {
		struct uefi_stream *s = uefi.streams;

		uefi.streams = s->next;
		smmu_device_fini(&s->device);
		uefi_free(s);
	}
	while (uefi.spaces) {
		struct uefi_space *s = uefi.spaces;

		uefi.spaces = s->next;
		/* Held where the SMMU does not confirm: its memory is not given back then (uefi_machine_stop). */
		if (!smmu_domain_fini(&s->domain))
			uefi_free(s);
	}
	while (uefi.functions) {
		struct uefi_function *f = uefi.functions;

		uefi.functions = f->next;
		uefi_free(f);
	}
}
