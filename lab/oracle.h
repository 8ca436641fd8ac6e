/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file oracle.h
 * The judge: what the driver has promised about each page of each domain and about what each stream is attached to,
 * and whether one DMA kept to it.
 *
 * A promise changes in two steps. Between `begin` and `end` of a call both outcomes are right: a page being unmapped
 * may still be reached, or not. From `end` on only the new one is: **stale** is an access that got through a
 * translation that is promised to be gone, **lost** one that was refused although nothing about it was changing.
 *
 * Promises are words with a version, read before and after a DMA. With real threads a DMA is judged by those that
 * stood still over all of it; under the virtual clock every DMA is atomic and every DMA is judged.
 *
 * Threads: the pages of one range are changed by one thread at a time, as is each stream; judging needs no lock.
 * Windows are added before any thread starts.
 */
#ifndef SMMU_LAB_ORACLE_H
#define SMMU_LAB_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#define ORACLE_PAGE_SHIFT 12
#define ORACLE_MAX_DOMAINS 250u

/** What a stream may be attached to besides domain 0 … */
enum { ORACLE_IDENTITY = 254, ORACLE_BLOCKED = 255 };

/**
 * Permissions of a page, the bits of SMMU_PROT_…: ORACLE_PRIVILEGED allows privileged accesses alone. Of an access: an
 * instruction fetch, privileged, a write (else it reads).
 */
enum {
	ORACLE_READ = 1,
	ORACLE_WRITE = 2,
	ORACLE_NOEXEC = 4,
	ORACLE_PRIVILEGED = 8,
	ORACLE_FETCH = 16,
};

struct oracle;

/** @p streams: number of (device, substream) pairs, all blocked at first. NULL: no memory, or too many domains. */
struct oracle *oracle_create(unsigned domains, unsigned streams);
void oracle_destroy(struct oracle *o);

/**
 * What the privileged may execute of domain @p domain besides what its pages say (at first ORACLE_PRIVILEGED_EXECUTES): nothing
 * that the unprivileged may write, as in any stage 1 (VMSAv8-64); or nothing at all. Before anything is mapped in it.
 */
enum oracle_rule { ORACLE_PRIVILEGED_EXECUTES, ORACLE_NOT_WRITABLE, ORACLE_NOT_PRIVILEGED };
void oracle_rule(struct oracle *o, unsigned domain, enum oracle_rule rule);

/**
 * @p view is another view of the pages of @p domain: at an address @p offset higher, where whoever has it reaches no more than
 * @p domain's owner lets be reached. What is unmapped there goes in all its views; what is written through one is written there. A
 * view that @p follows is mapped with it, others map by themselves. Before anything is mapped in it.
 */
void oracle_view(struct oracle *o, unsigned view, unsigned domain, uint64_t offset, bool follows);

/** There is memory at these addresses: who passes untranslated reaches it. Else the judge does not know. Before any thread starts. */
void oracle_memory(struct oracle *o, uint64_t base, uint64_t size);

/** Addresses that domain @p domain will use; others count as never mapped. 0, or -1: no memory. */
int oracle_window(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size);

/**
 * @name Pages: multiples of 4 KiB inside windows; @p ok false: the call failed and promised nothing
 * An unmap that was not confirmed has no end yet: until oracle_unmap_end() the pages may be reached, or not.
 * @{ */
void oracle_map_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, uint64_t pa,
		      unsigned prot);
void oracle_map_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok);
void oracle_unmap_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size);
void oracle_unmap_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok);
/** What is promised for one page: true if it is mapped now (not while it changes), with *@p pa. */
bool oracle_mapped(const struct oracle *o, unsigned domain, uint64_t iova, uint64_t *pa);
/** True if every page of the range is promised to be mapped and not changing. */
bool oracle_still_mapped(const struct oracle *o, unsigned domain, uint64_t iova, uint64_t size);
/** @name The same, of the domain alone: its views stay as they are @{ */
void oracle_map_alone_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size,
			    uint64_t pa, unsigned prot);
void oracle_map_alone_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size, bool ok);
void oracle_unmap_alone_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size);
void oracle_unmap_alone_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size,
			    bool ok);
/** @} */
/** Pages of the domain that are not plainly unmapped. */
uint64_t oracle_live_pages(const struct oracle *o, unsigned domain);
/** @} */

/** @name Streams
 *  @p hitless: while it changes, what both the old and the new domain map must not be refused. @{ */
void oracle_attach_begin(struct oracle *o, unsigned stream, unsigned to, bool hitless);
void oracle_attach_end(struct oracle *o, unsigned stream, bool ok);
/**
 * The SMMU did not confirm a change of the stream: until oracle_certain() what @p domain maps may be reached as well. Call it
 * between begin and end.
 */
void oracle_doubt(struct oracle *o, unsigned stream, unsigned domain);
/** What the stream is attached to is certain again: the SMMU was reset. Between begin and end. */
void oracle_certain(struct oracle *o, unsigned stream);
bool oracle_in_doubt(const struct oracle *o, unsigned stream);
/** What the stream is attached to, and *@p changing. */
unsigned oracle_attached(const struct oracle *o, unsigned stream, bool *changing);
/** @} */

/** An access that landed where nobody knows. */
#define ORACLE_ELSEWHERE UINT64_MAX

enum oracle_verdict {
	ORACLE_LANDED,   /**< reached memory, rightly */
	ORACLE_REFUSED,  /**< did not, rightly */
	ORACLE_UNJUDGED, /**< something changed meanwhile (real threads only) */
	ORACLE_STALE,
	ORACLE_LOST,
};

/** Promises as they stood before a DMA. */
struct oracle_ticket {
	uint64_t attach, page[2], log[2];
	unsigned stream, domain[2];
	uint64_t iova;
	unsigned access;
	bool doubt; /**< what it is attached to was not confirmed */
};

struct oracle_ticket oracle_before(const struct oracle *o, unsigned stream, uint64_t iova,
				   unsigned access);

/**
 * Where the access may land by the promises of @p t: up to two addresses, while an attachment changes. Returns how
 * many.
 */
unsigned oracle_targets(const struct oracle *o, const struct oracle_ticket *t, uint64_t pa[2]);

/**
 * The verdict on a DMA that landed at @p pa (or ORACLE_ELSEWHERE), or was refused. @p why, of @p size bytes, gets the promise that was
 * broken, as a clause, for ORACLE_STALE and ORACLE_LOST.
 */
enum oracle_verdict oracle_after(const struct oracle *o, const struct oracle_ticket *t, bool landed,
				 uint64_t pa, char *why, unsigned size);

/**
 * May an access that was rightly refused have been refused with event @p event of IHI 0070 G.b, 7.3 (0: without one)?
 * @p substream: it had one. A page that is not mapped makes F_TRANSLATION, one without the permission F_PERMISSION; a stream
 * that is attached to nothing makes no event or says that it is disabled, and a substream may have no descriptor. While
 * the attachment changes each of these is right. No other event is ever: not of a live device. What a guest forbids, it forbids
 * before anybody asks whether there is a page.
 */
bool oracle_event_right(const struct oracle *o, const struct oracle_ticket *t, unsigned event,
			bool substream);

/**
 * @name The log of writes: what devices wrote, and what is reported of it (dirty.h)
 * A write that was complete before a reading began is reported by it; one that lands meanwhile by it or the next.
 * @{ */
enum oracle_reading {
	ORACLE_READ_TAKEN,  /**< what was reported is clean again */
	ORACLE_READ_LOOKED, /**< it stays as it is */
	ORACLE_READ_FAILED, /**< nothing was promised: all of it is reported by a later one */
};
/** Keep one, of windows that are added from now on. */
void oracle_log_writes(struct oracle *o);
/** A write with @p t has landed, rightly, at @p pa. */
void oracle_written(struct oracle *o, const struct oracle_ticket *t, uint64_t pa);
void oracle_read_begin(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size);
/**
 * @p bits has a bit for each page of the range, from its first. @p soon: writes of just before may be left to the next. Returns an
 * address that was written and not reported, or ORACLE_ELSEWHERE; adds to *@p over pages that were reported though nobody
 * had written them.
 */
uint64_t oracle_read_end(struct oracle *o, unsigned domain, uint64_t iova, uint64_t size,
			 const uint64_t *bits, enum oracle_reading what, bool soon, uint64_t *over);
/** @} */

#endif
