/* SPDX-License-Identifier: BSD-2-Clause */
/* The streams of a guest, by both of their names. */
#ifndef SMMU_SRC_DRIVER_VSMMU_H
#define SMMU_SRC_DRIVER_VSMMU_H

#include "driver.h"

/** A stream that a guest knows. */
struct smmu_vstream {
	uint32_t guest, real;
	/** NULL: it was unplugged. Else they stay as long as a reader may see them. */
	struct smmu_streams *streams;
};

/** Published whole; only `streams` of an entry ever changes, to NULL. */
struct smmu_vstreams {
	uint32_t count;
	/** count by guest names, then the same by real ones. */
	struct smmu_vstream entry[];
};

/** The stream with the name @p guest, or NULL. In a read section. */
const struct smmu_vstream *smmu_vstream_find(const struct smmu_vstreams *t, uint32_t guest);
/** The stream with the real StreamID @p real, or NULL. In a read section. */
const struct smmu_vstream *smmu_vstream_find_real(const struct smmu_vstreams *t, uint32_t real);

#endif
