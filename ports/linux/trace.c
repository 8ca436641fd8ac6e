// SPDX-License-Identifier: BSD-2-Clause
/* From the library's hooks to tracepoints. Called only while somebody listens: smmu_linux.h asks first. */
#include "smmu_module.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static u32 operations(const struct smmu_fence *f)
{
	return f->array ? f->array->count : 0;
}

static u32 instances(const struct smmu_fence *f)
{
	return f->array ? f->array->groups : 0;
}

static u64 first(const struct smmu_fence *f)
{
	return f->whole ? 0 : f->range.start;
}

static u64 last(const struct smmu_fence *f)
{
	return f->whole ? U64_MAX : f->range.last;
}

void smmu_linux_trace_sweep_begin(const struct smmu_fence *f)
{
	trace_smmuv3_sweep_begin(f, first(f), last(f), operations(f), instances(f), 0);
}

void smmu_linux_trace_sweep_end(const struct smmu_fence *f)
{
	trace_smmuv3_sweep_end(f, first(f), last(f), operations(f), instances(f), f->error);
}

void smmu_linux_trace_sync(const struct smmu_cmdq *q, const struct smmu_cmdq_token *token,
			   unsigned int status)
{
	BUILD_BUG_ON(SMMU_CMDQ_LOST != 2 || SMMU_CMDQ_DEAD != 4);
	trace_smmuv3_sync(q->name, token->end, status);
}

void smmu_linux_trace_cmdq_error(const struct smmu_cmdq *q, u64 position, u32 code)
{
	trace_smmuv3_cmdq_error(q->name, position, code);
}

void smmu_linux_trace_gerror(const struct smmu_instance *inst, u32 bits)
{
	trace_smmuv3_gerror(inst->name, 0, bits);
}

void smmu_linux_trace_quarantine(const struct smmu_streams *s)
{
	trace_smmuv3_quarantine(s->instance->name, 0, s->id[0]);
}

static const char *name_of(const struct smmu_device *dev)
{
	return dev->streams && dev->streams->name ? dev->streams->name : "?";
}

void smmu_linux_trace_attach(const struct smmu_device *dev, u32 ssid,
			     const struct smmu_domain *domain, int error)
{
	BUILD_BUG_ON(SMMU_DOMAIN_IDENTITY != 1 || SMMU_DOMAIN_NESTED != 4);
	trace_smmuv3_attach(name_of(dev), ssid, domain ? domain->kind : SMMU_DOMAIN_BLOCKED, error);
}

void smmu_linux_trace_detach(const struct smmu_device *dev, u32 ssid)
{
	trace_smmuv3_detach(name_of(dev), ssid, SMMU_DOMAIN_BLOCKED, 0);
}
