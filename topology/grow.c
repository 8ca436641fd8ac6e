/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays that grow by one element, and strings that are copied: all of the memory that a topology is made of. */
#include "build.h"

void *topology_grow(void *array, size_t n, size_t element)
{
	void *grown;

	/* Its length tells how much room an array has, so it needs no capacity field. */
	if (n & (n - 1))
		return array;
	grown = topology_alloc(n ? 2 * n : 1, element);
	if (grown && n)
		__builtin_memcpy(grown, array, n * element);
	if (grown)
		topology_release(array);
	return grown;
}

char *topology_copy(const char *text)
{
	size_t n = 1;
	char *copy;

	while (text[n - 1])
		n++;
	copy = topology_alloc(n, 1);
	if (copy)
		__builtin_memcpy(copy, text, n);
	return copy;
}
