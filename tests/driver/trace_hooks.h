/* SPDX-License-Identifier: BSD-2-Clause */
/* Put before each file of the library, as a port header's own part would be: every trace hook writes a line. */
#ifndef SMMU_TEST_DRIVER_TRACE_HOOKS_H
#define SMMU_TEST_DRIVER_TRACE_HOOKS_H

#include <stdint.h>

struct smmu_fence;
struct smmu_cmdq;
struct smmu_cmdq_token;
struct smmu_instance;
struct smmu_streams;
struct smmu_device;
struct smmu_domain;

void trace_sweep_begin(const struct smmu_fence *f);
void trace_sweep_end(const struct smmu_fence *f);
void trace_sync(const struct smmu_cmdq *q, const struct smmu_cmdq_token *token, int status);
void trace_cmdq_error(const struct smmu_cmdq *q, uint64_t position, uint32_t code);
void trace_gerror(const struct smmu_instance *inst, uint32_t bits);
void trace_quarantine(const struct smmu_streams *s);
void trace_attach(const struct smmu_device *dev, uint32_t ssid, const struct smmu_domain *domain,
		  int error);
void trace_detach(const struct smmu_device *dev, uint32_t ssid);

#define SMMU_TRACE_SWEEP_BEGIN(fence) trace_sweep_begin(fence)
#define SMMU_TRACE_SWEEP_END(fence) trace_sweep_end(fence)
#define SMMU_TRACE_SYNC(queue, token, status) trace_sync(queue, token, (int)(status))
#define SMMU_TRACE_CMDQ_ERROR(queue, position, code) trace_cmdq_error(queue, position, code)
#define SMMU_TRACE_GERROR(instance, bits) trace_gerror(instance, bits)
#define SMMU_TRACE_QUARANTINE(streams) trace_quarantine(streams)
#define SMMU_TRACE_ATTACH(device, ssid, domain, error) trace_attach(device, ssid, domain, error)
#define SMMU_TRACE_DETACH(device, ssid) trace_detach(device, ssid)

#endif
