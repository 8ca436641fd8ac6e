/* SPDX-License-Identifier: BSD-2-Clause */
/* A fuzzer whose inputs are made, without libFuzzer. usage: fuzz_NAME INPUTS [SEED] */
#include "made.h"

#include <string.h>

static uint64_t state;

uint64_t made_chance(uint64_t n)
{
	return fuzz_chance(&state, n);
}

size_t made_put(uint8_t *to, uint64_t value, size_t bytes)
{
	memcpy(to, &value, bytes);
	return bytes;
}

int main(int argc, char **argv)
{
	unsigned long inputs = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	static uint8_t data[4096];

	state = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
	LLVMFuzzerTestOneInput(data, 0);
	for (unsigned long i = 0; i < inputs; i++) {
		size_t size = made_input(data);
		uint8_t *exact = malloc(size);

		/* Of its exact size, so that a sanitizer sees what is read beyond it. */
		if (!exact)
			return 1;
		memcpy(exact, data, size);
		LLVMFuzzerTestOneInput(exact, size);
		free(exact);
	}
	made_enough(inputs);
	return 0;
}
