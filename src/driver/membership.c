/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joining and leaving a domain: the writers' side of its array.
 *
 * The array is the record of ids as well: a device that joins behind an instance on which the domain has an id already
 * finds it there and shares it; the last one to leave retires it.
 * Rule: an id that is in no array and free has no entry left in any TLB. One that was retired may have some, which nothing hits
 * and from which no walk goes on, as no STE or CD names the id (IHI 0070 G.b, 3.17, 3.21.3). When no other ids are left, as many of
 * those as fit one batch are cleaned at once. So leaving costs no wait for the SMMU, and no command.
 *
 * A nested domain stands in the array of its parent, under the VMID of its virtual SMMU. That VMID
 * stays when its last device leaves; it is cleaned when the first one joins (join).
 */
#include "driver.h"

static enum smmu_inv_kind tag_kind(const struct smmu_domain *domain)
{
	return domain->kind == SMMU_DOMAIN_STAGE1 ? SMMU_INV_S1_ASID : SMMU_INV_S2_VMID;
}

static struct smmu_ids *ids_of(struct smmu_instance *inst, const struct smmu_domain *domain)
{
	return domain->kind == SMMU_DOMAIN_STAGE1 ? &inst->asids : &inst->vmids;
}

/** Ids that are cleaned together. */
#define BATCH 32

/** Clean the TLB of ids that were retired, those that were first. 0; -SMMU_EIO: not confirmed. The instance's lock is held. */
static int clean_ids(struct smmu_instance *inst, const struct smmu_domain *domain)
{
	struct smmu_ids *ids = ids_of(inst, domain);
	uint32_t id[BATCH], n = smmu_ids_retired(ids, id, BATCH);
	struct smmu_cmd cmd[BATCH];
	int error;

	for (uint32_t i = 0; i < n; i++)
		cmd[i] = domain->kind == SMMU_DOMAIN_STAGE1 ? smmu_cmd_tlbi_nh_asid(0, id[i])
							    : smmu_cmd_tlbi_s12_vmall(id[i]);
	error = smmu_instance_issue(inst, cmd, n, true);
	for (uint32_t i = 0; !error && i < n; i++)
		smmu_ids_cleaned(ids, id[i]);
	return error;
}

static int take_id(struct smmu_instance *inst, const struct smmu_domain *domain)
{
	struct smmu_ids *ids = ids_of(inst, domain);
	int id;

	smmu_mutex_lock(&inst->lock);
	id = smmu_ids_take(ids);
	if (id < 0 && ids->nr_retired && !clean_ids(inst, domain))
		id = smmu_ids_take(ids);
	smmu_mutex_unlock(&inst->lock);
	return id;
}

/** Take the ASID that somebody else gave a domain; the TLB holds nothing of it. -SMMU_ERANGE, -SMMU_EBUSY, -SMMU_EIO. */
static int claim_asid(struct smmu_instance *inst, uint32_t asid)
{
	struct smmu_ids *ids = &inst->asids;
	struct smmu_cmd cmd = smmu_cmd_tlbi_nh_asid(0, asid);
	int error = 0;

	if (asid >= ids->count)
		return -SMMU_ERANGE;
	smmu_mutex_lock(&inst->lock);
	if (smmu_ids_is_retired(ids, asid)) {
		error = smmu_instance_issue(inst, &cmd, 1, true);
		if (!error)
			smmu_ids_cleaned(ids, asid);
	}
	if (!error)
		error = smmu_ids_claim(ids, asid);
	smmu_mutex_unlock(&inst->lock);
	return error ? error : (int)asid;
}

int smmu_instance_take_vmid(struct smmu_instance *inst, const struct smmu_domain *parent)
{
	return take_id(inst, parent);
}

static void give_id(struct smmu_instance *inst, const struct smmu_domain *domain, uint32_t id)
{
	smmu_mutex_lock(&inst->lock);
	smmu_ids_give(ids_of(inst, domain), id);
	smmu_mutex_unlock(&inst->lock);
}

/**
 * The operations of one attachment, sorted: the tag, and one for the ATC of each stream. Nested: one more for what was combined
 * under the tag, and one more for the substreams of each ATC.
 */
struct membership {
	uint32_t n;
	struct smmu_inv *set; /* of the streams */
};

/**
 * Operations for the ATCs of a guest's device. It knows addresses by the guest's names, so that the range of an unmap of the parent
 * means nothing to it: everything goes, also what it holds under the guest's substreams (G = 1; IHI 0070 G.b, 4.5.1).
 */
static void add_full_ats(struct smmu_streams *s, const struct smmu_attachment *a,
			 struct membership *m)
{
	struct smmu_inv_target *t = &s->instance->target;

	for (uint32_t i = 0; s->ats && i < s->nr; i++) {
		smmu_inv_make_ats(&m->set[m->n++], t, s->id[i], -1, true, &s->owner);
		if (!(a->domain->guest.w0 & SMMU_STE_W0_S1CDMAX))
			continue;
		smmu_inv_make_ats(&m->set[m->n], t, s->id[i], 0, true, &s->owner);
		m->set[m->n].by_range |= SMMU_CMD_ATC_INV_W0_G;
		m->set[m->n++].whole |= SMMU_CMD_ATC_INV_W0_G;
	}
}

static void make_set(struct smmu_streams *s, const struct smmu_attachment *a, struct membership *m)
{
	struct smmu_inv_target *t = &s->instance->target;

	m->n = 0;
	m->set = s->set;
	if (a->domain->kind == SMMU_DOMAIN_STAGE1)
		smmu_inv_make_asid(&m->set[m->n++], t, a->id);
	else
		smmu_inv_make_vmid(&m->set[m->n++], t, a->id);
	if (smmu_domain_nests(a->domain)) {
		smmu_inv_make_s1_clear(&m->set[m->n++], t, a->id);
		add_full_ats(s, a, m);
		smmu_inv_sort(m->set, m->n);
		return;
	}
	for (uint32_t i = 0; s->ats && i < s->nr; i++)
		smmu_inv_make_ats(&m->set[m->n++], t, s->id[i], a->ssid ? (int32_t)a->ssid : -1,
				  false, &s->owner);
	smmu_inv_sort(m->set, m->n);
}

/** What is published; the domain's lock is held. */
static struct smmu_inv_array *array_of(struct smmu_domain *domain)
{
	return SMMU_BARRIER(array_followed, smmu_rcu_dereference(&domain->inv));
}

/** Publish @p array in place of what the domain had; its lock is held. */
static void publish(struct smmu_domain *domain, struct smmu_inv_array *array)
{
	struct smmu_inv_array *old = array_of(domain);

	if (array && !array->count) {
		smmu_inv_array_free(array);
		array = NULL;
	}
	SMMU_BARRIER(array_filled, smmu_rcu_publish(&domain->inv, array));
	/* T2 of the sweep's argument: the STE or CD is written after the array is visible. */
	SMMU_BARRIER(array_before_entry, smmu_mb());
	smmu_inv_array_retire(domain->port->rcu, old);
}

static const struct smmu_inv *tag_of(const struct membership *m)
{
	uint32_t i = 0;

	while (m->set[i].kind >= SMMU_INV_ATS)
		i++;
	return &m->set[i];
}

/** Drop all that the TLB holds under a tag. */
static int clean(struct smmu_instance *inst, const struct smmu_inv *tag)
{
	struct smmu_cmd cmd = {{tag->whole, 0}};

	return smmu_instance_issue(inst, &cmd, 1, true);
}

/** The tag has no user on this instance any more. */
static void retire_id(struct smmu_instance *inst, const struct smmu_domain *domain, uint32_t id)
{
	smmu_mutex_lock(&inst->lock);
	smmu_ids_retire(ids_of(inst, domain), id);
	smmu_mutex_unlock(&inst->lock);
}

/** The operation by which a stand-in's domain follows a tag: of a VMID its tables of stage 2, or what is of stage 1 under it. */
static void make_following(const struct smmu_streams *s, const struct smmu_attachment *a,
			   struct smmu_inv *e)
{
	struct smmu_inv_target *t = &s->instance->target;

	if (a->domain->kind == SMMU_DOMAIN_STAGE2)
		smmu_inv_make_vmid(e, t, a->follows_id);
	else
		smmu_inv_make_s1_clear(e, t, a->follows_id);
}

/**
 * Take the operations of @p a off the array. The last one's id is retired (@p retire) before anybody can see that the domain
 * has it no more: an owner hands it out at once.
 */
static void take_off(struct smmu_streams *s, const struct smmu_attachment *a, bool retire)
{
	struct smmu_domain *domain = smmu_domain_keeper(a->domain);
	struct smmu_inv_array *smaller;
	struct smmu_inv following;
	struct membership m;

	make_set(s, a, &m);
	smmu_mutex_lock(&domain->lock);
	smmu_inv_unref(array_of(domain), m.set, m.n);
	if (a->follows) {
		make_following(s, a, &following);
		smmu_inv_unref(array_of(domain), &following, 1);
	}
	if (retire && !tag_of(&m)->users && !a->domain->vsmmu)
		retire_id(s->instance, a->domain, tag_of(&m)->id);
	/* What is gone is squeezed out if there is memory for a copy, else by the next one to join. */
	if (smmu_inv_has_gone(array_of(domain))) {
		smaller = smmu_inv_merge(domain->port, array_of(domain), NULL, 0);
		if (smaller)
			publish(domain, smaller);
	}
	smmu_mutex_unlock(&domain->lock);
}

void smmu_domain_leave(struct smmu_streams *s, const struct smmu_attachment *a)
{
	if (smmu_domain_has_tag(a->domain))
		take_off(s, a, true);
	if (a->leads)
		smmu_fetch_sub(&a->domain->sva.leading, 1);
	/* Last: from here on the domain may be finished. */
	smmu_fetch_sub(&a->domain->users, 1);
}

void smmu_domain_drop(struct smmu_streams *s, const struct smmu_attachment *a)
{
	if (smmu_domain_has_tag(a->domain))
		take_off(s, a, false);
	if (a->leads)
		smmu_fetch_sub(&a->domain->sva.leading, 1);
	smmu_fetch_sub(&a->domain->users, 1);
}

/** The operation @p e, which names a VMID, is of a virtual SMMU: it has one beside it that clears stage 1 under the VMID. */
static bool is_nested(const struct smmu_inv_array *array, const struct smmu_inv *e)
{
	const struct smmu_inv *end = array->entry + array->count;

	for (const struct smmu_inv *c = e;
	     c < end && c->index == e->index && c->kind < SMMU_INV_ATS; c++)
		if (c->kind == SMMU_INV_S2_VMID_S1_CLEAR && c->id == e->id && c->users)
			return true;
	return false;
}

/**
 * The live tag of the domain of @p a on the instance @p t in @p array, or NULL. A parent may have several VMIDs there: its own, and
 * that of each of its virtual SMMUs; and 0, which it has for no device of its own but follows (smmu_domain_follow). One over
 * somebody else's table has two while it is renumbered: then a->id says which.
 */
static const struct smmu_inv *find_tag(const struct smmu_inv_array *array,
				       const struct smmu_inv_target *t,
				       const struct smmu_attachment *a)
{
	const enum smmu_inv_kind kind = tag_kind(a->domain);
	const struct smmu_inv *e = smmu_inv_find(array, t, kind), *end;

	if (!e)
		return NULL;
	end = array->entry + array->count;
	/* Some compilers have enumerations with a sign. */
	for (; e < end && e->index == t->index && e->kind == (uint32_t)kind; e++)
		if (e->users && (a->id ? e->id == a->id : e->id && !is_nested(array, e)))
			return e;
	return NULL;
}

bool smmu_domain_has_asid(struct smmu_domain *domain, uint32_t asid)
{
	const struct smmu_inv_array *array = array_of(domain);

	for (uint32_t i = 0; array && i < array->count; i++)
		if (array->entry[i].kind == SMMU_INV_S1_ASID && array->entry[i].id == asid &&
		    array->entry[i].users)
			return true;
	return false;
}

/** Find the id that the domain has on this instance, or take one. -SMMU_ENOSPC. The keeper's lock is held. */
static int choose_id(struct smmu_streams *s, struct smmu_attachment *a, bool *shared)
{
	const struct smmu_inv *e;
	int id;

	if (a->domain->vsmmu)
		a->id = a->domain->vsmmu->guest.vmid;
	if (smmu_domain_is_foreign(a->domain))
		a->id = smmu_load(&a->domain->sva.asid);
	e = find_tag(array_of(smmu_domain_keeper(a->domain)), &s->instance->target, a);
	*shared = e != NULL;
	if (a->domain->vsmmu)
		return 0;
	if (e)
		id = (int)e->id;
	else
		id = a->id ? claim_asid(s->instance, a->id) : take_id(s->instance, a->domain);
	a->id = id < 0 ? 0 : (uint32_t)id;
	return id < 0 ? id : 0;
}

/** Publish the domain's array with the operations of @p a in it. -SMMU_ENOSPC, -SMMU_ENOMEM: nothing changed. */
static int put_on(struct smmu_streams *s, struct smmu_attachment *a, struct membership *m,
		  bool *shared)
{
	struct smmu_domain *domain = smmu_domain_keeper(a->domain);
	struct smmu_inv_array *merged = NULL;
	int error;

	smmu_mutex_lock(&domain->lock);
	error = choose_id(s, a, shared);
	if (!error) {
		make_set(s, a, m);
		merged = smmu_inv_merge(domain->port, array_of(domain), m->set, m->n);
		error = merged ? 0 : -SMMU_ENOMEM;
	}
	if (!error) {
		publish(domain, merged);
		smmu_fetch_add(&a->domain->users, 1);
		a->leads = smmu_domain_is_foreign(domain) && !smmu_load(&domain->sva.released);
		if (a->leads)
			smmu_fetch_add(&domain->sva.leading, 1);
	} else if (a->id && !*shared && !a->domain->vsmmu) {
		give_id(s->instance, domain, a->id);
	}
	smmu_mutex_unlock(&domain->lock);
	return error;
}

static int join(struct smmu_streams *s, struct smmu_attachment *a)
{
	struct membership m;
	bool shared;
	int error = put_on(s, a, &m, &shared);

	if (error || (!shared && !a->domain->vsmmu))
		return error;
	/*
	 * What sweeps of before could not clear on this instance, the newcomer must not find; nor what is left under the VMID of a
	 * virtual SMMU from when sweeps did not name it.
	 */
	if (!shared || smmu_inv_owes(&smmu_domain_keeper(a->domain)->debt)) {
		error = clean(s->instance, tag_of(&m));
		if (error) {
			smmu_domain_leave(s, a);
			return error;
		}
	}
	/* Fact 6 of the sweep: an ATC may not fill itself from what a sweep that does not name it is removing. */
	if (s->ats)
		smmu_rcu_synchronize(a->domain->port->rcu);
	return 0;
}

int smmu_domain_join(struct smmu_streams *s, struct smmu_attachment *a)
{
	struct smmu_vsmmu *v = a->domain->vsmmu;
	int error;

	if (!v)
		return join(s, a);
	/* One at a time: who finds the VMID in the array finds it clean. */
	smmu_mutex_lock(&v->lock);
	error = join(s, a);
	smmu_mutex_unlock(&v->lock);
	return error;
}

int smmu_domain_follow(struct smmu_streams *s, struct smmu_attachment *a,
		       const struct smmu_attachment *next)
{
	const enum smmu_domain_kind was = a->domain->kind, kind = next->domain->kind;
	struct smmu_domain *domain = a->domain;
	struct smmu_inv_array *merged;
	struct smmu_attachment to = *a;
	struct smmu_inv following;

	/* What may be led under another tag: takeover.c, alone_under_tag. */
	if (!(was == SMMU_DOMAIN_STAGE1 && kind == SMMU_DOMAIN_STAGE2) &&
	    !(was == SMMU_DOMAIN_STAGE2 &&
	      (kind == SMMU_DOMAIN_STAGE1 || kind == SMMU_DOMAIN_IDENTITY)))
		return 0;
	to.follows_id = was == SMMU_DOMAIN_STAGE1 ? next->id : 0;
	if (a->follows && a->follows_id == to.follows_id)
		return 0;
	make_following(s, &to, &following);
	smmu_mutex_lock(&domain->lock);
	merged = smmu_inv_merge(domain->port, array_of(domain), &following, 1);
	if (merged) {
		publish(domain, merged);
		/* An attach that failed before its first store named another: nothing was walked under that. */
		if (a->follows) {
			make_following(s, a, &following);
			smmu_inv_unref(array_of(domain), &following, 1);
		}
		a->follows = true;
		a->follows_id = to.follows_id;
	}
	smmu_mutex_unlock(&domain->lock);
	return merged ? 0 : -SMMU_ENOMEM;
}

/* ---- Many at once ---- */

/** The newcomer before number @p i behind the same instance; NULL: none. */
static const struct smmu_newcomer *one_before(const struct smmu_newcomer *c, uint32_t i)
{
	const struct smmu_instance *inst = c[i].streams->instance;

	while (i)
		if (c[--i].streams->instance == inst)
			return &c[i];
	return NULL;
}

/** Take the ids back that the first @p n have taken. */
static void give_ids(struct smmu_domain *domain, const struct smmu_newcomer *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (c[i].first && !c[i].shared)
			give_id(c[i].streams->instance, domain, c[i].attachment->id);
}

/** An id for each: those behind one instance share it. -SMMU_ENOSPC: nothing changed. The domain's lock is held. */
static int choose_ids(struct smmu_domain *domain, struct smmu_newcomer *c, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const struct smmu_newcomer *before = one_before(c, i);
		int error = 0;

		c[i].first = !before;
		if (before) {
			c[i].attachment->id = before->attachment->id;
			c[i].shared = before->shared;
		} else {
			error = choose_id(c[i].streams, c[i].attachment, &c[i].shared);
		}
		if (error) {
			give_ids(domain, c, i);
			return error;
		}
	}
	return 0;
}

/** The array of @p domain with the operations of all of them; NULL: memory is short. */
static struct smmu_inv_array *merge_all(struct smmu_domain *domain, struct smmu_newcomer *c,
					uint32_t n)
{
	const struct smmu_port *port = domain->port;
	struct smmu_inv_array *merged = NULL;
	struct smmu_inv *set;
	size_t room = 0;
	uint32_t count = 0;

	for (uint32_t i = 0; i < n; i++)
		room += 1 + (size_t)c[i].streams->nr;
	set = port->ops->alloc(port->ctx, room * sizeof(*set));
	for (uint32_t i = 0; set && i < n; i++) {
		struct membership m;

		make_set(c[i].streams, c[i].attachment, &m);
		for (uint32_t k = 0; k < m.n; k++)
			set[count++] = m.set[k];
	}
	if (set) {
		smmu_inv_sort(set, count);
		merged = smmu_inv_merge(port, array_of(domain), set, count);
		port->ops->free(port->ctx, set, room * sizeof(*set));
	}
	return merged;
}

static int put_all_on(struct smmu_domain *domain, struct smmu_newcomer *c, uint32_t n)
{
	struct smmu_inv_array *merged = NULL;
	int error;

	smmu_mutex_lock(&domain->lock);
	error = choose_ids(domain, c, n);
	if (!error) {
		merged = merge_all(domain, c, n);
		if (merged) {
			publish(domain, merged);
			smmu_fetch_add(&domain->users, n);
		} else {
			give_ids(domain, c, n);
			error = -SMMU_ENOMEM;
		}
	}
	smmu_mutex_unlock(&domain->lock);
	return error;
}

int smmu_domain_join_many(struct smmu_domain *domain, struct smmu_newcomer *c, uint32_t n)
{
	bool waits = false;
	int error = put_all_on(domain, c, n);

	/* As for one (join): what sweeps of before owe, on each instance; and one wait for the readers is one for all. */
	for (uint32_t i = 0; !error && i < n; i++) {
		struct membership m;

		waits |= c[i].shared && c[i].streams->ats;
		if (!c[i].first || !c[i].shared || !smmu_inv_owes(&domain->debt))
			continue;
		make_set(c[i].streams, c[i].attachment, &m);
		error = clean(c[i].streams->instance, tag_of(&m));
		for (uint32_t k = 0; error && k < n; k++)
			smmu_domain_leave(c[k].streams, c[k].attachment);
	}
	if (!error && waits)
		smmu_rcu_synchronize(domain->port->rcu);
	return error;
}

void smmu_instance_give_vmid(struct smmu_instance *inst, const struct smmu_domain *parent,
			     uint16_t vmid)
{
	retire_id(inst, parent, vmid);
}
