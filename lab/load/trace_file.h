/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file trace_file.h
 * The lines of a trace's file, from its beginning as often as needed: packed or not, standard input too.
 */
#ifndef SMMU_LAB_TRACE_FILE_H
#define SMMU_LAB_TRACE_FILE_H

#include <stddef.h>

#include "trace.h"

#define TRACE_LINE_BYTES 4096

/** Write "FILE: line N: …" and return -1; without @p line the place is left out. */
int trace_fail(const struct trace *t, uint64_t line, char *err, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/** Open t->path. Standard input is kept in a temporary file. 0, or -1 with a message. */
int trace_file_open(struct trace *t, char *err, size_t size);
void trace_file_close(struct trace *t);
int trace_file_rewind(struct trace *t, char *err, size_t size);

/**
 * The next line is in t->line, without its newline: 1. 0: there is none; -1 with a message. Lines that are too long are
 * counted and passed over; a packed file that ends too early sets t->counts.cut.
 */
int trace_file_line(struct trace *t, char *err, size_t size);

#endif
