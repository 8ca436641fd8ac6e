/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file hw/pri.h
 * Page requests: what the SMMU writes into the PRI queue (IHI 0070 G.b, chapter 8). All functions
 * here: any context.
 */
#ifndef SMMUV3_HW_PRI_H
#define SMMUV3_HW_PRI_H

#include <smmuv3/types.h>

SMMU_BEGIN_DECLS

/** An entry as it lies in memory: two little-endian words. */
struct smmu_pri_record {
	uint64_t w[2];
};

#define SMMU_PRI_LOG2_BYTES 4u /**< an entry of the PRI queue has 16 bytes */

#define SMMU_PRI_W0_SID SMMU_MASK(31, 0)
#define SMMU_PRI_W0_SSID SMMU_MASK(51, 32)
#define SMMU_PRI_W0_PRIV SMMU_BIT(58)
#define SMMU_PRI_W0_X SMMU_BIT(59)
#define SMMU_PRI_W0_R SMMU_BIT(60)
#define SMMU_PRI_W0_W SMMU_BIT(61)
#define SMMU_PRI_W0_LAST SMMU_BIT(62)
#define SMMU_PRI_W0_SSV SMMU_BIT(63)
#define SMMU_PRI_W1_PRGINDEX SMMU_MASK(8, 0)
#define SMMU_PRI_W1_ADDR SMMU_MASK(63, 12)

/** An entry taken apart. */
struct smmu_pri {
	uint64_t addr;     /**< of the page; bits below 12 are 0 */
	uint32_t sid;      /**< stream */
	uint32_t ssid;     /**< substream, if ssv */
	uint16_t prgindex; /**< page request group, to be given back in CMD_PRI_RESP */
	bool ssv;
	bool last; /**< the last request of its group: a response is due */
	bool read, write, exec, priv;
};

/** Take the entry @p rec apart. Every bit pattern decodes; reserved bits are ignored. */
void smmu_pri_decode(const struct smmu_pri_record *rec, struct smmu_pri *pri);

/**
 * Put an entry together; what does not fit its field is cut off, and ssid is left out without ssv.
 */
void smmu_pri_encode(const struct smmu_pri *pri, struct smmu_pri_record *rec);

/** True for the PCIe "Stop PASID" marker, which asks for no page and gets no response. */
static inline bool smmu_pri_is_stop(const struct smmu_pri *pri)
{
	return pri->ssv && pri->last && !pri->read && !pri->write;
}

SMMU_END_DECLS

#endif
