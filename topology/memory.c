/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of readers on a hosted system. A program without a C library provides these two functions itself. */
#include "build.h"

#include <stdlib.h>

void *topology_alloc(size_t n, size_t element)
{
	size_t size;

	/* calloc would see it too, but a sanitizer takes that for a fault of ours. */
	return __builtin_mul_overflow(n, element, &size) ? NULL : calloc(n, element);
}

void topology_release(void *p)
{
	free(p);
}
