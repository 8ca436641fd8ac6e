/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting a system up and taking it down. */
#include "machine.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "machine_qemu.h"

#define RAM_HEAP (512ull << 20)
/* QEMU has less, and few devices. */
#define RAM_HEAP_QEMU (128ull << 20)
#define DATA_ALIGN (2ull << 20)
#define CANARY_BYTES 4096u

static int fail(const struct machine *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(const struct machine *m, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "smmuv3 %s: ", m->o->command_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return 2;
}

/* ---- topology: which devices there are ---- */

static int load_topology(struct machine *m)
{
	const struct options *o = m->o;
	char err[4096 + SMMU_TOPOLOGY_ERR];
	int rc;

	if (o->iort || o->dtb) {
		rc = smmu_topology_from_file(o->iort ? o->iort : o->dtb,
					     o->iort ? SMMU_TOPOLOGY_IORT : SMMU_TOPOLOGY_DTB,
					     &m->topology, err, sizeof(err));
		if (rc)
			return fail(m, "%s", err);
		if (!m->topology.n_smmus || m->topology.n_smmus > 64)
			return fail(m, "%s: describes %zu SMMUv3 instances, expected 1 to 64",
				    o->iort ? o->iort : o->dtb, m->topology.n_smmus);
	} else if (smmu_topology_synthetic(o->smmus, o->devices * MACHINE_STREAMS, &m->topology)) {
		return fail(m, "out of memory");
	}
	m->smmus = (unsigned)m->topology.n_smmus;
	return 0;
}

/* Devices of an instance: as many as wanted, or as many as have a stream of their own. */
static unsigned devices_of(const struct machine *m, unsigned smmu)
{
	uint64_t n = m->topology.smmus[smmu].n_streams;

	return n < m->o->devices ? (unsigned)n : m->o->devices;
}

static void place_device(struct machine *m, unsigned smmu, unsigned n, unsigned per)
{
	struct machine_device *d = &m->device[m->devices];

	*d = (struct machine_device){.m = m, .smmu = smmu, .index = m->devices++};
	smmu_topology_pick_device(&m->topology, smmu, n, &d->stream[d->n_streams++]);
	/* Some devices have a second stream, where the topology has one left. */
	if (n % 4 == 2 && !smmu_topology_pick_device(&m->topology, smmu, per + n, &d->stream[1]))
		d->n_streams++;
	d->ats = n < m->o->ats;
	m->ats += d->ats;
	/* Of those with ATS and of those without, some have substreams. */
	if (n % 2 == 1 && !m->qemu)
		d->ssid_bits = 2;
}

static int place_devices(struct machine *m)
{
	unsigned i, n, total = 0;

	for (i = 0; i < m->smmus; i++)
		total += devices_of(m, i);
	if (!total)
		return fail(m, "the topology has no stream that reaches an SMMU");
	m->device = calloc(total, sizeof(*m->device));
	m->smmu = calloc(m->smmus, sizeof(*m->smmu));
	if (!m->device || !m->smmu)
		return fail(m, "out of memory");
	for (i = 0; i < m->smmus; i++) {
		for (n = 0; n < devices_of(m, i); n++)
			place_device(m, i, n, devices_of(m, i));
	}
	return 0;
}

static unsigned stream_bits(const struct machine *m)
{
	unsigned i, k, bits = 8;

	for (i = 0; i < m->devices; i++) {
		for (k = 0; k < m->device[i].n_streams; k++) {
			while (bits < 32 && m->device[i].stream[k] >> bits)
				bits++;
		}
	}
	return bits;
}

/* ---- memory and clock ---- */

/*
 * A page of descriptors that lead to the page itself at every level, and the heap's poison is one of them: a walk
 * that is still in a freed table ends here, where nothing is mapped, and not in a fault that looks right.
 */
static void make_canary(struct machine *m)
{
	/* A page or table descriptor: valid, AF, inner shareable, read-write at both stages. */
	uint64_t descriptor = m->canary | 0x3 | 0x3 << 6 | 0x3 << 8 | 1 << 10;
	uint64_t *word = smmu_ram_at(&m->ram, m->canary, CANARY_BYTES);
	unsigned i;

	/* AP[2:1] of stage 1 would be read-only with both bits set; stage 2 reads the field as S2AP. */
	descriptor &= ~(1ull << 7);
	for (i = 0; i < CANARY_BYTES / 8; i++)
		word[i] = descriptor;
	m->heap.poison = descriptor;
}

static void on_heap_error(void *ctx, const char *text)
{
	machine_complain(ctx, 0, 0, "an allocation that matches", "%s", text);
}

/*
 * The fault "no-barrier": what an attach publishes lingers in the store buffer, and with it all that has to come after
 * it, whatever barrier the attach meets. (Else the grace period for which it waits would be one, and the fault would
 * hardly show.) Other calls drain as always: a removal relies on its grace period for more than the order of stores.
 */
static struct machine *unfenced;
static void (*fenced_drain)(void);

static void drain_outside_attach(void)
{
	int fiber = sim_self(unfenced->sim);

	if (fiber < 0 || !unfenced->attaching[fiber])
		fenced_drain();
}

static void leave_barriers_out(struct machine *m)
{
	sim_set_store_buffer(m->sim, SIM_STORES_NO_BARRIER, 200000, 20000);
	unfenced = m;
	fenced_drain = smmu_posix_hooks.drain;
	smmu_posix_hooks.drain = drain_outside_attach;
	m->no_barrier = true;
}

static void make_work_free(struct sim *sim)
{
	unsigned kind;

	sim_set_switching(sim, 0, 1, 0);
	for (kind = 0; kind < SMMU_POSIX_POINT_KINDS; kind++)
		sim_set_cost(sim, (enum smmu_posix_point_kind)kind, 0);
}

static int make_memory(struct machine *m, const struct machine_config *cfg)
{
	const uint64_t low = DATA_ALIGN; /* the canary, with room around it */
	uint64_t heap = m->ram.va ? RAM_HEAP_QEMU : RAM_HEAP;

	m->data_bytes = cfg->data_bytes;
	if (!m->ram.va &&
	    smmu_ram_create(&m->ram, SMMU_RAM_DEFAULT_BASE, low + heap + m->data_bytes))
		return fail(m, "out of memory");
	m->canary = m->ram.base;
	m->data = m->ram.base + low + heap;
	if (smmu_heap_init(&m->heap, &m->ram, low, heap))
		return fail(m, "out of memory");
	m->heap.error = on_heap_error;
	m->heap.error_ctx = m;
	m->early_free = options_fault(m->o, FAULT_EARLY_FREE, NULL);
	make_canary(m);
	m->posix = (struct smmu_posix){.heap = &m->heap, .stderr_level = cfg->quiet ? -1 : 0};
	if (m->o->n_inject)
		m->posix.stderr_level = -1;
	if (m->o->real_clock) {
		/* The thread sanitizer cannot see into liburcu; the library's own epoch it can follow. */
#ifndef SMMU_EPOCH_UNDER_TSAN
		m->posix.rcu.kind = SMMU_POSIX_RCU_LIBURCU;
#endif
	} else {
		m->sim = sim_create(m->o->seed);
		if (!m->sim)
			return fail(m, "out of memory");
		m->posix.clock = sim_clock;
		m->posix.clock_ctx = m->sim;
		if (cfg->exact)
			make_work_free(m->sim);
	}
	smmu_posix_port_init(&m->port, &m->posix);
	if (options_fault(m->o, FAULT_NO_BARRIER, NULL))
		leave_barriers_out(m);
	return 0;
}

/* ---- SMMUs ---- */

static void on_stray(void *ctx, unsigned from, const struct smmu_cmd *cmd)
{
	struct machine *m = ctx;

	smmu_spin_lock(&m->lock);
	if (m->strays < MACHINE_STRAYS)
		m->stray[m->strays++] = (struct machine_stray){from, *cmd};
	smmu_spin_unlock(&m->lock);
}

static int open_backend(struct machine *m, const struct machine_config *cfg)
{
	bool *coherent = calloc(m->smmus, sizeof(*coherent));
	struct backend_model_config c = {
		.smmus = m->smmus,
		.exact = cfg->exact,
		.calm = cfg->calm,
		.coherent = coherent,
		.sid_bits = stream_bits(m),
		.ssid_bits = 4,
		.real_clock = m->o->real_clock,
		.seed = m->o->seed,
		.ram = &m->ram,
		.now_ns = sim_clock,
		.now_ctx = m->sim,
	};
	unsigned i, k;

	if (!coherent)
		return fail(m, "out of memory");
	for (i = 0; i < m->smmus; i++)
		coherent[i] = m->topology.smmus[i].coherent;
	i = backend_model_open(&m->backend, &c) != 0;
	free(coherent);
	if (i)
		return fail(m, "out of memory");
	if (m->sim)
		sim_add_actor(m->sim, smmu_model_next_event, smmu_model_advance,
			      backend_model_actor(&m->backend));
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; k < d->n_streams; k++) {
			if (m->backend.ops->add_device(m->backend.ctx, d->smmu, d->stream[k],
						       d->ats))
				return fail(m, "out of memory");
		}
	}
	if (m->backend.ops->start(m->backend.ctx))
		return fail(m, "no threads for the SMMUs");
	return 0;
}

static const enum fault_id tamper_fault[SMMU_TAMPER_FAULTS] = {
	[SMMU_TAMPER_DROP_TLBI] = FAULT_DROP_TLBI,
	[SMMU_TAMPER_DROP_ATC] = FAULT_DROP_ATC,
	[SMMU_TAMPER_DROP_CFGI] = FAULT_DROP_CFGI,
	[SMMU_TAMPER_DROP_SYNC] = FAULT_DROP_SYNC,
	[SMMU_TAMPER_WRONG_ID] = FAULT_WRONG_ID,
	[SMMU_TAMPER_WRONG_INSTANCE] = FAULT_WRONG_INSTANCE,
	[SMMU_TAMPER_ATC_FIRST] = FAULT_ATC_FIRST,
	[SMMU_TAMPER_CMD_ERROR] = FAULT_CMD_ERROR,
};

/* Faults start when the machine stands: what breaks during set-up would show nothing but a failing set-up. */
static void start_faults(struct machine *m)
{
	unsigned i, f;

	for (i = 0; i < m->smmus; i++) {
		struct smmu_tamper *t = &m->smmu[i].tamper;

		for (f = 0; f < SMMU_TAMPER_FAULTS; f++)
			options_fault(m->o, tamper_fault[f], &t->every[f]);
	}
	for (i = 0; i < m->o->n_inject; i++) {
		const struct fault_request *r = &m->o->inject[i];

		if (m->backend.ops->inject)
			m->backend.ops->inject(m->backend.ctx, r->id, r->every);
		if (r->id == FAULT_ALLOC_FAIL)
			smmu_heap_fail(&m->heap, 0, r->every);
	}
}

static void stop_faults(struct machine *m)
{
	unsigned i, f;

	for (i = 0; i < m->smmus; i++) {
		for (f = 0; f < SMMU_TAMPER_FAULTS; f++)
			m->smmu[i].tamper.every[f] = 0;
	}
	for (f = 0; f < FAULT_KINDS; f++) {
		if (m->backend.ops->inject)
			m->backend.ops->inject(m->backend.ctx, (enum fault_id)f, 0);
	}
	smmu_heap_fail(&m->heap, 0, 0);
}

static int enable_smmu(struct machine *m, unsigned i)
{
	struct machine_smmu *s = &m->smmu[i];
	int rc = smmu_instance_probe(&s->inst, &s->cfg);

	return rc ? rc : smmu_instance_enable(&s->inst);
}

static int open_smmu(struct machine *m, unsigned i, const struct machine_config *cfg)
{
	struct machine_smmu *s = &m->smmu[i];
	int rc;

	smmu_tamper_init(&s->tamper, m->backend.ops->bus(m->backend.ctx, i), &m->ram, i);
	s->tamper.misdirect = on_stray;
	s->tamper.misdirect_ctx = m;
	if (cmdlog_init(&s->log, &s->tamper.bus, &m->ram, &m->port))
		return fail(m, "out of memory");
	snprintf(s->name, sizeof(s->name), "smmu%u", i);
	s->cfg = (struct smmu_instance_config){
		.port = &m->port,
		.mmio = {.bus = &s->log.bus},
		.index = i,
		.name = s->name,
		.coherent_override = m->topology.smmus[i].coherent,
	};
	if (m->qemu)
		s->cfg.evtq_log2 = BACKEND_QEMU_EVTQ_LOG2;
	/* Small queues on some, so that they fill up and wrap; and the quirks, one by one. */
	if (!cfg->exact) {
		s->cfg.cmdq_log2 = i % 3 == 1 ? 5 : 10;
		if (i % 8 == 5)
			s->cfg.quirks = SMMU_QUIRK_SPLIT_ATC;
		if (i % 8 == 6)
			s->cfg.quirks = SMMU_QUIRK_TWICE;
		if (i % 8 == 7)
			s->cfg.atc_max = 2;
	}
	rc = enable_smmu(m, i);
	if (rc)
		return fail(m, "smmu %u does not come up: error %d", i, rc);
	return 0;
}

/* ---- devices and domains ---- */

static int on_set_ats(void *ctx, bool on)
{
	struct machine_device *d = ctx;
	unsigned k;

	for (k = 0; d->m->backend.ops->set_ats && k < d->n_streams; k++)
		d->m->backend.ops->set_ats(d->m->backend.ctx, d->smmu, d->stream[k], on);
	return 0;
}

static const struct smmu_device_ops device_ops = {.set_ats = on_set_ats};

int machine_add_device(struct machine_device *d)
{
	struct smmu_device_config cfg = {
		.instance = &d->m->smmu[d->smmu].inst,
		.streams = d->stream,
		.nr_streams = d->n_streams,
		.ssid_bits = d->ssid_bits,
		.ats = d->ats,
		.ops = &device_ops,
		.ctx = d,
	};
	int rc = smmu_device_init(&d->dev, &cfg);

	smmu_store_release(&d->present, !rc);
	return rc;
}

static int open_domains(struct machine *m, const struct machine_config *cfg)
{
	static const uint8_t granules[] = {12, 12, 16, 14};
	struct smmu_domain_config identity = {.port = &m->port, .kind = SMMU_DOMAIN_IDENTITY};
	bool coherent = true;
	unsigned i;

	m->domain = calloc(cfg->domains, sizeof(*m->domain));
	if (!m->domain)
		return fail(m, "out of memory");
	for (i = 0; i < m->smmus; i++)
		coherent = coherent && m->topology.smmus[i].coherent;
	for (i = 0; i < cfg->domains; i++) {
		struct machine_domain *d = &m->domain[i];
		struct smmu_domain_config c = {.port = &m->port, .non_coherent = !coherent};

		d->index = i;
		d->stage = m->o->stage[i % m->o->n_stages];
		d->granule_shift = cfg->one_granule ? 12 : granules[i % 4];
		c.kind = d->stage == 1 ? SMMU_DOMAIN_STAGE1 : SMMU_DOMAIN_STAGE2;
		c.granule_shift = d->granule_shift;
		if (m->qemu) {
			c.oas = 44;
			c.ias = d->stage == 1 ? 48 : 44;
		}
		if (smmu_domain_init(&d->d, &c))
			return fail(m, "domain %u cannot be made", i);
		m->domains++;
	}
	if (smmu_domain_init(&m->identity, &identity))
		return fail(m, "the identity domain cannot be made");
	return 0;
}

int machine_attach_all(struct machine *m)
{
	unsigned i;

	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];
		unsigned tries = 0;
		int rc;

		do
			rc = machine_attach(d, (d->index + d->smmu) % m->domains);
		while (machine_try_again(m, rc, &tries));

		if (rc) {
			fail(m, "device %u cannot be attached: error %d", i, rc);
			return rc;
		}
	}
	return 0;
}

static int set_up(struct machine *m, const struct machine_config *cfg)
{
	unsigned i;
	int rc;

	m->qemu = !strcmp(m->o->device, "qemu");
	if (m->qemu ? machine_qemu_open(m, DATA_ALIGN + RAM_HEAP_QEMU, cfg->data_bytes)
		    : load_topology(m))
		return 2;
	if (place_devices(m) || make_memory(m, cfg) || (!m->qemu && open_backend(m, cfg)))
		return 2;
	m->heap_base = smmu_heap_live(&m->heap);
	for (i = 0; i < m->smmus; i++) {
		if (open_smmu(m, i, cfg))
			return 2;
	}
	if (open_domains(m, cfg))
		return 2;
	m->oracle = oracle_create(m->domains, m->devices * MACHINE_SSIDS);
	if (!m->oracle)
		return fail(m, "out of memory");
	for (i = 0; i < m->devices; i++) {
		rc = machine_add_device(&m->device[i]);
		if (rc)
			return fail(m,
				    "device %u (stream 0x%x of smmu %u) cannot be added: error %d",
				    i, m->device[i].stream[0], m->device[i].smmu, rc);
	}
	start_faults(m);
	return 0;
}

static void tear_down(struct machine *m)
{
	unsigned i;

	if (m->backend.ops) {
		if (m->backend.ops->stop)
			m->backend.ops->stop(m->backend.ctx);
		m->backend.ops->close(m->backend.ctx);
	}
	for (i = 0; m->smmu && i < m->smmus; i++)
		cmdlog_fini(&m->smmu[i].log);
	sim_destroy(m->sim);
	oracle_destroy(m->oracle);
	if (m->heap.page)
		smmu_heap_fini(&m->heap);
	if (!m->qemu)
		smmu_ram_destroy(&m->ram);
	smmu_topology_free(&m->topology);
	free(m->domain);
	free(m->device);
	free(m->smmu);
}

int machine_open(struct machine *m, const struct options *o, const struct machine_config *cfg)
{
	*m = (struct machine){.o = o, .design = design_get(o->design)};
	smmu_spin_init(&m->lock);
	if (!set_up(m, cfg))
		return 0;
	machine_gone(m);
	tear_down(m);
	return 2;
}

void machine_close(struct machine *m, struct report *r)
{
	const char *text;
	unsigned i, k;

	for (i = 0; i < m->smmus; i++) {
		r->survived += smmu_tamper_count(&m->smmu[i].tamper, SMMU_TAMPER_CMD_ERROR);
		if (m->backend.ops->counters)
			m->backend.ops->counters(m->backend.ctx, i, r);
		else
			cmdlog_count(&m->smmu[i].log, &r->commands);
	}
	r->survived += m->heap.fail.failed;
	stop_faults(m);
	for (i = 0; i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		for (k = 0; k < MACHINE_SSIDS; k++)
			oracle_attach_begin(m->oracle, machine_slot(d, k), ORACLE_BLOCKED, false);
		if (d->present)
			smmu_device_fini(&d->dev);
	}
	for (i = 0; i < m->smmus; i++) {
		smmu_instance_remove(&m->smmu[i].inst);
		if (m->backend.ops->misuse && m->backend.ops->misuse(m->backend.ctx, i, &text) &&
		    !m->o->n_inject)
			machine_complain(m, i, 0, "protocol",
					 "the driver broke the protocol of the "
					 "registers or queues of smmu %u: %s",
					 i, text ? text : "");
	}
	for (i = 0; i < m->domains; i++) {
		if (smmu_domain_fini(&m->domain[i].d))
			machine_complain(m, 0, 0, "detach",
					 "domain %u still counts devices after all "
					 "were detached",
					 i);
	}
	smmu_domain_fini(&m->identity);
	smmu_posix_rcu_drain(&m->posix.rcu);
	if (smmu_heap_live(&m->heap) != m->heap_base && !m->violations)
		machine_complain(m, 0, 0, "free", "%llu blocks of memory were never given back",
				 (unsigned long long)(smmu_heap_live(&m->heap) - m->heap_base));
	r->design = m->o->design;
	r->smmus = m->smmus;
	r->devices = m->devices;
	r->ats = m->ats;
	r->quarantined = m->quarantined;
	r->violations = m->violations;
	memcpy(r->violation, m->violation, sizeof(r->violation));
	tear_down(m);
}
