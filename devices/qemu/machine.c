/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine: its RAM, its registers as a bus, its interrupts, its devices, its death. */
#include "machine.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define MIB 0x100000ull
/* The interrupt controller, where all SMMUs' lines end. */
#define GIC_PATH "/machine/unattached/device[1]"

/* --- registers --- */

static uint64_t bus_read(struct instance *s, enum qtest_kind kind, uint32_t offset)
{
	struct qtest_op op = {kind, s->base + offset, 0};

	qtest_run(&s->q->qtest, &op, 1);
	return op.value;
}

static uint32_t bus_read32(void *ctx, uint32_t offset)
{
	return (uint32_t)bus_read(ctx, QTEST_READ32, offset);
}

static uint64_t bus_read64(void *ctx, uint32_t offset)
{
	return bus_read(ctx, QTEST_READ64, offset);
}

static void bus_write32(void *ctx, uint32_t offset, uint32_t value)
{
	struct instance *s = ctx;

	qtest_post(&s->q->qtest, QTEST_WRITE32, s->base + offset, value);
}

static void bus_write64(void *ctx, uint32_t offset, uint64_t value)
{
	struct instance *s = ctx;

	qtest_post(&s->q->qtest, QTEST_WRITE64, s->base + offset, value);
}

static void bus_relax(void *ctx)
{
	/* QEMU needs no help to go on: commands are done when the read that follows their write is answered. */
	(void)ctx;
}

static const struct smmu_bus_ops bus_ops = {bus_read32, bus_read64, bus_write32, bus_write64,
					    bus_relax};

const struct smmu_bus *qemu_bus(struct qemu *q, unsigned smmu)
{
	return smmu < q->config.smmus ? &q->smmu[smmu].bus : NULL;
}

unsigned qemu_smmus(const struct qemu *q)
{
	return q->config.smmus;
}

const struct smmu_ram *qemu_ram(const struct qemu *q)
{
	return &q->user_ram;
}

pid_t qemu_pid(const struct qemu *q)
{
	return q->process.qemu;
}

uint64_t qemu_round_trips(struct qemu *q)
{
	return __atomic_load_n(&q->qtest.round_trips, __ATOMIC_RELAXED);
}

const char *qemu_error(struct qemu *q)
{
	enum qtest_death death = qtest_death(&q->qtest);

	if (death == QTEST_ALIVE)
		return NULL;
	pthread_mutex_lock(&q->error_lock);
	if (!q->told) {
		if (death == QTEST_CLOSED)
			qemu_process_epitaph(&q->process, q->error, sizeof(q->error));
		else if (death == QTEST_SILENT)
			snprintf(q->error, sizeof(q->error),
				 "QEMU (pid %d) gave no answer in %u ms", (int)q->process.qemu,
				 q->up ? q->config.timeout_ms : q->config.start_ms);
		else
			snprintf(q->error, sizeof(q->error), "QEMU's qtest answered \"%s\"",
				 q->qtest.strange);
		q->told = true;
	}
	pthread_mutex_unlock(&q->error_lock);
	return q->error;
}

/* --- interrupts --- */

bool qemu_irq_dispatch(struct qemu *q, void (*fn)(void *ctx, unsigned smmu, enum qemu_irq which),
		       void *ctx)
{
	uint64_t bits[QTEST_IRQS / 64];
	unsigned smmu, which;
	bool any = false;

	if (!qtest_take_irqs(&q->qtest, bits))
		return false;
	for (smmu = 0; smmu < q->config.smmus; smmu++) {
		for (which = 0; which < VIRT_SMMU_IRQS; which++) {
			unsigned line = VIRT_SMMU_IRQ + smmu * VIRT_SMMU_IRQS + which;

			if (bits[line / 64] & SMMU_BIT(line % 64)) {
				any = true;
				fn(ctx, smmu, (enum qemu_irq)which);
			}
		}
	}
	return any;
}

bool qemu_irq_wait(struct qemu *q, unsigned timeout_ms)
{
	return qtest_wait_irq(&q->qtest, timeout_ms);
}

/* --- devices --- */

const struct qemu_device *qemu_devices(const struct qemu *q, unsigned *count)
{
	*count = q->devices;
	return q->listed;
}

const struct qemu_device *qemu_find(const struct qemu *q, unsigned smmu, uint32_t stream)
{
	unsigned i;

	for (i = 0; i < q->devices; i++)
		if (q->listed[i].smmu == smmu && q->listed[i].stream == stream)
			return &q->listed[i];
	return NULL;
}

static void add_kind(struct qemu *q, const struct pci_host *host, unsigned smmu, uint32_t id,
		     enum qemu_kind kind)
{
	size_t i;

	for (i = 0; i < host->count; i++) {
		const struct pci_function *f = &host->function[i];
		struct device *d = &q->device[q->devices];

		if (f->id != id || f->bus / ROOT_BUS_STEP != smmu)
			continue;
		d->pub = &q->listed[q->devices];
		d->bar = f->bar0;
		/* The StreamID of a PCI function is its requester id. */
		*d->pub = (struct qemu_device){kind, smmu, (uint32_t)f->bus << 8 | f->devfn};
		d->nvme.queues = device_memory(q, q->devices);
		q->devices++;
	}
}

/* Number buses, place BARs, and list what is there. */
static int setup_pci(struct qemu *q)
{
	struct pci_function function[QEMU_MAX_SMMUS * 10];
	struct pci_host host = {.qtest = &q->qtest,
				.ecam = VIRT_ECAM_BASE,
				.cursor = VIRT_MMIO_BASE,
				.limit = VIRT_MMIO_END,
				.function = function,
				.capacity = SMMU_ARRAY_SIZE(function)};
	unsigned n, expected;
	int rc;

	for (n = 0; n < q->config.smmus; n++) {
		rc = pci_setup(&host, (uint8_t)(n * ROOT_BUS_STEP));
		if (rc)
			return rc;
	}
	expected = q->config.smmus * (q->config.testdevs + !q->config.no_edu + !q->config.no_nvme);
	if (host.count == 0 || host.count < expected)
		return -SMMU_ENODEV;
	q->device = calloc(host.count, sizeof(*q->device));
	q->listed = calloc(host.count, sizeof(*q->listed));
	if (!q->device || !q->listed)
		return -SMMU_ENOMEM;
	for (n = 0; n < q->config.smmus; n++) {
		add_kind(q, &host, n, PCI_ID_IOMMU_TESTDEV, QEMU_TESTDEV);
		add_kind(q, &host, n, PCI_ID_EDU, QEMU_EDU);
		add_kind(q, &host, n, PCI_ID_NVME, QEMU_NVME);
	}
	return q->devices == expected ? 0 : -SMMU_ENODEV;
}

/* --- opening and closing --- */

static int make_memory(const char *name, uint64_t size, int *fd, uint8_t **va)
{
	*va = NULL;
	*fd = memfd_create(name, MFD_CLOEXEC);
	if (*fd < 0)
		return -SMMU_ENOMEM;
	if (ftruncate(*fd, (off_t)size) == 0)
		*va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, *fd, 0);
	if (!*va || *va == MAP_FAILED) {
		close(*fd);
		*va = NULL;
		return -SMMU_ENOMEM;
	}
	return 0;
}

static bool fill_config(struct qemu_config *c)
{
	if (!c->smmus)
		c->smmus = 2;
	if (!c->testdevs)
		c->testdevs = 4;
	if (!c->stage)
		c->stage = "nested";
	if (!c->ram_size)
		c->ram_size = 256 * MIB;
	if (!c->limit_s)
		c->limit_s = 3600;
	if (!c->timeout_ms)
		c->timeout_ms = 60000;
	if (!c->start_ms)
		c->start_ms = 120000;
	return c->smmus <= QEMU_MAX_SMMUS && c->testdevs <= QEMU_MAX_TESTDEVS &&
	       c->ram_size % (2 * MIB) == 0 && c->ram_size > RAM_RESERVED &&
	       c->ram_size <= 1024 * MIB && c->limit_s <= 86400 &&
	       (strcmp(c->stage, "1") == 0 || strcmp(c->stage, "2") == 0 ||
		strcmp(c->stage, "nested") == 0);
}

/* Descriptors that are only needed until QEMU has them. */
struct handed_over {
	int fd[2 + QEMU_MAX_SMMUS];
	size_t n;
};

static void close_all(struct handed_over *h)
{
	while (h->n)
		close(h->fd[--h->n]);
}

static int start(struct qemu *q, const char *program, struct handed_over *h)
{
	int disk_fd[QEMU_MAX_SMMUS], pair[2], cpu = -1, rc;
	struct args args;
	unsigned n;

	rc = make_memory("smmu-ram", q->config.ram_size, &h->fd[0], &q->ram.va);
	if (rc)
		return rc;
	h->n = 1;
	q->ram.base = VIRT_RAM_BASE;
	q->ram.size = q->config.ram_size;
	q->user_ram = q->ram;
	q->user_ram.size -= RAM_RESERVED;
	for (n = 0; n < q->config.smmus && !q->config.no_nvme; n++) {
		rc = make_memory("smmu-disk", QEMU_NVME_DISK, &disk_fd[n], &q->smmu[n].disk);
		if (rc)
			return rc;
		h->fd[h->n++] = disk_fd[n];
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -SMMU_ENOMEM;
	h->fd[h->n++] = pair[1];
	qtest_init(&q->qtest, pair[0], q->config.start_ms);
	q->channel = true;

	rc = args_build(&args, &q->config, program, h->fd[0], pair[1], disk_fd);
	if (rc)
		return rc;
	if (q->config.pin) {
		cpu_set_t one;

		cpu = sched_getcpu();
		CPU_ZERO(&one);
		if (cpu >= 0)
			CPU_SET(cpu, &one);
		q->pinned = cpu >= 0 &&
			    sched_getaffinity(0, sizeof(q->old_cpus), &q->old_cpus) == 0 &&
			    sched_setaffinity(0, sizeof(one), &one) == 0;
		if (!q->pinned)
			cpu = -1;
	}
	rc = qemu_process_start(&q->process, args.v, h->fd, h->n, q->config.limit_s, cpu);
	args_free(&args);
	return rc;
}

static int come_up(struct qemu *q)
{
	int rc = qtest_irq_intercept_in(&q->qtest, GIC_PATH);

	if (!rc)
		rc = setup_pci(q);
	if (!rc)
		rc = dma_prime(q);
	return rc;
}

int qemu_open(struct qemu **out, const struct qemu_config *config, char *err, size_t err_size)
{
	struct handed_over h = {.n = 0};
	char program[1024];
	const char *died;
	struct qemu *q;
	unsigned n;
	int rc;

	q = calloc(1, sizeof(*q));
	if (!q) {
		snprintf(err, err_size, "out of memory");
		return -SMMU_ENOMEM;
	}
	pthread_mutex_init(&q->dma_lock, NULL);
	pthread_mutex_init(&q->error_lock, NULL);
	q->config = *config;
	if (!fill_config(&q->config)) {
		qemu_close(q);
		snprintf(err, err_size, "the QEMU machine asked for is out of range");
		return -SMMU_EINVAL;
	}
	for (n = 0; n < q->config.smmus; n++)
		q->smmu[n] = (struct instance){.bus = {&bus_ops, &q->smmu[n]},
					       .q = q,
					       .base = VIRT_SMMU_BASE + n * VIRT_SMMU_STEP};
	rc = qemu_process_find(config->program, program, sizeof(program), err, err_size);
	if (rc) {
		qemu_close(q);
		return rc;
	}
	rc = start(q, program, &h);
	close_all(&h);
	if (rc) {
		snprintf(err, err_size, "out of memory or of descriptors for QEMU");
	} else {
		rc = come_up(q);
		died = qemu_error(q);
		qtest_patience(&q->qtest, q->config.timeout_ms);
		q->up = true;
		if (rc)
			snprintf(err, err_size, "QEMU did not come up: %s",
				 died                 ? died
				 : rc == -SMMU_ENODEV ? "devices are missing"
						      : "its PCI could not be set up");
	}
	if (rc) {
		qemu_close(q);
		return rc == -SMMU_ENOMEM ? rc : -SMMU_EIO;
	}
	*out = q;
	return 0;
}

void qemu_close(struct qemu *q)
{
	unsigned n;

	if (!q)
		return;
	qemu_process_stop(&q->process);
	if (q->pinned)
		sched_setaffinity(0, sizeof(q->old_cpus), &q->old_cpus);
	if (q->channel)
		qtest_fini(&q->qtest);
	for (n = 0; n < QEMU_MAX_SMMUS; n++)
		if (q->smmu[n].disk)
			munmap(q->smmu[n].disk, QEMU_NVME_DISK);
	if (q->ram.va)
		munmap(q->ram.va, q->ram.size);
	free(q->device);
	free(q->listed);
	pthread_mutex_destroy(&q->dma_lock);
	pthread_mutex_destroy(&q->error_lock);
	free(q);
}
