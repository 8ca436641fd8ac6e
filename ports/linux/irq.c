// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interrupts: events, global errors and page requests, each by a message or a wire of its own, or all by one wire.
 *
 * Events are read by a thread, one at a time, as they are printed and looked up; errors are served at once, since who waits for
 * a command waits for that. The library's handlers may come at any time, so these are requested before the SMMU is enabled and
 * freed after it is gone.
 */
#include "smmu_module.h"

#include <linux/interrupt.h>
#include <linux/msi.h>
#include <linux/ratelimit.h>
#include <smmuv3/hw/event.h>
#include <smmuv3/hw/print.h>
#include <smmuv3/hw/regs.h>

/* The one wire that some SMMUs have in place of all others. */
#define COMBINED SMMU_LINUX_SOURCES

/** Give the fault to the guest that has the device, or to who asked for it with iommu_set_fault_handler. True: it has been seen to. */
static bool handled(struct smmu_linux_instance *s, const struct smmu_event *e)
{
	struct smmu_linux_node *node;
	int error = -ENOSYS;

	mutex_lock(&s->streams_lock);
	node = xa_load(&s->streams, e->sid);
	if (!node || !node->owner || !node->faults_of)
		;
	else if (smmu_linux_tell_guest(node->faults_of, node->owner->dev, e))
		error = 0;
	else if (smmu_event_members(e->type) & SMMU_EVENT_HAS_ADDR && !e->ssv)
		error = report_iommu_fault(node->faults_of, node->owner->dev, e->addr,
					   e->rnw ? IOMMU_FAULT_READ : IOMMU_FAULT_WRITE);
	mutex_unlock(&s->streams_lock);
	return !error;
}

static void tell(struct smmu_linux_instance *s, const struct smmu_event *e)
{
	struct smmu_event_record record;
	struct smmu_linux_node *node;
	struct smmu_text text;
	char line[240];

	if (!__ratelimit(&s->few))
		return;
	smmu_event_encode(e, &record);
	smmu_text_init(&text, line, sizeof(line));
	smmu_print_event(&text, &record);
	mutex_lock(&s->streams_lock);
	node = xa_load(&s->streams, e->sid);
	dev_err(s->dev, "%s (%s%s)\n", line, node ? node->name : "no device",
		node && READ_ONCE(node->users) > 1 ? ", or another with its stream" : "");
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

/* ---- messages ---- */

/** As the interrupts' domain calls it when an interrupt is requested, before the SMMU is enabled, and when it is freed. */
static void keep_message(struct msi_desc *desc, struct msi_msg *message)
{
	struct smmu_linux_instance *s = dev_get_drvdata(msi_desc_to_dev(desc));

	if (desc->msi_index >= SMMU_LINUX_SOURCES)
		return;
	s->msi[desc->msi_index] = (struct smmu_msi){
		.address = (u64)message->address_hi << 32 | message->address_lo,
		.data = message->data,
		.attr = SMMU_MEMATTR_DEVICE_NGNRE,
	};
}

static void free_messages(void *dev)
{
	platform_device_msi_free_irqs_all(dev);
}

/** Whether interrupts come as messages, and for people, why not. */
static const char *ask_for_messages(struct smmu_linux_instance *s)
{
	int error;

	if (smmu_linux_disable_msi)
		return "parameter disable_msi";
	if (!(s->inst.features.bits & SMMU_FEAT_MSI))
		return "IDR0.MSI";
	if (!s->dev->msi.domain)
		return "firmware names no interrupt controller for them";
	error = platform_device_msi_init_and_alloc_irqs(s->dev, SMMU_LINUX_SOURCES, keep_message);
	if (error)
		return "the interrupt controller has none left";
	/* Freed after the interrupts, which devres has later. */
	error = devm_add_action_or_reset(s->dev, free_messages, s->dev);
	if (error)
		return "memory";
	s->msis = true;
	return NULL;
}

/* ---- either ---- */

/** 1: there, 0: the device has none of this kind. */
static int request(struct smmu_linux_instance *s, struct platform_device *pdev, unsigned int source,
		   irq_handler_t now, irq_handler_t thread)
{
	static const char *const names[] = {"eventq", "gerror", "priq", "combined"};
	int irq = s->msis ? (int)msi_get_virq(s->dev, source)
			  : platform_get_irq_byname_optional(pdev, names[source]);
	int error;

	if (irq == -EPROBE_DEFER)
		return irq;
	if (irq <= 0)
		return 0;
	error = devm_request_threaded_irq(s->dev, irq, now, thread, thread ? IRQF_ONESHOT : 0,
					  dev_name(s->dev), s);
	if (error)
		dev_err(s->dev, "interrupt %s (%d) is not to be had: %d\n", names[source], irq,
			error);
	return error ? error : 1;
}

int smmu_linux_irqs(struct smmu_linux_instance *s, struct platform_device *pdev)
{
	const char *why_not = ask_for_messages(s);
	int there;

	if (why_not)
		dev_info(s->dev, "interrupts by wires, no messages (%s)\n", why_not);
	else
		dev_info(s->dev, "interrupts by messages\n");
	if (s->kdump) {
		/* What the crashed kernel's devices still do fails and is of no interest. */
		dev_info(s->dev, "kdump: events are not read\n");
		there = 1;
	} else {
		there = s->msis ? 0 : request(s, pdev, COMBINED, errors_then_thread, all);
		if (there)
			return min(there, 0);
		there = request(s, pdev, SMMU_LINUX_EVENTS, NULL, events);
	}
	if (there < 0)
		return there;
	if (!there)
		dev_warn(s->dev, "no interrupt for events: faults are not reported\n");
	if (s->inst.features.bits & SMMU_FEAT_PRI)
		there = request(s, pdev, SMMU_LINUX_REQUESTS, NULL, requests);
	if (there < 0)
		return there;
	there = request(s, pdev, SMMU_LINUX_ERRORS, errors, NULL);
	if (!there)
		dev_warn(s->dev, "no interrupt for errors: they are found when a command waits\n");
	return min(there, 0);
}
