/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The installed library on the installed model: two SMMUs in this process, one device behind each, one domain that both
 * share. A page is mapped once, both devices reach it, it is unmapped once, and neither does.
 *
 *   cc on_model.c $(pkg-config --cflags --libs libsmmuv3 libsmmuv3-model)
 */
#include <model.h>
#include <posix_port.h>
#include <smmuv3/device.h>
#include <stdio.h>

#define SMMUS 2u
#define IOVA 0x10000ull
#define BASE 0x40000000ull /* where memory is on the bus */
#define PAGE 0x41000000ull

static struct smmu_ram ram;
static struct smmu_heap heap;
static struct smmu_posix posix = {.heap = &heap, .stderr_level = SMMU_LOG_WARN};
static struct smmu_port port;
static struct smmu_model *model;
static struct smmu_instance smmu[SMMUS];
static struct smmu_device device[SMMUS];
static struct smmu_domain domain;

static uint64_t now(void *ctx)
{
	return smmu_model_now(ctx);
}

static int must(int rc, const char *what)
{
	if (rc)
		fprintf(stderr, "%s: error %d\n", what, rc);
	return rc;
}

/* Memory, a port on it, two SMMUs with the driver on them. */
static int bring_up(void)
{
	struct smmu_model_config config[SMMUS];
	uint32_t stream = 5;
	int rc = smmu_ram_create(&ram, BASE, 32u << 20);

	for (unsigned i = 0; i < SMMUS; i++)
		smmu_model_config_default(&config[i]);
	if (!rc)
		rc = smmu_heap_init(&heap, &ram, 0, 16u << 20);
	model = rc ? NULL : smmu_model_create(SMMU_MODEL_VIRTUAL, config, SMMUS, &ram, NULL, 1);
	if (!model)
		return must(rc ? rc : -1, "memory");
	posix.clock = now;
	posix.clock_ctx = model;
	smmu_posix_port_init(&port, &posix);
	for (unsigned i = 0; i < SMMUS && !rc; i++) {
		struct smmu_instance_config at = {
			.port = &port, .mmio = {smmu_model_bus(model, i)}, .index = i};
		struct smmu_device_config dev = {
			.instance = &smmu[i], .streams = &stream, .nr_streams = 1};

		rc = smmu_instance_probe(&smmu[i], &at);
		if (!rc)
			rc = smmu_instance_enable(&smmu[i]);
		if (!rc)
			rc = smmu_device_init(&device[i], &dev);
	}
	return must(rc, "bringing the SMMUs up");
}

static bool reaches(unsigned i)
{
	struct smmu_dma dma = {.instance = i, .stream = 5, .iova = IOVA, .write = true};

	return smmu_model_dma(model, &dma).ok;
}

int main(void)
{
	struct smmu_domain_config stage1 = {.port = &port, .kind = SMMU_DOMAIN_STAGE1};
	int bad = bring_up() || must(smmu_domain_init(&domain, &stage1), "domain");

	for (unsigned i = 0; i < SMMUS && !bad; i++)
		bad = must(smmu_attach(&device[i], &domain), "attach");
	if (bad ||
	    must(smmu_map(&domain, IOVA, PAGE, 4096, SMMU_PROT_READ | SMMU_PROT_WRITE, 0), "map"))
		return 1;
	printf("mapped:   %s %s\n", reaches(0) ? "reached" : "refused",
	       reaches(1) ? "reached" : "refused");
	bad = !reaches(0) || !reaches(1);
	if (must(smmu_unmap(&domain, IOVA, 4096, 0), "unmap"))
		return 1;
	printf("unmapped: %s %s\n", reaches(0) ? "reached" : "refused",
	       reaches(1) ? "reached" : "refused");
	bad |= reaches(0) || reaches(1);
	for (unsigned i = 0; i < SMMUS; i++) {
		smmu_device_fini(&device[i]);
		smmu_instance_remove(&smmu[i]);
	}
	bad |= must(smmu_domain_fini(&domain), "freeing the domain");
	smmu_model_destroy(model);
	smmu_heap_fini(&heap);
	smmu_ram_destroy(&ram);
	return bad;
}
