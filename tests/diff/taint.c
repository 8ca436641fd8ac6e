/* SPDX-License-Identifier: BSD-2-Clause */
/* What may be stale: memory that was changed below the driver, on instances that were not told. */
#include "diff.h"

static bool covers(const struct taint *t, unsigned i, int key, uint64_t iova)
{
	return t->used && t->instance == i && t->key == key && iova - t->iova < t->size;
}

struct taint *taint_find(struct world *w, unsigned i, int key, uint64_t iova)
{
	for (unsigned n = 0; n < TAINTS; n++)
		if (covers(&w->taint[n], i, key, iova))
			return &w->taint[n];
	return NULL;
}

void taint_add(struct world *w, unsigned i, int key, uint64_t iova, uint64_t size, struct past past)
{
	struct taint *t = taint_find(w, i, key, iova);

	for (unsigned n = 0; n < TAINTS && !t; n++) {
		if (w->taint[n].used)
			continue;
		t = &w->taint[n];
		*t = (struct taint){
			.used = true, .instance = i, .key = key, .iova = iova, .size = size};
	}
	if (t && t->npasts < PASTS)
		t->past[t->npasts++] = past;
	else
		forget_all(w, i); /* too much to remember */
}

void taint_clear(struct world *w, unsigned i, int key, uint64_t iova)
{
	for (unsigned n = 0; n < TAINTS; n++)
		if (covers(&w->taint[n], i, key, iova))
			w->taint[n].used = false;
}

void taint_clear_all(struct world *w, unsigned i, int key)
{
	for (unsigned n = 0; n < TAINTS; n++)
		if (w->taint[n].instance == i && (key < 0 || w->taint[n].key == key))
			w->taint[n].used = false;
}
