/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fuzzer without libFuzzer: each file of the folders as it is, and then changed in many ways, the same ways each time.
 * usage: fuzz_NAME CHANGES FOLDER…
 */
#include <dirent.h>
#include <string.h>

#include "fuzz.h"

#define MOST_BYTES 20000u

static uint64_t state = 1;

static uint64_t chance(uint64_t n)
{
	return fuzz_chance(&state, n);
}

/* Some bytes are others, some are gone, some are there twice, or the end is missing. */
static size_t change(uint8_t *data, size_t size)
{
	uint64_t n = 1 + chance(8);

	while (n-- && size > 8) {
		size_t at = (size_t)chance(size - 4), len = 1 + (size_t)chance(4);

		switch (chance(6)) {
		case 0:
			data[at] = (uint8_t)chance(256);
			break;
		case 1:
			data[at] ^= (uint8_t)(1u << chance(8));
			break;
		case 2:
			memset(data + at, chance(2) ? 0xff : 0, len);
			break;
		case 3:
			memmove(data + at, data + at + len, size - at - len);
			size -= len;
			break;
		case 4:
			memcpy(data + at, data + chance(size - 4), 4);
			break;
		default:
			if (!chance(8))
				size = at + 1;
			break;
		}
	}
	return size;
}

static unsigned run_file(const char *path, unsigned changes)
{
	static uint8_t whole[MOST_BYTES], changed[MOST_BYTES];
	FILE *f = fopen(path, "rb");
	size_t size;
	unsigned i;

	if (!f)
		return 0;
	size = fread(whole, 1, sizeof(whole), f);
	fclose(f);
	LLVMFuzzerTestOneInput(whole, size);
	for (i = 0; i < changes; i++) {
		uint8_t *exact;
		size_t n;

		memcpy(changed, whole, size);
		n = change(changed, size);
		/* Of its exact size, so that a sanitizer sees what is read beyond it. */
		exact = malloc(n ? n : 1);
		if (!exact)
			return 0;
		memcpy(exact, changed, n);
		LLVMFuzzerTestOneInput(exact, n);
		free(exact);
	}
	return 1;
}

int main(int argc, char **argv)
{
	unsigned changes = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0, files = 0,
		 count = 1;
	struct dirent **list;
	char path[4096];
	int i, k, n;

	/* The changes are shared out among the files. */
	for (i = 2; i < argc; i++) {
		n = scandir(argv[i], &list, NULL, alphasort);
		for (k = 0; k < n; k++)
			free(list[k]);
		count += n > 0 ? (unsigned)n : 0;
		if (n >= 0)
			free(list);
	}
	for (i = 2; i < argc; i++) {
		n = scandir(argv[i], &list, NULL, alphasort);
		for (k = 0; k < n; k++) {
			if (list[k]->d_name[0] != '.') {
				snprintf(path, sizeof(path), "%s/%s", argv[i], list[k]->d_name);
				files += run_file(path, changes / count + 1);
			}
			free(list[k]);
		}
		if (n >= 0)
			free(list);
	}
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	if (files < 10) {
		fprintf(stderr, "%u files; expected more\n", files);
		return 1;
	}
	return 0;
}
