/* SPDX-License-Identifier: BSD-2-Clause */
/* Tracepoints (smmuv3:*), from the library's hooks: include/smmuv3/trace.h says where each stands. */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM smmuv3

#if !defined(SMMU_LINUX_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define SMMU_LINUX_TRACE_H

#include <linux/tracepoint.h>

/* clang-format off */
DECLARE_EVENT_CLASS(smmuv3_sweeps,
	TP_PROTO(const void *sweep, u64 start, u64 last, u32 operations, u32 instances, int error),
	TP_ARGS(sweep, start, last, operations, instances, error),
	TP_STRUCT__entry(
		__field(const void *, sweep)
		__field(u64, start)
		__field(u64, last)
		__field(u32, operations)
		__field(u32, instances)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->sweep = sweep;
		__entry->start = start;
		__entry->last = last;
		__entry->operations = operations;
		__entry->instances = instances;
		__entry->error = error;
	),
	TP_printk("sweep=%p range=%#llx-%#llx operations=%u instances=%u error=%d", __entry->sweep,
		  __entry->start, __entry->last, __entry->operations, __entry->instances, __entry->error)
);

/* The array was looked up, nothing is submitted yet. */
DEFINE_EVENT(smmuv3_sweeps, smmuv3_sweep_begin,
	TP_PROTO(const void *sweep, u64 start, u64 last, u32 operations, u32 instances, int error),
	TP_ARGS(sweep, start, last, operations, instances, error));

/* All instances have answered, or were given up. */
DEFINE_EVENT(smmuv3_sweeps, smmuv3_sweep_end,
	TP_PROTO(const void *sweep, u64 start, u64 last, u32 operations, u32 instances, int error),
	TP_ARGS(sweep, start, last, operations, instances, error));

/* How a batch of commands ended. */
TRACE_EVENT(smmuv3_sync,
	TP_PROTO(const char *instance, u64 position, u32 status),
	TP_ARGS(instance, position, status),
	TP_STRUCT__entry(
		__string(instance, instance)
		__field(u64, position)
		__field(u32, status)
	),
	TP_fast_assign(
		__assign_str(instance);
		__entry->position = position;
		__entry->status = status;
	),
	TP_printk("%s position=%llu %s", __get_str(instance), __entry->position,
		  __print_symbolic(__entry->status, { 0, "done" }, { 2, "lost" }, { 3, "ATC time-out" }, { 4, "dead" }))
);

DECLARE_EVENT_CLASS(smmuv3_errors,
	TP_PROTO(const char *instance, u64 where, u32 what),
	TP_ARGS(instance, where, what),
	TP_STRUCT__entry(
		__string(instance, instance)
		__field(u64, where)
		__field(u32, what)
	),
	TP_fast_assign(
		__assign_str(instance);
		__entry->where = where;
		__entry->what = what;
	),
	TP_printk("%s position=%llu code=%#x", __get_str(instance), __entry->where, __entry->what)
);

/* An error of a command queue: its position there, and CMDQ_CONS.ERR. */
DEFINE_EVENT(smmuv3_errors, smmuv3_cmdq_error,
	TP_PROTO(const char *instance, u64 where, u32 what),
	TP_ARGS(instance, where, what));

/* Other errors: bits of GERROR. */
DEFINE_EVENT_PRINT(smmuv3_errors, smmuv3_gerror,
	TP_PROTO(const char *instance, u64 where, u32 what),
	TP_ARGS(instance, where, what),
	TP_printk("%s GERROR=%#x", __get_str(instance), __entry->what));

/* A device is being cut off: its ATC does not answer. */
DEFINE_EVENT_PRINT(smmuv3_errors, smmuv3_quarantine,
	TP_PROTO(const char *instance, u64 where, u32 what),
	TP_ARGS(instance, where, what),
	TP_printk("%s stream=%#x", __get_str(instance), __entry->what));

DECLARE_EVENT_CLASS(smmuv3_attachments,
	TP_PROTO(const char *device, u32 ssid, u32 kind, int error),
	TP_ARGS(device, ssid, kind, error),
	TP_STRUCT__entry(
		__string(device, device)
		__field(u32, ssid)
		__field(u32, kind)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(device);
		__entry->ssid = ssid;
		__entry->kind = kind;
		__entry->error = error;
	),
	TP_printk("%s substream=%u %s error=%d", __get_str(device), __entry->ssid,
		  __print_symbolic(__entry->kind, { 0, "blocked" }, { 1, "identity" }, { 2, "stage 1" },
				   { 3, "stage 2" }, { 4, "nested" }), __entry->error)
);

DEFINE_EVENT(smmuv3_attachments, smmuv3_attach,
	TP_PROTO(const char *device, u32 ssid, u32 kind, int error),
	TP_ARGS(device, ssid, kind, error));

DEFINE_EVENT(smmuv3_attachments, smmuv3_detach,
	TP_PROTO(const char *device, u32 ssid, u32 kind, int error),
	TP_ARGS(device, ssid, kind, error));
/* clang-format on */

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
