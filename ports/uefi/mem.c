/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The four functions that a compiler calls by itself. Where a firmware has some of its own (EDK2's CompilerIntrinsicsLib), those
 * are taken.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __ELF__
#define SPARE __attribute__((weak))
#else
#define SPARE
#endif

SPARE void *memset(void *to, int value, size_t n);
SPARE void *memcpy(void *restrict to, const void *restrict from, size_t n);
SPARE void *memmove(void *to, const void *from, size_t n);
SPARE int memcmp(const void *a, const void *b, size_t n);

/* Words where both ends allow it: pages are copied and zeroed here. An empty asm keeps loops from becoming calls of themselves. */
#define KEEP __asm__ volatile("" ::: "memory")

typedef uint64_t __attribute__((may_alias)) word;

void *memset(void *to, int value, size_t n)
{
	uint8_t *p = to;
	uint64_t all = (uint8_t)value * 0x0101010101010101ull;

	for (; n && (uintptr_t)p % 8; n--) {
		*p++ = (uint8_t)value;
		KEEP;
	}
	for (; n >= 8; n -= 8, p += 8) {
		*(word *)p = all;
		KEEP;
	}
	for (; n; n--) {
		*p++ = (uint8_t)value;
		KEEP;
	}
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	if (((uintptr_t)p | (uintptr_t)q) % 8 == 0)
		for (; n >= 8; n -= 8, p += 8, q += 8) {
			*(word *)p = *(const word *)q;
			KEEP;
		}
	for (; n; n--) {
		*p++ = *q++;
		KEEP;
	}
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *p = to;
	const uint8_t *q = from;

	if (p <= q || p >= q + n)
		return memcpy(to, from, n);
	while (n--) {
		p[n] = q[n];
		KEEP;
	}
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p < *q ? -1 : 1;
		KEEP;
	}
	return 0;
}
