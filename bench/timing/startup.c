/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file startup.c
 * Bringing up 64 SMMUs with 65,536 streams, eight a device: time of one processor and memory of each step. And a domain of as
 * many streams with ATS behind one SMMU, device by device: in the order of their streams each comes behind the others, in no
 * order each copies the array of those before.
 */
#include <smmuv3/device.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fake.h"
#include "timing.h"

#define STREAMS_A_DEVICE 8u

static int set_ats(void *ctx, bool on, unsigned stu)
{
	return 0;
}

static const struct smmu_device_ops device_ops = {.set_ats = set_ats};

/* Milliseconds of this thread's processor time. */
static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

struct world {
	unsigned smmus, devices;
	struct fake_smmu **fake;
	struct smmu_instance *inst;
	struct smmu_device *dev;
	struct smmu_domain domain;
};

struct step {
	double ms;
	size_t bytes;
};

static void begin(struct step *s)
{
	s->bytes = fake_bytes();
	s->ms = cpu_ms();
}

static void end(const struct step *s, const char *what, const struct world *w)
{
	double ms = cpu_ms() - s->ms, kib = ((double)fake_bytes() - (double)s->bytes) / 1024;
	unsigned streams = w->devices * STREAMS_A_DEVICE;

	timing_row("startup", what, "ms", &ms, 1, "smmus=%u streams=%u", w->smmus, streams);
	timing_row("startup-memory", what, "KiB", &kib, 1, "smmus=%u streams=%u", w->smmus,
		   streams);
}

static int bring_up(struct world *w)
{
	for (unsigned i = 0; i < w->smmus; i++) {
		struct smmu_instance_config cfg = {.port = &bench_port, .index = i};

		w->fake[i] = fake_create(20);
		if (!w->fake[i])
			return -1;
		cfg.mmio.base = (volatile uint8_t *)w->fake[i]->reg;
		if (smmu_instance_probe(&w->inst[i], &cfg) || smmu_instance_enable(&w->inst[i]))
			return -1;
	}
	return 0;
}

static int add_devices(struct world *w, bool ats)
{
	for (unsigned i = 0; i < w->devices; i++) {
		uint32_t streams[STREAMS_A_DEVICE];
		struct smmu_device_config cfg = {.instance = &w->inst[i % w->smmus],
						 .streams = streams,
						 .nr_streams = STREAMS_A_DEVICE,
						 .ats = ats,
						 .ops = &device_ops};

		for (unsigned k = 0; k < STREAMS_A_DEVICE; k++)
			streams[k] = i / w->smmus * STREAMS_A_DEVICE + k;
		if (smmu_device_init(&w->dev[i], &cfg))
			return -1;
	}
	return 0;
}

/* From the first on by steps of @p step, which has no divisor in common with the devices. */
static int attach(struct world *w, unsigned step)
{
	for (unsigned i = 0; i < w->devices; i++)
		if (smmu_attach(&w->dev[i * step % w->devices], &w->domain))
			return -1;
	return 0;
}

static void detach(struct world *w)
{
	for (unsigned i = 0; i < w->devices; i++)
		smmu_detach(&w->dev[i]);
}

/* Detached again, and attached in one call. */
static int attach_many(struct world *w, struct step *s)
{
	struct smmu_device **devs = calloc(w->devices, sizeof(struct smmu_device *));
	int error;

	detach(w);
	for (unsigned i = 0; devs && i < w->devices; i++)
		devs[i] = &w->dev[i];
	begin(s);
	error = devs ? smmu_attach_many(devs, w->devices, &w->domain, NULL) : -1;
	free(devs);
	return error;
}

static int unmap_once(struct world *w)
{
	if (smmu_map(&w->domain, 0x40000000, 0x40000000, 4096, SMMU_PROT_READ, 0))
		return -1;
	return smmu_unmap(&w->domain, 0x40000000, 4096, 0);
}

static void take_down(struct world *w)
{
	for (unsigned i = 0; i < w->devices; i++)
		smmu_device_fini(&w->dev[i]);
}

static void drop(struct world *w)
{
	for (unsigned i = 0; i < w->smmus; i++) {
		smmu_instance_remove(&w->inst[i]);
		fake_destroy(w->fake[i]);
	}
	free(w->fake);
	free(w->inst);
	free(w->dev);
}

static int run(unsigned smmus, unsigned devices, bool ats)
{
	struct smmu_domain_config cfg = {.port = &bench_port, .kind = SMMU_DOMAIN_STAGE1};
	struct world w = {.smmus = smmus, .devices = devices};
	struct step s;

	w.fake = calloc(smmus, sizeof(*w.fake));
	w.inst = calloc(smmus, sizeof(*w.inst));
	w.dev = calloc(devices, sizeof(*w.dev));
	if (!w.fake || !w.inst || !w.dev || smmu_domain_init(&w.domain, &cfg)) {
		free(w.fake);
		free(w.inst);
		free(w.dev);
		return 1;
	}
	begin(&s);
	if (bring_up(&w))
		return 1;
	end(&s, "probe and enable the SMMUs", &w);
	begin(&s);
	if (add_devices(&w, ats))
		return 1;
	end(&s, ats ? "add devices with ATS" : "add devices", &w);
	begin(&s);
	if (attach(&w, 1))
		return 1;
	end(&s, ats ? "attach them with ATS, one by one" : "attach them to one domain, one by one",
	    &w);
	begin(&s);
	if (unmap_once(&w))
		return 1;
	end(&s, ats ? "first map and unmap, with ATS" : "first map and unmap", &w);
	if (attach_many(&w, &s))
		return 1;
	end(&s,
	    ats ? "attach them with ATS, in one call" : "attach them to one domain, in one call",
	    &w);
	if (ats) {
		detach(&w);
		begin(&s);
		if (attach(&w, 1627))
			return 1;
		end(&s, "attach them with ATS, one by one, in no order", &w);
	}
	begin(&s);
	take_down(&w);
	end(&s, ats ? "take the devices with ATS away" : "take the devices away", &w);
	if (smmu_domain_fini(&w.domain))
		return 1;
	drop(&w);
	return 0;
}

int timing_startup(const struct timing_options *o)
{
	int rc = o->brief ? run(4, 32, false) || run(1, 32, true)
			  : run(64, 8192, false) || run(1, 1024, true) || run(1, 8192, true);

	if (rc)
		fprintf(stderr, "smmuv3-timing: startup: it did not come up\n");
	return rc;
}

int timing_sizes(const struct timing_options *o)
{
	const struct {
		const char *what;
		size_t bytes;
	} size[] = {{"instance", sizeof(struct smmu_instance)},
		    {"domain", sizeof(struct smmu_domain)},
		    {"device", sizeof(struct smmu_device)},
		    {"fence (on the stack, for each unmap under way)", sizeof(struct smmu_fence)},
		    {"entry of an invalidation array", sizeof(struct smmu_inv)},
		    {"token of a batch", sizeof(struct smmu_cmdq_token)}};

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		double bytes = (double)size[i].bytes;

		timing_row("memory", size[i].what, "bytes", &bytes, 1, "%s", "");
	}
	return 0;
}
