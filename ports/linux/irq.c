// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interrupts: events, global errors and page requests, each by a wire of its own or all by one.
 *
 * Events are read by a thread, one at a time, as they are printed and looked up; errors are served at once, since who waits for
 * a command waits for that. The library's handlers may come at any time, so these are requested before the SMMU is enabled and
 * freed after it is gone.
 */
#include "smmu_module.h"

#include <linux/interrupt.h>
#include <linux/ratelimit.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/print.h>

/** Give the fault to who asked for it with iommu_set_fault_handler. True: it has been seen to. */
static bool handled(struct smmu_linux_instance *s, const struct smmu_event *e)
{
	struct smmu_linux_master *m;
	struct iommu_domain *domain;
	int error = -ENOSYS;

	if (!(smmu_event_members(e->type) & SMMU_EVENT_HAS_ADDR) || e->ssv)
		return false;
	mutex_lock(&s->streams_lock);
	m = xa_load(&s->streams, e->sid);
	domain = m ? iommu_get_domain_for_dev(m->dev) : NULL;
	if (domain && domain->type & __IOMMU_DOMAIN_PAGING)
		error = report_iommu_fault(domain, m->dev, e->addr,
					   e->rnw ? IOMMU_FAULT_READ : IOMMU_FAULT_WRITE);
	mutex_unlock(&s->streams_lock);
	return !error;
}

static void tell(struct smmu_linux_instance *s, const struct smmu_event *e)
{
	static DEFINE_RATELIMIT_STATE(few, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	struct smmu_event_record record;
	struct smmu_linux_master *m;
	struct smmu_text text;
	char line[240];

	if (!__ratelimit(&few))
		return;
	smmu_event_encode(e, &record);
	smmu_text_init(&text, line, sizeof(line));
	smmu_print_event(&text, &record);
	mutex_lock(&s->streams_lock);
	m = xa_load(&s->streams, e->sid);
	dev_err(s->dev, "%s (%s)\n", line, m ? dev_name(m->dev) : "no device");
	mutex_unlock(&s->streams_lock);
}

static irqreturn_t events(int irq, void *ctx)
{
	struct smmu_linux_instance *s = ctx;
	struct smmu_event e;

	while (smmu_instance_event(&s->inst, &e))
		if (!handled(s, &e))
			tell(s, &e);
	return IRQ_HANDLED;
}

/** No device's page requests are turned on. One that comes all the same is not answered. */
static irqreturn_t requests(int irq, void *ctx)
{
	struct smmu_linux_instance *s = ctx;
	struct smmu_pri p;

	while (smmu_instance_page_request(&s->inst, &p))
		dev_warn_ratelimited(s->dev, "page request of stream %#x, whose PRI is off\n",
				     p.sid);
	return IRQ_HANDLED;
}

static irqreturn_t errors(int irq, void *ctx)
{
	struct smmu_linux_instance *s = ctx;

	return smmu_instance_gerror(&s->inst) ? IRQ_HANDLED : IRQ_NONE;
}

static irqreturn_t errors_then_thread(int irq, void *ctx)
{
	errors(irq, ctx);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t all(int irq, void *ctx)
{
	events(irq, ctx);
	return requests(irq, ctx);
}

/** 1: there, 0: the device has none by this name. */
static int request(struct smmu_linux_instance *s, struct platform_device *pdev, const char *name,
		   irq_handler_t now, irq_handler_t thread)
{
	int irq = platform_get_irq_byname_optional(pdev, name);
	int error;

	if (irq == -EPROBE_DEFER)
		return irq;
	if (irq <= 0)
		return 0;
	error = devm_request_threaded_irq(s->dev, irq, now, thread, thread ? IRQF_ONESHOT : 0,
					  dev_name(s->dev), s);
	if (error)
		dev_err(s->dev, "interrupt %s (%d) is not to be had: %d\n", name, irq, error);
	return error ? error : 1;
}

int smmu_linux_irqs(struct smmu_linux_instance *s, struct platform_device *pdev)
{
	int there;

	if (s->kdump) {
		/* What the crashed kernel's devices still do fails and is of no interest. */
		dev_info(s->dev, "kdump: events are not read\n");
		there = 1;
	} else {
		there = request(s, pdev, "combined", errors_then_thread, all);
		if (there)
			return min(there, 0);
		there = request(s, pdev, "eventq", NULL, events);
	}
	if (there < 0)
		return there;
	if (!there)
		dev_warn(s->dev, "no interrupt for events: faults are not reported\n");
	if (s->inst.features.bits & SMMU_FEAT_PRI)
		there = request(s, pdev, "priq", NULL, requests);
	if (there < 0)
		return there;
	there = request(s, pdev, "gerror", errors, NULL);
	if (!there)
		dev_warn(s->dev, "no interrupt for errors: they are found when a command waits\n");
	return min(there, 0);
}
