/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chance, the faults that come by it, and the list of misuses: what every other file of the model stands on.
 */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

/** xorshift64*: every decision of an instance comes from here, so that its seed repeats them. */
uint64_t model_rnd(struct instance *in)
{
	in->rng ^= in->rng >> 12;
	in->rng ^= in->rng << 25;
	in->rng ^= in->rng >> 27;
	return (in->rng * 0x2545f4914f6cdd1dULL) >> 16;
}

bool model_chance(struct instance *in, unsigned permille)
{
	return permille && model_rnd(in) % 1000 < permille;
}

/** @p ns at this instance's speed, and off by its jitter. */
uint64_t model_jitter(struct instance *in, uint64_t ns)
{
	uint64_t base = ns * in->cfg.speed_percent / 100;
	uint64_t off = base * in->cfg.jitter_percent / 100;

	return off ? base - off + model_rnd(in) % (2 * off + 1) : base;
}

/** Is it time to break something? */
bool model_inject(struct instance *in, enum smmu_model_fault fault)
{
	unsigned every = in->inject_every[fault];

	if (!every || --in->inject_left[fault])
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
