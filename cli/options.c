/* SPDX-License-Identifier: BSD-2-Clause */
/* One parser for the options that commands share. Each message says what would have been right. */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int fail(const struct options *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int fail(const struct options *o, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "smmuv3 %s: ", o->command_name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n(smmuv3 %s --help explains the options)\n", o->command_name);
	return 2;
}

enum type { TEXT, NUMBER, NUMBER64, DEVICE, STAGE, CLOCK, DESIGN, INJECT };

#define NONE SIZE_MAX
#define AT(member) offsetof(struct options, member)

static const struct option {
	const char *name;
	enum type type;
	unsigned commands;
	size_t at;    /* member that takes the value */
	size_t given; /* bool that notes it, or NONE */
	uint64_t min, max;
} options[] = {
	{"device", DEVICE, CMD_RUN | CMD_REPLAY, NONE, NONE, 0, 0},
	{"iort", TEXT, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, AT(lab.iort), NONE, 0, 0},
	{"dtb", TEXT, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, AT(lab.dtb), NONE, 0, 0},
	{"smmus", NUMBER, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, AT(lab.smmus), AT(smmus_given), 1, 64},
	{"devices", NUMBER, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, AT(lab.devices), AT(devices_given),
	 1, 1024},
	{"ats", NUMBER, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, AT(lab.ats), AT(ats_given), 0, 1024},
	{"domains", NUMBER, CMD_RUN | CMD_ARRAYS, AT(lab.domains), NONE, 1, 64},
	{"stage", STAGE, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, NONE, NONE, 0, 0},
	{"threads", NUMBER, CMD_RUN, AT(lab.threads), NONE, 1, 64},
	{"ops", NUMBER64, CMD_RUN, AT(lab.ops), AT(ops_given), 1, 1000000000000},
	{"seconds", NUMBER, CMD_RUN, AT(lab.seconds), NONE, 1, 1000000},
	{"seed", NUMBER64, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, AT(lab.seed), NONE, 0, UINT64_MAX},
	{"clock", CLOCK, CMD_RUN, NONE, NONE, 0, 0},
	{"design", DESIGN, CMD_RUN | CMD_REPLAY, NONE, NONE, 0, 0},
	{"inject", INJECT, CMD_RUN | CMD_REPLAY, NONE, NONE, 0, 0},
	{"json", TEXT, CMD_RUN | CMD_REPLAY | CMD_ARRAYS, AT(json), NONE, 0, 0},
};

static int number(const struct options *o, const struct option *opt, const char *text,
		  uint64_t *out)
{
	char *end;
	unsigned long long n;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < opt->min || n > opt->max)
		return fail(o, "--%s wants a number from %" PRIu64 " to %" PRIu64 ", not \"%s\"",
			    opt->name, opt->min, opt->max, text);
	*out = n;
	return 0;
}

/* Kinds that the contract names and that this version cannot do yet. */
static int not_yet(const struct options *o, const char *option, const char *value, const char *have)
{
	return fail(o, "--%s %s is not available in this version; use %s", option, value, have);
}

static int stage(struct options *o, const char *text)
{
	const char *p = text;

	o->lab.n_stages = 0;
	if (!strcmp(text, "nested") || !strcmp(text, "sva"))
		return not_yet(o, "stage", text, "1, 2, or 1,2 for domains of both kinds in turn");
	for (;; p += 2) {
		if ((p[0] != '1' && p[0] != '2') || (p[1] && p[1] != ',') ||
		    o->lab.n_stages == LAB_MAX_STAGES)
			return fail(
				o,
				"--stage wants 1, 2, or a list such as 1,2 that the domains take "
				"in turn, not \"%s\"",
				text);
		o->lab.stage[o->lab.n_stages++] = (uint8_t)(p[0] - '0');
		if (!p[1])
			return 0;
	}
}

static int inject(struct options *o, const char *text)
{
	unsigned i;

	if (o->lab.n_inject == LAB_MAX_INJECT)
		return fail(o, "at most %u --inject options are possible", LAB_MAX_INJECT);
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
	fprintf(stderr, "\n(smmuv3 %s --help explains them)\n", o->command_name);
	return 2;
}

static int take(struct options *o, const struct option *opt, const char *text)
{
	void *at = opt->at == NONE ? NULL : (char *)o + opt->at;
	uint64_t n;
	unsigned i;

	switch (opt->type) {
	case TEXT:
		*(const char **)at = text;
		return 0;
	case NUMBER:
		if (number(o, opt, text, &n))
			return 2;
		*(unsigned *)at = (unsigned)n;
		break;
	case NUMBER64:
		if (number(o, opt, text, &n))
			return 2;
		*(uint64_t *)at = n;
		break;
	case DEVICE:
		if (strcmp(text, "model") && strcmp(text, "qemu"))
			return fail(o, "--device wants model or qemu, not \"%s\"", text);
		o->lab.qemu = *text == 'q';
		return 0;
	case STAGE:
		return stage(o, text);
	case CLOCK:
		if (strcmp(text, "virtual") && strcmp(text, "real"))
			return fail(o, "--clock wants virtual or real, not \"%s\"", text);
		o->lab.real_clock = *text == 'r';
		return 0;
	case DESIGN:
		for (i = 0; i < DESIGN_KINDS; i++) {
			if (!strcmp(text, design_name((enum design_id)i))) {
				o->lab.design = (enum design_id)i;
				o->design_given = true;
				return 0;
			}
		}
		return fail(o, "--design wants sweep, serial, list or flush, not \"%s\"", text);
	case INJECT:
		return inject(o, text);
	}
	if (opt->given != NONE)
		*((bool *)((char *)o + opt->given)) = true;
	return 0;
}

/* What QEMU's SMMUs and its machine cannot do. */
static int check_qemu(struct options *o)
{
	unsigned i;

	if (o->lab.iort || o->lab.dtb)
		return fail(o, "--device qemu has a machine of its own: leave %s out",
			    o->lab.iort ? "--iort" : "--dtb");
	if (o->lab.smmus > 8)
		return fail(o, "--device qemu has at most 8 SMMUs, not %u (--smmus)", o->lab.smmus);
	if (o->lab.devices > 7)
		return fail(o,
			    "--device qemu has at most 7 devices on each SMMU, not %u (--devices)",
			    o->lab.devices);
	if (o->ats_given && o->lab.ats)
		return fail(o, "--device qemu has no ATS: leave --ats out");
	if (o->lab.real_clock)
		return fail(o, "--device qemu goes by the virtual clock: leave --clock real out");
	for (i = 0; i < o->lab.n_inject; i++) {
		enum fault_id id = o->lab.inject[i].id;

		if (fault_not_on_qemu(id))
			return fail(o, "--inject %s cannot be shown with --device qemu: %s",
				    fault_info[id].name, fault_not_on_qemu(id));
	}
	o->lab.ats = 0;
	o->ats_given = true;
	return 0;
}

/* What only shows when all options are known. */
static int check(struct options *o)
{
	if (o->lab.qemu && check_qemu(o))
		return 2;
	if (o->lab.iort && o->lab.dtb)
		return fail(o,
			    "--iort and --dtb exclude each other: one table describes the machine");
	if ((o->lab.iort || o->lab.dtb) && o->smmus_given)
		return fail(o, "--smmus makes up a topology, %s reads one: leave one of them out",
			    o->lab.iort ? "--iort" : "--dtb");
	if (o->ats_given && o->lab.ats > o->lab.devices)
		return fail(o,
			    "--ats %u wants more devices than the %u on each instance (--devices)",
			    o->lab.ats, o->lab.devices);
	if (!o->ats_given)
		o->lab.ats = o->lab.devices / 2;
	if (o->lab.seconds && !o->ops_given)
		o->lab.ops = UINT64_MAX;
	if (o->command == CMD_REPLAY && !o->trace)
		return fail(o, "it wants a trace: smmuv3 replay FILE");
	if (o->lab.real_clock && lab_fault(&o->lab, FAULT_NO_BARRIER, NULL))
		return fail(o,
			    "no-barrier works by simulated store buffers: leave --clock real out");
	return 0;
}

static const struct option *find(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (strlen(options[i].name) == len && !memcmp(options[i].name, name, len))
			return &options[i];
	}
	return NULL;
}

int options_parse(struct options *o, enum command command, int argc, char **argv)
{
	int i;

	*o = (struct options){.command = command, .command_name = argv[0]};
	lab_config_default(&o->lab);
	snprintf(o->who, sizeof(o->who), "smmuv3 %s", argv[0]);
	o->lab.who = o->who;
	for (i = 1; i < argc; i++) {
		const char *arg = argv[i], *value = strchr(arg, '=');
		const struct option *opt;
		size_t len;

		if (!strcmp(arg, "--help") || !strcmp(arg, "-h")) {
			o->help = true;
			return 0;
		}
		if (strncmp(arg, "--", 2)) {
			if (command == CMD_REPLAY && !o->trace && (*arg != '-' || !arg[1])) {
				o->trace = arg;
				continue;
			}
			return fail(o, "unexpected argument \"%s\"", arg);
		}
		len = value ? (size_t)(value - arg) - 2 : strlen(arg + 2);
		opt = find(arg + 2, len);
		if (!opt)
			return fail(o, "there is no option %.*s", (int)len + 2, arg);
		if (!(opt->commands & command))
			return fail(o, "--%s has no meaning for this command", opt->name);
		if (value)
			value++;
		else if (++i < argc)
			value = argv[i];
		if (!value || !*value)
			return fail(o, "--%s wants a value", opt->name);
		if (take(o, opt, value))
			return 2;
	}
	return check(o);
}
