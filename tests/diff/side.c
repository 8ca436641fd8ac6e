/* SPDX-License-Identifier: BSD-2-Clause */
/* The two sides: bringing them up and down, memory, commands, and accesses with their comparison. */
#include "diff.h"

#include <stdarg.h>
#include <string.h>

#include <smmuv3/hw/print.h>

#include "compare.h"

#define MARK 0x12345678u /* what a testdev writes */

void say(struct world *w, const char *format, ...)
{
	va_list args;

	if (!w->trace)
		return;
	fprintf(w->trace, "%4u  ", w->step);
	va_start(args, format);
	vfprintf(w->trace, format, args);
	va_end(args);
	fputc('\n', w->trace);
}

void differ(struct world *w, const char *format, ...)
{
	va_list args;

	if (w->differs)
		return;
	w->differs = true;
	va_start(args, format);
	vsnprintf(w->why, sizeof(w->why), format, args);
	va_end(args);
	say(w, "DIFFERENT: %s", w->why);
}

bool same(struct world *w, const char *call, int model, int qemu)
{
	w->tally.calls++;
	if (model != qemu)
		differ(w, "%s: %d on the model, %d on QEMU", call, model, qemu);
	return model == 0;
}

uint64_t *word_at(struct world *w, unsigned s, uint64_t bus)
{
	return smmu_ram_at(w->side[s].ram, bus, 8);
}

void poke(struct world *w, uint64_t bus, uint64_t value)
{
	for (unsigned s = 0; s < SIDES; s++)
		__atomic_store_n(word_at(w, s, bus), value, __ATOMIC_RELEASE);
}

uint64_t peek(struct world *w, uint64_t bus)
{
	uint64_t a = *word_at(w, MODEL, bus), b = *word_at(w, QEMU, bus);

	if (a != b)
		differ(w, "memory at %#llx: %#llx on the model, %#llx on QEMU",
		       (unsigned long long)bus, (unsigned long long)a, (unsigned long long)b);
	return a;
}

/* --- up and down --- */

/** What QEMU's ID registers say. */
static void configure(struct smmu_model_config *c)
{
	smmu_model_config_default(c);
	c->ssid_bits = 0;
	c->two_level_cd = false;
	c->msi = c->ats = c->pri = false;
	c->oas = 44;
	c->cmdq_bits = c->eventq_bits = 19;
	c->term_model = true;
}

static bool side_up(struct world *w, unsigned s)
{
	struct side *side = &w->side[s];
	void *pool;

	memset(side, 0, sizeof(*side));
	side->ram = s == QEMU ? qemu_ram(w->qemu) : &w->model_ram;
	if (smmu_heap_init(&side->heap, side->ram, 0, 0))
		return false;
	side->posix.heap = &side->heap;
	side->posix.stderr_level = -1;
	sim_port_init(&side->port, &side->posix);
	pool = smmu_heap_dma_alloc(&side->heap, POOL_SIZE, POOL_SIZE, &w->pool);
	if (!pool)
		return false;
	for (unsigned i = 0; i < INSTANCES; i++) {
		struct smmu_instance_config c = {
			.port = &side->port,
			.mmio = {s == QEMU ? qemu_bus(w->qemu, i) : smmu_model_bus(w->model, i)},
			.index = i};

		if (smmu_instance_probe(&side->inst[i], &c) || smmu_instance_enable(&side->inst[i]))
			return false;
	}
	return true;
}

/**
 * Stage 2 of nested streams: all memory as it is, so that tables and CDs are found where they are, but for the pool,
 * some pages of which lead elsewhere, or nowhere, or may not be read or written.
 */
static int parent_up(struct world *w, unsigned s)
{
	static const uint32_t prots[] = {SMMU_PROT_READ | SMMU_PROT_WRITE, SMMU_PROT_READ,
					 SMMU_PROT_WRITE, 0};
	static const uint8_t granules[] = {12, 14, 16};
	struct side *side = &w->side[s];
	const struct smmu_ram *ram = side->ram;
	struct smmu_random rng = w->rng;
	struct smmu_domain_config c = {
		.port = &side->port, .kind = SMMU_DOMAIN_STAGE2, .ias = 40, .oas = 40};
	uint64_t end = w->pool + POOL_SIZE, page, at;
	int rc;

	c.granule_shift = granules[smmu_random_below(&rng, 3)];
	page = 1ull << c.granule_shift;
	w->parent_granule = c.granule_shift;
	rc = smmu_domain_init(&side->dom[PARENT], &c);
	if (!rc && w->pool > ram->base)
		rc = smmu_map(&side->dom[PARENT], ram->base, ram->base, w->pool - ram->base, 3, 0);
	if (!rc && ram->base + ram->size > end)
		rc = smmu_map(&side->dom[PARENT], end, end,
			      (ram->base + ram->size - end) & ~0xffffull, 3, 0);
	/* As much of the pool as accesses will hit. */
	for (at = 0; !rc && at < 64 * page; at += page) {
		uint64_t kind = smmu_random_below(&rng, 10);
		uint64_t to = w->pool + (kind & 1 ? at : smmu_random_below(&rng, 64) * page);

		if (kind < 9)
			rc = smmu_map(&side->dom[PARENT], w->pool + at, to, page,
				      prots[kind > 6 ? kind - 6 : 0], 0);
	}
	return rc;
}

bool world_up(struct world *w, uint64_t seed)
{
	struct smmu_model_config config[INSTANCES];
	unsigned count, n = 0;
	const struct qemu_device *hw = qemu_devices(w->qemu, &count);
	struct smmu_random rng;

	for (unsigned i = 0; i < INSTANCES; i++) {
		configure(&config[i]);
		w->up[i] = true;
	}
	w->model =
		smmu_model_create(SMMU_MODEL_VIRTUAL, config, INSTANCES, &w->model_ram, NULL, seed);
	if (!w->model || !side_up(w, MODEL) || !side_up(w, QEMU))
		return false;
	memset(w->taint, 0, sizeof(w->taint));
	memset(w->space, 0, sizeof(w->space));
	for (unsigned i = 0; i < count && n < DEVICES; i++)
		w->unit[n++] = (struct unit){.hw = &hw[i],
					     .smmu = hw[i].smmu,
					     .stream = hw[i].stream,
					     .edu = hw[i].kind == QEMU_EDU,
					     .dom = -1,
					     .nest = -1};
	smmu_random_seed(&rng, seed);
	w->rng = rng;
	w->differs = false;
	return n == DEVICES &&
	       same(w, "domain of nested streams", parent_up(w, MODEL), parent_up(w, QEMU));
}

void world_down(struct world *w)
{
	for (unsigned d = 0; d < DEVICES; d++)
		if (w->unit[d].nest >= 0)
			nest_off(w, d);
	for (unsigned s = 0; s < SIDES; s++) {
		struct side *side = &w->side[s];
		void *pool = smmu_ram_at(side->ram, w->pool, 1);
		int rc = 0;

		for (unsigned i = 0; i < INSTANCES; i++)
			smmu_instance_remove(&side->inst[i]);
		for (unsigned d = 0; d <= DOMAINS; d++)
			if (d == PARENT || w->space[d].live)
				rc |= smmu_domain_fini(&side->dom[d]);
		smmu_heap_dma_free(&side->heap, pool, POOL_SIZE);
		if (rc)
			differ(w, "side %u: a domain is still in use at the end", s);
		if (smmu_heap_fini(&side->heap))
			differ(w, "side %u: memory leaked", s);
	}
	for (unsigned i = 0; i < INSTANCES && !w->differs; i++)
		if (smmu_model_misuse_count(w->model, i))
			differ(w, "model: %s", smmu_model_misuse(w->model, i, 0));
	smmu_model_destroy(w->model);
	w->model = NULL;
	if (qemu_error(w->qemu))
		differ(w, "%s", qemu_error(w->qemu));
}

/* --- commands --- */

static uint32_t gerror_of(const struct smmu_instance *inst)
{
	return smmu_mmio_read32(&inst->mmio, SMMU_GERROR) ^
	       smmu_mmio_read32(&inst->mmio, SMMU_GERRORN);
}

void command(struct world *w, unsigned i, struct smmu_cmd c)
{
	struct smmu_text t;
	char text[200];
	int rc[SIDES];

	smmu_text_init(&t, text, sizeof(text));
	smmu_print_cmd(&t, &c);
	for (unsigned s = 0; s < SIDES; s++)
		rc[s] = smmu_cmdq_issue(&w->side[s].inst[i].cmdq, &c, 1, false);
	say(w, "smmu %u: %s = %d, %d", i, text, rc[MODEL], rc[QEMU]);
	w->tally.commands++;
	w->tally.cerrors += rc[MODEL] != 0;
	same(w, text, rc[MODEL], rc[QEMU]);
	if (gerror_of(&w->side[MODEL].inst[i]) != gerror_of(&w->side[QEMU].inst[i]))
		differ(w, "%s: GERROR is not the same after it", text);
}

/* --- accesses --- */

static void take_events(struct world *w, unsigned s, unsigned i, struct outcome *o)
{
	struct smmu_event ev;

	o->nevents = 0;
	while (w->up[i] && smmu_instance_event(&w->side[s].inst[i], &ev)) {
		if (o->nevents < EVENTS)
			o->event[o->nevents] = ev;
		o->nevents++;
	}
}

static bool in_pool(const struct world *w, uint64_t pa)
{
	return pa >= w->pool && pa < w->pool + POOL_SIZE;
}

/** May QEMU be let write there? The pool, and wide stretches of its machine where nothing is. */
static bool harmless(const struct world *w, uint64_t pa)
{
	return in_pool(w, pa) || (pa >> 32 && pa >> 38 != 1 && pa >> 38 != 2 && pa >> 38 != 3);
}

/** QEMU's half. It says that it landed, and the mark in one of @p where says at which. */
static void qemu_access(struct world *w, const struct unit *u, uint64_t iova, bool write,
			const uint64_t *where, unsigned n, bool model_ok, struct outcome *o)
{
	struct qemu_dma dma = {.iova = iova, .len = 4, .write = write, .bus = QEMU_BUS_UNKNOWN};
	int rc;

	for (unsigned k = 0; k < n; k++)
		*(volatile uint32_t *)smmu_ram_at(w->side[QEMU].ram, where[k], 4) = 0;
	rc = qemu_dma(w->qemu, u->hw, &dma);
	if (rc)
		differ(w, "QEMU: the access itself failed (%d): %s", rc,
		       qemu_error(w->qemu) ? qemu_error(w->qemu) : "alive");
	o->ok = dma.landed;
	o->pa = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned k = 0; k < n && o->ok && write && !u->edu; k++)
		if (*(volatile uint32_t *)smmu_ram_at(w->side[QEMU].ram, where[k], 4) == MARK)
			o->pa = where[k];
	take_events(w, QEMU, u->smmu, o);
	/* A refusal without a record cannot be seen from edu. */
	if (u->edu && !o->nevents && !model_ok)
		o->ok = false;
}

void access_both(struct world *w, unsigned dev, uint64_t iova, bool write)
{
	struct unit *u = &w->unit[dev];
	struct taint *t = taint_find(w, u->smmu, key_of(w, dev), iova);
	struct smmu_dma dma = {
		.instance = u->smmu, .stream = u->stream, .iova = iova, .write = write};
	struct smmu_dma_result res;
	struct outcome o[SIDES] = {0};
	uint64_t where[PASTS + 2];
	unsigned n = 0;

	if (beyond_first_table(w, dev, iova) || w->differs)
		return;
	if (u->edu && !w->up[u->smmu])
		return; /* edu tells by the event queue */
	if (!u->edu)
		dma.write = write = true;
	res = smmu_model_probe(w->model, &dma);
	if ((res.ok && !harmless(w, res.pa)) || (res.truth_ok && !harmless(w, res.truth_pa)))
		return;
	res = smmu_model_dma(w->model, &dma);
	o[MODEL].ok = res.ok;
	o[MODEL].pa = res.pa;
	take_events(w, MODEL, u->smmu, &o[MODEL]);
	if (res.ok && in_pool(w, res.pa))
		where[n++] = res.pa;
	if (res.truth_ok && in_pool(w, res.truth_pa))
		where[n++] = res.truth_pa;
	for (unsigned k = 0; t && k < t->npasts; k++)
		if (t->past[k].ok && in_pool(w, iova + t->past[k].delta))
			where[n++] = iova + t->past[k].delta;
	qemu_access(w, u, iova, write, where, n, res.ok, &o[QEMU]);
	/* Where nothing is QEMU's devices see an abort of the bus: that the SMMU let it through shows by the lack of events. */
	if (res.ok && !in_pool(w, res.pa) && !o[QEMU].nevents)
		o[QEMU].ok = true;
	w->tally.dmas++;
	w->tally.nested += u->nest >= 0;
	*(res.ok ? &w->tally.landed : &w->tally.refused) += 1;
	for (unsigned k = 0; k < o[MODEL].nevents && k < EVENTS; k++)
		w->tally.event[o[MODEL].event[k].type]++;
	judge(w, dev, t, &res, o, iova, write && !u->edu && (!res.ok || in_pool(w, res.pa)));
}

void access_open(struct world *w, unsigned dev, uint64_t iova, bool write)
{
	struct unit *u = &w->unit[dev];
	struct smmu_dma dma = {
		.instance = u->smmu, .stream = u->stream, .iova = iova, .write = write || !u->edu};
	struct outcome o;

	if (u->edu || smmu_ram_at(w->side[QEMU].ram, iova, 1))
		return;
	smmu_model_dma(w->model, &dma);
	take_events(w, MODEL, u->smmu, &o);
	qemu_access(w, u, iova, true, NULL, 0, true, &o);
	say(w, "smmu %u stream %#x accesses %#llx, whatever comes of it", u->smmu, u->stream,
	    (unsigned long long)iova);
}
