/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Many devices attached to one domain at once: each as smmu_attach does it (attach.c), but with one copy of the domain's array
 * for all, and one wait for the readers.
 *
 * The locks of all of them are held from before the first is looked at until the last is attached. No other call holds more
 * than one device's lock, but for that of a stand-in that is dropped (standin.c), which nobody has who waits for another; what
 * else it takes comes after that; and calls of this kind at the same time have no device in common. So nobody waits in a
 * circle.
 */
#include <smmuv3/trace.h>

#include "driver.h"

/** A record of an attachment for each device that is not attached to @p domain: in @p c, @p made of them. */
static int make_records(struct smmu_device *const *devs, uint32_t n, struct smmu_domain *domain,
			struct smmu_newcomer *c, uint32_t *made)
{
	for (uint32_t i = 0; i < n; i++) {
		int error = smmu_device_may_attach(devs[i], domain);

		if (!error && devs[i]->domain == domain)
			continue;
		if (!error)
			error = smmu_attachment_make(devs[i], 0, domain, &c[*made].attachment);
		if (error)
			return error;
		c[(*made)++].streams = devs[i]->streams;
	}
	return 0;
}

/** All that can fail on sound SMMUs; on error nothing is changed. */
static int prepare_all(struct smmu_device *const *devs, uint32_t n, struct smmu_domain *domain,
		       struct smmu_newcomer *c)
{
	const struct smmu_port *port = domain->port;
	uint32_t made = 0;
	int error = make_records(devs, n, domain, c, &made);

	if (!error && made && smmu_domain_has_tag(domain))
		error = smmu_domain_join_many(domain, c, made);
	else if (!error)
		smmu_fetch_add(&domain->users, made);
	if (!error) {
		for (uint32_t i = 0; !error && i < made; i++)
			error = smmu_stand_ins_follow(c[i].streams, c[i].attachment);
		for (uint32_t i = 0; error && i < made; i++)
			smmu_domain_leave(c[i].streams, c[i].attachment);
	}
	while (error && made)
		port->ops->free(port->ctx, c[--made].attachment, sizeof(*c->attachment));
	return error;
}

int smmu_attach_many(struct smmu_device *const *devs, uint32_t n, struct smmu_domain *domain,
		     int *results)
{
	const struct smmu_port *port = domain ? domain->port : NULL;
	struct smmu_newcomer *newcomer, *next;
	int first, error;

	if (!port || !n || !devs)
		return -SMMU_EINVAL;
	if (domain->kind == SMMU_DOMAIN_NESTED)
		return -SMMU_EOPNOTSUPP;
	newcomer = port->ops->alloc(port->ctx, (size_t)n * sizeof(*newcomer));
	if (!newcomer)
		return -SMMU_ENOMEM;
	smmu_mutex_lock(&devs[0]->lock);
	for (uint32_t i = 1; i < n; i++)
		smmu_mutex_lock_nested(&devs[i]->lock, SMMU_DEPTH_STAND_IN + i);
	first = error = prepare_all(devs, n, domain, newcomer);
	next = newcomer;
	for (uint32_t i = 0; i < n; i++) {
		int result = error;

		if (!error && devs[i]->domain != domain)
			result = smmu_device_switch(devs[i], next++->attachment);
		if (!first)
			first = result;
		if (results)
			results[i] = result;
		SMMU_TRACE_ATTACH(devs[i], 0, domain, result);
		smmu_mutex_unlock(&devs[i]->lock);
	}
	port->ops->free(port->ctx, newcomer, (size_t)n * sizeof(*newcomer));
	return first;
}
