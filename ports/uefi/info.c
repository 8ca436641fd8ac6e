/* SPDX-License-Identifier: BSD-2-Clause */
/* What the driver tells smmuv3.efi: copies of its state. */
#include "driver.h"

static void get_stats(struct uefi_stats *stats)
{
	uintptr_t tpl = uefi_enter();

	uefi_memory_state(&uefi.stats.memory, &uefi.stats.memory_used);
	uefi.stats.shadow_bytes = uefi.shadows.kept;
	uefi.stats.shadow_lost = uefi.shadows.lost;
	*stats = uefi.stats;
	uefi_leave(tpl);
}

static int get_smmu(uint32_t n, struct uefi_smmu_info *info)
{
	const struct uefi_smmu *s = &uefi.smmu[n];
	struct smmu_text t;

	if (n >= uefi.topology.n_smmus)
		return 0;
	*info = (struct uefi_smmu_info){
		.base = s->told->base,
		.up = s->up,
		.broken = s->broken,
		.commands = s->side.commands,
		.batches = s->side.batches,
		.events = s->events,
		.events_lost = s->instance.events_lost,
	};
	smmu_text_init(&t, info->name, sizeof(info->name));
	smmu_text_str(&t, s->name);
	return 1;
}

static uint32_t space_id(const struct uefi_space *space)
{
	return space ? space->id : ~0u;
}

static int get_stream(uint32_t n, struct uefi_stream_info *info)
{
	const struct uefi_stream *s = uefi.streams;

	while (s && n--)
		s = s->next;
	if (!s)
		return 0;
	*info = (struct uefi_stream_info){.smmu = (uint32_t)(s->smmu - uefi.smmu),
					  .sid = s->sid,
					  .use = s->use,
					  .space = space_id(s->space)};
	return 1;
}

static int get_function(uint32_t n, struct uefi_function_info *info)
{
	const struct uefi_function *f = uefi.functions;

	while (f && n--)
		f = f->next;
	if (!f)
		return 0;
	*info = (struct uefi_function_info){.segment = f->segment,
					    .requester = f->requester,
					    .space = space_id(f->space),
					    .dead = f->dead,
					    .maps = f->maps};
	return 1;
}

static const struct smmu_inv_array *array_of(const struct uefi_space *s)
{
	return smmu_rcu_dereference(&s->domain.inv);
}

static int get_space(uint32_t n, struct uefi_space_info *info)
{
	const struct uefi_space *s = uefi.spaces;

	while (s && n--)
		s = s->next;
	if (!s)
		return 0;
	*info = (struct uefi_space_info){.id = s->id};
	for (const struct uefi_grant *g = s->grants.list; g; g = g->next) {
		info->grants++;
		info->bytes += g->end - g->first;
	}
	info->operations = array_of(s) ? array_of(s)->count : 0;
	return 1;
}

static int get_operation(uint32_t space, uint32_t n, struct uefi_operation_info *info)
{
	const struct uefi_space *s = uefi.spaces;
	const struct smmu_inv_array *array;

	while (s && s->id != space)
		s = s->next;
	array = s ? array_of(s) : NULL;
	if (!array || n >= array->count)
		return 0;
	*info = (struct uefi_operation_info){.smmu = array->entry[n].index,
					     .kind = array->entry[n].kind,
					     .id = array->entry[n].id,
					     .users = smmu_load(&array->entry[n].users)};
	return 1;
}

static int get_event(uint64_t n, struct uefi_event *event)
{
	uintptr_t tpl = uefi_enter();
	int found = 0;

	uefi_poll();
	if (n < uefi.events.count) {
		found = uefi.events.count - n > UEFI_EVENTS ? -1 : 1;
		*event = uefi.events.event[n % UEFI_EVENTS];
	}
	uefi_leave(tpl);
	return found;
}

static int get_log(uint64_t n, char *text, uintptr_t size)
{
	uintptr_t tpl = uefi_enter();
	int found = 0;
	struct smmu_text t;

	if (n < uefi_log.count && size) {
		found = uefi_log.count - n > UEFI_LOG_LINES ? -1 : 1;
		smmu_text_init(&t, text, size);
		smmu_text_str(&t, uefi_log.line[n % UEFI_LOG_LINES].text);
	}
	uefi_leave(tpl);
	return found;
}

struct smmu_uefi_info uefi_info = {
	.revision = SMMU_UEFI_INFO_REVISION,
	.stats = get_stats,
	.smmu = get_smmu,
	.stream = get_stream,
	.function = get_function,
	.space = get_space,
	.operation = get_operation,
	.event = get_event,
	.log = get_log,
};
