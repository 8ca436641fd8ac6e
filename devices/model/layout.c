/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bits of a command are fields. All others are RES0, and a part may refuse a command that sets one (4.1.5).
 */
#include "internal.h"

#define SID (0xffffffffULL << 32)
#define SSID (0xfffffULL << 12)
#define SSEC BIT(10)
#define SSV BIT(11)
#define VMID (0xffffULL << 32)
#define ASID (0xffffULL << 48)
#define VA (~0xfffULL)
#define IPA ADDR_55_12

struct layout {
	bool known;
	uint64_t w0, w1;
	bool range; /* NUM, SCALE, TTL, TG, if the part has ranges */
};

static const struct layout layouts[] = {
	[C_PREFETCH_CONFIG] = {true, SSEC | SSV | SSID | SID, 0, false},
	[C_PREFETCH_ADDR] = {true, SSEC | SSV | SSID | SID, VA | 0x3ff, false},
	[C_CFGI_STE] = {true, SSEC | SID, 1, false},
	[C_CFGI_STE_RANGE] = {true, SSEC | SID, 31, false},
	[C_CFGI_CD] = {true, SSEC | SSID | SID, 1, false},
	[C_CFGI_CD_ALL] = {true, SSEC | SID, 0, false},
	[C_TLBI_NH_ALL] = {true, VMID, 0, false},
	[C_TLBI_NH_ASID] = {true, VMID | ASID, 0, false},
	[C_TLBI_NH_VA] = {true, VMID | ASID, VA | 1, true},
	[C_TLBI_NH_VAA] = {true, VMID, VA | 1, true},
	[C_TLBI_EL2_ALL] = {true, 0, 0, false},
	[C_TLBI_EL2_ASID] = {true, ASID, 0, false},
	[C_TLBI_EL2_VA] = {true, ASID, VA | 1, true},
	[C_TLBI_EL2_VAA] = {true, 0, VA | 1, true},
	[C_TLBI_S12_VMALL] = {true, VMID, 0, false},
	[C_TLBI_S2_IPA] = {true, VMID, IPA | 1, true},
	[C_TLBI_NSNH_ALL] = {true, 0, 0, false},
	[C_ATC_INV] = {true, SSEC | SSV | BIT(9) | SSID | SID, VA | 63, false},
	[C_PRI_RESP] = {true, SSEC | SSV | SSID | SID, 3 << 12 | 0x1ff, false},
	[C_RESUME] = {true, SSEC | 3 << 12 | SID, 0xffff, false},
	[C_STALL_TERM] = {true, SSEC | SID, 0, false},
	[C_SYNC] = {true, 3 << 12 | 3 << 22 | 15 << 24 | SID, 0x00fffffffffffffcULL, false},
};

/** Does @p cmd set a bit that is no field of it? */
bool model_cmd_reserved(const struct instance *in, const uint64_t cmd[2])
{
	size_t op = bits(cmd[0], 7, 0);
	const struct layout *l;
	uint64_t w0, w1;

	if (op >= sizeof(layouts) / sizeof(layouts[0]) || !layouts[op].known)
		return false;
	l = &layouts[op];
	w0 = l->w0 | 0xff;
	w1 = l->w1;
	if (l->range && in->cfg.range_inv) {
		w0 |= 31 << 12 | 31 << 20;
		w1 |= 15 << 8;
	}
	/* Ids of 8 bits leave the upper half of their fields RES0. */
	if (!in->cfg.vmid16 && (l->w0 & VMID) == VMID && !(l->w0 & SSEC) && op != C_SYNC)
		w0 &= ~(0xffULL << 40);
	if (!in->cfg.asid16 && (l->w0 & ASID) == ASID && !(l->w0 & SSEC) && op != C_SYNC)
		w0 &= ~(0xffULL << 56);
	return (cmd[0] & ~w0) || (cmd[1] & ~w1);
}
