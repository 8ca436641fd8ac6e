/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `smmuv3 decode`, run in a child process with its arguments and standard input: what it prints, its JSON, its
 * messages and its exit status.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <json-c/json.h>

#include "cmd_decode.h"

static char out[65536], err[65536];

static void slurp(FILE *f, char *buf, size_t size)
{
	rewind(f);
	buf[fread(buf, 1, size - 1, f)] = '\0';
	fclose(f);
}

/** Run "decode" with the words of @p args (separated by blanks) and @p input; its status, out[] and err[]. */
static int run(const char *args, const char *input)
{
	FILE *in = tmpfile(), *o = tmpfile(), *e = tmpfile();
	char line[4096], *argv[40] = {"decode"}, *rest = line;
	int argc = 1, status;
	pid_t pid;

	assert_true(in && o && e);
	fputs(input, in);
	rewind(in);
	snprintf(line, sizeof(line), "%s", args);
	while (argc < 39 && (argv[argc] = strtok_r(rest, " ", &rest)) != NULL)
		argc++;
	argv[argc] = NULL;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fileno(in), 0);
		dup2(fileno(o), 1);
		dup2(fileno(e), 2);
		status = smmu_cli_decode(argc, argv);
		fflush(NULL);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fclose(in);
	slurp(o, out, sizeof(out));
	slurp(e, err, sizeof(err));
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/** Take the remarks, which are indented, out of out[]. */
static void drop_remarks(void)
{
	char *from = out, *to = out, *end;

	while (*from) {
		end = strchr(from, '\n');
		end = end ? end + 1 : from + strlen(from);
		if (strncmp(from, "  ", 2) != 0) {
			memmove(to, from, (size_t)(end - from));
			to += end - from;
		}
		from = end;
	}
	*to = '\0';
}

static void good(const char *args, const char *input, const char *expected)
{
	int status = run(args, input);

	drop_remarks();
	if (status != 0 || strcmp(out, expected) != 0 || err[0])
		fail_msg("decode %s: got \"%s\", message \"%s\", expected \"%s\"", args, out, err,
			 expected);
}

/** Status 2, nothing on standard output, and a message with @p part in it. */
static void bad(const char *args, const char *input, const char *part)
{
	int status = run(args, input);

	if (status != 2 || !strstr(err, part))
		fail_msg("decode %s: status %d, message \"%s\", expected \"%s\" in it", args,
			 status, err, part);
}

static void test_good(void **state)
{
	good("cmd 0x46 0x0", "", "CMD_SYNC CS=none\n");
	good("cmd 46 0", "", "CMD_SYNC CS=none\n");
	/* Four words of 32 bits, low half first. */
	good("cmd 00000012 00020001 12345001 00007fff", "",
	     "CMD_TLBI_NH_VA VMID=1 ASID=2 Addr=0x7fff12345000 Leaf=1\n");
	good("cmd", "# queue\n\n0x46, 0x0\n  0000000300000045 0 # end\n",
	     "CMD_SYNC CS=none\nCMD_STALL_TERM SID=0x3\n");
	good("ste 9 100000000000 0 0 0 0 0 0", "", "STE V=1 Config=bypass SHCFG=incoming\n");
	good("ste 9 0 0 1000 0 0 0 0 0 0 0 0 0 0 0 0", "",
	     "STE V=1 Config=bypass SHCFG=incoming\n");
	good("cd 0 0 0 0 0 0 0 0", "", "CD V=0\n");
	good("event", "0x0000000200000004 0 0 0\n", "C_BAD_STE type=0x4 SID=0x2\n");
	good("event 4 2 0 0 0 0 0 0", "", "C_BAD_STE type=0x4 SID=0x2\n");
	good("pri 100 abc003", "", "PRI page request SID=0x100 Addr=0xabc000 PRGIndex=3\n");
	good("reg CMDQ_CONS 01000005", "", "CMDQ_CONS RD=5 ERR=CERROR_ILL\n");
	good("reg 0x9c 0x1000005", "", "CMDQ_CONS RD=5 ERR=CERROR_ILL\n");
	good("reg", "IDR5: 0x55\nsmmu_cr0=1\n",
	     "IDR5 OAS=48-bit GRAN4K=1 GRAN64K=1 VAX=48-bit\nCR0 SMMUEN=1 PRIQEN=0 EVENTQEN=0 "
	     "CMDQEN=0\n");
	good("reg STRTAB_BASE 4000000080000000", "", "STRTAB_BASE ADDR=0x80000000 RA=1\n");
	/* The last line may lack its newline. */
	good("cmd", "46 0", "CMD_SYNC CS=none\n");
	assert_int_equal(run("--help", ""), 0);
	assert_non_null(strstr(out, "usage: smmuv3 decode"));
}

static void test_bad(void **state)
{
	bad("", "", "nothing to decode");
	bad("foo 1 2", "", "expected cmd, ste, cd, event, pri, reg, l1std or l1cd");
	bad("cmd 1", "", "expected 2 words of 64 bits or 4 of 32 bits for a command, got 1");
	bad("cmd 1 2 3", "", "got 3");
	bad("ste 1 2", "", "expected 8 words");
	bad("cmd 1 0x", "", "\"0x\"");
	bad("cmd 1 zz", "", "\"zz\"");
	bad("cmd 1 -1", "", "no option -1");
	bad("cmd 1 10000000000000000", "", "1 to 16 hexadecimal digits");
	bad("cmd 1 2 3 123456789", "", "at most 8 digits");
	bad("event --strict", "4 0 0 0\n\n1 2\n",
	    "standard input, line 3: 2 words since line 3; expected an event record");
	bad("cmd", "", "nothing to decode");
	bad("cmd", "# only this\n\n", "nothing to decode");
	bad("cmd", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n",
	    "line 1: warning: expected 2 words");
	bad("reg IDR0", "", "got 1 word");
	bad("reg NOPE 1", "", "\"NOPE\" is no register");
	bad("reg 3 1", "", "multiple of 4 below 0x20000");
	bad("reg 20000 1", "", "multiple of 4 below 0x20000");
	bad("reg CR0 100000000", "", "has 32 bits");
	bad("reg CR0 xyz", "", "\"xyz\"");
	bad("--json", "", "--json wants a value");
	bad("--jsno x cmd 1 2", "", "did you mean --json?");
	bad("--json /nonexistent/x cmd 46 0", "", "/nonexistent/x");
}

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(o, name, &value))
		fail_msg("no \"%s\" in %s", name, json_object_to_json_string(o));
	return value;
}

static void test_json(void **state)
{
	struct json_object *top, *list, *fields;
	char args[128], name[] = "/tmp/smmuv3-decode-XXXXXX";
	int fd = mkstemp(name);

	assert_int_equal(run("cmd --json -", "0x0002000100503012 0xffffff12345701\n3046 1\n"), 0);
	top = json_tokener_parse(out);
	assert_non_null(top);
	assert_string_equal(json_object_get_string(member(top, "kind")), "cmd");
	list = member(top, "structures");
	assert_int_equal(json_object_array_length(list), 2);
	fields = member(json_object_array_get_idx(list, 0), "fields");
	assert_string_equal(
		json_object_get_string(member(json_object_array_get_idx(list, 0), "name")),
		"CMD_TLBI_NH_VA");
	assert_int_equal(json_object_get_uint64(member(fields, "Addr")), 0xffffff12345000);
	assert_int_equal(json_object_get_int(member(fields, "ASID")), 2);
	assert_string_equal(json_object_get_string(member(fields, "TG")), "4K");
	fields = member(json_object_array_get_idx(list, 1), "fields");
	assert_string_equal(json_object_get_string(member(fields, "CS")), "reserved(3)");
	list = member(fields, "reserved");
	assert_int_equal(json_object_array_length(list), 1);
	assert_int_equal(json_object_get_int(member(json_object_array_get_idx(list, 0), "word")),
			 1);
	assert_int_equal(json_object_get_int(member(json_object_array_get_idx(list, 0), "bits")),
			 1);
	json_object_put(top);

	/* Into a file: the text is printed as well. A bad line leaves the file as it was. */
	assert_true(fd >= 0);
	close(fd);
	snprintf(args, sizeof(args), "--json %s reg IDR5 55", name);
	good(args, "", "IDR5 OAS=48-bit GRAN4K=1 GRAN64K=1 VAX=48-bit\n");
	snprintf(args, sizeof(args), "--json %s reg IDR5 zz", name);
	bad(args, "", "\"zz\"");
	top = json_object_from_file(name);
	assert_non_null(top);
	assert_string_equal(json_object_get_string(member(top, "kind")), "reg");
	json_object_put(top);
	unlink(name);
}

#define PREFIX "[  100.000001] arm-smmu-v3 arm-smmu-v3.0.auto: "
#define EVENT_LINES                                                            \
	PREFIX "event 0x10 received:\n" PREFIX "\t0x0000012300000010\n" PREFIX \
	       "\t0x0000020800000000\n" PREFIX "\t0x00000000ffff1000\n" PREFIX \
	       "\t0x0000000000000000\n"
#define EVENT_TEXT                                                                  \
	"F_TRANSLATION type=0x10 SID=0x123 InputAddr=0xffff1000 RnW=read InD=data " \
	"PnU=unprivileged S2=stage-1 CLASS=IN\n"

/** Whatever is pasted: what is known comes out, the rest is passed over. */
static void test_logs(void **state)
{
	static const char *const kinds_of[] = {"", "event", "reg", "cmd", "ste"};
	size_t i;

	for (i = 0; i < sizeof(kinds_of) / sizeof(kinds_of[0]); i++) {
		good(kinds_of[i], EVENT_LINES, EVENT_TEXT);
		good(kinds_of[i],
		     "nothing of this\n" EVENT_LINES "is a word: 12, bad, 0x5 (dead)\n",
		     EVENT_TEXT);
	}
	/* Other prefixes; bare words; another device between; the same event twice. */
	good("",
	     "<4>[ 1.0] arm-smmu-v3 2b400000.iommu: event 0x02 received:\n"
	     "<4>[ 1.0] arm-smmu-v3 2b400000.iommu: 	0x0000000500000002\n"
	     "<4>[ 1.0] arm-smmu-v3 2b400000.iommu: 	0x0\n"
	     "<4>[ 1.0] arm-smmu-v3 2b400000.iommu: 	0x0\n"
	     "<4>[ 1.0] arm-smmu-v3 2b400000.iommu: 	0x0\n",
	     "C_BAD_STREAMID type=0x2 SID=0x5\n");
	good("",
	     "Nov 01 10:00:00 host kernel: arm-smmu-v3 a.auto: event 0x10 received:\n"
	     "Nov 01 10:00:00 host kernel: arm-smmu-v3 a.auto:         0x0000012300000010\n"
	     "Nov 01 10:00:00 host kernel: arm-smmu-v3 a.auto:         0x0000020800000000\n"
	     "Nov 01 10:00:00 host kernel: arm-smmu-v3 a.auto:         0x00000000ffff1000\n"
	     "Nov 01 10:00:00 host kernel: arm-smmu-v3 a.auto:         0x0000000000000000\n",
	     EVENT_TEXT);
	good("", "0x0000012300000010\n0x0000020800000000\n0x00000000ffff1000\n0x0000000000000000\n",
	     EVENT_TEXT);
	good("", EVENT_LINES EVENT_LINES, EVENT_TEXT EVENT_TEXT);
	/* One line; with the words of the record after it, as new kernels do. */
	good("",
	     PREFIX "event: F_PERMISSION client: 0000:01:00.0 sid: 0x100 ssid: 0x0 iova: 0xdead000 "
		    "ipa: 0x0\n" PREFIX
		    "unpriv data write s1 \"Input address caused fault\" stag: 0x0\n",
	     "F_PERMISSION client=0000:01:00.0 SID=0x100 SSID=0x0 InputAddr=0xdead000 IPA=0x0\n");
	good("", PREFIX "event: C_BAD_STE client: (unassigned sid) sid: 0x100 ssid: 0x0\n",
	     "C_BAD_STE client=unassigned SID=0x100 SSID=0x0\n");
	/* The command queue. */
	good("",
	     PREFIX "CMDQ error (cons 0x01000005): Illegal command\n" PREFIX
		    "skipping command in error state:\n" PREFIX "\t0x0000000000000046\n" PREFIX
		    "\t0x0000000000000000\n",
	     "CMDQ error RD=0x5 ERR=CERROR_ILL\nCMD_SYNC CS=none\n");
	good("reg",
	     PREFIX "CMD_SYNC timeout at 0x00000146 [hwprod 0x00000146, hwcons 0x00000146]\n",
	     "CMD_SYNC timeout at=0x146 hwprod=0x146 hwcons=0x146\n");
	good("", PREFIX "unexpected global error reported (0x00000001), this could be serious\n",
	     "GERROR CMDQ_ERR=1\n");
	good("", PREFIX "CMDQ timeout\n" PREFIX "EVTQ overflow detected -- events lost\n",
	     "CMDQ timeout\nEVTQ overflow\n");
}

static void test_dumps(void **state)
{
	/* Eight words of an STE, a word a line, two a line behind an address, and in one line. */
	good("ste", "0x09\n0x100000000000\n0\n0\n0\n0\n0\n0\n",
	     "STE V=1 Config=bypass SHCFG=incoming\n");
	good("ste",
	     "ffff000801234040:  0000000000000009 0000100000000000   ........\n"
	     "ffff000801234050:  0000000000000000 0000000000000000   ........\n"
	     "ffff000801234060:  0000000000000000 0000000000000000   ........\n"
	     "ffff000801234070:  0000000000000000 0000000000000000   ........\n",
	     "STE V=1 Config=bypass SHCFG=incoming\n");
	good("", "0x09 0x100000000000 0x0 0x0 0x0 0x0 0x0 0x0\n",
	     "STE V=1 Config=bypass SHCFG=incoming\n");
	good("", "0x0000020080000000 0x0 0x0 0x0 0x0 0x0 0x0 0x0\n",
	     "CD V=1 ASID=0 AA64=1 TTB0=0x0 T0SZ=0 TG0=4K TTB1=0x0 T1SZ=0 TG1=reserved(0) "
	     "IPS=32-bit\n");
	good("l1std 0x80000009", "", "L1STD Span=9 L2Ptr=0x80000000\n");
	good("l1cd 0x80001001", "", "L1CD V=1 L2Ptr=0x80001000\n");
	good("0x46 0", "", "CMD_SYNC CS=none\n");
	good("CR0 1", "", "CR0 SMMUEN=1 PRIQEN=0 EVENTQEN=0 CMDQEN=0\n");
	/* Registers by everybody's names. */
	good("",
	     "ARM_SMMU_EVTQ_CONS: 0x5\nSMMU_S_CR0 = 0x1\nfoo: 0x1\nARM_SMMU_CR0 (0x0020): "
	     "0x1\nS_INIT 0\n",
	     "EVENTQ_CONS RD=5\nS_CR0 SMMUEN=1 EVENTQEN=0 CMDQEN=0\nCR0 SMMUEN=1 PRIQEN=0 "
	     "EVENTQEN=0 "
	     "CMDQEN=0\nS_INIT INV_ALL=0\n");
	good("reg 809c 01000005", "", "S_CMDQ_CONS RD=5 ERR=CERROR_ILL\n");
	good("reg e04 5", "", "IMPLEMENTATION DEFINED register offset=0xe04 value=0x5\n");
	good("reg 4020 5", "", "CMDQ_CONTROL_PAGE_BASE n=1 value=0x5\n");
	good("cmd 50 0", "", "CMD_TLBI_S_EL2_ALL\n");
	good("cmd 1a 1000", "", "CMD_TLBI_EL3_VA Addr=0x1000\n");
	good("cmd 85 7", "", "IMPLEMENTATION DEFINED command opcode=0x85 W0=0x85 W1=0x7\n");
}

/** What is wrong in one line takes nothing from the others. */
static void test_left_out(void **state)
{
	struct json_object *top;

	assert_int_equal(run("cmd --json -", "0x46 0\n1 2 3\n0x46 0\nsomething else\n"), 0);
	top = json_tokener_parse(out);
	assert_int_equal(json_object_array_length(member(top, "structures")), 2);
	assert_int_equal(json_object_array_length(member(top, "warnings")), 1);
	assert_int_equal(json_object_get_int(member(top, "left_out")), 1);
	assert_int_equal(json_object_get_int(member(top, "skipped_lines")), 1);
	assert_non_null(strstr(err, "line 2: warning: expected 2 words"));
	json_object_put(top);
	bad("cmd --strict", "0x46 0\n1 2 3\n0x46 0\n", "line 2: expected 2 words");
	/* A record that is cut off. */
	assert_int_equal(run("", EVENT_LINES PREFIX "event 0x10 received:\n" PREFIX
						    "\t0x0000012300000010\n"),
			 0);
	assert_non_null(strstr(err, "1 word since line 7; expected an event record"));
}

/** Remarks: for these ID registers, and where the text says so. */
static void test_remarks(void **state)
{
	struct json_object *top, *list, *r;

	assert_int_equal(run("ste --idr0 0x1 0xb 0 0 0 0 0 0 0", ""), 0);
	assert_non_null(strstr(
		out,
		"  illegal:  stage 1 is used, and IDR0.S1P is 0 (IHI 0070 G.b, 5.2 Config)\n"));
	/* What is not known allows everything. */
	assert_int_equal(run("ste --idr1 0x00000010 0xb 0 0 0 0 0 0 0", ""), 0);
	assert_null(strstr(out, "illegal"));
	assert_int_equal(run("cmd --json - 50 0", ""), 0);
	top = json_tokener_parse(out);
	list = member(json_object_array_get_idx(member(top, "structures"), 0), "remarks");
	r = json_object_array_get_idx(list, 0);
	assert_string_equal(json_object_get_string(member(r, "kind")), "illegal");
	assert_string_equal(json_object_get_string(member(r, "section")), "4.1.1, 4.1.3");
	json_object_put(top);
	bad("cmd --idr0 xyz 46 0", "", "--idr0 wants 1 to 8 hexadecimal digits");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logs),     cmocka_unit_test(test_dumps),
		cmocka_unit_test(test_left_out), cmocka_unit_test(test_remarks),
		cmocka_unit_test(test_good),     cmocka_unit_test(test_bad),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
