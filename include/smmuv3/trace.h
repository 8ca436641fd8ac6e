/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file trace.h
 * Trace hooks: places in the library at which a port can put code of its own. A port header defines
 * the macros that it wants, each as a statement; those that it leaves out are no code at all
 * (tools/hooks.sh compares the objects).
 *
 * | macro | where it stands | what it gets |
 * |---|---|---|
 * | `SMMU_TRACE_SWEEP_BEGIN(fence)` | the array was looked up, nothing is submitted yet | `struct smmu_fence *`: range, whole, array |
 * | `SMMU_TRACE_SWEEP_END(fence)` | nothing of the sweep is outstanding any more | the same; its error |
 * | `SMMU_TRACE_SYNC(queue, token, status)` | it was found out how a batch ended | `struct smmu_cmdq *`, `const struct smmu_cmdq_token *`, `enum smmu_cmdq_status` but SMMU_CMDQ_PENDING |
 * | `SMMU_TRACE_CMDQ_ERROR(queue, position, code)` | an error of the command queue was served | `struct smmu_cmdq *`, `uint64_t`, `uint32_t` as in CMDQ_CONS.ERR |
 * | `SMMU_TRACE_GERROR(instance, bits)` | other errors of GERROR were acknowledged | `struct smmu_instance *`, `uint32_t` |
 * | `SMMU_TRACE_QUARANTINE(streams)` | a device is being cut off | `const struct smmu_streams *` |
 * | `SMMU_TRACE_ATTACH(device, ssid, domain, error)` | an attach is over | `const struct smmu_device *`, `uint32_t`, `const struct smmu_domain *`, `int` |
 * | `SMMU_TRACE_DETACH(device, ssid)` | a detach is over | `const struct smmu_device *`, `uint32_t` |
 *
 * SWEEP_…, SYNC, CMDQ_ERROR, GERROR and QUARANTINE stand where the library may be called in any
 * context: a hook must not sleep there, nor call the library. ATTACH and DETACH stand under the
 * device's lock, where sleeping is allowed. No hook stands where interrupts are masked or a spin
 * lock is held. The macros are used where the types are complete; a port header that comes before
 * them declares its functions with forward declarations.
 */
#ifndef SMMUV3_TRACE_H
#define SMMUV3_TRACE_H

#include <smmuv3/port.h>

#ifndef SMMU_TRACE_SWEEP_BEGIN
#define SMMU_TRACE_SWEEP_BEGIN(fence) ((void)0)
#endif
#ifndef SMMU_TRACE_SWEEP_END
#define SMMU_TRACE_SWEEP_END(fence) ((void)0)
#endif
#ifndef SMMU_TRACE_SYNC
#define SMMU_TRACE_SYNC(queue, token, status) ((void)0)
#endif
#ifndef SMMU_TRACE_CMDQ_ERROR
#define SMMU_TRACE_CMDQ_ERROR(queue, position, code) ((void)0)
#endif
#ifndef SMMU_TRACE_GERROR
#define SMMU_TRACE_GERROR(instance, bits) ((void)0)
#endif
#ifndef SMMU_TRACE_QUARANTINE
#define SMMU_TRACE_QUARANTINE(streams) ((void)0)
#endif
#ifndef SMMU_TRACE_ATTACH
#define SMMU_TRACE_ATTACH(device, ssid, domain, error) ((void)0)
#endif
#ifndef SMMU_TRACE_DETACH
#define SMMU_TRACE_DETACH(device, ssid) ((void)0)
#endif

#endif
