/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices as the harness sees them: made, told, asked, reset.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"

struct smmu_model_device *smmu_model_device(struct smmu_model *model, unsigned instance,
					    uint32_t stream, bool ats)
{
	struct smmu_model_device *dev;
	struct instance *in;

	if (instance >= model->count)
		return NULL;
	in = &model->in[instance];
	if (in->cfg.sid_bits < 32 && stream >> in->cfg.sid_bits)
		return NULL;
	model_enter(in);
	dev = model_find_device(in, stream);
	if (!dev) {
		dev = calloc(1, sizeof(*dev));
		if (dev) {
			dev->in = in;
			dev->stream = stream;
			dev->has_atc = ats;
			dev->stu = 12;
			dev->next = in->devices;
			in->ndevices++;
			in->devices = dev;
		}
	}
	model_leave(in);
	return dev;
}

void smmu_model_ats_enable(struct smmu_model_device *dev, bool on)
{
	model_enter(dev->in);
	dev->ats_on = on && dev->has_atc;
	if (!on)
		model_tlb_clear(&dev->atc);
	model_leave(dev->in);
}

bool smmu_model_ats_enabled(struct smmu_model_device *dev)
{
	model_enter(dev->in);

	bool on = dev->ats_on;

	model_leave(dev->in);
	return on;
}

void smmu_model_device_stu(struct smmu_model_device *dev, unsigned log2)
{
	model_enter(dev->in);
	dev->stu = log2;
	model_leave(dev->in);
}

void smmu_model_atc_mute(struct smmu_model_device *dev, bool mute)
{
	model_enter(dev->in);
	dev->muted = mute;
	model_leave(dev->in);
}

bool smmu_model_silent(struct smmu_model *model, unsigned instance, uint32_t stream)
{
	const struct smmu_model_device *dev;
	struct instance *in;
	bool silent;

	if (instance >= model->count)
		return false;
	in = &model->in[instance];
	model_enter(in);
	dev = model_find_device(in, stream);
	silent = dev && (dev->muted || dev->late);
	model_leave(in);
	return silent;
}

bool smmu_model_atc_muted(struct smmu_model_device *dev)
{
	model_enter(dev->in);

	bool muted = dev->muted;

	model_leave(dev->in);
	return muted;
}

void smmu_model_device_latency(struct smmu_model_device *dev, uint32_t ns)
{
	model_enter(dev->in);
	dev->extra_ns = ns;
	model_leave(dev->in);
}

static void forget_requests(struct smmu_model_device *dev)
{
	memset(dev->asked, 0, sizeof(dev->asked));
	dev->open = 0;
}

void smmu_model_device_kill(struct smmu_model_device *dev)
{
	model_enter(dev->in);
	dev->dead = true;
	forget_requests(dev);
	model_leave(dev->in);
}

void smmu_model_device_reset(struct smmu_model_device *dev)
{
	model_enter(dev->in);
	dev->dead = false;
	dev->muted = false;
	dev->late = false;
	dev->ats_on = false;
	forget_requests(dev);
	model_tlb_clear(&dev->atc);
	model_leave(dev->in);
}

size_t smmu_model_atc_count(struct smmu_model_device *dev)
{
	model_enter(dev->in);

	size_t n = dev->atc.count;

	model_leave(dev->in);
	return n;
}

static bool request(struct smmu_model_device *dev, bool ssid_valid, uint32_t ssid, uint64_t iova,
		    bool write, unsigned group, bool last)
{
	/* StreamID and SubstreamID, then read and write, last of its group, SubstreamID valid. */
	uint64_t w[2] = {dev->stream | (uint64_t)(ssid & 0xfffff) << 32 | BIT(60) |
				 (write ? BIT(61) : 0) | (last ? BIT(62) : 0) |
				 (ssid_valid ? BIT(63) : 0),
			 (iova & ~0xfffULL) | group};
	int answer = 0;

	model_enter(dev->in);
	if (!dev->dead)
		answer = model_pri_write(dev->in, w);
	if (last) {
		dev->response[group] = (int8_t)(dev->dead ? -1 : answer);
		dev->open += (unsigned)(answer < 0) - dev->asked[group];
		dev->asked[group] = answer < 0;
	}
	model_leave(dev->in);
	return answer < 0;
}

bool smmu_model_page_request(struct smmu_model_device *dev, bool ssid_valid, uint32_t ssid,
			     uint64_t iova, bool write, uint16_t group)
{
	return request(dev, ssid_valid, ssid, iova, write, group % PRI_GROUPS, true);
}

bool smmu_model_page_request_part(struct smmu_model_device *dev, bool ssid_valid, uint32_t ssid,
				  uint64_t iova, bool write, uint16_t group)
{
	return request(dev, ssid_valid, ssid, iova, write, group % PRI_GROUPS, false);
}

void smmu_model_page_reset(struct smmu_model_device *dev)
{
	model_enter(dev->in);
	forget_requests(dev);
	model_leave(dev->in);
}

int smmu_model_page_response(struct smmu_model_device *dev, uint16_t group)
{
	model_enter(dev->in);

	int response = dev->response[group % PRI_GROUPS];

	model_leave(dev->in);
	return response;
}
