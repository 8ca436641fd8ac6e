/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Joining and leaving a domain: the writers' side of its array.
 *
 * The array is the record of ids as well: a device that joins behind an instance on which the domain has an id already
 * finds it there and shares it; the last one to leave cleans it.
 * Rule: an id that is in no array has no entry left in any TLB.
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

static int take_id(struct smmu_instance *inst, const struct smmu_domain *domain)
{
	int id;

	smmu_mutex_lock(&inst->lock);
	id = smmu_ids_take(ids_of(inst, domain));
	smmu_mutex_unlock(&inst->lock);
	return id;
}

static void give_id(struct smmu_instance *inst, const struct smmu_domain *domain, uint32_t id)
{
	smmu_mutex_lock(&inst->lock);
	smmu_ids_give(ids_of(inst, domain), id);
	smmu_mutex_unlock(&inst->lock);
}

/** The operations of one attachment: the tag, and ATS of each stream. */
static void make_set(struct smmu_device *dev, uint32_t ssid, const struct smmu_domain *domain,
		     struct smmu_membership *m)
{
	struct smmu_inv_target *t = &dev->instance->target;

	m->n = 0;
	if (domain->kind == SMMU_DOMAIN_STAGE1)
		smmu_inv_make_asid(&m->set[m->n++], t, m->id);
	else
		smmu_inv_make_vmid(&m->set[m->n++], t, m->id);
	for (uint32_t i = 0; dev->ats_wanted && i < dev->nr_streams; i++)
		smmu_inv_make_ats(&m->set[m->n++], t, dev->stream[i], ssid ? (int32_t)ssid : -1,
				  false, dev);
	smmu_inv_sort(m->set, m->n);
}

/** What is published; the domain's lock is held. */
static struct smmu_inv_array *array_of(struct smmu_domain *domain)
{
	return smmu_rcu_dereference(&domain->inv);
}

/** Publish @p array in place of what the domain had; its lock is held. */
static void publish(struct smmu_domain *domain, struct smmu_inv_array *array)
{
	struct smmu_inv_array *old = array_of(domain);

	if (array && !array->count) {
		smmu_inv_array_free(array);
		array = NULL;
	}
	smmu_rcu_publish(&domain->inv, array);
	/* T2 of the sweep's argument: the STE or CD is written after the array is visible. */
	smmu_mb();
	smmu_inv_array_retire(domain->port->rcu, old);
}

int smmu_domain_join(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain,
		     struct smmu_membership *m)
{
	struct smmu_inv_array *merged;
	const struct smmu_inv *e;
	bool shared;
	int id = 0;

	smmu_mutex_lock(&domain->lock);
	e = smmu_inv_find(array_of(domain), &dev->instance->target, tag_kind(domain));
	if (!e) {
		id = take_id(dev->instance, domain);
		if (id < 0) {
			smmu_mutex_unlock(&domain->lock);
			return id;
		}
	}
	m->domain = domain;
	m->id = e ? e->id : (uint32_t)id;
	shared = e != NULL;
	make_set(dev, ssid, domain, m);
	merged = smmu_inv_merge(domain->port, array_of(domain), m->set, m->n);
	if (merged) {
		publish(domain, merged);
		smmu_fetch_add(&domain->users, 1);
	}
	smmu_mutex_unlock(&domain->lock);
	if (merged) {
		/* Fact 6 of the sweep: an ATC may not fill itself from what a sweep that does not name it is removing. */
		if (shared && dev->ats_wanted)
			smmu_rcu_synchronize(domain->port->rcu);
		return 0;
	}
	if (!shared)
		give_id(dev->instance, domain, m->id);
	return -SMMU_ENOMEM;
}

/** The tag has no user on this instance any more: drop its entries, then it may be handed out again. */
static void clean_tag(struct smmu_instance *inst, const struct smmu_domain *domain,
		      const struct smmu_inv *tag)
{
	struct smmu_cmd cmd = {{tag->whole, 0}};

	/* If the SMMU is dead the id stays taken. */
	if (!smmu_instance_issue(inst, &cmd, 1))
		give_id(inst, domain, tag->id);
}

void smmu_domain_leave(struct smmu_device *dev, uint32_t ssid, struct smmu_domain *domain)
{
	struct smmu_membership m = {.domain = domain};
	struct smmu_inv_array *smaller;
	const struct smmu_inv *e, *tag = NULL;

	smmu_mutex_lock(&domain->lock);
	e = smmu_inv_find(array_of(domain), &dev->instance->target, tag_kind(domain));
	m.id = e ? e->id : 0;
	make_set(dev, ssid, domain, &m);
	smmu_inv_unref(array_of(domain), m.set, m.n);
	/* What is gone is squeezed out if there is memory for a copy, else by the next one to join. */
	if (smmu_inv_has_gone(array_of(domain))) {
		smaller = smmu_inv_merge(domain->port, array_of(domain), NULL, 0);
		if (smaller)
			publish(domain, smaller);
	}
	smmu_fetch_sub(&domain->users, 1);
	smmu_mutex_unlock(&domain->lock);
	for (uint32_t i = 0; e && i < m.n; i++)
		if (m.set[i].kind < SMMU_INV_ATS)
			tag = &m.set[i];
	if (tag && !tag->users)
		clean_tag(dev->instance, domain, tag);
}
