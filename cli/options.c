/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a command line. Each message says what would have been right. */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "option_table.h"
#include "output.h"
#include "sim_port.h"

static void say(const struct options *o, const char *fmt, va_list ap)
{
	fprintf(stderr, "smmuv3 %s: ", o->command_name);
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n(smmuv3 %s --help explains the options)\n", o->command_name);
}

int options_fail(const struct options *o, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(o, fmt, ap);
	va_end(ap);
	return 2;
}

static int number(const struct options *o, const struct option *opt, const char *text,
		  uint64_t *out)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < opt->min || n > opt->max)
		return options_fail(
			o, "--%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
			opt->name, opt->min, opt->max, text);
	*out = n;
	return 0;
}

/* A register's value, as dumps have it. */
static int hexadecimal(const struct options *o, const struct option *opt, const char *text,
		       uint32_t *out)
{
	const char *digits = text + (text[0] == '0' && (text[1] == 'x' || text[1] == 'X') ? 2 : 0);
	size_t n = strlen(digits);

	if (n < 1 || n > 8 || strspn(digits, "0123456789abcdefABCDEF") != n)
		return options_fail(o, "--%s wants 1 to 8 hexadecimal digits, not \"%s\"",
				    opt->name, text);
	*out = (uint32_t)strtoul(digits, NULL, 16);
	return 0;
}

static int stage(struct options *o, const char *text)
{
	const char *p = text;

	o->lab.n_stages = 0;
	for (;; p++) {
		size_t len = strcspn(p, ",");
		unsigned kind = LAB_NESTED;

		if (len == 1 && (*p == '1' || *p == '2'))
			kind = (unsigned)(*p - '0');
		else if (len == strlen("sva") && !strncmp(p, "sva", len))
			kind = LAB_SVA;
		else if (len != strlen("nested") || strncmp(p, "nested", len))
			len = 0;
		if (!len || o->lab.n_stages == LAB_MAX_STAGES)
			return options_fail(
				o,
				"--stage wants 1, 2, nested, sva, or a list such as 1,2 "
				"that the domains take in turn, not \"%s\"",
				text);
		o->lab.stage[o->lab.n_stages++] = (uint8_t)kind;
		p += len;
		if (!*p)
			return 0;
	}
}

static int inject(struct options *o, const char *text)
{
	unsigned i;

	if (o->lab.n_inject == LAB_MAX_INJECT)
		return options_fail(o, "at most %u --inject options are possible", LAB_MAX_INJECT);
	if (!fault_parse(text, &o->lab.inject[o->lab.n_inject])) {
		o->lab.n_inject++;
		return 0;
	}
	fprintf(stderr,
		"smmuv3 %s: --inject wants FAULT or FAULT:EVERY, EVERY a number from 1 on, not "
		"\"%s\"; the faults are:",
		o->command_name, text);
	for (i = 0; i < FAULT_KINDS; i++)
		fprintf(stderr, " %s", fault_info[i].name);
	if (!strncmp(text, "no-barrier:", 11)) {
		fprintf(stderr, "\nand the barriers:");
		for (i = 0; sim_barrier_names[i]; i++)
			fprintf(stderr, "%s%s", i % 4 ? " " : "\n  ", sim_barrier_names[i]);
	}
	fprintf(stderr, "\n(smmuv3 %s --help explains them)\n", o->command_name);
	return 2;
}

static int design(struct options *o, const char *text)
{
	unsigned i;

	for (i = 0; i < DESIGN_KINDS; i++) {
		if (!strcmp(text, design_name((enum design_id)i))) {
			o->lab.design = (enum design_id)i;
			o->design_given = true;
			return 0;
		}
	}
	return options_fail(o, "--design wants sweep, serial, list or flush, not \"%s\"", text);
}

static int take(struct options *o, const struct option *opt, const char *text)
{
	void *at = opt->at == OPTION_NONE ? NULL : (char *)o + opt->at;
	uint64_t n = 0;

	switch (opt->type) {
	case OPTION_FLAG:
		*(bool *)at = true;
		return 0;
	case OPTION_TEXT:
		*(const char **)at = text;
		return 0;
	case OPTION_HEX32:
		if (hexadecimal(o, opt, text, at))
			return 2;
		break;
	case OPTION_NUMBER:
		if (number(o, opt, text, &n))
			return 2;
		*(unsigned *)at = (unsigned)n;
		break;
	case OPTION_NUMBER64:
		if (number(o, opt, text, &n))
			return 2;
		*(uint64_t *)at = n;
		break;
	case OPTION_DEVICE:
		if (strcmp(text, "model") && strcmp(text, "qemu"))
			return options_fail(o, "--device wants model or qemu, not \"%s\"", text);
		o->lab.qemu = *text == 'q';
		return 0;
	case OPTION_STAGE:
		return stage(o, text);
	case OPTION_CLOCK:
		if (strcmp(text, "virtual") && strcmp(text, "real"))
			return options_fail(o, "--clock wants virtual or real, not \"%s\"", text);
		o->lab.real_clock = *text == 'r';
		return 0;
	case OPTION_DESIGN:
		return design(o, text);
	case OPTION_INJECT:
		return inject(o, text);
	}
	if (opt->given != OPTION_NONE)
		*((bool *)((char *)o + opt->given)) = true;
	return 0;
}

/* What QEMU's SMMUs and its machine cannot do. */
static int check_qemu(struct options *o)
{
	unsigned i;

	if (o->iort || o->dtb)
		return options_fail(o, "--device qemu has a machine of its own: leave %s out",
				    o->iort ? "--iort" : "--dtb");
	if (o->lab.smmus > 8)
		return options_fail(o, "--device qemu has at most 8 SMMUs, not %u (--smmus)",
				    o->lab.smmus);
	if (o->lab.devices > 7)
		return options_fail(
			o, "--device qemu has at most 7 devices on each SMMU, not %u (--devices)",
			o->lab.devices);
	if (o->ats_given && o->lab.ats)
		return options_fail(o, "--device qemu has no ATS: leave --ats out");
	if (o->lab.non_coherent)
		return options_fail(o, "--device qemu is coherent: leave --non-coherent out");
	if (o->lab.real_clock)
		return options_fail(
			o, "--device qemu goes by the virtual clock: leave --clock real out");
	for (i = 0; i < o->lab.n_inject; i++) {
		enum fault_id id = o->lab.inject[i].id;

		if (fault_not_on_qemu(id))
			return options_fail(o, "--inject %s cannot be shown with --device qemu: %s",
					    fault_info[id].name, fault_not_on_qemu(id));
	}
	o->lab.ats = 0;
	o->ats_given = true;
	return 0;
}

/* Kinds of domains that go with few other options. */
static int check_stage(struct options *o, unsigned kind)
{
	if (kind != LAB_NESTED && kind != LAB_SVA)
		return 0;
	if (o->command & CMD_REPLAY)
		return options_fail(o, "a replay has no %s",
				    kind == LAB_NESTED ? "guests: leave --stage nested out"
						       : "owners' tables: leave --stage sva out");
	if (o->lab.design != DESIGN_SWEEP)
		return options_fail(o, "--design %s knows no %s", design_name(o->lab.design),
				    kind == LAB_NESTED ? "guests: leave --stage nested out"
						       : "owners' tables: leave --stage sva out");
	if (kind == LAB_SVA && o->lab.qemu)
		return options_fail(o, "--device qemu has no substreams: leave --stage sva out");
	if (kind == LAB_SVA && o->lab.non_coherent)
		return options_fail(o, "processors' tables are for SMMUs that are coherent: leave "
				       "--non-coherent or --stage sva out");
	return 0;
}

/* What only shows when all options are known. */
static int check_run(struct options *o)
{
	unsigned i;

	if (o->lab.qemu && check_qemu(o))
		return 2;
	o->lab.ats_given = o->ats_given;
	if (o->ats_given && o->lab.ats > o->lab.devices)
		return options_fail(
			o, "--ats %u wants more devices than the %u on each instance (--devices)",
			o->lab.ats, o->lab.devices);
	if (!o->ats_given)
		o->lab.ats = o->lab.devices / 2;
	if (o->lab.seconds && !o->ops_given)
		o->lab.ops = UINT64_MAX;
	if (o->lab.interrupts && o->lab.qemu)
		return options_fail(
			o, "--interrupts and --device qemu do not go together: leave one out");
	if (o->lab.interrupts && (o->lab.design == DESIGN_SERIAL || o->lab.design == DESIGN_FLUSH))
		return options_fail(o,
				    "--design %s takes a lock that no interrupt handler may wait "
				    "for: leave --interrupts out",
				    design_name(o->lab.design));
	if (o->lab.timeline && (o->lab.real_clock || o->lab.qemu))
		return options_fail(o,
				    "--timeline shows the virtual clock of the model: leave %s out",
				    o->lab.qemu ? "--device qemu" : "--clock real");
	for (i = 0; i < o->lab.n_stages; i++)
		if (check_stage(o, o->lab.stage[i]))
			return 2;
	if (o->lab.resets && (o->lab.design != DESIGN_SWEEP || o->lab.qemu))
		return options_fail(
			o,
			"--resets leaves devices out of unmaps, on the model alone: leave "
			"%s out",
			o->lab.qemu ? "--device qemu" : "--design");
	if (o->lab.tables && (o->lab.design != DESIGN_SWEEP || o->lab.qemu))
		return options_fail(o,
				    "--tables takes SMMUs of the model, and sweeps: leave %s out",
				    o->lab.qemu ? "--device qemu" : "--design");
	if (o->lab.dirty && (o->lab.design != DESIGN_SWEEP || o->lab.qemu || o->lab.non_coherent))
		return options_fail(o,
				    "--dirty takes coherent SMMUs of the model, and sweeps: leave "
				    "%s out",
				    o->lab.qemu           ? "--device qemu"
				    : o->lab.non_coherent ? "--non-coherent"
							  : "--design");
	if (o->lab.page_faults && o->lab.qemu)
		return options_fail(o, "--device qemu has neither stalls nor page requests: leave "
				       "--page-faults out");
	if (o->lab.life && (o->lab.design != DESIGN_SWEEP || o->lab.qemu))
		return options_fail(
			o, "--life is for the library's own design, on the model: leave %s out",
			o->lab.qemu ? "--device qemu" : "--design");
	if (o->lab.adopt && (o->lab.design != DESIGN_SWEEP || o->lab.qemu))
		return options_fail(
			o, "--adopt is for the library's own design, on the model: leave %s out",
			o->lab.qemu ? "--device qemu" : "--design");
	if (lab_fault(&o->lab, FAULT_ADOPT_CORRUPT, NULL) && !o->lab.adopt)
		return options_fail(
			o, "--inject adopt-corrupt needs somebody whose tables it is: add --adopt");
	if (lab_fault(&o->lab, FAULT_DROP_CLEAN, NULL) && !o->lab.non_coherent)
		return options_fail(o, "--inject drop-clean needs SMMUs that are not coherent: "
				       "add --non-coherent");
	if (o->lab.real_clock && lab_fault(&o->lab, FAULT_NO_BARRIER, NULL))
		return options_fail(
			o, "no-barrier works by simulated store buffers: leave --clock real out");
	if (o->lab.real_clock && lab_fault(&o->lab, FAULT_TORN_PAIR, NULL))
		return options_fail(
			o, "torn-pair works by simulated processors: leave --clock real out");
	return 0;
}

static int check(struct options *o)
{
	const char *table = o->iort ? "--iort" : "--dtb";

	if (o->iort && o->dtb)
		return options_fail(
			o, "--iort and --dtb exclude each other: one table describes the machine");
	if ((o->iort || o->dtb) && o->smmus_given)
		return options_fail(
			o, "--smmus makes up a topology, %s reads one: leave one of them out",
			table);
	if (o->command & (CMD_RUN | CMD_REPLAY | CMD_ARRAYS) && check_run(o))
		return 2;
	/* Found out now, and not after all the work. */
	if (o->lab.timeline && output_check(o->command_name, "--timeline", o->lab.timeline))
		return 2;
	return o->json ? output_check(o->command_name, "--json", o->json) : 0;
}

/* How many letters have to be put in, left out or replaced to make @b of @a; at most 31 letters each. */
static unsigned distance(const char *a, size_t la, const char *b)
{
	unsigned row[32], before, above, j;
	size_t i, lb = strlen(b);

	if (la > 31 || lb > 31)
		return 32;
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		before = row[0];
		row[0] = (unsigned)i;
		for (j = 1; j <= lb; j++) {
			unsigned same = before + (a[i - 1] != b[j - 1]);

			above = row[j];
			before = above;
			if (row[j - 1] < above)
				above = row[j - 1];
			row[j] = above + 1 < same ? above + 1 : same;
		}
	}
	return row[lb];
}

static int no_such(const struct options *o, const char *arg, size_t len)
{
	const struct option *best = NULL;
	unsigned least = 3;
	size_t i;

	for (i = 0; i < option_count; i++) {
		unsigned d = distance(arg + 2, len, option_table[i].name);

		if (option_table[i].commands & o->command && d < least) {
			least = d;
			best = &option_table[i];
		}
	}
	return options_fail(o, "there is no option %.*s%s%s%s", (int)len + 2, arg,
			    best ? "; did you mean --" : "", best ? best->name : "",
			    best ? "?" : "");
}

/* The entry for @command, or for others, or NULL. */
static const struct option *find(const char *name, size_t len, enum command command)
{
	const struct option *found = NULL;
	size_t i;

	for (i = 0; i < option_count; i++) {
		const struct option *opt = &option_table[i];

		if (strlen(opt->name) == len && !memcmp(opt->name, name, len) &&
		    (!found || opt->commands & command))
			found = opt;
	}
	return found;
}

/* argv[*i] is an option, with its value behind = or in the next argument. */
static int take_option(struct options *o, int argc, char **argv, int *i)
{
	const char *arg = argv[*i], *value = strchr(arg, '=');
	size_t len = value ? (size_t)(value - arg) - 2 : strlen(arg + 2);
	const struct option *opt = find(arg + 2, len, o->command);

	if (!opt)
		return no_such(o, arg, len);
	if (!(opt->commands & o->command))
		return options_fail(o, "--%s has no meaning for this command", opt->name);
	if (opt->type == OPTION_FLAG)
		return value ? options_fail(o, "--%s takes no value", opt->name) : take(o, opt, "");
	if (value)
		value++;
	else if (++*i < argc)
		value = argv[*i];
	if (!value || !*value)
		return options_fail(o, "--%s wants a value: %s", opt->name, opt->value);
	return take(o, opt, value);
}

int options_parse(struct options *o, enum command command, int argc, char **argv, int max_words)
{
	bool only_words = false;
	int i;

	*o = (struct options){.command = command, .command_name = argv[0], .words = argv + 1};
	lab_config_default(&o->lab);
	snprintf(o->who, sizeof(o->who), "smmuv3 %s", argv[0]);
	o->lab.who = o->who;
	for (i = 1; i < argc; i++) {
		char *arg = argv[i];

		if (only_words || *arg != '-' || !arg[1]) {
			if (o->n_words == max_words)
				return options_fail(o, "unexpected argument \"%s\"", arg);
			o->words[o->n_words++] = arg;
			continue;
		}
		if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
			o->help = true;
			return 0;
		}
		if (!strcmp(arg, "--")) {
			only_words = true;
			continue;
		}
		if (arg[1] != '-')
			return options_fail(o, "there is no option %s", arg);
		if (take_option(o, argc, argv, &i))
			return 2;
	}
	return check(o);
}
