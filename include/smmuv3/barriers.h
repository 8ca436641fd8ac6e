/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file barriers.h
 * Every barrier of the library by name, and what it keeps apart. The place in the sources says
 * SMMU_BARRIER(name, …); tools/barriers.sh holds this list to the sources, and proofs/README.md
 * tells for each name what shows its removal. Nothing in the library includes this file; ports that
 * leave barriers out on purpose do.
 */
#ifndef SMMUV3_BARRIERS_H
#define SMMUV3_BARRIERS_H

/* X(name, "what comes before | what comes after") */
#define SMMU_BARRIERS(X)                                                                          \
	X(map_table_filled, "the new table's descriptors | the descriptor that leads to it")      \
	X(map_slot_cleaned, "the clean of a table's descriptor | the mark that it was cleaned")   \
	X(map_leaves_visible, "the leaves of a map | the doorbell of whoever was waiting for it") \
	X(pgtable_root_filled, "the root table's descriptors | the STE or CD that names it")      \
	X(pgtable_followed, "the descriptor of a table | what is in that table")                  \
	X(instance_tables_visible, "stream table and queues | CR0 that lets the SMMU read them")  \
	X(instance_ready, "an instance's queues | the mark that handlers may use them")           \
	X(instance_back, "the registers of an instance that was reset | the mark for handlers")   \
	X(instance_served, "the mark that handlers may use an instance | its queues")             \
	X(cd_leaf_filled, "a leaf of the CD table | the descriptor that leads to it")             \
	X(cd_spare_filled, "the words of the spare CD | the STE that points to it")               \
	X(ste_leaf_filled, "a leaf of the stream table | the descriptor that leads to it")        \
	X(array_filled, "the entries of a new array | the pointer that publishes it")             \
	X(array_before_entry, "the published array | the STE or CD (T2 of the sweep)")            \
	X(array_after_descriptor, "the cleared descriptors | the look at the array (U2)")         \
	X(array_followed, "the pointer to an array | its entries")                                \
	X(entry_left, "what an attachment did | the count of users that says that it left")       \
	X(entry_joined, "the count of users | what the entry leads to")                           \
	X(cut_done, "the confirmed end of a device that is cut off | the mark that says so")      \
	X(cut_seen, "the mark that a device is cut off | what a sweep does without asking it")    \
	X(cut_lifted, "the mark that a device is let back | the era in which sweeps ask it")      \
	X(cut_era_seen, "the era of a sweep | the look at who is let back")                       \
	X(debt_seen, "the mark that an earlier fence failed | what this one has to make good")    \
	X(cmdq_commands_visible, "commands and `published` | PROD (Q1 of the queue)")             \
	X(cmdq_mark_seen, "the mark of a piece | its commands, and PROD behind them")             \
	X(cmdq_turn_passed, "the turn passed on | the look at the mark there")                    \
	X(cmdq_turn_seen, "the mark of a piece | the look at the turn")                           \
	X(cmdq_cons_before_rest, "CONS | what the SMMU wrote before it moved CONS")               \
	X(cmdq_mended_visible, "the mended command and the record | the acknowledge")             \
	X(cmdq_error_noted, "the record of an error | the count of errors")                       \
	X(cmdq_error_seen, "the count of errors | the records")                                   \
	X(outq_prod_before_record, "PROD that says a record is there | the record")               \
	X(outq_record_before_cons, "the record | CONS that gives its slot back")                  \
	X(epoch_entered, "a reader's count | what the reader reads")                              \
	X(epoch_unpublished, "what was unhooked | the first look at the counts")                  \
	X(epoch_flipped, "the flip | the second look at the counts")                              \
	X(epoch_left_seen, "the counts of those who left | of those who entered")                 \
	X(epoch_unlocked, "a grace period | the next one")

#endif
