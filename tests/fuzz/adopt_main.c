/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inputs for fuzz_adopt without libFuzzer: a few words of what is in use are others. usage: fuzz_adopt INPUTS [SEED]
 */
#include <string.h>

#include "fuzz_adopt.h"
#include "made.h"

/** A word in use: of an STE, a CD, or the start of a table. */
static uint16_t place(void)
{
	static const uint32_t tables[] = {0x2800, 0x30c0, 0x4000, 0x5000, 0x6000,
					  0x8000, 0x9000, 0xa000, 0xb000, 0x10000};

	switch (made_chance(4)) {
	case 0:
		return (uint16_t)(made_chance(4) ? made_chance(80) : 0);
	case 1:
		return (uint16_t)(0x1000 / 8 + made_chance(80));
	case 2:
		return (uint16_t)(0x2000 / 8 + made_chance(128));
	default:
		return (uint16_t)(tables[made_chance(10)] / 8 + made_chance(4));
	}
}

size_t made_input(uint8_t *to)
{
	size_t n = made_put(to, made_chance(256), 1);

	for (uint64_t parts = made_chance(5); parts; parts--) {
		uint64_t kind = made_chance(8) ? made_chance(3) : 3, bytes = 8 * made_chance(32);

		n += made_put(to + n, made_chance(8) ? place() : made_chance(0x4000), 2);
		n += made_put(to + n, kind == 3 ? bytes << 4 | 3 : (made_chance(0) & 0xfffc) | kind,
			      2);
		if (kind == 1)
			n += made_put(to + n,
				      made_chance(2) ? made_chance(0)
						     : 0x90000000 + (made_chance(0x2000) << 12) + 3,
				      8);
		for (uint64_t i = 0; kind == 3 && i < bytes; i += 8)
			n += made_put(to + n, made_chance(0), 8);
	}
	return n;
}

void made_enough(unsigned long inputs)
{
	unsigned long least = inputs / 100;

	for (unsigned config = 4; config < 8; config++)
		FUZZ_CHECK(adopt_seen.kept[config] >= least);
	FUZZ_CHECK(adopt_seen.aborts >= least && adopt_seen.no_level2 >= least / 4);
	FUZZ_CHECK(adopt_seen.leaves >= inputs);
}
