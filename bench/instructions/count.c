/* SPDX-License-Identifier: BSD-2-Clause */
/** @file count.c This program under callgrind, and the rows of what it counted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

/** Says that something is not installed. */
#define EXIT_LACKS 77
#define ROWS_MAX 256u

struct row {
	char what[64], design[16];
	double value;
};

static struct row row[ROWS_MAX];
static unsigned rows;
/* What the marks cost, and a call of the allocator that does nothing. */
static long empty, alloc, give;

static _Noreturn void become_callgrind(const char *self, const char *dir)
{
	char file[256], log[256];
	int fd;

	snprintf(file, sizeof(file), "--callgrind-out-file=%s/out", dir);
	snprintf(log, sizeof(log), "%s/log", dir);
	fd = open(log, O_WRONLY | O_CREAT, 0600);
	if (fd >= 0) {
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
	}
	execlp("valgrind", "valgrind", "--tool=callgrind", "--collect-atstart=no", file, self,
	       NULL);
	_exit(errno == ENOENT ? EXIT_LACKS : 126);
}

/** What "mark;row;design;allocations;frees" of a dump counted. */
static void note(char *mark, long total)
{
	char *field[5], *rest = mark;
	struct row *r = &row[rows];

	for (unsigned i = 0; i < 5; i++)
		field[i] = rest ? strsep(&rest, ";") : "";
	if (!strcmp(field[1], "empty"))
		empty = total;
	else if (!strcmp(field[1], "alloc"))
		alloc = total - empty;
	else if (!strcmp(field[1], "free"))
		give = total - empty;
	else if (rows < ROWS_MAX) {
		snprintf(r->what, sizeof(r->what), "%s", field[1]);
		snprintf(r->design, sizeof(r->design), "%s", field[2]);
		r->value = (double)(total - empty - atol(field[3]) * alloc - atol(field[4]) * give);
		rows++;
	}
}

/** One dump. False: there is none of that number. */
static bool read_dump(const char *dir, unsigned n)
{
	static const char trigger[] = "desc: Trigger: Client Request: ";
	char path[256], line[512], mark[512] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/out.%u", dir, n);
	f = fopen(path, "r");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		if (!strncmp(line, trigger, sizeof(trigger) - 1))
			snprintf(mark, sizeof(mark), "%s", line + sizeof(trigger) - 1);
		else if (!strncmp(line, "totals: ", 8) && !strncmp(mark, "mark;", 5))
			note(mark, atol(line + 8));
	}
	fclose(f);
	return true;
}

static const struct row *find(const char *what, const char *design)
{
	for (unsigned i = 0; i < rows; i++)
		if (!strcmp(row[i].what, what) && !strcmp(row[i].design, design))
			return &row[i];
	return NULL;
}

/** What one more costs, from two rows that are @p n apart. */
static void further(const char *name, const char *more, const char *less, double n)
{
	static const char *const designs[] = {"smmuv3", "list", "floor"};

	for (unsigned i = 0; i < SMMU_ARRAY_SIZE(designs); i++) {
		const struct row *a = find(more, designs[i]), *b = find(less, designs[i]);

		if (a && b)
			printf("instructions\t%s\tinstructions\t%.1f\t%.1f\t%.1f\t\t%s\n",
			       designs[i], (a->value - b->value) / n, (a->value - b->value) / n,
			       (a->value - b->value) / n, name);
	}
}

static void print_rows(void)
{
	unsigned smmus, ats, pages, commands;

	for (unsigned i = 0; i < rows; i++) {
		const struct row *r = &row[i];

		if (sscanf(r->what, "unmap, smmus %u, ats %u, pages %u", &smmus, &ats, &pages) == 3)
			printf("designs\t%s\tinstructions\t%.0f\t%.0f\t%.0f\t"
			       "smmus=%u ats=%u pages=%u\n",
			       strcmp(r->design, "smmuv3") != 0 ? r->design : "sweep", r->value,
			       r->value, r->value, smmus, ats, pages);
		else if (sscanf(r->what, "masked, commands %u", &commands) == 1)
			printf("interrupts\t%s\tinstructions\t%.0f\t%.0f\t%.0f\tcommands=%u\n",
			       r->design, r->value, r->value, r->value, commands);
		else
			printf("instructions\t%s\tinstructions\t%.0f\t%.0f\t%.0f\t\t%s\n",
			       r->design, r->value, r->value, r->value, r->what);
	}
	further("each further ATS entry", "sweep of 4K, 1 SMMU, 512 ATS",
		"sweep of 4K, 1 SMMU, 64 ATS", 448);
	further("each further command", "sweep of 256 commands", "sweep of 16 commands", 240);
	further("each further SMMU", "sweep of 4K, 16 SMMUs, 0 ATS", "sweep of 4K, 1 SMMU, 0 ATS",
		15);
}

static void remove_folder(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[512];

	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(dir);
}

int bench_count(const char *self)
{
	char dir[] = "/tmp/smmuv3-count.XXXXXX", exe[4096];
	ssize_t n = readlink(self, exe, sizeof(exe) - 1);
	int status = 0;
	pid_t child;

	MUST(n > 0 && mkdtemp(dir));
	exe[n] = 0;
	child = fork();
	MUST(child >= 0);
	if (!child)
		become_callgrind(exe, dir);
	MUST(waitpid(child, &status, 0) == child);
	if (WIFEXITED(status) && !WEXITSTATUS(status))
		for (unsigned i = 1; read_dump(dir, i); i++)
			;
	remove_folder(dir);
	print_rows();
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LACKS)
		fprintf(stderr, "smmuv3-count: instructions are counted by valgrind, which is not "
				"installed\n");
	else if (!rows)
		fprintf(stderr, "smmuv3-count: nothing was counted\n");
	if (!rows)
		return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LACKS ? EXIT_LACKS : 1;
	return 0;
}
