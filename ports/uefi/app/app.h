/* SPDX-License-Identifier: BSD-2-Clause */
/** @file app.h smmuv3.efi: what its files share. Private to ports/uefi/app. */
#ifndef SMMU_UEFI_APP_H
#define SMMU_UEFI_APP_H

#include "info.h"
#include "system.h"

#include "topology.h"

/** A line under construction. Begin one, append, end it. */
struct app_line {
	struct smmu_text text;
	char buf[512];
};

struct smmu_text *app_begin(struct app_line *l);
void app_end(struct app_line *l);
/** A line of one piece. */
void app_say(const char *text);

/** The driver's protocol, or NULL when it is not there. */
struct smmu_uefi_info *app_info(void);
/** The firmware's IORT. 0, or negative after a line that says why. */
int app_topology(struct smmu_topology *t);

/** The verbs. 0, or 1 after an error that was said. */
int app_show_topology(void);
int app_show_arrays(void);
int app_show_statistics(void);
int app_show_events(void);
int app_show_log(void);
int app_dump(void);
/** @p text: what stands behind the verb: nothing, or a kind and its words. */
int app_decode(const char *text);

#endif
