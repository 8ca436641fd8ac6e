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

static void good(const char *args, const char *input, const char *expected)
{
	if (run(args, input) != 0 || strcmp(out, expected) != 0 || err[0])
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
	     "CMD_SYNC CS=none\nCMD_STALL_TERM SID=3\n");
	good("ste 9 100000000000 0 0 0 0 0 0", "", "STE V=1 Config=bypass SHCFG=incoming\n");
	good("ste 9 0 0 1000 0 0 0 0 0 0 0 0 0 0 0 0", "",
	     "STE V=1 Config=bypass SHCFG=incoming\n");
	good("cd 0 0 0 0 0 0 0 0", "", "CD V=0\n");
	good("event", "0x0000000200000004 0 0 0\n", "C_BAD_STE type=0x4 SID=2\n");
	good("event 4 2 0 0 0 0 0 0", "", "C_BAD_STE type=0x4 SID=2\n");
	good("pri 100 abc003", "", "PRI page request SID=256 Addr=0xabc000 PRGIndex=3\n");
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
	bad("", "", "expected what to decode");
	bad("foo 1 2", "", "expected cmd, ste, cd, event, pri or reg");
	bad("cmd 1", "", "expected 2 words of 64 bits or 4 of 32 bits for a command, got 1");
	bad("cmd 1 2 3", "", "got 3");
	bad("ste 1 2", "", "expected 8 words");
	bad("cmd 1 0x", "", "\"0x\"");
	bad("cmd 1 zz", "", "\"zz\"");
	bad("cmd 1 -1", "", "invalid option");
	bad("cmd 1 10000000000000000", "", "1 to 16 hexadecimal digits");
	bad("cmd 1 2 3 123456789", "", "at most 8 digits");
	bad("event", "4 0 0 0\n\n1 2\n", "standard input, line 3: expected 4 words");
	bad("cmd", "", "nothing to decode");
	bad("cmd", "# only this\n\n", "nothing to decode");
	bad("cmd", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18\n", "line 1: expected 2 words");
	bad("reg IDR0", "", "got 1 word");
	bad("reg NOPE 1", "", "\"NOPE\" is no register");
	bad("reg 3 1", "", "multiple of 4 below 0x20000");
	bad("reg 20000 1", "", "multiple of 4 below 0x20000");
	bad("reg CR0 100000000", "", "has 32 bits");
	bad("reg CR0 xyz", "", "\"xyz\"");
	bad("--json", "", "requires an argument");
	bad("--jsno x cmd 1 2", "", "Try 'smmuv3 decode --help'");
	bad("--json /nonexistent/x cmd 46 0", "", "cannot write /nonexistent/x");
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
