/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file output.h
 * What the commands write: text that fits the width of a page, and files that were checked before the work.
 */
#ifndef SMMU_CLI_OUTPUT_H
#define SMMU_CLI_OUTPUT_H

#include <stdio.h>

/** No line that is made of text for people is longer. */
#define OUTPUT_COLUMNS 100u

/**
 * Write @p text, broken between words where it would pass column @p columns, and a newline. The cursor is at column @p at;
 * further lines begin at @p indent. A word that does not fit a line stands alone on one.
 */
void output_wrap(FILE *out, const char *text, unsigned at, unsigned indent, unsigned columns);

/**
 * Can @p path be written ("-": standard output, yes)? Nothing is changed there. 0; or 2 after a message on standard error
 * for @p command, that names @p option.
 */
int output_check(const char *command, const char *option, const char *path);

/** At the end of the program: has all of standard output been written? Then @p status, else 2 after a message. */
int output_finish(int status);

#endif
