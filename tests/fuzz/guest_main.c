/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Inputs for fuzz_guest without libFuzzer: most of a command or an STE is as a guest would write
 * it, and some bits are not. usage: fuzz_guest INPUTS [SEED]
 */
#include <string.h>

#include <smmuv3/vsmmu.h>

#include "fuzz_guest.h"
#include "made.h"

/** Bits hi to lo, any; often none, all, or a single one. */
static uint64_t field(unsigned hi, unsigned lo)
{
	uint64_t mask = (hi - lo == 63 ? 0 : 1ull << (hi - lo + 1)) - 1,
		 value = made_chance(0) & mask;

	switch (made_chance(6)) {
	case 0:
		value = 0;
		break;
	case 1:
		value = mask;
		break;
	case 2:
		value = 1ull << made_chance(hi - lo + 1);
		break;
	default:
		break;
	}
	return value << lo;
}

static uint64_t stray(unsigned odds)
{
	return made_chance(odds) ? 0 : 1ull << made_chance(64);
}

static size_t command(uint8_t *to)
{
	static const uint8_t ops[] = {0x05, 0x06, 0x10, 0x11, 0x12, 0x12, 0x12, 0x13, 0x13, 0x30,
				      0x40, 0x40, 0x40, 0x05, 0x10, 0x12, 0x13, 0x46, 0x01, 0x02,
				      0x03, 0x04, 0x41, 0x44, 0x45, 0x2a, 0x28, 0x20, 0x07, 0x70};
	uint64_t op = made_chance(100) ? ops[made_chance(made_chance(3) ? 17 : sizeof(ops))]
				       : made_chance(256);
	uint64_t w0 = op | stray(100), w1 = stray(100);

	switch (op) {
	case 0x05:
	case 0x06:
	case 0x40:
	case 0x41:
		w0 |= made_chance(8) ? made_chance(64) << 32 : field(63, 32);
		if (op != 0x06)
			w0 |= made_chance(8) ? made_chance(2) * made_chance(16) << 12
					     : field(31, 12);
		if (op == 0x05)
			w1 |= made_chance(2);
		if (op >= 0x40) {
			w0 |= field(11, 11) | (op == 0x40 ? field(9, 9) : 0);
			w1 |= op == 0x40 ? field(63, 12) | made_chance(54)
					 : field(13, 12) | field(8, 0);
		}
		break;
	case 0x12:
	case 0x13:
		w1 |= field(63, 12) | field(0, 0);
		if (made_chance(2)) {
			w0 |= field(16, 12) | (made_chance(2) ? field(24, 20) : field(25, 20));
			w1 |= field(11, 8);
		}
		/* fall through */
	case 0x10:
	case 0x11:
		w0 |= field(47, 32);
		if (op == 0x11 || op == 0x12)
			w0 |= made_chance(2) ? field(55, 48) : field(63, 48);
		break;
	case 0x46:
		w0 |= field(13, 12) | field(63, 32);
		w1 |= field(55, 2);
		break;
	default:
		break;
	}
	made_put(to, w0, 8);
	return made_put(to + 8, w1, 8) + 8;
}

static size_t entry(uint8_t *to)
{
	uint8_t more = (uint8_t)made_chance(0);
	uint64_t config = made_chance(3) ? 5 : made_chance(8);
	uint64_t w0 = (made_chance(16) != 0) | config << 1 | field(5, 4) |
		      field(made_chance(4) ? 43 : 51, 6) | stray(30);
	uint64_t w1 = field(7, 0) | field(29, 28) | field(19, 19) | stray(40);
	size_t n = made_put(to, made_chance(2) ? (more & 1) : more, 1);

	w0 |= made_chance(2) ? made_chance(made_chance(3) ? 6 : 32) << 59 : 0;
	if (!made_chance(20))
		w0 |= field(63, 52);
	if (!made_chance(20))
		w1 = made_chance(0);
	n += made_put(to + n, w0, 8);
	n += made_put(to + n, w1, 8);
	for (unsigned w = 2; w < 8; w++)
		if (to[0] >> w & 1)
			n += made_put(to + n,
				      made_chance(16)  ? 0
				      : made_chance(4) ? stray(1)
						       : made_chance(0),
				      8);
	return n;
}

size_t made_input(uint8_t *to)
{
	uint8_t mode = (uint8_t)(made_chance(8) ? 0 : made_chance(4));
	size_t n = made_put(to, mode, 1);

	for (unsigned i = 0; i < 4; i++)
		n += made_put(to + n, made_chance(0) | made_chance(0), 4);
	for (unsigned i = 0; i < 4; i++)
		n += made_put(to + n, made_chance(2) ? ~0ull : made_chance(0), 4);
	for (unsigned i = 0; mode & 2 && i < 4; i++)
		n += made_put(to + n, stray(3) & 0xffffffff, 4);
	n += made_put(to + n, made_chance(0), 2);
	for (uint64_t parts = 1 + made_chance(3); parts; parts--) {
		if (made_chance(3)) {
			uint64_t count = made_chance(24);

			n += made_put(to + n, 0, 1);
			n += made_put(to + n, count, 1);
			while (count--)
				n += command(to + n);
		} else {
			n += made_put(to + n, 1, 1);
			n += entry(to + n);
		}
	}
	return n;
}

void made_enough(unsigned long inputs)
{
	static const uint8_t made[] = {0x05, 0x06, 0x10, 0x11, 0x12, 0x13, 0x40};
	unsigned long least = inputs / 100;

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(made); i++)
		FUZZ_CHECK(guest_seen.converted[made[i]] >= least);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(guest_seen.stopped); i++)
		FUZZ_CHECK(guest_seen.stopped[i] >= least);
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(guest_seen.ste); i++)
		FUZZ_CHECK(guest_seen.ste[i] >= least);
	FUZZ_CHECK(guest_seen.ids_refused >= least && guest_seen.ids_ok >= inputs / 2);
	FUZZ_CHECK(guest_seen.ste_refused >= least && guest_seen.ste_ats >= least &&
		   guest_seen.ste_substreams >= least);
}
