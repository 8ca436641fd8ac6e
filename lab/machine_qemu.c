/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine whose SMMUs are QEMU's: the topology is made from its devices, and its memory is the machine's. */
#include "machine_qemu.h"

#include <stdio.h>
#include <string.h>

#include "build.h"

/*
 * QEMU's TLB holds 256 entries and is emptied by the next one: were it ever full, what should be stale would be gone,
 * and a check passes for nothing.
 */
#define WORKING_SET 200u
/* A device of two streams takes its second from beyond the devices' first ones (see place_device). */
#define SECOND_STREAM 3u

static int build_topology(struct machine *m, unsigned smmus, unsigned streams)
{
	char err[SMMU_TOPOLOGY_ERR], name[32];
	const struct topology_build b = {.t = &m->topology, .err = err, .errlen = sizeof(err)};
	unsigned i, n;
	int rc = 0;

	for (i = 0; i < smmus && !rc; i++) {
		struct smmu_topology_smmu *smmu;
		struct smmu_topology_root *root;

		snprintf(name, sizeof(name), "qemu%u", i);
		/* Of the registers, as QEMU's machine has them; nothing maps them here. */
		smmu = topology_add_smmu(&b, name, 0x0c000000ull + i * 0x20000ull, &rc);
		if (!smmu)
			break;
		smmu->coherent = true;
		snprintf(name, sizeof(name), "pcie.%u", i);
		root = topology_add_root(&b, SMMU_TOPOLOGY_ROOT_COMPLEX, name, &rc);
		for (n = 0; root && n < streams && !rc; n++) {
			uint32_t stream = backend_qemu_stream(&m->backend, i, n);
			const struct smmu_topology_streams range = {
				.first = stream, .count = 1, .smmu = i, .stream = stream};

			rc = topology_add_streams(&b, root, &range);
		}
	}
	return rc ? rc : topology_finish(&b);
}

int machine_qemu_open(struct machine *m, uint64_t other_bytes, uint64_t data_bytes)
{
	const struct lab_config *o = m->o;
	struct backend_qemu_config cfg = {.smmus = o->smmus,
					  .streams = o->devices,
					  .ram_bytes = other_bytes + data_bytes,
					  .data_bytes = data_bytes};
	char err[2048];

	/* The queues of an NVMe controller have to stay mapped, and its stream attached. */
	cfg.nvme = m->want_nvme && o->devices >= 3;
	if (!cfg.nvme && o->devices >= SECOND_STREAM)
		cfg.streams =
			(unsigned)smmu_min64(o->devices + SECOND_STREAM, BACKEND_QEMU_STREAMS);
	if (cfg.ram_bytes > BACKEND_QEMU_RAM) {
		fprintf(stderr,
			"%s: this needs %llu MiB of memory, QEMU has room for %llu: use "
			"fewer --threads\n",
			o->who, (unsigned long long)(cfg.ram_bytes >> 20),
			(unsigned long long)(BACKEND_QEMU_RAM >> 20));
		return 2;
	}
	if (backend_qemu_open(&m->backend, &cfg, err, sizeof(err))) {
		fprintf(stderr, "%s: --device qemu: %s\n", o->who, err);
		return 2;
	}
	m->ram = *backend_qemu_ram(&m->backend);
	m->working_set = WORKING_SET;
	m->smmus = o->smmus;
	if (build_topology(m, o->smmus, cfg.streams)) {
		fprintf(stderr, "%s: out of memory\n", o->who);
		return 2;
	}
	return 0;
}

int machine_qemu_start(struct machine *m, uint64_t at)
{
	uint64_t bus, size, iova;
	unsigned i;
	int rc;

	for (i = 0; m->qemu && i < m->devices; i++) {
		struct machine_device *d = &m->device[i];

		if (!backend_qemu_queues(&m->backend, d->smmu, d->stream[0], &bus, &size))
			continue;
		iova = at + ((uint64_t)i << 20);
		do
			rc = smmu_map(&m->domain[0].d, iova, bus, size,
				      SMMU_PROT_READ | SMMU_PROT_WRITE, 0);
		while (rc == -SMMU_ENOMEM && m->heap.fail.every > 1);
		if (!rc && backend_qemu_start(&m->backend, d->smmu, d->stream[0], iova))
			rc = -SMMU_EIO;
		/* With faults on purpose it may be the first to feel them; the others go on. */
		if (rc && !m->o->n_inject) {
			fprintf(stderr,
				"%s: the NVMe controller (stream 0x%x of smmu %u) does not "
				"start: error %d\n",
				m->o->who, d->stream[0], d->smmu, rc);
			return rc;
		}
	}
	return 0;
}

int machine_gone(struct machine *m)
{
	const char *why = NULL;

	if (m->backend.ops && m->backend.ops->gone)
		why = m->backend.ops->gone(m->backend.ctx);
	if (!why)
		return 0;
	fprintf(stderr, "%s: %s; the run proves nothing\n", m->o->who, why);
	/* What the driver still says while everything is taken down is of no use any more. */
	m->posix.stderr_level = -1;
	return 2;
}
