/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Streams that pass before any device is added: stand-ins.
 *
 * A stand-in is a device of the library's own, attached to the embedder's domain, so that its STE, CD, ASID and place in the
 * domain's array are what they are for any device. When the embedder adds a device with the stream, that one gets the STE, as it
 * is; the stand-in keeps the CD and the attachment, as the SMMU goes on using both. Once the SMMU has confirmed that the
 * STE leads elsewhere (smmu_streams_settle), or that the device is cut off, the stand-in goes. While the STE is led there the
 * stand-in's tables may be in use under the next tag, and its domain is swept under that as well (smmu_stand_ins_follow). If the
 * device is dropped before its first attach, the stand-in has its stream back. If the SMMU is removed in between, and does not
 * go off, the stand-in lets it forget the STE once more before it gives anything up: that it aborts in memory may be the
 * device's doing, which the SMMU has not confirmed.
 */
#include "driver.h"

static int add(struct smmu_instance *inst, const struct smmu_reserved *r)
{
	const struct smmu_port *port = inst->port;
	struct smmu_stand_in *p = port->ops->alloc(port->ctx, sizeof(*p));
	struct smmu_device_config cfg = {
		.instance = inst, .streams = &r->stream, .nr_streams = 1, .name = "reserved"};
	int error;

	if (!p)
		return -SMMU_ENOMEM;
	error = smmu_device_init(&p->dev, &cfg);
	if (error) {
		port->ops->free(port->ctx, p, sizeof(*p));
		return error;
	}
	p->taker = NULL;
	smmu_mutex_lock(&inst->lock);
	p->next = inst->stand_ins;
	inst->stand_ins = p;
	smmu_mutex_unlock(&inst->lock);
	return smmu_attach(&p->dev, r->domain);
}

int smmu_reserved_install(struct smmu_instance *inst, const struct smmu_reserved *list, uint32_t n)
{
	int error = 0;

	for (uint32_t i = 0; !error && i < n; i++)
		error = add(inst, &list[i]);
	/* Only now: a stream that is there twice has been refused. */
	for (struct smmu_stand_in *p = inst->stand_ins; p; p = p->next)
		p->dev.stands_in = true;
	return error;
}

void smmu_reserved_free(struct smmu_instance *inst)
{
	const struct smmu_port *port = inst->port;
	struct smmu_stand_in *p;

	while ((p = inst->stand_ins)) {
		inst->stand_ins = p->next;
		port->ops->free(port->ctx, p, sizeof(*p));
	}
}
