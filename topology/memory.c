/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory of readers on a hosted system. Who has no C library provides these two functions itself. */
#include "build.h"

#include <stdlib.h>

void *topology_alloc(size_t n, size_t element)
{
	return calloc(n, element);
}

void topology_release(void *p)
{
	free(p);
}
