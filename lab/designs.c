/* SPDX-License-Identifier: BSD-2-Clause */
/* The designs by number. */
#include "designs.h"

const struct design *design_get(enum design_id id)
{
	static const struct design *const designs[DESIGN_KINDS] = {
		[DESIGN_SWEEP] = &design_sweep,
		[DESIGN_SERIAL] = &design_serial,
		[DESIGN_LIST] = &design_list,
		[DESIGN_FLUSH] = &design_flush,
	};

	return designs[id];
}
