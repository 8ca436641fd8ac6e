/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chance, the faults that come by it, and the list of misuses: what every other file of the model stands on.
 */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

/** @p ns at this instance's speed, and off by its jitter. */
uint64_t model_jitter(struct instance *in, uint64_t ns)
{
	uint64_t base = ns * in->cfg.speed_percent / 100;
	uint64_t off = base * in->cfg.jitter_percent / 100;

	return off ? base - off + model_rnd(in) % (2 * off + 1) : base;
}

/** Count one more chance to break something. Is it time? */
bool model_inject_now(struct instance *in, enum smmu_model_fault fault)
{
	unsigned every = in->inject_every[fault];

	if (--in->inject_left[fault])
		return false;
	in->inject_left[fault] = (unsigned)(1 + model_rnd(in) % (2ULL * every));
	in->count.injected[fault]++;
	return true;
}

void model_misuse(struct instance *in, const char *format, ...)
{
	uint64_t n = in->count.misuses++;
	va_list args;

	if (n >= MAX_MISUSE)
		return;
	va_start(args, format);
	vsnprintf(in->misuse[n], MISUSE_TEXT, format, args);
	va_end(args);
}
