/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One judged access, and the report of a broken promise: which cache held it, and which operation was missing.
 *
 * The second is read from evidence, in this order: what the tamper has struck, what the driver asked for (the witness
 * on the bus), and what the model says would have dropped the entry.
 */
#include "machine.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "deduce.h"
#include "guest.h"
#include "machine_table.h"

struct violation *machine_violation(struct machine *m, uint64_t iova, uint32_t stream,
				    unsigned smmu)
{
	struct violation *v = NULL;
	unsigned i;
	smmu_irqflags flags;

	flags = smmu_spin_lock(&m->lock);
	for (i = 0; i < m->violations; i++) {
		/* One broken promise is often seen several times. */
		if (m->violation[i].iova >> 12 == iova >> 12 && m->violation[i].stream == stream &&
		    m->violation[i].smmu == smmu)
			break;
	}
	if (i == m->violations && m->violations < REPORT_MAX_VIOLATIONS) {
		v = &m->violation[m->violations++];
		*v = (struct violation){.iova = iova, .stream = stream, .smmu = smmu};
	}
	if (m->violations == REPORT_MAX_VIOLATIONS)
		smmu_store(&m->stop, 1);
	smmu_spin_unlock(&m->lock, flags);
	return v;
}

void machine_complain(struct machine *m, unsigned smmu, uint64_t iova, const char *missing,
		      const char *fmt, ...)
{
	struct violation *v = machine_violation(m, iova, 0, smmu);
	va_list ap;

	if (!v)
		return;
	snprintf(v->held_by, sizeof(v->held_by), "driver");
	snprintf(v->missing, sizeof(v->missing), "%s", missing);
	va_start(ap, fmt);
	vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
}

/* ---- what was missing ---- */

/* A command in few words. */
static void name_command(const struct smmu_cmd *cmd, const char *with, char *out, size_t size)
{
	unsigned op = smmu_cmd_opcode(cmd);
	unsigned asid = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_ASID, cmd->w[0]);
	unsigned vmid = (unsigned)smmu_field_get(SMMU_CMD_TLBI_W0_VMID, cmd->w[0]);

	if (op == SMMU_CMD_ATC_INV)
		snprintf(out, size, "atc_inv%s stream %u", with,
			 (unsigned)smmu_field_get(SMMU_CMD_W0_SID, cmd->w[0]));
	else if (op == SMMU_CMD_TLBI_NH_VA || op == SMMU_CMD_TLBI_NH_ASID)
		snprintf(out, size, "tlbi%s asid %u", with, asid);
	else
		snprintf(out, size, "tlbi%s vmid %u", with, vmid);
}

/* The newest strike of the tamper that explains an entry which @p q should have dropped. True, with its words. */
static bool blame_tamper(struct machine *m, unsigned smmu, const struct cmdlog_query *q,
			 uint32_t stream, bool config, char *out, size_t size)
{
	struct smmu_tamper_record rec[SMMU_TAMPER_RECORDS];
	unsigned n = smmu_tamper_last(&m->smmu[smmu].tamper, rec, SMMU_TAMPER_RECORDS), i;
	bool sync = false;

	for (i = 0; i < n; i++) {
		const struct smmu_cmd *cmd = &rec[i].original;
		bool hit = !config && cmdlog_matches(cmd, q);

		switch (rec[i].fault) {
		case SMMU_TAMPER_DROP_TLBI:
		case SMMU_TAMPER_DROP_ATC:
			if (!hit)
				continue;
			snprintf(out, size, "%s", q->atc ? "atc_inv" : "tlbi");
			return true;
		case SMMU_TAMPER_DROP_CFGI:
			if (!config || (smmu_cmd_opcode(cmd) != SMMU_CMD_CFGI_STE_RANGE &&
					smmu_field_get(SMMU_CMD_W0_SID, cmd->w[0]) != stream))
				continue;
			snprintf(out, size, "cfgi");
			return true;
		case SMMU_TAMPER_WRONG_ID:
			if (!hit)
				continue;
			name_command(cmd, q->atc ? " of" : " with", out, size);
			return true;
		case SMMU_TAMPER_WRONG_INSTANCE:
			if (!hit)
				continue;
			snprintf(out, size, "%s on smmu %u", q->atc ? "atc_inv" : "tlbi", smmu);
			return true;
		case SMMU_TAMPER_ATC_FIRST:
			if (q->atc && !config) {
				snprintf(out, size, "tlbi before atc_inv");
				return true;
			}
			continue;
		case SMMU_TAMPER_DROP_SYNC:
			sync = true;
			continue;
		default:
			continue;
		}
	}
	if (sync)
		snprintf(out, size, "sync");
	return sync;
}

/* The record of the strike is gone already, but there were strikes of that kind, and this is what it was to be. */
static bool blame_strike(struct machine *m, unsigned smmu, const struct smmu_cmd *cmd, char *out,
			 size_t size)
{
	struct smmu_tamper *t = &m->smmu[smmu].tamper;
	bool atc = smmu_cmd_opcode(cmd) == SMMU_CMD_ATC_INV;

	if (smmu_tamper_count(t, SMMU_TAMPER_WRONG_ID))
		name_command(cmd, atc ? " of" : " with", out, size);
	else if (smmu_tamper_count(t, SMMU_TAMPER_WRONG_INSTANCE))
		snprintf(out, size, "%s on smmu %u", atc ? "atc_inv" : "tlbi", smmu);
	else
		return false;
	return true;
}

/* A violation, and what is known about it. */
struct case_file {
	struct machine *m;
	const struct machine_device *d;
	const struct backend_dma *dma;
	const struct backend_answer *a;
	const struct backend_evidence *e;
	struct violation *v;
	char how[120]; /* a clause on how it is known what was missing */
};

static bool tampered(struct case_file *c, const struct cmdlog_query *q, bool config)
{
	return blame_tamper(c->m, c->d->smmu, q, c->dma->stream, config, c->v->missing,
			    sizeof(c->v->missing));
}

/* The entry of a TLB, a walk cache or an ATC that answered: who was to drop it? False: no evidence. */
static bool blame_entry(struct case_file *c, struct cmdlog_query *q)
{
	const struct backend_evidence *e = c->e;
	struct cmdlog_entry sent;

	q->atc = e->atc;
	if (tampered(c, q, false)) {
		snprintf(c->how, sizeof(c->how),
			 "the driver sent it, it was tampered with on its way");
		return true;
	}
	if (e->atc) {
		/* The ATC may have been told, and have filled itself again from a TLB that was not. */
		q->atc = false;
		if (tampered(c, q, false)) {
			snprintf(c->how, sizeof(c->how),
				 "the ATC was filled again from a TLB that still had it");
			return true;
		}
		q->atc = true;
	}
	if (lab_fault(c->m->o, FAULT_NO_BARRIER, NULL)) {
		snprintf(c->v->missing, sizeof(c->v->missing), "barrier");
		snprintf(c->how, sizeof(c->how), "the sweep saw an array from before the attach");
		return true;
	}
	/* Of an entry whose age is not known nobody can say what was sent after it. */
	if (e->unknown)
		return false;
	q->since_ns = e->born_ns;
	if (!e->atc) {
		q->asid = e->stage & 1 ? (int)e->asid : -1;
		q->vmid = e->stage == 2 ? (int)e->vmid : -1;
	}
	if (!cmdlog_find(&c->m->smmu[c->d->smmu].log, q, &sent)) {
		snprintf(c->how, sizeof(c->how), "the driver never sent it");
		return false;
	}
	snprintf(c->how, sizeof(c->how),
		 "the driver sent it at %" PRIu64 " ns, after the entry was made", sent.at_ns);
	return blame_strike(c->m, c->d->smmu, &sent.cmd, c->v->missing, sizeof(c->v->missing));
}

/* Fill in which cache held it, what was missing, and how that is known. */
static void blame(struct case_file *c)
{
	const struct backend_evidence *e = c->e;
	struct violation *v = c->v;
	struct cmdlog_query q = {.stream = c->dma->stream,
				 .has_ssid = c->dma->has_ssid,
				 .ssid = c->dma->ssid,
				 .start = c->dma->iova & ~4095ull,
				 .last = c->dma->iova | 4095,
				 .asid = -1,
				 .vmid = -1};
	bool config = !strcmp(e->held_by, "config-cache");

	snprintf(v->held_by, sizeof(v->held_by), "%s", e->held_by);
	snprintf(v->missing, sizeof(v->missing), "%s", e->missing);
	if (c->m->early_free && c->a->landed && (c->a->pa & ~4095ull) == c->m->canary) {
		snprintf(v->missing, sizeof(v->missing), "sync before free");
		snprintf(c->how, sizeof(c->how),
			 "the walk went through a table that was freed before the fence");
		return;
	}
	if (smmu_load(&c->m->own_strikes[FAULT_DROP_CLEAN])) {
		snprintf(v->missing, sizeof(v->missing), "clean");
		snprintf(c->how, sizeof(c->how),
			 "the SMMU read what was stored before, or cached what it read then");
		return;
	}
	if (lab_fault(c->m->o, FAULT_TORN_PAIR, NULL)) {
		snprintf(v->missing, sizeof(v->missing), "atomicity");
		snprintf(c->how, sizeof(c->how), "an STE or CD was stored, or read, by half");
		return;
	}
	if (config && tampered(c, &q, true)) {
		snprintf(c->how, sizeof(c->how),
			 "the driver sent it, it was tampered with on its way");
		return;
	}
	if (!e->entry_in && (!e->unknown || config))
		return;
	if (e->entry_in && e->size) {
		q.start = e->base;
		q.last = e->base + e->size - 1;
	}
	/* A cached STE or CD may rightly be old in the middle of an attach, while the entry is what is wrong. */
	if (blame_entry(c, &q) && config && e->entry_in)
		snprintf(v->held_by, sizeof(v->held_by), "%s", e->entry_in);
}

static void report_dma(struct machine *m, struct machine_device *d, const struct backend_dma *dma,
		       struct backend_answer *a, const char *why)
{
	struct backend_evidence e = {.held_by = "memory", .missing = "none"};
	struct case_file c = {.m = m, .d = d, .dma = dma, .a = a, .e = &e};
	struct violation *v;

	/* Before the lock, at which others may go on: the SMMU can only tell while nothing else has happened. */
	m->backend.ops->explain(m->backend.ctx, a, &e);
	c.v = v = machine_violation(m, dma->iova, dma->stream, dma->smmu);
	if (!v)
		return;
	if (e.unknown)
		deduce(m, dma, a->landed, &e);
	v->has_ssid = dma->has_ssid;
	v->ssid = dma->ssid;
	blame(&c);
	snprintf(v->text, sizeof(v->text), "at %" PRIu64 " ns a %s %s: %s%s%s%s%s; seed %" PRIu64,
		 machine_now(m),
		 dma->write   ? "write"
		 : dma->fetch ? "fetch"
			      : "read",
		 a->landed ? "got through" : "was refused", why, *e.text ? "; " : "", e.text,
		 *c.how ? "; " : "", c.how, m->o->seed);
}

/* ---- one access ---- */

/* A landed access moved data: those of the page that the domain maps there? */
static bool data_right(const struct machine *m, const struct oracle_ticket *t,
		       const struct backend_answer *a)
{
	uint64_t page = 4096, shift;
	unsigned domain = guest_home(m, t->domain[0], &shift);

	/* What is reserved holds no tags. */
	if (!a->has_data || machine_is_reserved(m, t->iova, 1) || t->doubt ||
	    t->domain[0] != t->domain[1] || domain >= m->domains)
		return true;
	return a->data == machine_tag(domain, (t->iova - shift) & ~(page - 1));
}

/* What the device's backend is to expect. */
static void expect(const struct machine *m, const struct oracle_ticket *t, struct backend_dma *dma)
{
	struct oracle_ticket as = *t;
	uint64_t pa[2];

	as.access = ORACLE_WRITE;
	dma->targets = oracle_targets(m->oracle, t, dma->target);
	dma->may_write = oracle_targets(m->oracle, &as, pa) == 1 && pa[0] == dma->target[0];
	oracle_attached(m->oracle, t->stream, &dma->changing);
	dma->attached = t->domain[0] < m->domains;
	as.access = ORACLE_READ;
	dma->read_only2 = dma->attached && m->domain[t->domain[0]].stage == 2 && !dma->targets &&
			  oracle_targets(m->oracle, &as, pa);
}

/* Has an ATC of the device, by what the SMMU's model knows, not answered since the device was reset? */
static bool silent(const struct machine *m, const struct machine_device *d)
{
	unsigned k;

	for (k = 0; m->backend.ops->silent && k < d->n_streams; k++) {
		if (m->backend.ops->silent(m->backend.ctx, d->smmu, d->stream[k]))
			return true;
	}
	return false;
}

/*
 * Was the access refused for a reason? A device that is not there, or was cut off, is refused by whatever its STE or its SMMU
 * are now; and where commands are tampered with so that the judge has something to catch, by anything.
 */
static bool event_right(const struct machine *m, const struct machine_device *d,
			const struct oracle_ticket *t, const struct backend_answer *a,
			unsigned slot)
{
	bool quiet = smmu_load(&d->quiet[slot]) && a->model.event == SMMU_F_TRANSLATION &&
		     !a->model.recorded;

	return m->tampered || quiet || !smmu_load(&d->present) || silent(m, d) ||
	       oracle_event_right(m->oracle, t, a->model.event, slot != 0);
}

/* Does the record that the access left say who made it? No STE of the driver's changes that. */
static bool record_right(const struct machine *m, const struct backend_dma *dma,
			 const struct backend_answer *a)
{
	const struct smmu_dma_result *r = &a->model;

	return m->qemu || m->tampered || !r->recorded ||
	       (r->record_ind == dma->fetch && r->record_pnu == dma->privileged);
}

/* By damaged tables: it may land anywhere, so it only reads, and what the SMMU caches by it is all that comes of it. */
static void run_wild(const struct machine *m, const struct backend_dma *dma)
{
	struct backend_answer a = {.busy = false};
	struct backend_dma read = *dma;

	read.write = false;
	read.transfer = false;
	m->backend.ops->dma(m->backend.ctx, &read, &a);
}

/* What was judged of substreams of guests, and of what their S1DSS says. */
static void count_guests(const struct machine *m, struct dma_count *count,
			 const struct machine_device *d, const struct oracle_ticket *t,
			 unsigned slot, enum oracle_verdict verdict)
{
	uint64_t shift;

	if (smmu_load(&d->guests) != MACHINE_GUESTS_SUBSTREAMS || verdict == ORACLE_UNJUDGED)
		return;
	if (slot) {
		count->guest_substreams++;
		count->guest_refused += verdict == ORACLE_REFUSED;
	} else {
		guest_home(m, t->domain[0], &shift);
		count->guest_passed += shift && verdict == ORACLE_LANDED;
	}
}

bool machine_dma(struct machine *m, struct dma_count *count, struct machine_device *d,
		 unsigned stream, unsigned slot, uint64_t iova, unsigned access)
{
	unsigned kind;

	struct backend_dma dma = {
		.smmu = d->smmu,
		.stream = d->stream[stream],
		.has_ssid = slot != 0,
		.ssid = d->ssid[slot],
		.iova = iova,
		.write = access & MACHINE_WRITE,
		.privileged = access & MACHINE_PRIVILEGED,
		.fetch = access & MACHINE_FETCH && !(access & MACHINE_WRITE),
		.kind = access & MACHINE_UNTRANSLATED ? SMMU_DMA_UNTRANSLATED : SMMU_DMA_ORDINARY,
		.transfer = !m->no_data,
		.stamp = d->index + 1,
	};
	const struct backend_ops *ops = m->backend.ops;
	struct backend_answer a = {.busy = true};
	struct oracle_ticket t;
	enum oracle_verdict verdict;
	unsigned tries;
	char why[160];

	if (smmu_load(&d->wild)) {
		if (smmu_load(&d->wild) == MACHINE_WILD)
			run_wild(m, &dma);
		return false;
	}
	if (ops->can_read && !ops->can_read(m->backend.ctx, dma.smmu, dma.stream))
		dma.write = true;
	kind = (dma.write ? ORACLE_WRITE : ORACLE_READ) | (dma.privileged ? ORACLE_PRIVILEGED : 0) |
	       (dma.fetch ? ORACLE_FETCH : 0);
	for (tries = 0; a.busy && tries < 64; tries++) {
		if (tries > 1)
			machine_pause(m, 200);
		if (tries)
			count->events += machine_serve(m);
		t = oracle_before(m->oracle, machine_slot(d, slot), iova, kind);
		if (m->qemu)
			expect(m, &t, &dma);
		a.busy = false;
		ops->dma(m->backend.ctx, &dma, &a);
	}
	if (a.busy || a.skipped || smmu_load(&d->wild))
		return false;
	verdict = oracle_after(m->oracle, &t, a.landed, a.pa, why, sizeof(why));
	/*
	 * A device whose ATC did not answer is cut off, and one that answers is not. The driver is not asked whether it has
	 * done so: the device may just be taken away from it.
	 */
	if (verdict == ORACLE_LOST && silent(m, d))
		verdict = ORACLE_REFUSED;
	if (verdict == ORACLE_LANDED && !data_right(m, &t, &a)) {
		verdict = ORACLE_STALE;
		snprintf(why, sizeof(why),
			 "the address is right, but the memory holds data of another "
			 "mapping (0x%" PRIx64 ")",
			 a.data);
	}
	if (verdict == ORACLE_REFUSED && !m->qemu && !event_right(m, d, &t, &a, slot)) {
		verdict = ORACLE_LOST;
		snprintf(why, sizeof(why),
			 "an access that has to be refused, but with event 0x%02x, which no state "
			 "that the driver may leave a stream in makes",
			 a.model.event);
	}
	if (verdict == ORACLE_REFUSED && !record_right(m, &dma, &a)) {
		verdict = ORACLE_LOST;
		snprintf(why, sizeof(why),
			 "an access that has to be refused, but its record calls it %s%s, which it "
			 "was not",
			 a.model.record_pnu ? "privileged " : "unprivileged ",
			 a.model.record_ind ? "instruction" : "data");
	}
	if (verdict == ORACLE_LANDED && dma.write)
		oracle_written(m->oracle, &t, a.pa);
	count->dma++;
	count->blocked += verdict == ORACLE_REFUSED;
	count->stale += verdict == ORACLE_STALE;
	count->lost += verdict == ORACLE_LOST;
	count->unjudged += verdict == ORACLE_UNJUDGED;
	count_guests(m, count, d, &t, slot, verdict);
	if (verdict == ORACLE_STALE || verdict == ORACLE_LOST)
		report_dma(m, d, &dma, &a, why);
	return a.landed;
}
