/* SPDX-License-Identifier: BSD-2-Clause */
/* The small driver of the QEMU tests. */
#include "mini.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>

#define QUEUE_LOG2 8u
#define MINI_T0SZ 25u

uint64_t mini_alloc(struct mini *m, uint64_t pages)
{
	uint64_t bus = smmu_align_up(m->next, pages * MINI_PAGE);

	m->next = bus + pages * MINI_PAGE;
	memset(mini_at(m, bus), 0, pages * MINI_PAGE);
	return bus;
}

void *mini_at(struct mini *m, uint64_t bus)
{
	void *va = smmu_ram_at(qemu_ram(m->q), bus, 8);

	assert_non_null(va);
	return va;
}

uint32_t mini_read(struct mini_smmu *s, uint32_t reg)
{
	return s->bus->ops->read32(s->bus->ctx, reg);
}

void mini_write(struct mini_smmu *s, uint32_t reg, uint32_t value)
{
	s->bus->ops->write32(s->bus->ctx, reg, value);
}

static void write64(struct mini_smmu *s, uint32_t reg, uint64_t value)
{
	s->bus->ops->write64(s->bus->ctx, reg, value);
}

static void set_cr0(struct mini_smmu *s, uint32_t value)
{
	mini_write(s, SMMU_CR0, value);
	assert_int_equal(mini_read(s, SMMU_CR0ACK), value);
}

static void up_one(struct mini_smmu *s)
{
	struct mini *m = s->m;
	uint32_t sid;

	set_cr0(s, 0);
	s->strtab = mini_alloc(m, (64u << MINI_STREAMS_LOG2) / MINI_PAGE);
	s->cmdq = mini_alloc(m, (16u << QUEUE_LOG2) / MINI_PAGE);
	s->evtq = mini_alloc(m, (32u << QUEUE_LOG2) / MINI_PAGE);
	s->cmd_prod = s->evt_cons = 0;
	for (sid = 0; sid < 1u << MINI_STREAMS_LOG2; sid++)
		mini_ste(s, sid, NULL, NULL);
	mini_write(s, SMMU_CR1, 0);
	write64(s, SMMU_STRTAB_BASE, s->strtab);
	mini_write(s, SMMU_STRTAB_BASE_CFG, MINI_STREAMS_LOG2);
	write64(s, SMMU_CMDQ_BASE, s->cmdq | QUEUE_LOG2);
	mini_write(s, SMMU_CMDQ_PROD, 0);
	mini_write(s, SMMU_CMDQ_CONS, 0);
	write64(s, SMMU_EVENTQ_BASE, s->evtq | QUEUE_LOG2);
	mini_write(s, SMMU_EVENTQ_PROD, 0);
	mini_write(s, SMMU_EVENTQ_CONS, 0);
	mini_write(s, SMMU_GERRORN, mini_read(s, SMMU_GERROR));
	mini_write(s, SMMU_IRQ_CTRL, SMMU_IRQ_CTRL_EVENTQ_IRQEN | SMMU_IRQ_CTRL_GERROR_IRQEN);
	set_cr0(s, SMMU_CR0_CMDQEN);
	assert_int_equal(mini_cmd(s, smmu_cmd_cfgi_all()), 0);
	assert_int_equal(mini_cmd(s, smmu_cmd_tlbi_nsnh_all()), 0);
	set_cr0(s, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN);
	set_cr0(s, SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_SMMUEN);
}

void mini_up(struct mini *m, struct qemu *q)
{
	unsigned n;

	*m = (struct mini){.q = q, .next = qemu_ram(q)->base};
	for (n = 0; n < 2; n++) {
		m->smmu[n].m = m;
		m->smmu[n].bus = qemu_bus(q, n);
		up_one(&m->smmu[n]);
	}
}

static void put_cmd(struct mini_smmu *s, struct smmu_cmd c)
{
	uint32_t mask = (1u << QUEUE_LOG2) - 1;

	memcpy(mini_at(s->m, s->cmdq + 16 * (s->cmd_prod & mask)), &c, sizeof(c));
	s->cmd_prod = (s->cmd_prod + 1) & (2 * mask + 1);
}

unsigned mini_cmd(struct mini_smmu *s, struct smmu_cmd c)
{
	uint32_t cons;

	put_cmd(s, c);
	put_cmd(s, smmu_cmd_sync(SMMU_CMD_SYNC_CS_NONE));
	mini_write(s, SMMU_CMDQ_PROD, s->cmd_prod);
	cons = mini_read(s, SMMU_CMDQ_CONS);
	if ((mini_read(s, SMMU_GERROR) ^ mini_read(s, SMMU_GERRORN)) & SMMU_GERROR_CMDQ_ERR)
		return (unsigned)smmu_field_get(SMMU_CMDQ_CONS_ERR, cons);
	assert_int_equal(cons & SMMU_CMDQ_CONS_RD, s->cmd_prod);
	return 0;
}

bool mini_event(struct mini_smmu *s, struct smmu_event *ev)
{
	uint32_t mask = (1u << QUEUE_LOG2) - 1;
	struct smmu_event_record rec;

	if (mini_read(s, SMMU_EVENTQ_PROD) == s->evt_cons)
		return false;
	memcpy(&rec, mini_at(s->m, s->evtq + 32 * (s->evt_cons & mask)), sizeof(rec));
	s->evt_cons = (s->evt_cons + 1) & (2 * mask + 1);
	mini_write(s, SMMU_EVENTQ_CONS, s->evt_cons);
	smmu_event_decode(&rec, ev);
	return true;
}

void mini_no_events(struct mini_smmu *s)
{
	s->evt_cons = mini_read(s, SMMU_EVENTQ_PROD);
	mini_write(s, SMMU_EVENTQ_CONS, s->evt_cons);
}

/* --- tables: 39 bits, 4K pages, levels 1 to 3 --- */

#define PTE_TABLE 3ull
#define PTE_PAGE 3ull
#define PTE_ADDR SMMU_MASK(47, 12)
#define PTE_SH_INNER (3ull << 8)
#define PTE_AF SMMU_BIT(10)
#define S1_AP_EL0 SMMU_BIT(6)
#define S1_AP_RO SMMU_BIT(7)
#define S1_NG SMMU_BIT(11)
#define S2_MEM_WB (0xfull << 2)
#define S2_READ SMMU_BIT(6)
#define S2_WRITE SMMU_BIT(7)

struct mini_space mini_space(struct mini *m, unsigned stage, uint16_t id)
{
	struct mini_space sp = {.stage = stage, .root = mini_alloc(m, 1), .id = id};
	struct smmu_cd *cd;

	if (stage == 2)
		return sp;
	sp.cd = mini_alloc(m, 1);
	cd = mini_at(m, sp.cd);
	cd->w[0] = smmu_field_prep(SMMU_CD_W0_T0SZ, MINI_T0SZ) |
		   smmu_field_prep(SMMU_CD_W0_IR0, SMMU_WALK_WB_RAWA) |
		   smmu_field_prep(SMMU_CD_W0_OR0, SMMU_WALK_WB_RAWA) |
		   smmu_field_prep(SMMU_CD_W0_SH0, SMMU_SH_ISH) | SMMU_CD_W0_EPD1 | SMMU_CD_W0_V |
		   smmu_field_prep(SMMU_CD_W0_IPS, SMMU_IDR5_OAS_44) | SMMU_CD_W0_AA64 |
		   SMMU_CD_W0_R | SMMU_CD_W0_A | SMMU_CD_W0_ASET |
		   smmu_field_prep(SMMU_CD_W0_ASID, id);
	cd->w[1] = sp.root;
	cd->w[3] = 0xff; /* attribute 0: normal write-back */
	return sp;
}

uint64_t *mini_map(struct mini *m, const struct mini_space *sp, uint64_t iova, uint64_t bus,
		   enum mini_prot prot)
{
	uint64_t *table = mini_at(m, sp->root), *leaf;
	unsigned level;

	for (level = 1; level < 3; level++) {
		uint64_t *entry = &table[(iova >> (39 - 9 * level)) & 511];

		if (!*entry)
			*entry = mini_alloc(m, 1) | PTE_TABLE;
		table = mini_at(m, *entry & PTE_ADDR);
	}
	leaf = &table[(iova >> 12) & 511];
	if (prot == MINI_NONE)
		*leaf = 0;
	else if (sp->stage == 1)
		*leaf = bus | PTE_PAGE | PTE_SH_INNER | PTE_AF | S1_NG | S1_AP_EL0 |
			(prot == MINI_RO ? S1_AP_RO : 0);
	else
		*leaf = bus | PTE_PAGE | PTE_SH_INNER | PTE_AF | S2_MEM_WB | S2_READ |
			(prot == MINI_RO ? 0 : S2_WRITE);
	return leaf;
}

struct smmu_ste *mini_ste_at(struct mini_smmu *s, uint32_t stream)
{
	return mini_at(s->m, s->strtab + 64 * (uint64_t)stream);
}

void mini_ste(struct mini_smmu *s, uint32_t stream, const struct mini_space *s1,
	      const struct mini_space *s2)
{
	struct smmu_ste ste = {{SMMU_STE_W0_V}};
	unsigned config = s1 && s2 ? SMMU_STE_CONFIG_NESTED
			  : s1     ? SMMU_STE_CONFIG_S1
			  : s2     ? SMMU_STE_CONFIG_S2
				   : SMMU_STE_CONFIG_ABORT;

	ste.w[0] |= smmu_field_prep(SMMU_STE_W0_CONFIG, config);
	if (s1) {
		ste.w[0] |= s1->cd;
		ste.w[1] |= smmu_field_prep(SMMU_STE_W1_S1CIR, SMMU_STE_S1C_WB_RA) |
			    smmu_field_prep(SMMU_STE_W1_S1COR, SMMU_STE_S1C_WB_RA) |
			    smmu_field_prep(SMMU_STE_W1_S1CSH, SMMU_SH_ISH);
	}
	if (s2) {
		ste.w[2] = smmu_field_prep(SMMU_STE_W2_S2VMID, s2->id) |
			   smmu_field_prep(SMMU_STE_W2_S2T0SZ, MINI_T0SZ) |
			   smmu_field_prep(SMMU_STE_W2_S2SL0, 1) |
			   smmu_field_prep(SMMU_STE_W2_S2IR0, SMMU_WALK_WB_RAWA) |
			   smmu_field_prep(SMMU_STE_W2_S2OR0, SMMU_WALK_WB_RAWA) |
			   smmu_field_prep(SMMU_STE_W2_S2SH0, SMMU_SH_ISH) |
			   smmu_field_prep(SMMU_STE_W2_S2PS, SMMU_IDR5_OAS_44) |
			   SMMU_STE_W2_S2AA64 | SMMU_STE_W2_S2R;
		ste.w[3] = s2->root;
	}
	*mini_ste_at(s, stream) = ste;
}

void mini_attach(struct mini_smmu *s, uint32_t stream, const struct mini_space *s1,
		 const struct mini_space *s2)
{
	mini_ste(s, stream, s1, s2);
	assert_int_equal(mini_cmd(s, smmu_cmd_cfgi_ste(stream, true)), 0);
	assert_int_equal(mini_cmd(s, smmu_cmd_cfgi_cd_all(stream)), 0);
}

struct smmu_cmd mini_tlbi(const struct mini_space *sp, uint64_t iova)
{
	struct smmu_cmd_range r = {.addr = iova, .leaf = true};

	return sp->stage == 1 ? smmu_cmd_tlbi_nh_va(0, sp->id, r) : smmu_cmd_tlbi_s2_ipa(sp->id, r);
}

/* --- the machine --- */

struct qemu *mini_open(const struct qemu_config *config)
{
	char err[2048];
	struct qemu *q;
	int rc;

	if (getenv("NO_QEMU")) {
		fprintf(stderr, "skipped: NO_QEMU is set\n");
		exit(77);
	}
	rc = system(SMMU_FETCH_QEMU " >/dev/null");
	if (WIFEXITED(rc) && WEXITSTATUS(rc) == 77) {
		fprintf(stderr, "skipped: no QEMU, and none can be fetched\n");
		exit(77);
	}
	rc = qemu_open(&q, config, err, sizeof(err));
	if (rc)
		fail_msg("%d: %s", rc, err);
	return q;
}

uint64_t mini_seed(void)
{
	const char *given = getenv("SMMU_TEST_SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);

	printf("SMMU_TEST_SEED=%llu\n", (unsigned long long)seed);
	return seed;
}
