/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * EDKII_IOMMU_PROTOCOL: Map, SetAttribute, Unmap. docs/uefi.md has what each answers.
 *
 * Map() decides where the device will find the data, and changes no table. SetAttribute() is told the device, and lets
 * its space at the mapping; with access 0 it shuts it out, and returns when every SMMU has confirmed that. Unmap() shuts out
 * whoever is left, and only then copies back what the device wrote, so that nothing changes while it is looked at.
 *
 * A token is looked for among the mappings before it is used: firmware passes others' tokens when the protocol appears in
 * the middle of a boot.
 */
#include "driver.h"

#define KEEP_MAX 0x800000u

static struct uefi_mapping *find(const void *token)
{
	struct uefi_mapping *m = uefi.mappings;

	while (m && m != token)
		m = m->next;
	return m;
}

static void copy(struct uefi_mapping *m, bool to_device)
{
	void *shadow = (void *)(uintptr_t)m->shadow->at, *host = (void *)(uintptr_t)m->host;

	if (to_device)
		__builtin_memcpy(shadow, host, m->bytes);
	else
		__builtin_memcpy(host, shadow, m->bytes);
	uefi.stats.copied += m->bytes;
}

/* What the device finds in the copy: also where it is going to write, as it may write less than was mapped. */
static void fill(struct uefi_mapping *m)
{
	if (m->filled)
		return;
	copy(m, true);
	m->filled = true;
}

/* ---- Shadows ---- */

static struct uefi_shadow *shadow_allocate(void *ctx, uint64_t size, uint64_t below)
{
	struct uefi_shadow *shadow = uefi_alloc(sizeof(*shadow));
	uint64_t taken, pages;

	(void)ctx;
	if (!shadow)
		return NULL;
	/* Memory of boot services is reclaimed with them: a shadow never outlives the boot. */
	if (!uefi_pages(SMMU_EFI_BOOT_DATA, size, below, &shadow->at, &taken, &pages)) {
		uefi_free(shadow);
		return NULL;
	}
	if (shadow->at > taken)
		uefi_system->boot->free_pages(taken, (shadow->at - taken) / SMMU_EFI_PAGE);
	if (shadow->at + size < taken + pages * SMMU_EFI_PAGE)
		uefi_system->boot->free_pages(shadow->at + size,
					      pages - (shadow->at + size - taken) / SMMU_EFI_PAGE);
	shadow->size = size;
	__builtin_memset((void *)(uintptr_t)shadow->at, 0, size);
	return shadow;
}

static void shadow_release(void *ctx, struct uefi_shadow *shadow)
{
	(void)ctx;
	uefi_system->boot->free_pages(shadow->at, shadow->size / SMMU_EFI_PAGE);
	uefi_free(shadow);
}

static int shadow_withdraw(void *ctx, struct uefi_shadow *shadow)
{
	struct uefi_space *space = shadow->space;

	(void)ctx;
	shadow->space = NULL;
	return uefi_grant_remove(&space->grants, &shadow->grant, uefi_space_change, space);
}

static const struct uefi_shadow_ops shadow_ops = {
	.allocate = shadow_allocate, .release = shadow_release, .withdraw = shadow_withdraw};

/* Let @p space at the shadow, and at no moment two spaces. 0 or negative. */
static int give_shadow(struct uefi_mapping *m, struct uefi_space *space)
{
	struct uefi_shadow *shadow = m->shadow;
	int error;

	if (shadow->space == space) {
		uefi.stats.kept++;
		fill(m);
		return 0;
	}
	if (shadow->space) {
		error = shadow_withdraw(NULL, shadow);
		if (error)
			return error;
		/* What the former device had is none of the new one's business. */
		__builtin_memset((void *)(uintptr_t)shadow->at, 0, shadow->size);
		m->filled = false;
		uefi.stats.moved++;
	}
	fill(m);
	shadow->grant.first = shadow->at;
	shadow->grant.end = shadow->at + shadow->size;
	shadow->grant.access = shadow->access;
	error = uefi_grant_add(&space->grants, &shadow->grant, uefi_space_change, space);
	if (!error)
		shadow->space = space;
	return error;
}

/* ---- Map ---- */

/* A live mapping translates a unit of it: what is mapped twice would have two accesses. */
static bool is_shared(uint64_t first, uint64_t end)
{
	for (const struct uefi_mapping *m = uefi.mappings; m; m = m->next)
		if (!m->shadow && m->plan.first < end && m->plan.end > first)
			return true;
	return false;
}

static efi_status map(uint32_t operation, void *host, uintptr_t *bytes, uint64_t *device,
		      void **mapping)
{
	struct uefi_request request = {.operation = operation, .host = (uintptr_t)host};
	struct uefi_mapping *m;
	uint64_t first, end;
	efi_status status;

	if (!host || !bytes || !device || !mapping)
		return SMMU_EFI_INVALID_PARAMETER;
	request.bytes = *bytes;
	if (uefi_round_out(request.host, request.bytes, uefi.limits.granule, &first, &end)) {
		request.ours = uefi_buffer_has(first, end);
		request.shared = is_shared(first, end);
	}
	m = uefi_alloc(sizeof(*m));
	if (!m)
		return SMMU_EFI_OUT_OF_RESOURCES;
	status = uefi_plan(&uefi.limits, &request, &m->plan);
	if (efi_failed(status)) {
		uefi_free(m);
		return status;
	}
	m->host = request.host;
	m->bytes = request.bytes;
	m->device = m->host;
	if (m->plan.copy) {
		m->shadow =
			uefi_shadow_take(&uefi.shadows, m->plan.end, m->plan.access, m->plan.below);
		if (!m->shadow) {
			uefi_free(m);
			return SMMU_EFI_OUT_OF_RESOURCES;
		}
		m->device = m->shadow->at;
		/* One that others still reach is filled once they do not. */
		if (!m->shadow->space)
			fill(m);
	}
	uefi.stats.direct += !m->shadow;
	uefi.stats.copies += m->shadow != NULL;
	m->next = uefi.mappings;
	uefi.mappings = m;
	*device = m->device;
	*mapping = m;
	return SMMU_EFI_SUCCESS;
}

static efi_status iommu_map(struct edkii_iommu *self, uint32_t operation, void *host,
			    uintptr_t *bytes, uint64_t *device, void **mapping)
{
	uintptr_t tpl = uefi_enter();
	efi_status status =
		uefi_exited ? SMMU_EFI_UNSUPPORTED : map(operation, host, bytes, device, mapping);

	(void)self;
	uefi.stats.maps += !efi_failed(status);
	uefi.stats.refused += efi_failed(status);
	uefi_leave(tpl);
	return status;
}

/* ---- SetAttribute ---- */

static efi_status status_of(int error)
{
	switch (error) {
	case 0:
		return SMMU_EFI_SUCCESS;
	case -SMMU_ENOMEM:
	case -SMMU_ENOSPC:
		return SMMU_EFI_OUT_OF_RESOURCES;
	case -SMMU_ERANGE:
	case -SMMU_EINVAL: /* a common buffer in the middle of a block that is mapped for something else */
		return SMMU_EFI_UNSUPPORTED;
	}
	return SMMU_EFI_DEVICE_ERROR;
}

static int shut_out(struct uefi_mapping *m, const struct uefi_space *space)
{
	struct uefi_share **at = &m->shares;
	int first_error = 0;

	while (*at) {
		struct uefi_share *share = *at;
		int error;

		if (space && share->space != space) {
			at = &share->next;
			continue;
		}
		*at = share->next;
		error = uefi_grant_remove(&share->space->grants, &share->grant, uefi_space_change,
					  share->space);
		first_error = first_error ? first_error : error;
		uefi_free(share);
	}
	return first_error;
}

static int let_in(struct uefi_mapping *m, struct uefi_space *space, uint32_t access)
{
	struct uefi_share *share;
	int error;

	if (m->shadow && access == m->shadow->access &&
	    (!m->shadow->space || m->shadow->space == space || !m->filled))
		return give_shadow(m, space);
	/* Again for the same devices: the last word holds. */
	error = shut_out(m, space);
	if (error)
		return error;
	share = uefi_alloc(sizeof(*share));
	if (!share)
		return -SMMU_ENOMEM;
	share->space = space;
	share->grant.first = m->shadow ? m->shadow->at : m->plan.first;
	share->grant.end = m->shadow ? m->shadow->at + m->shadow->size : m->plan.end;
	share->grant.access = access;
	if (m->shadow)
		fill(m);
	error = uefi_grant_add(&space->grants, &share->grant, uefi_space_change, space);
	if (error) {
		uefi_free(share);
		return error;
	}
	share->next = m->shares;
	m->shares = share;
	return 0;
}

/* The device is behind no SMMU: it finds the data where they are. A copy that others still reach is taken from them. */
static efi_status untranslated(struct uefi_mapping *m, const struct uefi_function *f)
{
	int error = 0;

	if (f->dead)
		return SMMU_EFI_DEVICE_ERROR;
	uefi.stats.unknown++;
	if (m->shadow && m->shadow->space && !m->filled) {
		error = shadow_withdraw(NULL, m->shadow);
		__builtin_memset((void *)(uintptr_t)m->shadow->at, 0, m->shadow->size);
	}
	if (!error && m->shadow)
		fill(m);
	return status_of(error);
}

static efi_status set_attribute(efi_handle handle, void *token, uint64_t access)
{
	struct uefi_mapping *m = find(token);
	struct uefi_function *f;

	if (!m || !handle)
		return SMMU_EFI_INVALID_PARAMETER;
	if (access & ~(uint64_t)(EDKII_IOMMU_READ | EDKII_IOMMU_WRITE))
		return SMMU_EFI_UNSUPPORTED;
	/* More than the operation of the mapping needs. */
	if (access & ~(uint64_t)m->plan.access)
		return SMMU_EFI_INVALID_PARAMETER;
	f = uefi_function_of(handle);
	if (!f)
		return SMMU_EFI_UNSUPPORTED;
	if (!f->space)
		return untranslated(m, f);
	f->maps += access != 0;
	if (access)
		return status_of(let_in(m, f->space, (uint32_t)access));
#ifdef SMMU_UEFI_FLUSH_ALL
	if (m->shadow && m->shadow->space == f->space)
		return status_of(shadow_withdraw(NULL, m->shadow));
#endif
	return status_of(shut_out(m, f->space));
}

static efi_status iommu_set_attribute(struct edkii_iommu *self, efi_handle device, void *mapping,
				      uint64_t access)
{
	uintptr_t tpl = uefi_enter();
	efi_status status =
		uefi_exited ? SMMU_EFI_UNSUPPORTED : set_attribute(device, mapping, access);

	(void)self;
	uefi.stats.attributes++;
	uefi.stats.refused += efi_failed(status);
	uefi_leave(tpl);
	return status;
}

/* ---- Unmap ---- */

static efi_status unmap(void *token)
{
	struct uefi_mapping **at = &uefi.mappings, *m = find(token);
	bool keep = true;
	int error;

	if (!m)
		return SMMU_EFI_INVALID_PARAMETER;
	error = shut_out(m, NULL);
	if (m->shadow) {
		/* A device that could not be shut out still reaches this memory: it is not used again. */
		if (!error && m->filled && m->plan.access & EDKII_IOMMU_WRITE)
			copy(m, false);
#ifdef SMMU_UEFI_FLUSH_ALL
		keep = false;
#endif
		if (error)
			uefi.shadows.lost += m->shadow->size;
		else
			error = uefi_shadow_release(&uefi.shadows, m->shadow, keep);
	}
	(void)keep;
	while (*at != m)
		at = &(*at)->next;
	*at = m->next;
	uefi_free(m);
	return status_of(error);
}

static efi_status iommu_unmap(struct edkii_iommu *self, void *mapping)
{
	uintptr_t tpl = uefi_enter();
	efi_status status = uefi_exited ? SMMU_EFI_UNSUPPORTED : unmap(mapping);

	(void)self;
	uefi.stats.unmaps += !efi_failed(status);
	uefi.stats.refused += efi_failed(status);
	uefi_leave(tpl);
	return status;
}

struct edkii_iommu uefi_iommu = {
	.revision = EDKII_IOMMU_REVISION,
	.set_attribute = iommu_set_attribute,
	.map = iommu_map,
	.unmap = iommu_unmap,
	.allocate_buffer = uefi_allocate_buffer,
	.free_buffer = uefi_free_buffer,
};

void uefi_iommu_start(void)
{
	uefi.shadows = (struct uefi_shadows){
		.ops = &shadow_ops, .granule = uefi.limits.granule, .keep_max = KEEP_MAX};
}
