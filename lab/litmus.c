/* SPDX-License-Identifier: BSD-2-Clause */
/* Which litmus test shows the removal of each barrier; tools/barriers.sh holds this to proofs/README.md. */
#include "faults.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *barrier, *litmus;
} shown_by[] = {
	{"map_table_filled", "hook-table"},
	{"map_slot_cleaned", "clean-slot"},
	{"map_leaves_visible", "map-leaves"},
	{"pgtable_root_filled", "root-table"},
	{"pgtable_followed", "hook-table-threads"},
	{"instance_tables_visible", "instance-start"},
	{"instance_ready", "instance-ready"},
	{"instance_back", "instance-back"},
	{"instance_served", "instance-ready"},
	{"cd_leaf_filled", "cd-leaf"},
	{"cd_spare_filled", "cd-spare"},
	{"ste_leaf_filled", "ste-leaf"},
	{"array_filled", "publish-array"},
	{"array_before_entry", "unmap-attach"},
	{"array_after_descriptor", "unmap-attach"},
	{"array_followed", "publish-array"},
	{"entry_left", "entry-left"},
	{"entry_joined", "entry-left"},
	{"cut_done", "cut-device"},
	{"cut_seen", "cut-device"},
	{"cut_lifted", "cut-lift"},
	{"cut_era_seen", "cut-lift"},
	{"debt_seen", "debt"},
	{"cmdq_commands_visible", "queue-publish"},
	{"cmdq_mark_seen", "queue-mark"},
	{"cmdq_turn_passed", "queue-turn"},
	{"cmdq_turn_seen", "queue-turn"},
	{"cmdq_cons_before_rest", "queue-cons"},
	{"cmdq_mended_visible", "queue-mend"},
	{"cmdq_error_noted", "queue-error"},
	{"cmdq_error_seen", "queue-error"},
	{"outq_prod_before_record", "outq-record"},
	{"outq_record_before_cons", "outq-cons"},
	{"epoch_entered", "epoch-reader"},
	{"epoch_unpublished", "epoch-reader"},
	{"epoch_flipped", "epoch-flip"},
	{"epoch_left_seen", "epoch-left"},
	{"epoch_unlocked", "epoch-unlock"},
};

const char *fault_litmus(const char *barrier)
{
	unsigned i;

	for (i = 0; i < sizeof(shown_by) / sizeof(shown_by[0]); i++) {
		if (!strcmp(shown_by[i].barrier, barrier))
			return shown_by[i].litmus;
	}
	return NULL;
}
