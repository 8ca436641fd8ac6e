/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file quirks.h
 * Known deviations of parts, and how to tell a part by what firmware and its registers say.
 */
#ifndef SMMUV3_QUIRKS_H
#define SMMUV3_QUIRKS_H

#include <smmuv3/types.h>

/** For smmu_instance_config.quirks. */
enum {
	SMMU_QUIRK_NO_RANGE = 1,  /**< do not use range invalidation commands */
	SMMU_QUIRK_SPLIT_ATC = 2, /**< wait between TLB and ATC operations */
	SMMU_QUIRK_TWICE = 4,     /**< CFGI and TLBI have to be issued twice, ATC_INV not */
	SMMU_QUIRK_NO_MSI = 8,    /**< do not complete CMD_SYNC by MSI */
	SMMU_QUIRK_NO_ATS = 16,   /**< do not use ATS; translated traffic is refused all the same */
	/** There is no page 1: its registers are at the same offsets of page 0. */
	SMMU_QUIRK_PAGE0_ONLY = 32,
	SMMU_QUIRK_NO_SEV = 64,     /**< no wake-up events: SMMU_FEAT_SEV is cleared */
	SMMU_QUIRK_NO_NESTED = 128, /**< not both stages at once: SMMU_FEAT_NESTED is cleared */
	/** No two kinds of CFGI and TLBI without a CMD_SYNC in between. */
	SMMU_QUIRK_ONE_KIND = 256,
};

/** Values of the field "model" in an IORT's SMMUv3 node (Arm DEN 0049, I/O Remapping Table). */
enum {
	SMMU_IORT_MODEL_GENERIC = 0,
	SMMU_IORT_MODEL_HISILICON_HI161X = 1,
	SMMU_IORT_MODEL_CAVIUM_CN99XX = 2,
};

/**
 * The quirks, SMMU_QUIRK_…, of the part with SMMU_IIDR @p iidr (0: not known), IORT model
 * @p iort_model (0: generic, or none) and, in a device tree, the name @p dt_name: one string of
 * "compatible", or the name of a property of the node (NULL: none); call it for each and combine.
 * The table in quirks.c names part, erratum and source. smmu_instance_probe applies what IIDR says
 * by itself. Any context.
 */
uint32_t smmu_quirks_from(uint32_t iidr, uint32_t iort_model, const char *dt_name);

#endif
