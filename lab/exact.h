/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file exact.h
 * The time of a single call by the virtual clock, on a machine on which nothing is left to chance.
 */
#ifndef SMMU_LAB_EXACT_H
#define SMMU_LAB_EXACT_H

#include "machine.h"

/**
 * Unmap one page of a domain that every device of the machine of @p c is attached to, by c->design. *@p ns is the virtual
 * time of the unmap and @p r what the judge says of it. 0; negative: the machine could not be made, or a call failed, which
 * is in the log.
 */
int exact_unmap(const struct lab_config *c, uint64_t *ns, struct report *r);

#endif
