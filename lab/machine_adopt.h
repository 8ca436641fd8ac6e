/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file machine_adopt.h
 * SMMUs that a former owner has, and how the driver takes them over. Each call is for an SMMU, and for devices, that the caller
 * has taken; errors are the driver's.
 */
#ifndef SMMU_LAB_MACHINE_ADOPT_H
#define SMMU_LAB_MACHINE_ADOPT_H

#include "machine.h"

/** The judge is to know what a former owner maps. 0, or -1: no memory. */
int machine_adopt_watch(struct machine *m);

/** A former owner has the SMMU now. */
bool machine_former_runs(const struct machine *m, unsigned smmu);
/** It was adopted, and smmu_instance_adopt_end has not been called yet. */
bool machine_adopts(const struct machine *m, unsigned smmu);

/**
 * The driver gives the SMMU up, and a former owner, made of @p seed, takes it and lets its devices go. -SMMU_ENOMEM: it cannot be
 * made; nothing changed. After other errors nobody has it: bring it up again.
 */
int machine_leave(struct machine *m, unsigned smmu, uint64_t seed);

/**
 * The driver adopts the SMMU and adds its devices. @p bypass: with those that pass untranslated. After an error the former
 * owner has it (machine_former_runs), or it is as after machine_replug.
 */
int machine_adopt(struct machine *m, unsigned smmu, bool bypass);

/** Who was not taken over yet is stopped. The former owner's memory is given back but for one table. */
int machine_adopt_end(struct machine *m, unsigned smmu);

/** The driver is about to take the SMMU by force, not to adopt it. */
void machine_former_quiet(struct machine *m, unsigned smmu);
/** The SMMU was removed, and is another's: give all memory back. */
void machine_former_gone(struct machine *m, unsigned smmu);

/** All has come to rest: no SMMU goes by a former owner's tables any more. */
void machine_adopt_close(struct machine *m);

#endif
