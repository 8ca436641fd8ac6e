/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file trace.h
 * Reading a trace of a real machine as calls: which domain maps or unmaps what. Text with the events iommu:map and
 * iommu:unmap (trace_line.h says of which tools), plain or packed by gzip, from a file or from standard input.
 *
 * A trace is no perfect record. It begins in the middle, loses events, has others between, and does not name domains:
 *
 * - an unmap of what no line before has mapped is left out;
 * - a map of what is mapped already belongs to another domain. Which one a line is for is remembered by the domain or
 *   device that it names, or else by its task;
 * - after lost events a map of what is mapped means that its unmap was lost: that is made up for;
 * - of an unmap, as much counts as is mapped and as it says was unmapped.
 *
 * All of it is counted. The memory taken grows with what is mapped at a time, not with the length of the trace. It is
 * read as often as it is played; each time gives the same calls.
 */
#ifndef SMMU_LAB_TRACE_H
#define SMMU_LAB_TRACE_H

#include "trace_line.h"
#include "trace_live.h"

#define TRACE_MAX_DOMAINS 64u
#define TRACE_MAX_NOTES 16u          /* bad lines that are kept in words */
#define TRACE_MAX_PAGES (1ull << 26) /* mapped at a time: 256 GiB */

/** Why an event is left out. */
enum trace_left {
	TRACE_LEFT_BAD,      /**< it makes no sense */
	TRACE_LEFT_UNMAPPED, /**< an unmap of what is not mapped */
	TRACE_LEFT_NOTHING,  /**< an unmap that says that nothing was unmapped */
	TRACE_LEFT_DOMAINS,  /**< it would need one domain too many */
	TRACE_LEFT_LARGE,    /**< more would be mapped at a time than fits */
	TRACE_LEFT_KINDS
};

struct trace_call {
	uint64_t iova, size, pa; /**< pa: of a map */
	uint64_t line;           /**< in the file, from 1 on */
	unsigned domain;
	bool map;
};

/** What one reading of the whole has found. */
struct trace_counts {
	uint64_t lines;
	uint64_t events;     /**< maps and unmaps, good or bad */
	uint64_t used;       /**< those that gave calls */
	uint64_t partly;     /**< … unmaps of which some was not mapped */
	uint64_t made_up;    /**< unmaps that were lost and are made up for */
	uint64_t other;      /**< other events */
	uint64_t lost;       /**< places where events are missing */
	uint64_t long_lines; /**< passed over */
	uint64_t left[TRACE_LEFT_KINDS];
	bool cut; /**< the packed file ends too early */
};

struct trace {
	const char *path;
	void *file;     /**< gzFile */
	char *line;     /**< room for one */
	uint64_t bytes; /**< of the file as it is; 0: not known */
	bool strict;
	struct trace_live live;
	struct trace_counts counts; /**< of this reading, so far */
	uint32_t lost_at;           /**< what was mapped before that may be gone */
	uint32_t clock;
	/** Which domain an owner had last: a cache, so that many owners take no memory. */
	struct {
		uint64_t owner;
		unsigned domain; /**< from 1 on; 0: free */
	} owners[4096];
	/** Calls of the last event that were not given yet: first the unmaps of a range, then a map. */
	struct trace_call pending;
	uint64_t unmap_iova, unmap_size;
	bool pending_map;
	uint64_t pending_owner;

	unsigned domains; /**< so far; after trace_survey(): of all */
	/** @name After trace_survey() @{ */
	struct trace_counts survey;
	uint8_t granule_shift; /**< 12, 14 or 16: the pages of the machine, by the sizes it used */
	uint64_t gap;          /**< a gigabyte that domain 0 never maps begins here */
	char note[TRACE_MAX_NOTES][200]; /**< "line 12: …" */
	unsigned notes;
	/** @} */
};

/**
 * Open @p path ("-": standard input) and read it once, to know how many domains it has and what is in it. @p strict: the first
 * thing that would be left out is an error. 0; or -1 with a message in @p err that names the file, the line and what was
 * expected there, or says what the file is instead. @p t is then closed.
 */
int trace_open(struct trace *t, const char *path, bool strict, char *err, size_t size);
void trace_close(struct trace *t);

/** Begin again. 0, or -1 with a message. */
int trace_rewind(struct trace *t, char *err, size_t size);

/** The next call: 1; 0: there are no more; or -1 with a message. */
int trace_next(struct trace *t, struct trace_call *call, char *err, size_t size);

/** How far this reading has come: bytes of the file, of t->bytes. */
uint64_t trace_position(const struct trace *t);

/** What is left out, and why, in words: sentence @p i from 0 on. False: there are no more. */
bool trace_warning(const struct trace *t, unsigned i, char *text, size_t size);
/** How many events were left out. */
uint64_t trace_left_out(const struct trace *t);

#endif
