/* SPDX-License-Identifier: BSD-2-Clause */
/* Accesses that wait for a page: what waits, how it is answered, and what the judge says to it. */
#include "machine_pages_own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void serve(struct machine_smmu *s)
{
	machine_pages_requests(s);
	machine_pages_report(s->m);
}

int machine_pages_init(struct machine *m)
{
	if (!m->o->page_faults)
		return 0;
	m->pages = calloc(1, sizeof(*m->pages));
	if (!m->pages)
		return -1;
	smmu_spin_init(&m->pages->lock);
	m->on_event = machine_pages_event;
	m->on_serve = serve;
	m->pages->asker = calloc(m->devices, sizeof(*m->pages->asker));
	return m->pages->asker ? 0 : -1;
}

/* ---- SMMUs ---- */

void machine_pages_up(struct machine *m, unsigned smmu)
{
	struct machine_smmu *s = &m->smmu[smmu];

	if (!m->pages || smmu_faults_init(&s->faults, &s->inst, ROOM))
		return;
	smmu_faults_limit(&s->faults, PER_STREAM);
	smmu_store_release(&s->faults_up, 1);
}

bool machine_pages_pick(struct machine *m, unsigned smmu, const struct machine_device *d,
			struct letter *out)
{
	struct machine_pages *p = m->pages;
	smmu_irqflags flags = smmu_spin_lock(&p->lock);
	bool found = false;
	unsigned i;

	for (i = 0; i < INBOX && !found; i++) {
		struct letter *l = &p->letter[i];

		if (!l->full || l->smmu != smmu)
			continue;
		if (d && l->fault.sid != d->stream[0] &&
		    (d->n_streams < 2 || l->fault.sid != d->stream[1]))
			continue;
		*out = *l;
		l->full = false;
		__atomic_store_n(&p->letters, p->letters - 1, __ATOMIC_RELAXED);
		found = true;
	}
	smmu_spin_unlock(&p->lock, flags);
	return found;
}

static bool find(const struct machine *m, unsigned smmu, uint32_t stream, bool ssv, uint32_t ssid,
		 const struct machine_device **d, unsigned *slot)
{
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		*d = &m->device[i];
		if ((*d)->smmu == smmu && ((*d)->stream[0] == stream ||
					   ((*d)->n_streams > 1 && (*d)->stream[1] == stream)))
			break;
	}
	if (i == m->devices)
		return false;
	for (*slot = ssv ? 1 : 0; ssv && *slot < MACHINE_SSIDS; ++*slot)
		if ((*d)->ssid[*slot] == ssid)
			break;
	return *slot < MACHINE_SSIDS;
}

void machine_pages_reply(struct machine *m, const struct letter *l, enum smmu_fault_answer how,
			 bool twice)
{
	struct machine_smmu *s = &m->smmu[l->smmu];
	bool left = l->d && smmu_load(&l->d->moves[l->slot]) != l->moves;
	int rc = smmu_fault_answer(&s->faults, &l->fault, how);

	if (!rc)
		smmu_fetch_add(&m->pages->answered, 1);
	if (!rc && l->outages != smmu_load(&s->outages))
		machine_complain(m, l->smmu, l->fault.addr, "end",
				 "what stream %u had waited for when its SMMU was suspended was "
				 "answered afterwards",
				 l->fault.sid);
	if (!rc && left && !m->faulty)
		machine_complain(m, l->smmu, l->fault.addr, "end",
				 "what stream %u had waited for was still to be answered after it "
				 "had left for something else",
				 l->fault.sid);
	if (rc == -SMMU_ENOENT)
		smmu_fetch_add(&m->pages->ended, 1);
	else if (rc && !machine_may_fail(m, rc == -SMMU_ENODEV ? -SMMU_EIO : rc))
		machine_complain(m, l->smmu, l->fault.addr, "answer",
				 "an answer to what waits for a page failed with error %d", rc);
	/* One that was not taken, as the SMMU is being suspended, ends with that. */
	if (!twice || rc == -SMMU_ENODEV)
		return;
	rc = smmu_fault_answer(&s->faults, &l->fault, SMMU_FAULT_RETRY);
	if (rc != -SMMU_ENOENT)
		machine_complain(m, l->smmu, l->fault.addr, "answer",
				 "what was answered was answered again: %d", rc);
}

/** False: no room. */
static bool post(struct machine *m, const struct letter *letter)
{
	struct machine_pages *p = m->pages;
	smmu_irqflags flags = smmu_spin_lock(&p->lock);
	unsigned i;

	for (i = 0; i < INBOX && p->letter[i].full; i++)
		;
	if (i < INBOX) {
		p->letter[i] = *letter;
		p->letter[i].full = true;
		__atomic_store_n(&p->letters, p->letters + 1, __ATOMIC_RELAXED);
	}
	smmu_spin_unlock(&p->lock, flags);
	return i < INBOX;
}

static void handed(struct machine_smmu *s, const struct smmu_fault *fault)
{
	unsigned smmu = (unsigned)(s - s->m->smmu);
	struct letter now = {.smmu = smmu, .fault = *fault, .outages = smmu_load(&s->outages)};
	bool changing = true;

	smmu_fetch_add(&s->m->pages->handed, 1);
	/* It is not the last of its group. */
	if (!fault->answer)
		return;
	if (find(s->m, smmu, fault->sid, fault->ssv, fault->ssid, &now.d, &now.slot))
		oracle_attached(s->m->oracle, machine_slot(now.d, now.slot), &changing);
	/* What comes while it moves may be of before or of after. */
	if (changing)
		now.d = NULL;
	else
		now.moves = smmu_load(&now.d->moves[now.slot]);
	if (!post(s->m, &now))
		machine_pages_reply(s->m, &now, SMMU_FAULT_INVALID, false);
}

void machine_pages_event(struct machine_smmu *s, const struct smmu_event *event)
{
	struct smmu_fault fault;

	if (smmu_load_acquire(&s->faults_up) && smmu_fault_stalled(&s->faults, event, &fault) == 1)
		handed(s, &fault);
}

void machine_pages_requests(struct machine_smmu *s)
{
	struct smmu_fault fault;
	int rc;

	if (!smmu_load_acquire(&s->faults_up))
		return;
	/* -SMMU_EAGAIN: so many were turned away that others may have their turn; we have the time. */
	while ((rc = smmu_fault_request(&s->faults, &fault)) != 0)
		if (rc == 1)
			handed(s, &fault);
}

void machine_pages_drain(struct machine *m, unsigned smmu)
{
	struct machine_smmu *s = &m->smmu[smmu];
	struct smmu_event event;

	smmu_instance_gerror(&s->inst);
	while (smmu_instance_event(&s->inst, &event) == 1) {
		s->events++;
		machine_pages_event(s, &event);
	}
	machine_pages_requests(s);
}

void machine_pages_down(struct machine *m, unsigned smmu)
{
	struct machine_smmu *s = &m->smmu[smmu];
	struct letter l;

	if (!m->pages || !smmu_load(&s->faults_up))
		return;
	machine_pages_drain(m, smmu);
	while (machine_pages_pick(m, smmu, NULL, &l))
		machine_pages_reply(m, &l, SMMU_FAULT_INVALID, false);
	/* Nobody answers any more. */
	smmu_store(&s->faults_up, 0);
	smmu_rcu_synchronize(m->port.rcu);
	m->pages->turned_away += s->faults.turned_away + s->faults.refused;
	m->pages->overflows += s->inst.pri_overflows;
	smmu_faults_fini(&s->faults);
	/* What was taken out meanwhile. */
	while (machine_pages_pick(m, smmu, NULL, &l))
		m->pages->ended++;
}

bool machine_pages_answer(struct machine *m, struct smmu_random *random)
{
	struct machine_pages *p = m->pages;
	struct letter l = {.full = false};
	smmu_irqflags flags;
	unsigned i, at, cookie;

	if (!p || !smmu_load(&p->letters))
		return false;
	at = (unsigned)smmu_random_below(random, INBOX);
	/* Whoever waits for readers waits for what they have in hand. */
	cookie = smmu_rcu_enter(m->port.rcu);
	flags = smmu_spin_lock(&p->lock);
	for (i = 0; i < INBOX && !l.full; i++, at = at + 1 < INBOX ? at + 1 : 0) {
		if (!p->letter[at].full)
			continue;
		l = p->letter[at];
		p->letter[at].full = false;
		__atomic_store_n(&p->letters, p->letters - 1, __ATOMIC_RELAXED);
	}
	smmu_spin_unlock(&p->lock, flags);
	if (!l.full) {
		smmu_rcu_exit(m->port.rcu, cookie);
		return false;
	}
	if (smmu_load_acquire(&m->smmu[l.smmu].faults_up)) {
		unsigned dice = (unsigned)smmu_random_below(random, 16);

		machine_pages_reply(m, &l,
				    dice < 10   ? SMMU_FAULT_RETRY
				    : dice < 15 ? SMMU_FAULT_INVALID
						: SMMU_FAULT_FAILURE,
				    smmu_random_chance(random, 1, 4));
	} else {
		smmu_fetch_add(&p->ended, 1);
	}
	smmu_rcu_exit(m->port.rcu, cookie);
	return true;
}

/* ---- the judge ---- */

/*
 * The access and this judgement are one moment of the virtual clock. It must not wait, and takes no lock: it is the model that
 * calls.
 */
void machine_pages_retried(void *ctx, const struct smmu_dma_result *r)
{
	struct machine *m = ctx;
	struct machine_pages *p = m->pages;
	const struct machine_device *d;
	enum oracle_verdict verdict;
	struct oracle_ticket t;
	unsigned slot;
	char why[160];

	if (!p || !m->oracle ||
	    !find(m, r->dma.instance, r->dma.stream, r->dma.ssid_valid, r->dma.ssid, &d, &slot))
		return;
	__atomic_fetch_add(&p->retried, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add(&p->landed, r->ok, __ATOMIC_RELAXED);
	if (!m->sim)
		return;
	t = oracle_before(m->oracle, machine_slot(d, slot), r->dma.iova,
			  (r->dma.write ? ORACLE_WRITE : ORACLE_READ) |
				  (r->dma.privileged ? ORACLE_PRIVILEGED : 0) |
				  (r->dma.fetch && !r->dma.write ? ORACLE_FETCH : 0));
	verdict = oracle_after(m->oracle, &t, r->ok, r->pa, why, sizeof(why));
	if ((verdict != ORACLE_STALE && verdict != ORACLE_LOST) || p->broken)
		return;
	p->what = *r;
	memcpy(p->why, why, sizeof(why));
	p->broken = 1;
}

void machine_pages_report(struct machine *m)
{
	struct machine_pages *p = m->pages;
	const struct smmu_dma_result *r;

	if (!p || !smmu_load(&p->broken) || !smmu_exchange(&p->broken, 0))
		return;
	r = &p->what;
	machine_complain(m, r->dma.instance, r->dma.iova, "page",
			 "an access of stream %u that had stalled was tried again and %s: %s",
			 r->dma.stream, r->ok ? "got through" : "was refused", p->why);
}

void machine_pages_check(struct machine *m)
{
	struct machine_pages *p = m->pages;
	unsigned i, round;
	struct letter l;

	if (!p)
		return;
	for (round = 0; round < 100; round++) {
		unsigned left = 0;

		if (m->sim)
			sim_settle(m->sim, 1000000);
		else
			machine_pause(m, 1000000);
		for (i = 0; i < m->smmus; i++) {
			if (!smmu_load(&m->smmu[i].faults_up))
				continue;
			machine_pages_drain(m, i);
			while (machine_pages_pick(m, i, NULL, &l))
				machine_pages_reply(m, &l, SMMU_FAULT_INVALID, true);
			left += m->backend.ops->unanswered(m->backend.ctx, i);
		}
		if (!left)
			break;
	}
	machine_pages_report(m);
	for (i = 0; i < m->smmus && !m->faulty && !m->tampered; i++) {
		struct machine_smmu *s = &m->smmu[i];
		uint64_t stray = m->backend.ops->stray_answers(m->backend.ctx, i);

		if (smmu_load(&s->faults_up) && m->backend.ops->unanswered(m->backend.ctx, i))
			machine_complain(m, i, 0, "answer",
					 "%u accesses and page requests were never answered",
					 m->backend.ops->unanswered(m->backend.ctx, i));
		if (stray)
			machine_complain(m, i, 1, "answer",
					 "%llu answers went to what did not wait for one",
					 (unsigned long long)stray);
	}
	for (i = 0; i < m->smmus; i++)
		machine_pages_down(m, i);
}

void machine_pages_free(struct machine *m, struct report *r)
{
	struct machine_pages *p = m->pages;

	if (!p)
		return;
	if (r) {
		r->faults_handed = p->handed;
		r->faults_answered = p->answered;
		r->faults_ended = p->ended;
		r->faults_turned_away = p->turned_away;
		r->page_groups = p->asked;
		r->pri_overflows = p->overflows;
		r->retried = p->retried;
		r->retried_landed = p->landed;
	}
	free(p->asker);
	free(p);
	m->pages = NULL;
}
