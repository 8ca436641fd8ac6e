/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine_build.h
 * What the files that set a machine up share. Each function returns 0, or 2 after a message on standard error.
 */
#ifndef SMMU_LAB_MACHINE_BUILD_H
#define SMMU_LAB_MACHINE_BUILD_H

#include "machine.h"

#define MACHINE_DATA_ALIGN (2ull << 20)
/** Bytes for the driver's memory where QEMU is the SMMU: it has less, and few devices. */
#define MACHINE_QEMU_HEAP (128ull << 20)

/** Substreams that the model's SMMUs know: enough for context descriptor tables of two levels. */
#define MACHINE_SSID_BITS 12u

/** Print a message after the command's name; returns 2. */
int machine_fail(const struct machine *m, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Read, or make up, the topology: which SMMUs there are. */
int machine_load_topology(struct machine *m);
/** Give it back, unless it is lent. */
void machine_free_topology(struct machine *m);
/** Choose the devices that a run uses on each of them. */
int machine_place(struct machine *m);
/** Width of the widest stream that they have, at least 8. */
unsigned machine_stream_bits(const struct machine *m);

/** The model, its devices and their streams. */
int machine_open_backend(struct machine *m, const struct machine_config *cfg);
/** SMMU number @p i, between the driver and the backend, brought up. */
int machine_open_smmu(struct machine *m, unsigned i, const struct machine_config *cfg);

/**
 * With the fault "dirty-start", where its turn has come: leave SMMU number @p smmu, which the driver does not use now, as a
 * former owner would. Then true: its devices reach all of memory until the driver has it up.
 */
bool machine_bring_dirt(struct machine *m, unsigned smmu);
/** The driver has just brought it up. */
void machine_leave_dirt(struct machine *m, unsigned smmu);
/** It has had it up until now: complain if it has written to memory of the former owner since. */
void machine_check_dirt(struct machine *m, unsigned smmu);

/** The driver's counters of SMMU number @p smmu, which is removed and not probed again yet, are kept. */
void machine_keep_stats(struct machine *m, unsigned smmu);
/** What the driver has counted, into @p r. */
void machine_report_stats(struct machine *m, struct report *r);

/** Turn the faults on, and off. */
void machine_start_faults(struct machine *m);
void machine_stop_faults(struct machine *m);
/** What became of them, into @p r. */
void machine_report_faults(struct machine *m, struct report *r);

/** Memory, clock and port, with the faults that lie in them. */
int machine_make_memory(struct machine *m, const struct machine_config *cfg);

/**
 * Everything of a device goes, for the judge: begin, and end. @p off: its SMMU was taken away or has confirmed that nothing of it
 * passes.
 */
void machine_block(struct machine_device *d, bool begin, bool off);
/** After a change of what the device is attached to, before it is given back: note whether a guest has it (machine_device.guests). */
void machine_note_guest(struct machine_device *d);
/** For the design: the attachments to all domains change, in their order; begin, and end. */
void machine_change_all(struct machine *m, bool begin);
/** What the driver takes slot @p slot to be attached to, after a call of which the judge cannot know what it left. */
unsigned machine_driver_says(const struct machine_device *d, unsigned slot);
/** The driver's object for @p to; NULL: blocked. */
struct smmu_domain *machine_target(const struct machine_device *d, unsigned to);
/** After a change of slot @p slot from @p from, that returned @p rc, as the judge sees it; oracle_attach_begin came before. */
void machine_changed(struct machine_device *d, unsigned slot, unsigned from, int rc);
/** True if the SMMU has confirmed what was done to the device, and that means something. */
bool machine_confirmed(const struct machine_device *d);

/** Has the driver handed over each event record that the SMMUs have written? Before anything is taken apart. */
void machine_check_events(struct machine *m);

#endif
