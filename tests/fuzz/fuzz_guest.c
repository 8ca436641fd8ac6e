/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests send: ID registers to be shown, commands, and STEs, each judged a second time by
 * tests/vsmmu/guest_oracle.c. Nothing that comes out reaches another guest's VMID or streams, or is
 * illegal on the real SMMU.
 */
#include <string.h>

#include <smmuv3/vsmmu.h>

#include "fuzz.h"
#include "fuzz_guest.h"
#include "guest_oracle.h"

#define BLOCK 64u

struct guest_seen guest_seen;

struct input {
	const uint8_t *data;
	size_t left;
};

/** The next @p n bytes; what is missing is 0. False: there were none. */
static bool take(struct input *in, void *to, size_t n)
{
	size_t have = n < in->left ? n : in->left;

	memset(to, 0, n);
	memcpy(to, in->data, have);
	in->data += have;
	in->left -= have;
	return have != 0;
}

/* The guest has three streams of four, and its real ones have names of their own. */
static int64_t streams(uint32_t guest)
{
	return (guest * 0x9e3779b1u) >> 30 ? (int64_t)(guest ^ 0x5a5a5a5au) : -1;
}

static bool mine(uint32_t real)
{
	return streams(real ^ 0x5a5a5a5au) == (int64_t)real;
}

static int stream(void *ctx, uint32_t guest, uint32_t *real)
{
	int64_t found = streams(guest);

	(void)ctx;
	*real = (uint32_t)found;
	return found < 0 ? -SMMU_ENOENT : 0;
}

/** A part that guests can be on, unless @p raw. */
static void sane(struct smmu_id_regs *real, bool raw)
{
	if (raw)
		return;
	real->idr0 = (real->idr0 & ~(3u << 2 | 3u << 21 | 3u << 24)) | 3 | 2u << 2 | 2u << 21 |
		     (real->idr0 & 1u << 24);
	real->idr1 = (real->idr1 & ~63u) | (real->idr1 & 63) % 33;
	real->idr5 = (real->idr5 & ~15u) | 5 | 7u << 4;
}

/** ID registers of the SMMU and of the guest. False: the guest cannot be shown these. */
static bool registers(struct input *in, struct smmu_id_regs *real, struct smmu_id_regs *shown)
{
	struct oracle_ids oracle_real, oracle_shown;
	struct smmu_id_regs most, mask, flip;
	const uint32_t told = 2 | 3u << 2 | 3u << 21 | 7u << 24;
	uint8_t mode = 0;
	bool ok;

	take(in, &mode, 1);
	take(in, real, sizeof(*real));
	take(in, &mask, sizeof(mask));
	sane(real, mode & 1);
	smmu_guest_ids(real, &most);
	FUZZ_CHECK(mode & 1 || !smmu_guest_ids_refused(real, &most));
	shown->idr0 = most.idr0 & (mask.idr0 | told);
	shown->idr1 = most.idr1 & mask.idr1;
	shown->idr3 = most.idr3 & mask.idr3;
	shown->idr5 = most.idr5 & mask.idr5;
	if (mode & 2) {
		take(in, &flip, sizeof(flip));
		shown->idr0 ^= flip.idr0;
		shown->idr1 ^= flip.idr1;
		shown->idr3 ^= flip.idr3;
		shown->idr5 ^= flip.idr5;
	}
	memcpy(&oracle_real, real, sizeof(oracle_real));
	memcpy(&oracle_shown, shown, sizeof(oracle_shown));
	ok = !smmu_guest_ids_refused(real, shown);
	FUZZ_CHECK(ok == oracle_ids_ok(&oracle_real, &oracle_shown));
	*(ok ? &guest_seen.ids_ok : &guest_seen.ids_refused) += 1;
	return ok;
}

static const enum smmu_guest_stop stops[] = {
	[ORACLE_CONVERT] = SMMU_GUEST_END,     [ORACLE_SYNC] = SMMU_GUEST_SYNC,
	[ORACLE_ILLEGAL] = SMMU_GUEST_ILLEGAL, [ORACLE_NOTHING] = SMMU_GUEST_NOTHING,
	[ORACLE_YOURS] = SMMU_GUEST_YOURS,
};

static void commands(struct input *in, const struct smmu_id_regs *shown, uint16_t vmid)
{
	struct smmu_cmd guest[BLOCK], real[BLOCK], kept[BLOCK];
	enum oracle_verdict verdict = ORACLE_CONVERT;
	struct oracle_ids oracle;
	enum smmu_guest_stop stop;
	struct smmu_guest g;
	const char *why;
	size_t n = 0, done;
	uint8_t count = 0;

	take(in, &count, 1);
	while (n < count % (BLOCK + 1u) && take(in, &guest[n], sizeof(guest[n])))
		n++;
	memcpy(&oracle, shown, sizeof(oracle));
	memset(real, 0xee, sizeof(real));
	memcpy(kept, guest, sizeof(kept));
	smmu_guest_init(&g, shown, vmid, stream, NULL);
	done = smmu_guest_convert(&g, guest, real, n, &stop, &why);
	FUZZ_CHECK(done <= n && !memcmp(guest, kept, sizeof(guest)));
	for (size_t i = 0; i < n && verdict == ORACLE_CONVERT; i++) {
		uint64_t want[2];

		verdict = oracle_command(&oracle, vmid, streams, guest[i].w, want);
		if (verdict != ORACLE_CONVERT) {
			FUZZ_CHECK(done == i);
			break;
		}
		FUZZ_CHECK(i < done && real[i].w[0] == want[0] && real[i].w[1] == want[1]);
		FUZZ_CHECK(oracle_own(real[i].w, vmid, mine));
		FUZZ_CHECK(!smmu_cmd_check(&real[i]));
		guest_seen.converted[smmu_cmd_opcode(&real[i])]++;
	}
	FUZZ_CHECK(stop == stops[verdict] && (verdict != ORACLE_CONVERT || done == n));
	FUZZ_CHECK(!why == (stop != SMMU_GUEST_ILLEGAL && stop != SMMU_GUEST_NOTHING));
	guest_seen.stopped[stop]++;
	/* In place it is the same. */
	FUZZ_CHECK(smmu_guest_convert(&g, guest, guest, n, &stop, NULL) == done);
	FUZZ_CHECK(!memcmp(guest, real, done * sizeof(*guest)));
	FUZZ_CHECK(!memcmp(guest + done, kept + done, (n - done) * sizeof(*guest)));
}

static void entry(struct input *in, const struct smmu_id_regs *real,
		  const struct smmu_id_regs *shown, uint16_t vmid)
{
	/* Stage 2 alone: 40 bits of 4K granules from level 1; its stage 1 is ignored. */
	struct smmu_ste s2 = {{1 | 6 << 1, 0xff,
			       vmid | 24ull << 32 | 1ull << 38 | 3ull << 44 | 5ull << 48 |
				       1ull << 51 | 1ull << 58,
			       0x12345678000}};
	struct smmu_ste guest = {{0}}, got = s2, want = s2;
	struct oracle_ids oracle, oracle_real;
	struct smmu_guest_ste ste;
	uint8_t ats = 0;
	const char *why;
	bool legal;

	take(in, &ats, 1);
	/* Most words of an STE are 0. */
	for (unsigned w = 0; w < 8; w++)
		if (w < 2 || (ats >> w & 1))
			take(in, &guest.w[w], 8);
	memcpy(&oracle, shown, sizeof(oracle));
	memcpy(&oracle_real, real, sizeof(oracle_real));
	why = smmu_guest_ste_read(shown, &guest, &ste);
	legal = oracle_ste(&oracle, &oracle_real, ats & 1, guest.w, want.w);
	FUZZ_CHECK(!why == legal);
	smmu_guest_ste_apply(&ste, real, ats & 1, &got);
	guest_seen.ste_refused += !legal;
	guest_seen.ste[ste.kind] += legal;
	guest_seen.ste_ats += ste.ats;
	guest_seen.ste_substreams += ste.w0 >> 59 != 0;
	if (!legal) {
		FUZZ_CHECK(*why && ste.kind == SMMU_GUEST_STE_INVALID);
		/* Whoever installs it all the same lets nothing pass. */
		FUZZ_CHECK(got.w[0] == 1 && !got.w[1] && !got.w[2]);
		return;
	}
	FUZZ_CHECK(!memcmp(&got, &want, sizeof(got)));
	if (!smmu_ste_illegal(real, &s2))
		FUZZ_CHECK(!smmu_ste_illegal(real, &got));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct smmu_id_regs real, shown;
	uint16_t vmid = 0;
	uint8_t what = 0;

	if (!registers(&in, &real, &shown))
		return 0;
	take(&in, &vmid, 2);
	if (!(real.idr0 >> 18 & 1))
		vmid &= 0xff;
	while (take(&in, &what, 1)) {
		if (what & 1)
			entry(&in, &real, &shown, vmid);
		else
			commands(&in, &shown, vmid);
	}
	return 0;
}
