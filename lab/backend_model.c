/* SPDX-License-Identifier: BSD-2-Clause */
/* The model as the SMMUs of a run: instances that differ from each other, so that a domain meets all kinds. */
#include "backend.h"

#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "backend_part.h"

struct model_backend {
	struct smmu_model *model;
	struct smmu_ram ram;
	uint64_t (*now_ns)(void *ctx);
	void *now_ctx;
	bool real_clock;
	unsigned smmus;
	const struct smmu_heap *heap;
	struct backend_tags tags;
	bool (*still_mapped)(void *ctx, unsigned smmu, uint32_t stream, bool has_ssid,
			     uint32_t ssid, uint64_t base, uint64_t size);
	void *mapped_ctx;
	void (*retried)(void *ctx, const struct smmu_dma_result *r);
	void *retried_ctx;
	struct timeline *timeline;
	uint32_t irq[SMMU_MODEL_MAX_INSTANCES]; /* interrupts since the last look */
	uint32_t accesses;
	bool exact;
};

/* A device with ATS asks its ATC, but not always: so many accesses are one that it sends as it is. */
#define UNTRANSLATED_EVERY 8u

/* The access under way in this thread, for the hook that the model calls in the middle of it. */
struct transfer {
	const struct backend_dma *dma;
	struct backend_answer *answer;
};

static __thread struct transfer current;

/** Left by writes that had stalled, beside the number of their stream. */
#define RETRIED_STAMP 0x100000000ull

/*
 * Data move while the model's lock is held, that is before any CMD_SYNC could complete: an access that was let
 * through reaches memory before the unmap that forbids the next one returns.
 */
static void on_access(void *ctx, const struct smmu_dma_result *r)
{
	struct model_backend *b = ctx;
	uint64_t page = (r->pa - b->tags.base) >> 12, *word;

	if (r->retried && b->retried)
		b->retried(b->retried_ctx, r);
	if (!r->ok || (!r->retried && (!current.dma || !current.dma->transfer)))
		return;
	if (page < b->tags.pages)
		word = b->tags.word[page];
	else
		word = smmu_ram_at(&b->ram, r->pa & ~4095ull, 16);
	if (!word)
		return;
	if (r->retried) {
		if (r->dma.write)
			__atomic_store_n(word + 1, RETRIED_STAMP | r->dma.stream, __ATOMIC_RELAXED);
		return;
	}
	current.answer->has_data = true;
	current.answer->data = __atomic_load_n(word, __ATOMIC_RELAXED);
	if (current.dma->write)
		__atomic_store_n(word + 1, current.dma->stamp, __ATOMIC_RELAXED);
}

static void on_command(void *ctx, unsigned instance, const uint64_t cmd[2], uint64_t from_ns,
		       uint64_t to_ns, uint64_t until_ns)
{
	struct model_backend *b = ctx;

	timeline_command(b->timeline, instance, cmd, from_ns, to_ns, until_ns);
}

static uint64_t model_now(void *ctx)
{
	struct model_backend *b = ctx;

	return b->now_ns(b->now_ctx);
}

static void on_irq(void *ctx, unsigned instance, enum smmu_model_irq irq)
{
	struct model_backend *b = ctx;

	__atomic_store_n(&b->irq[instance], 1, __ATOMIC_RELEASE);
}

static bool model_interrupted(void *ctx, unsigned smmu)
{
	struct model_backend *b = ctx;

	return __atomic_load_n(&b->irq[smmu], __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&b->irq[smmu], 0, __ATOMIC_ACQUIRE);
}

static bool on_still_mapped(void *ctx, unsigned instance, const struct smmu_model_tag *tag,
			    uint64_t base, uint64_t size)
{
	struct model_backend *b = ctx;

	return b->still_mapped(b->mapped_ctx, instance, tag->stream, tag->ssid_valid, tag->ssid,
			       base, size);
}

static bool model_any_interrupt(void *ctx)
{
	const struct model_backend *b = ctx;
	unsigned i;

	for (i = 0; i < b->smmus && !__atomic_load_n(&b->irq[i], __ATOMIC_RELAXED); i++)
		;
	return i < b->smmus;
}

/* Memory that the SMMU uses is the heap's; what lies outside is no driver's to free. */
static bool on_live(void *ctx, uint64_t bus, size_t len)
{
	struct model_backend *b = ctx;
	uint64_t first = b->heap->ram->base + (b->heap->first << SMMU_RAM_PAGE_SHIFT);
	uint64_t size = b->heap->pages << SMMU_RAM_PAGE_SHIFT;

	if (bus - first >= size)
		return true;
	/* No block begins or ends inside a line of 64 bytes. */
	return smmu_heap_is_live((struct smmu_heap *)b->heap, bus) &&
	       ((bus ^ (bus + len - 1)) < 64 ||
		smmu_heap_is_live((struct smmu_heap *)b->heap, bus + len - 1));
}

static const struct smmu_bus *model_bus(void *ctx, unsigned smmu)
{
	struct model_backend *b = ctx;

	return smmu_model_bus(b->model, smmu);
}

static struct smmu_model_device *device(struct model_backend *b, unsigned smmu, uint32_t stream)
{
	return smmu_model_device(b->model, smmu, stream, true);
}

static int model_add_device(void *ctx, unsigned smmu, uint32_t stream, bool ats)
{
	struct model_backend *b = ctx;

	return smmu_model_device(b->model, smmu, stream, ats) ? 0 : -1;
}

static void model_set_ats(void *ctx, unsigned smmu, uint32_t stream, bool on, unsigned stu)
{
	struct smmu_model_device *dev = device(ctx, smmu, stream);

	if (on)
		smmu_model_device_stu(dev, stu);
	smmu_model_ats_enable(dev, on);
}

static void model_reset_device(void *ctx, unsigned smmu, uint32_t stream)
{
	smmu_model_device_reset(device(ctx, smmu, stream));
}

static void model_pull_device(void *ctx, unsigned smmu, uint32_t stream)
{
	smmu_model_device_kill(device(ctx, smmu, stream));
}

static bool model_silent(void *ctx, unsigned smmu, uint32_t stream)
{
	const struct model_backend *b = ctx;

	return smmu_model_silent(b->model, smmu, stream);
}

static void model_dma(void *ctx, const struct backend_dma *dma, struct backend_answer *answer)
{
	struct model_backend *b = ctx;
	struct smmu_dma d = {
		.instance = dma->smmu,
		.stream = dma->stream,
		.ssid_valid = dma->has_ssid,
		.ssid = dma->ssid,
		.iova = dma->iova,
		.write = dma->write,
		.privileged = dma->privileged,
		.fetch = dma->fetch,
		.kind = dma->kind,
		.brief = true,
	};

	if (!b->exact &&
	    __atomic_fetch_add(&b->accesses, 1, __ATOMIC_RELAXED) % UNTRANSLATED_EVERY ==
		    UNTRANSLATED_EVERY - 1 &&
	    dma->kind != SMMU_DMA_TRANSLATED)
		d.kind = SMMU_DMA_UNTRANSLATED;
	answer->has_data = false;
	current = (struct transfer){dma, answer};
	answer->model = smmu_model_dma(b->model, &d);
	current.dma = NULL;
	answer->landed = answer->model.ok;
	answer->pa = answer->model.pa;
}

static void model_explain(void *ctx, struct backend_answer *answer, struct backend_evidence *e)
{
	struct smmu_dma_result *r = &answer->model;
	struct model_backend *b = ctx;

	smmu_model_account(b->model, r);
	e->held_by = smmu_model_held_name(r->held_by);
	e->missing = smmu_model_missing(r);
	e->refilled = r->refilled;
	e->entry_in =
		r->atc_hit || r->tlb_hit || r->walk_hit ? smmu_model_held_name(r->tag.where) : NULL;
	e->base = r->entry_base;
	e->size = r->entry_size;
	e->born_ns = r->entry_born_ns;
	e->atc = r->tag.where == SMMU_HELD_ATC;
	e->stage = r->tag.stage;
	e->asid = r->tag.asid;
	e->vmid = r->tag.vmid;
	smmu_model_explain(r, e->text, sizeof(e->text));
}

static void model_counters(void *ctx, unsigned smmu, struct report *r)
{
	struct model_backend *b = ctx;
	struct smmu_model_counters c;

	smmu_model_counters(b->model, smmu, &c);
	r->commands.tlbi += c.tlbi;
	r->commands.atc_inv += c.atc_inv;
	r->commands.cfgi += c.cfgi;
	r->commands.sync += c.sync;
	r->commands.other += c.other;
	r->over += c.over;
}

static void model_reset(void *ctx, unsigned smmu)
{
	struct model_backend *b = ctx;

	smmu_model_reset(b->model, smmu);
}

/* The model's own fault that @fault asks for; SMMU_FAULT_COUNT: it is none of the model's. */
static enum smmu_model_fault model_fault(enum fault_id fault)
{
	switch (fault) {
	case FAULT_ATC_TIMEOUT:
		return SMMU_FAULT_ATC_TIMEOUT;
	case FAULT_CMD_ABORT:
		return SMMU_FAULT_CMD_ABORT;
	case FAULT_SLOW_SYNC:
		return SMMU_FAULT_SLOW_SYNC;
	case FAULT_EVENT_OVERFLOW:
		return SMMU_FAULT_EVENT_OVERFLOW;
	case FAULT_ATC_SLOW:
		return SMMU_FAULT_ATC_SLOW;
	case FAULT_PAUSE:
		return SMMU_FAULT_PAUSE;
	case FAULT_QUEUE_DEAD:
		return SMMU_FAULT_QUEUE_DEAD;
	default:
		return SMMU_FAULT_COUNT;
	}
}

static void model_inject(void *ctx, enum fault_id fault, unsigned every)
{
	struct model_backend *b = ctx;

	if (model_fault(fault) != SMMU_FAULT_COUNT)
		smmu_model_inject(b->model, model_fault(fault), every);
}

static uint64_t model_struck(void *ctx, enum fault_id fault)
{
	struct model_backend *b = ctx;
	struct smmu_model_counters c;
	uint64_t n = 0;
	unsigned i;

	for (i = 0; model_fault(fault) != SMMU_FAULT_COUNT && i < b->smmus; i++) {
		smmu_model_counters(b->model, i, &c);
		n += c.injected[model_fault(fault)];
	}
	return n;
}

static uint64_t model_misuse(void *ctx, unsigned smmu, const char **text)
{
	struct model_backend *b = ctx;

	*text = smmu_model_misuse(b->model, smmu, 0);
	return smmu_model_misuse_count(b->model, smmu);
}

static void model_stir_all(void *ctx)
{
	struct model_backend *b = ctx;
	unsigned i, n;

	for (i = 0; i < b->smmus; i++)
		for (n = 0; n < 8; n++)
			smmu_model_speculate(b->model, i);
}

static void model_describe(void *ctx, unsigned smmu, char *text, size_t size)
{
	struct model_backend *b = ctx;

	smmu_model_describe(b->model, smmu, text, size);
}

static uint64_t model_events(void *ctx, unsigned smmu)
{
	struct model_backend *b = ctx;
	struct smmu_model_counters c;

	smmu_model_counters(b->model, smmu, &c);
	return c.events;
}

static bool model_page_request(void *ctx, const struct backend_page *ask)
{
	struct smmu_model_device *dev = device(ctx, ask->smmu, ask->stream);

	return (ask->last ? smmu_model_page_request : smmu_model_page_request_part)(
		dev, ask->has_ssid, ask->ssid, ask->iova, ask->write, ask->group);
}

static int model_page_response(void *ctx, unsigned smmu, uint32_t stream, uint16_t group)
{
	return smmu_model_page_response(device(ctx, smmu, stream), group);
}

static void model_page_reset(void *ctx, unsigned smmu, uint32_t stream)
{
	smmu_model_page_reset(device(ctx, smmu, stream));
}

static unsigned model_unanswered(void *ctx, unsigned smmu)
{
	struct model_backend *b = ctx;

	return smmu_model_unanswered(b->model, smmu);
}

static uint64_t model_stray_answers(void *ctx, unsigned smmu)
{
	struct model_backend *b = ctx;
	struct smmu_model_counters c;

	smmu_model_counters(b->model, smmu, &c);
	return c.stray_answers;
}

static int model_start(void *ctx)
{
	struct model_backend *b = ctx;

	return b->real_clock ? smmu_model_start(b->model) : 0;
}

static void model_stop(void *ctx)
{
	struct model_backend *b = ctx;

	if (b->real_clock)
		smmu_model_stop(b->model);
}

static void model_close(void *ctx)
{
	struct model_backend *b = ctx;

	smmu_model_destroy(b->model);
	free(b);
}

static const struct backend_ops model_ops = {
	.bus = model_bus,
	.add_device = model_add_device,
	.set_ats = model_set_ats,
	.reset_device = model_reset_device,
	.pull_device = model_pull_device,
	.silent = model_silent,
	.dma = model_dma,
	.explain = model_explain,
	.counters = model_counters,
	.reset = model_reset,
	.inject = model_inject,
	.struck = model_struck,
	.misuse = model_misuse,
	.stir = model_stir_all,
	.describe = model_describe,
	.events = model_events,
	.page_request = model_page_request,
	.page_response = model_page_response,
	.page_reset = model_page_reset,
	.unanswered = model_unanswered,
	.stray_answers = model_stray_answers,
	.interrupted = model_interrupted,
	.any_interrupt = model_any_interrupt,
	.start = model_start,
	.stop = model_stop,
	.close = model_close,
};

int backend_model_open(struct backend *out, const struct backend_model_config *cfg)
{
	struct smmu_model_config *configs = calloc(cfg->smmus, sizeof(*configs));
	struct model_backend *b = calloc(1, sizeof(*b));
	struct smmu_model_hooks hooks = {
		.ctx = b, .access = on_access, .irq = on_irq, .live = on_live};
	unsigned i;

	if (!configs || !b)
		goto fail;
	for (i = 0; i < cfg->smmus; i++)
		backend_model_part(&configs[i], cfg, i);
	b->ram = *cfg->ram;
	b->heap = cfg->heap;
	b->tags = cfg->tags;
	b->still_mapped = cfg->still_mapped;
	b->mapped_ctx = cfg->mapped_ctx;
	b->retried = cfg->retried;
	b->retried_ctx = cfg->retried_ctx;
	b->real_clock = cfg->real_clock;
	b->exact = cfg->exact || cfg->calm;
	b->smmus = cfg->smmus;
	b->now_ns = cfg->now_ns;
	b->now_ctx = cfg->now_ctx;
	if (cfg->still_mapped)
		hooks.still_mapped = on_still_mapped;
	if (!cfg->real_clock)
		hooks.now_ns = model_now;
	b->timeline = cfg->timeline;
	if (cfg->timeline)
		hooks.command = on_command;
	b->model = smmu_model_create(cfg->real_clock ? SMMU_MODEL_REAL : SMMU_MODEL_VIRTUAL,
				     configs, cfg->smmus, &b->ram, &hooks, cfg->seed);
	if (!b->model)
		goto fail;
	for (i = 0; cfg->seen && i < cfg->smmus; i++)
		smmu_model_set_ram(b->model, i, cfg->seen);
	free(configs);
	*out = (struct backend){&model_ops, b};
	return 0;
fail:
	free(configs);
	free(b);
	return -1;
}

struct smmu_model *backend_model_actor(struct backend *b)
{
	return ((struct model_backend *)b->ctx)->model;
}
