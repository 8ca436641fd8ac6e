/* SPDX-License-Identifier: BSD-2-Clause */
/* The register protocol of chapter 6, as a driver has to keep it. */
#include "mmio_check.h"

#include <smmuv3/hw/regs.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void problem(struct mmio_check *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void problem(struct mmio_check *c, const char *format, ...)
{
	va_list list;

	if (c->problems < MMIO_PROBLEMS) {
		va_start(list, format);
		vsnprintf(c->problem[c->problems], sizeof(c->problem[0]), format, list);
		va_end(list);
	}
	c->problems++;
}

/** A register: its name, what guards it, which of its bits may be 1, and where it counts as written. */
struct reg {
	uint32_t offset;
	const char *name;
	uint32_t cr0_guard; /* fields of CR0 that have to be off */
	uint32_t irq_guard; /* fields of IRQ_CTRL that have to be off */
	uint64_t bits;      /* the rest is RES0 */
};

#define QUEUES ((uint32_t)(SMMU_CR0_CMDQEN | SMMU_CR0_EVENTQEN | SMMU_CR0_PRIQEN))
#define INDEX (SMMU_QUEUE_INDEX)
#define MSI_CFG2 SMMU_MASK(5, 0)
#define QUEUE_BASE (SMMU_QUEUE_BASE_ADDR | SMMU_QUEUE_BASE_LOG2SIZE | SMMU_BIT(62))

static const struct reg regs[] = {
	{SMMU_CR0, "CR0", 0, 0, SMMU_MASK(4, 0)},
	{SMMU_CR1, "CR1", QUEUES | (uint32_t)SMMU_CR0_SMMUEN, 0, SMMU_MASK(11, 0)},
	{SMMU_CR2, "CR2", (uint32_t)SMMU_CR0_SMMUEN, 0, SMMU_MASK(3, 0)},
	{SMMU_GBPA, "GBPA", 0, 0,
	 SMMU_BIT(31) | SMMU_MASK(20, 16) | SMMU_MASK(13, 8) | SMMU_MASK(4, 0)},
	{SMMU_IRQ_CTRL, "IRQ_CTRL", 0, 0, SMMU_MASK(2, 0)},
	{SMMU_GERRORN, "GERRORN", 0, 0, SMMU_MASK(10, 2) | 1},
	{SMMU_GERROR_IRQ_CFG0, "GERROR_IRQ_CFG0", 0, SMMU_IRQ_CTRL_GERROR_IRQEN, SMMU_MASK(55, 2)},
	{SMMU_GERROR_IRQ_CFG1, "GERROR_IRQ_CFG1", 0, SMMU_IRQ_CTRL_GERROR_IRQEN, SMMU_MASK(31, 0)},
	{SMMU_GERROR_IRQ_CFG2, "GERROR_IRQ_CFG2", 0, SMMU_IRQ_CTRL_GERROR_IRQEN, MSI_CFG2},
	{SMMU_EVENTQ_IRQ_CFG0, "EVENTQ_IRQ_CFG0", 0, SMMU_IRQ_CTRL_EVENTQ_IRQEN, SMMU_MASK(55, 2)},
	{SMMU_EVENTQ_IRQ_CFG1, "EVENTQ_IRQ_CFG1", 0, SMMU_IRQ_CTRL_EVENTQ_IRQEN, SMMU_MASK(31, 0)},
	{SMMU_EVENTQ_IRQ_CFG2, "EVENTQ_IRQ_CFG2", 0, SMMU_IRQ_CTRL_EVENTQ_IRQEN, MSI_CFG2},
	{SMMU_PRIQ_IRQ_CFG0, "PRIQ_IRQ_CFG0", 0, SMMU_IRQ_CTRL_PRIQ_IRQEN, SMMU_MASK(55, 2)},
	{SMMU_PRIQ_IRQ_CFG1, "PRIQ_IRQ_CFG1", 0, SMMU_IRQ_CTRL_PRIQ_IRQEN, SMMU_MASK(31, 0)},
	{SMMU_PRIQ_IRQ_CFG2, "PRIQ_IRQ_CFG2", 0, SMMU_IRQ_CTRL_PRIQ_IRQEN, MSI_CFG2 | SMMU_BIT(31)},
	{SMMU_STRTAB_BASE, "STRTAB_BASE", SMMU_CR0_SMMUEN, 0, SMMU_MASK(55, 6) | SMMU_BIT(62)},
	{SMMU_STRTAB_BASE_CFG, "STRTAB_BASE_CFG", SMMU_CR0_SMMUEN, 0,
	 SMMU_MASK(17, 16) | SMMU_MASK(10, 0)},
	{SMMU_CMDQ_BASE, "CMDQ_BASE", SMMU_CR0_CMDQEN, 0, QUEUE_BASE},
	{SMMU_CMDQ_PROD, "CMDQ_PROD", 0, 0, INDEX},
	{SMMU_CMDQ_CONS, "CMDQ_CONS", SMMU_CR0_CMDQEN, 0, INDEX},
	{SMMU_EVENTQ_BASE, "EVENTQ_BASE", SMMU_CR0_EVENTQEN, 0, QUEUE_BASE},
	{SMMU_EVENTQ_PROD, "EVENTQ_PROD", SMMU_CR0_EVENTQEN, 0, INDEX | SMMU_BIT(31)},
	{SMMU_EVENTQ_CONS, "EVENTQ_CONS", 0, 0, INDEX | SMMU_BIT(31)},
	{SMMU_PRIQ_BASE, "PRIQ_BASE", SMMU_CR0_PRIQEN, 0, QUEUE_BASE},
	{SMMU_PRIQ_PROD, "PRIQ_PROD", SMMU_CR0_PRIQEN, 0, INDEX | SMMU_BIT(31)},
	{SMMU_PRIQ_CONS, "PRIQ_CONS", 0, 0, INDEX | SMMU_BIT(31)},
};

static int find(uint32_t offset)
{
	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(regs); i++)
		if (regs[i].offset == offset)
			return (int)i;
	return -1;
}

static bool is_written(const struct mmio_check *c, uint32_t offset)
{
	return c->written >> find(offset) & 1;
}

void mmio_check_init(struct mmio_check *c, uint32_t idr0, uint32_t idr1, uint32_t idr3,
		     uint64_t address_limit)
{
	*c = (struct mmio_check){.idr0 = idr0,
				 .idr1 = idr1,
				 .idr3 = idr3,
				 .address_limit = address_limit,
				 .gbpa_busy = true};
}

void mmio_check_former_owner(struct mmio_check *c, uint32_t cr0, uint32_t irq)
{
	c->cr0 = cr0;
	c->cr0ack = cr0;
	c->irq = irq;
	c->irqack = irq;
	c->gbpa = 0;
	c->gbpa_busy = true;
	c->written = 0;
	c->at = 0;
	c->text[0] = 0;
}

/** A field is off once it was written and acknowledged as off. */
static uint32_t cr0_on(const struct mmio_check *c)
{
	return c->cr0 | c->cr0ack;
}

static uint32_t irq_on(const struct mmio_check *c)
{
	return c->irq | c->irqack;
}

/* In the order of mmio_check.base. */
static const struct {
	uint32_t offset;
	uint64_t enable;
	uint64_t address;
} bases[] = {{SMMU_STRTAB_BASE, SMMU_CR0_SMMUEN, SMMU_STRTAB_BASE_ADDR},
	     {SMMU_CMDQ_BASE, SMMU_CR0_CMDQEN, SMMU_QUEUE_BASE_ADDR},
	     {SMMU_EVENTQ_BASE, SMMU_CR0_EVENTQEN, SMMU_QUEUE_BASE_ADDR},
	     {SMMU_PRIQ_BASE, SMMU_CR0_PRIQEN, SMMU_QUEUE_BASE_ADDR}};

void mmio_check_free(struct mmio_check *c, uint64_t bus, uint64_t size)
{
	for (unsigned i = 0; i < 4; i++)
		if (cr0_on(c) & bases[i].enable && c->base[i] - bus < size)
			problem(c, "memory at %s is freed while CR0 %#x is not acknowledged as off",
				regs[find(bases[i].offset)].name, (unsigned)bases[i].enable);
	if (irq_on(c) && c->base[2] - bus < size)
		problem(c, "the event queue is freed while an interrupt is on");
}

void mmio_check_read(struct mmio_check *c, uint32_t offset, uint32_t value)
{
	switch (offset) {
	case SMMU_CR0:
		c->cr0 = value;
		break;
	case SMMU_CR0ACK:
		c->cr0ack = value;
		break;
	case SMMU_IRQ_CTRL:
		c->irq = value;
		break;
	case SMMU_IRQ_CTRLACK:
		c->irqack = value;
		break;
	case SMMU_GBPA:
		c->gbpa = value;
		c->gbpa_busy = value & SMMU_GBPA_UPDATE;
		break;
	case SMMU_GERROR:
		c->gerror = value;
		break;
	case SMMU_GERRORN:
		c->gerrorn = value;
		break;
	default:
		break;
	}
}

/** What has to be written, in this order where it says so, before a queue is enabled. */
static void need_queue(struct mmio_check *c, const char *name, uint32_t base, uint32_t prod,
		       uint32_t cons)
{
	if (!is_written(c, base) || !is_written(c, prod) || !is_written(c, cons))
		problem(c, "%s is enabled with BASE, PROD or CONS as found", name);
}

static void need(struct mmio_check *c, const char *what, uint32_t offset)
{
	if (!is_written(c, offset))
		problem(c, "%s with %s as found", what, regs[find(offset)].name);
}

static void check_cr0(struct mmio_check *c, uint32_t value)
{
	uint32_t changed = value ^ c->cr0, on = value & changed, off = c->cr0 & changed;
	const uint32_t ats = c->idr0 & SMMU_IDR0_ATS ? (uint32_t)SMMU_CR0_ATSCHK : 0;

	if (value & SMMU_CR0_PRIQEN && !(c->idr0 & SMMU_IDR0_PRI))
		problem(c, "CR0.PRIQEN without IDR0.PRI");
	if (value & SMMU_CR0_ATSCHK && !ats)
		problem(c, "CR0.ATSCHK without IDR0.ATS");
	if (changed & (c->cr0 ^ c->cr0ack))
		problem(c, "CR0 fields %#x change again before they were acknowledged",
			changed & (c->cr0 ^ c->cr0ack));
	if (on & SMMU_CR0_CMDQEN)
		need_queue(c, "CMDQ", SMMU_CMDQ_BASE, SMMU_CMDQ_PROD, SMMU_CMDQ_CONS);
	if (on & SMMU_CR0_EVENTQEN)
		need_queue(c, "EVENTQ", SMMU_EVENTQ_BASE, SMMU_EVENTQ_PROD, SMMU_EVENTQ_CONS);
	if (on & SMMU_CR0_PRIQEN)
		need_queue(c, "PRIQ", SMMU_PRIQ_BASE, SMMU_PRIQ_PROD, SMMU_PRIQ_CONS);
	if (on & QUEUES && !c->queues_may_go)
		need(c, "a queue is enabled", SMMU_CR1);
	if (on & (SMMU_CR0_EVENTQEN | SMMU_CR0_PRIQEN) && (!c->irq || c->irq != c->irqack))
		problem(c, "an output queue is enabled before its interrupt");
	if (on & SMMU_CR0_SMMUEN) {
		need(c, "SMMUEN", SMMU_CR1);
		need(c, "SMMUEN", SMMU_CR2);
		need(c, "SMMUEN", SMMU_STRTAB_BASE);
		need(c, "SMMUEN", SMMU_STRTAB_BASE_CFG);
		if ((c->cr0 & c->cr0ack & ats) != ats)
			problem(c, "SMMUEN before ATSCHK is acknowledged");
	}
	if (off & SMMU_CR0_SMMUEN) {
		if (changed != SMMU_CR0_SMMUEN)
			problem(c, "SMMUEN is cleared together with CR0 fields %#x", changed);
		if ((!(c->gbpa & SMMU_GBPA_ABORT) && !c->may_pass) || c->gbpa_busy)
			problem(c, "SMMUEN is cleared before GBPA.ABORT is in force");
	}
	if (off & SMMU_CR0_ATSCHK && cr0_on(c) & SMMU_CR0_SMMUEN)
		problem(c, "ATSCHK is cleared while SMMUEN is on");
	if (off & QUEUES && cr0_on(c) & SMMU_CR0_SMMUEN && !c->queues_may_go)
		problem(c, "CR0 fields %#x are cleared while SMMUEN is on", off);
	c->cr0 = value;
}

static void check_irq_ctrl(struct mmio_check *c, uint32_t value)
{
	static const struct {
		uint32_t bit, cfg0;
	} source[] = {{SMMU_IRQ_CTRL_GERROR_IRQEN, SMMU_GERROR_IRQ_CFG0},
		      {SMMU_IRQ_CTRL_EVENTQ_IRQEN, SMMU_EVENTQ_IRQ_CFG0},
		      {SMMU_IRQ_CTRL_PRIQ_IRQEN, SMMU_PRIQ_IRQ_CFG0}};
	uint32_t changed = value ^ c->irq;

	if (value & SMMU_IRQ_CTRL_PRIQ_IRQEN && !(c->idr0 & SMMU_IDR0_PRI))
		problem(c, "IRQ_CTRL.PRIQ_IRQEN without IDR0.PRI");
	if (changed & (c->irq ^ c->irqack))
		problem(c, "IRQ_CTRL changes again before it was acknowledged");
	for (unsigned i = 0; i < 3; i++)
		for (uint32_t k = 0;
		     value & changed & source[i].bit && c->idr0 & SMMU_IDR0_MSI && k < 3; k++)
			need(c, "an interrupt is enabled",
			     source[i].cfg0 + (uint32_t[]){0, 8, 12}[k]);
	c->irq = value;
}

static void check_gbpa(struct mmio_check *c, uint32_t value)
{
	if (!(value & SMMU_GBPA_UPDATE))
		problem(c, "GBPA is written without Update");
	if (c->gbpa_busy)
		problem(c, "GBPA is written before Update was read as 0");
	c->gbpa_busy = true;
}

static void check_gerrorn(struct mmio_check *c, uint32_t value)
{
	uint32_t active = c->gerror ^ c->gerrorn, toggled = value ^ c->gerrorn;

	if (toggled & ~active)
		problem(c, "GERRORN acknowledges %#x, which is not active", toggled & ~active);
	if (toggled & SMMU_GERROR_SFM_ERR)
		problem(c, "service failure mode is acknowledged");
	c->gerrorn = value;
}

static void check_values(struct mmio_check *c, uint32_t offset, uint64_t value)
{
	if (offset == SMMU_CR2 && value & SMMU_CR2_PTM && !(c->idr0 & SMMU_IDR0_BTM))
		problem(c, "CR2.PTM without IDR0.BTM");
	if (offset == SMMU_CR2 && value & SMMU_CR2_E2H && !c->e2h_stays)
		problem(c, "CR2.E2H: no stream here is of that world");
	if (offset == SMMU_CR2 && value & SMMU_CR2_REC_CFG_ATS && !(c->idr0 & SMMU_IDR0_ATSRECERR))
		problem(c, "CR2.REC_CFG_ATS without IDR0.ATSRECERR");
	if (regs[find(offset)].bits >> 32 && (value & SMMU_MASK(55, 2)) >= c->address_limit)
		problem(c, "%s is above the output addresses", regs[find(offset)].name);
	if (!(c->idr0 & SMMU_IDR0_PRI) && strncmp(regs[find(offset)].name, "PRIQ", 4) == 0)
		problem(c, "%s without IDR0.PRI", regs[find(offset)].name);
	if (!(c->idr0 & SMMU_IDR0_MSI) && strstr(regs[find(offset)].name, "IRQ_CFG"))
		problem(c, "%s without IDR0.MSI", regs[find(offset)].name);
}

static void append(struct mmio_check *c, const char *text)
{
	size_t n = strlen(text);

	if (c->at + n + 2 > sizeof(c->text))
		return;
	if (c->at)
		c->text[c->at++] = ' ';
	memcpy(c->text + c->at, text, n + 1);
	c->at += (unsigned)n;
}

static void say(struct mmio_check *c, uint32_t offset, const char *name, uint32_t value)
{
	static const struct {
		uint32_t reg;
		uint64_t bit;
		const char *name;
	} field[] = {{SMMU_CR0, SMMU_CR0_SMMUEN, "SMMUEN"},
		     {SMMU_CR0, SMMU_CR0_PRIQEN, "PRIQEN"},
		     {SMMU_CR0, SMMU_CR0_EVENTQEN, "EVENTQEN"},
		     {SMMU_CR0, SMMU_CR0_CMDQEN, "CMDQEN"},
		     {SMMU_CR0, SMMU_CR0_ATSCHK, "ATSCHK"},
		     {SMMU_GBPA, SMMU_GBPA_ABORT, "ABORT"},
		     {SMMU_IRQ_CTRL, SMMU_IRQ_CTRL_GERROR_IRQEN, "GERROR"},
		     {SMMU_IRQ_CTRL, SMMU_IRQ_CTRL_PRIQ_IRQEN, "PRIQ"},
		     {SMMU_IRQ_CTRL, SMMU_IRQ_CTRL_EVENTQ_IRQEN, "EVENTQ"}};
	char text[128];
	bool first = true;

	/* Commands go in all the time. */
	if (offset == SMMU_CMDQ_PROD && c->cr0 & SMMU_CR0_CMDQEN)
		return;
	snprintf(text, sizeof(text), "%s", name);
	if (offset == SMMU_CR0 || offset == SMMU_IRQ_CTRL || offset == SMMU_GBPA) {
		strcat(text,
		       value & (offset == SMMU_GBPA ? SMMU_GBPA_ABORT : UINT32_MAX) ? "=" : "=0");
		for (unsigned i = 0; i < SMMU_ARRAY_SIZE(field); i++)
			if (field[i].reg == offset && value & field[i].bit) {
				strcat(text, first ? "" : "|");
				strcat(text, field[i].name);
				first = false;
			}
	}
	append(c, text);
}

void mmio_check_write(struct mmio_check *c, uint32_t offset, uint64_t value)
{
	int i = find(offset);

	if (i < 0)
		return;
	if (value & ~regs[i].bits)
		problem(c, "%s is written with reserved bits: %#llx", regs[i].name,
			(unsigned long long)value);
	if (cr0_on(c) & regs[i].cr0_guard)
		problem(c, "%s is written while CR0 %#x is not acknowledged as off", regs[i].name,
			cr0_on(c) & regs[i].cr0_guard);
	if (irq_on(c) & regs[i].irq_guard)
		problem(c, "%s is written while its interrupt is not acknowledged as off",
			regs[i].name);
	/* The upper bits of indexes are unknown after BASE changes: it comes first (6.3.26). */
	if ((offset == SMMU_CMDQ_PROD || offset == SMMU_CMDQ_CONS) &&
	    !is_written(c, SMMU_CMDQ_BASE))
		problem(c, "%s is written before CMDQ_BASE", regs[i].name);
	if ((offset == SMMU_EVENTQ_PROD || offset == SMMU_EVENTQ_CONS) &&
	    !is_written(c, SMMU_EVENTQ_BASE))
		problem(c, "%s is written before EVENTQ_BASE", regs[i].name);
	if ((offset == SMMU_PRIQ_PROD || offset == SMMU_PRIQ_CONS) &&
	    !is_written(c, SMMU_PRIQ_BASE))
		problem(c, "%s is written before PRIQ_BASE", regs[i].name);
	check_values(c, offset, value);
	switch (offset) {
	case SMMU_CR0:
		check_cr0(c, (uint32_t)value);
		break;
	case SMMU_IRQ_CTRL:
		check_irq_ctrl(c, (uint32_t)value);
		break;
	case SMMU_GBPA:
		check_gbpa(c, (uint32_t)value);
		break;
	case SMMU_GERRORN:
		check_gerrorn(c, (uint32_t)value);
		break;
	default:
		break;
	}
	c->written |= 1ull << i;
	for (unsigned k = 0; k < 4; k++)
		if (bases[k].offset == offset)
			c->base[k] = value & bases[k].address;
	say(c, offset, regs[i].name, (uint32_t)value);
}
