/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of shadows, by size and access. */
#include "shadow.h"

#include "efi.h"

static uint32_t class_of(const struct uefi_shadows *s, uint64_t size)
{
	uint64_t room = s->granule;
	uint32_t class = 0;

	for (; class < UEFI_SHADOW_CLASSES && room < size; class ++)
		room *= 2;
	return class;
}

static struct uefi_shadow **list_of(struct uefi_shadows *s, uint32_t class, uint32_t access)
{
	return &s->free[class][access == EDKII_IOMMU_WRITE];
}

struct uefi_shadow *uefi_shadow_take(struct uefi_shadows *s, uint64_t size, uint32_t access,
				     uint64_t below)
{
	uint32_t class = class_of(s, size);
	struct uefi_shadow *shadow;

	if (class < UEFI_SHADOW_CLASSES) {
		struct uefi_shadow **at = list_of(s, class, access);

		size = s->granule << class;
		while (*at && (*at)->at + (*at)->size > below)
			at = &(*at)->next;
		shadow = *at;
		if (shadow) {
			*at = shadow->next;
			shadow->next = NULL;
			s->kept -= shadow->size;
			return shadow;
		}
	}
	shadow = s->ops->allocate(s->ctx, size, below);
	if (!shadow)
		return NULL;
	shadow->next = NULL;
	shadow->access = access;
	shadow->class = class;
	shadow->space = NULL;
	return shadow;
}

int uefi_shadow_release(struct uefi_shadows *s, struct uefi_shadow *shadow, bool keep)
{
	int error = 0;

	if (keep && shadow->class < UEFI_SHADOW_CLASSES && s->kept + shadow->size <= s->keep_max) {
		struct uefi_shadow **list = list_of(s, shadow->class, shadow->access);

		shadow->next = *list;
		*list = shadow;
		s->kept += shadow->size;
		return 0;
	}
	if (shadow->space)
		error = s->ops->withdraw(s->ctx, shadow);
	if (error)
		s->lost += shadow->size;
	else
		s->ops->release(s->ctx, shadow);
	return error;
}
