/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What runs by itself: a timer that looks at the event queues and at GERROR, as nobody takes interrupts here, and the end of
 * boot services.
 */
#include "driver.h"

#include <smmuv3/hw/print.h>

#define POLL_100NS 1000000u /* ten times a second */
#define SHOWN 16u /* events that go to the console: a device that is refused asks again and again */

static efi_event timer, end_of_boot, new_function;

static void record(uint32_t smmu, const struct smmu_event *event)
{
	struct uefi_event *e = &uefi.events.event[uefi.events.count++ % UEFI_EVENTS];
	struct smmu_event_record rec;
	char line[UEFI_LOG_BYTES];
	struct smmu_text t;

	smmu_event_encode(event, &rec);
	e->smmu = smmu;
	__builtin_memcpy(e->record, rec.w, sizeof(e->record));
	if (uefi.events.count > SHOWN)
		return;
	smmu_text_init(&t, line, sizeof(line));
	smmu_text_str(&t, uefi.smmu[smmu].name);
	smmu_text_str(&t, ": ");
#ifdef SMMU_NO_PRINT
	smmu_text_str(&t, "event ");
	smmu_text_hex(&t, event->type, 2);
	smmu_text_str(&t, " stream ");
	smmu_text_hex(&t, event->sid, 1);
	smmu_text_str(&t, " address ");
	smmu_text_hex(&t, event->addr, 1);
#else
	smmu_print_event(&t, &rec);
#endif
	uefi_say(SMMU_LOG_WARN, line);
	if (uefi.events.count == SHOWN)
		uefi_say(SMMU_LOG_WARN, "further events are recorded, and not shown here");
}

void uefi_poll(void)
{
	struct smmu_event event;

	for (uint32_t i = 0; i < uefi.topology.n_smmus; i++) {
		struct uefi_smmu *s = &uefi.smmu[i];

		if (!s->up)
			continue;
		smmu_instance_gerror(&s->instance);
		/* No more than the queue holds: a device that never stops must not stop the firmware. */
		for (unsigned n = 0;
		     n < UEFI_EVENTS && smmu_instance_event(&s->instance, &event) == 1; n++) {
			s->events++;
			record(i, &event);
		}
	}
}

static void on_timer(efi_event event, void *ctx)
{
	uintptr_t tpl = uefi_enter();

	(void)event;
	(void)ctx;
	if (!uefi_exited)
		uefi_poll();
	uefi_leave(tpl);
}

/*
 * A function gets its streams when it is found, used or not: one that has none aborts without a record, and a device that
 * nobody knows is the one to hear about.
 */
static void on_function(efi_event event, void *ctx)
{
	uintptr_t tpl = uefi_enter();

	(void)event;
	(void)ctx;
	if (!uefi_exited)
		uefi_devices_learn();
	uefi_leave(tpl);
}

/*
 * At TPL_CALLBACK: after drivers that stop their devices at TPL_NOTIFY. No service of the firmware is called from here on,
 * which would allocate, and the loader has its memory map already.
 */
static void on_end(efi_event event, void *ctx)
{
	(void)event;
	(void)ctx;
	/* A loader whose memory map was old asks again. */
	if (uefi_exited)
		return;
	uefi_poll();
	uefi_exited = true;
	uefi_handover();
}

efi_status uefi_events_start(void)
{
	static const struct efi_guid guid = SMMU_EFI_GUID_PCI_IO;
	struct efi_boot_services *boot = uefi_system->boot;
	efi_status status;
	void *registration;

	status = boot->create_event(SMMU_EFI_EVENT_EXIT_BOOT, SMMU_EFI_TPL_CALLBACK, on_end, NULL,
				    &end_of_boot);
	if (efi_failed(status))
		return status;
	status = boot->create_event(SMMU_EFI_EVENT_TIMER | SMMU_EFI_EVENT_SIGNAL,
				    SMMU_EFI_TPL_CALLBACK, on_timer, NULL, &timer);
	if (!efi_failed(status))
		status = boot->set_timer(timer, SMMU_EFI_TIMER_PERIODIC, POLL_100NS);
	if (!efi_failed(status)) {
		status = boot->create_event(SMMU_EFI_EVENT_SIGNAL, SMMU_EFI_TPL_CALLBACK,
					    on_function, NULL, &new_function);
		if (!efi_failed(status))
			status = boot->register_protocol_notify(&guid, new_function, &registration);
	}
	if (efi_failed(status))
		uefi_events_stop();
	return status;
}

static void close(efi_event *event)
{
	if (*event)
		uefi_system->boot->close_event(*event);
	*event = NULL;
}

void uefi_events_stop(void)
{
	close(&timer);
	close(&end_of_boot);
	close(&new_function);
}
