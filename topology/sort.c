/* SPDX-License-Identifier: BSD-2-Clause */
/* Sorting without a C library: a heap in place, so that no order of a hostile table takes more than n log n. */
#include "build.h"

static void swap(uint8_t *a, uint8_t *b, size_t element)
{
	for (size_t i = 0; i < element; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/* Let the element at @p i sink to where none below it is greater. */
static void sink(uint8_t *at, size_t i, size_t n, size_t element,
		 int (*compare)(const void *, const void *))
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && compare(at + child * element, at + (child + 1) * element) < 0)
			child++;
		if (compare(at + i * element, at + child * element) >= 0)
			return;
		swap(at + i * element, at + child * element, element);
		i = child;
	}
}

void topology_sort(void *array, size_t n, size_t element,
		   int (*compare)(const void *, const void *))
{
	uint8_t *at = array;

	for (size_t i = n / 2; i > 0; i--)
		sink(at, i - 1, n, element, compare);
	for (size_t left = n; left > 1; left--) {
		swap(at, at + (left - 1) * element, element);
		sink(at, 0, left - 1, element, compare);
	}
}
