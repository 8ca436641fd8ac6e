/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inputs for fuzz_adopt without libFuzzer: a few words of what is in use are others. usage: fuzz_adopt INPUTS [SEED]
 */
#include <string.h>

#include "fuzz.h"
#include "fuzz_adopt.h"

static uint64_t state;

static uint64_t chance(uint64_t n)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	z ^= z >> 31;
	return n ? z % n : z;
}

/** A word in use: of an STE, a CD, or the start of a table. */
static uint16_t place(void)
{
	static const uint32_t tables[] = {0x2800, 0x30c0, 0x4000, 0x5000, 0x6000,
					  0x8000, 0x9000, 0xa000, 0xb000, 0x10000};

	switch (chance(4)) {
	case 0:
		return (uint16_t)(chance(4) ? chance(80) : 0);
	case 1:
		return (uint16_t)(0x1000 / 8 + chance(80));
	case 2:
		return (uint16_t)(0x2000 / 8 + chance(128));
	default:
		return (uint16_t)(tables[chance(10)] / 8 + chance(4));
	}
}

static size_t put(uint8_t *to, uint64_t value, size_t bytes)
{
	memcpy(to, &value, bytes);
	return bytes;
}

static size_t input(uint8_t *to)
{
	size_t n = put(to, chance(256), 1);

	for (uint64_t parts = chance(5); parts; parts--) {
		uint64_t kind = chance(8) ? chance(3) : 3, bytes = 8 * chance(32);

		n += put(to + n, chance(8) ? place() : chance(0x4000), 2);
		n += put(to + n, kind == 3 ? bytes << 4 | 3 : (chance(0) & 0xfffc) | kind, 2);
		if (kind == 1)
			n += put(to + n,
				 chance(2) ? chance(0) : 0x90000000 + (chance(0x2000) << 12) + 3,
				 8);
		for (uint64_t i = 0; kind == 3 && i < bytes; i += 8)
			n += put(to + n, chance(0), 8);
	}
	return n;
}

/** Of @p inputs, so many of each thing that can happen have to be among them. */
static void enough(unsigned long inputs)
{
	unsigned long least = inputs / 100;

	for (unsigned config = 4; config < 8; config++)
		FUZZ_CHECK(adopt_seen.kept[config] >= least);
	FUZZ_CHECK(adopt_seen.aborts >= least && adopt_seen.no_level2 >= least / 4);
	FUZZ_CHECK(adopt_seen.leaves >= inputs);
}

int main(int argc, char **argv)
{
	unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	static uint8_t data[4096];

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	LLVMFuzzerTestOneInput(data, 0);
	for (unsigned long i = 0; i < inputs; i++) {
		size_t size = input(data);
		uint8_t *exact = malloc(size);

		/* Of its exact size, so that a sanitizer sees what is read beyond it. */
		if (!exact)
			return 1;
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	enough(inputs);
	return 0;
}
