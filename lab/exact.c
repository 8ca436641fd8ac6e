/* SPDX-License-Identifier: BSD-2-Clause */
/* One unmap of a domain that N SMMUs share, by the virtual clock: what the hardware takes, and the processor's time. */
#include <stdlib.h>

#include <smmuv3/pgtable.h>

#include "exact.h"
#include "processor.h"
#include "timeline.h"

#define IOVA 0x800000000ull
#define PAGE 4096u

struct job {
	struct machine *m;
	uint64_t ns;
	int rc;
};

static void unmap_once(void *arg)
{
	struct job *job = arg;
	struct machine *m = job->m;
	uint64_t start;

	job->rc = smmu_map(&m->domain[0].d, IOVA, m->data, PAGE, SMMU_PROT_READ, 0);
	if (job->rc)
		return;
	start = machine_now(m);
	timeline_begin(m->timeline, "unmap");
	processor_call(m, PAGE);
	job->rc = m->design->unmap(m, &m->domain[0], IOVA, PAGE);
	timeline_end(m->timeline);
	job->ns = machine_now(m) - start;
}

int exact_unmap(const struct lab_config *c, uint64_t *ns, struct report *r)
{
	struct machine_config cfg = {.exact = true,
				     .calm = true,
				     .data_bytes = 2u << 20,
				     .domains = 1,
				     .one_granule = true};
	struct machine *m = malloc(sizeof(*m));
	struct job job = {.m = m};
	int rc = -1;

	*r = (struct report){0};
	if (!m || machine_open(m, c, &cfg)) {
		free(m);
		return -1;
	}
	if (!machine_attach_all(m) && sim_spawn(m->sim, unmap_once, &job) >= 0 && !sim_run(m->sim))
		rc = job.rc;
	machine_close(m, r);
	free(m);
	*ns = job.ns;
	return rc;
}
