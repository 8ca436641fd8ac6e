/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges on ranges: what the tables have to become when one is added or goes. */
#include "grants.h"

#include <stddef.h>

/* The access that all grants give at @p at, and in *@p until (<= @p limit) how far it is so. */
static uint32_t access_at(const struct uefi_grants *grants, uint64_t at, uint64_t limit,
			  uint64_t *until)
{
	uint32_t access = 0;

	*until = limit;
	for (const struct uefi_grant *g = grants->list; g; g = g->next) {
		if (g->end <= at || g->first >= *until)
			continue;
		if (g->first > at) {
			*until = g->first;
			continue;
		}
		access |= g->access;
		if (g->end < *until)
			*until = g->end;
	}
	return access;
}

/*
 * For each piece of @p g up to @p limit: what the others give there (without), and what they give with g. Neighbours of the
 * same kind are told as one. @p adding: from without to with; else the other way round.
 */
static int walk(const struct uefi_grants *others, const struct uefi_grant *g, uint64_t limit,
		bool adding, bool stop, uefi_change_fn *change, void *ctx, uint64_t *done)
{
	uint64_t at = g->first, until;
	int first_error = 0;

	while (at < limit) {
		uint32_t without = access_at(others, at, limit, &until);
		uint32_t with = without | g->access;
		uint64_t next;
		int error = 0;

		while (until < limit && access_at(others, until, limit, &next) == without)
			until = next;
		if (with != without)
			error = adding ? change(ctx, at, until, without, with)
				       : change(ctx, at, until, with, without);
		if (error && !first_error)
			first_error = error;
		if (error && stop)
			break;
		at = until;
	}
	*done = at;
	return first_error;
}

int uefi_grant_add(struct uefi_grants *grants, struct uefi_grant *g, uefi_change_fn *change,
		   void *ctx)
{
	uint64_t done, again;
	int error = walk(grants, g, g->end, true, true, change, ctx, &done);

	if (error) {
		walk(grants, g, done, false, false, change, ctx, &again);
		return error;
	}
	g->next = grants->list;
	grants->list = g;
	return 0;
}

int uefi_grant_remove(struct uefi_grants *grants, struct uefi_grant *g, uefi_change_fn *change,
		      void *ctx)
{
	struct uefi_grant **at = &grants->list;
	uint64_t done;

	while (*at && *at != g)
		at = &(*at)->next;
	if (!*at)
		return 0;
	*at = g->next;
	g->next = NULL;
	return walk(grants, g, g->end, false, false, change, ctx, &done);
}
