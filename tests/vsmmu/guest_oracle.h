/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file guest_oracle.h What a guest may say, decided a second time: from IHI 0070 G.b alone, by its
 * bit numbers, with no constant of the library.
 */
#ifndef TESTS_VSMMU_GUEST_ORACLE_H
#define TESTS_VSMMU_GUEST_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

struct oracle_ids {
	uint32_t idr0, idr1, idr3, idr5;
};

/** May a guest be shown @p shown on an SMMU that is @p real? */
bool oracle_ids_ok(const struct oracle_ids *real, const struct oracle_ids *shown);

enum oracle_verdict { ORACLE_CONVERT, ORACLE_SYNC, ORACLE_ILLEGAL, ORACLE_NOTHING, ORACLE_YOURS };

/** The guest's streams: of @p guest the real one, or -1. */
typedef int64_t oracle_streams(uint32_t guest);

/** @p real is filled for ORACLE_CONVERT. */
enum oracle_verdict oracle_command(const struct oracle_ids *shown, uint16_t vmid,
				   oracle_streams *streams, const uint64_t guest[2],
				   uint64_t real[2]);

/** True if @p real reaches nothing but @p vmid and the real streams that @p mine says yes to. */
bool oracle_own(const uint64_t real[2], uint16_t vmid, bool (*mine)(uint32_t real));

/**
 * May a guest that is shown @p shown have the STE @p guest? Then @p ste, which holds one of stage 2
 * alone, becomes what the SMMU @p real has to be given. V = 0 is allowed, and aborts.
 */
bool oracle_ste(const struct oracle_ids *shown, const struct oracle_ids *real, bool ats,
		const uint64_t guest[8], uint64_t ste[8]);

#endif
