/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file decode.h
 * What `smmuv3 decode` is made of: kinds of structures (decode_kind.c), output (decode_show.c), what a kernel says in its log
 * (decode_log.c), and whatever is pasted, line by line (decode_scan.c).
 */
#ifndef SMMU_CLI_DECODE_H
#define SMMU_CLI_DECODE_H

#include <stdio.h>

#include <smmuv3/hw/print.h>
#include <smmuv3/hw/remark.h>

#include "options.h"

struct json_object;

/** One structure, in the form of its kind. */
union structure {
	uint64_t w[8];
	struct smmu_cmd cmd;
	struct smmu_ste ste;
	struct smmu_cd cd;
	struct smmu_event_record event;
	struct smmu_pri_record pri;
	struct {
		uint64_t value;
		uint32_t offset;
	} reg;
};

enum kind_id {
	KIND_CMD,
	KIND_STE,
	KIND_CD,
	KIND_EVENT,
	KIND_PRI,
	KIND_REG,
	KIND_L1STD,
	KIND_L1CD,
	KIND_AUTO, /**< whatever it is */
};

struct kind {
	const char *name; /**< as the command line has it */
	const char *what;
	unsigned words; /**< of 64 bits; 0: not so made */
};

extern const struct kind kinds[KIND_AUTO + 1];

/** Read @p s as 1–16 hexadecimal digits with or without 0x; the number of digits, or 0 if it is something else. */
unsigned parse_hex(const char *s, uint64_t *value);

/**
 * Make a structure of the @p n words at @p word. 0; or -1 with a message that says what was expected in @p err. For
 * KIND_AUTO the number of words decides, and *@p kind is set.
 */
int structure_parse(enum kind_id *kind, char **word, unsigned n, union structure *s, char *err,
		    size_t size);
/** What @p n words of 64 bits are, if nothing else is known: KIND_AUTO for no kind. */
enum kind_id structure_guess(const uint64_t *w, unsigned n);

/** The name of the structure; its fields go to @p fn. */
const char *structure_fields(enum kind_id kind, const union structure *s, smmu_field_fn *fn,
			     void *ctx);
void structure_remarks(enum kind_id kind, const union structure *s, const struct smmu_ids *ids,
		       smmu_remark_fn *fn, void *ctx);

/** The command's state. */
struct decode {
	enum kind_id kind;
	const struct smmu_ids *ids; /**< NULL: not known */
	bool strict, text;          /**< text: print */
	bool quiet;                 /**< no warnings on standard error */
	struct json_object *list;   /**< the structures, if JSON is asked for */
	struct json_object *warnings;
	unsigned long line; /**< of standard input */
	uint64_t shown, left_out, skipped;
	bool failed; /**< strict, and something was left out */
};

/** Print a structure, and keep it for JSON. */
void show_structure(struct decode *d, enum kind_id kind, const union structure *s);

/** Something that is said of no structure: a heading, fields as "NAME=value …" text, and remarks by @p remarks. */
void show_words(struct decode *d, const char *name, const char *text,
		void (*remarks)(void *arg, smmu_remark_fn *fn, void *ctx), void *arg);

/** Something on this line is left out: a warning, or with --strict the end. */
void leave_out(struct decode *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** What a line of a kernel log leads to. */
enum log_line {
	LOG_NOTHING, /**< not known */
	LOG_DONE,    /**< it was shown */
	LOG_EVENT,   /**< the words of an event follow */
	LOG_COMMAND, /**< the words of a command follow */
};

/** Look at @p text, a line without time, level and device. */
enum log_line log_read(struct decode *d, const char *text);

/** Decode all of @p in. */
void scan(struct decode *d, FILE *in);

#endif
