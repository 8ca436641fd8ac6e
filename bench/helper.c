/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding a program, running it, reading its rows. */
#include "helper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/** Leaves with this: something it needs is not installed; it has said what. */
#define EXIT_LACKS 77

/* Beside this program, where the build or an installation has it. */
static bool locate(const struct helper *h, char *path, size_t size)
{
	const char *const places[] = {h->folder, "../libexec/libsmmuv3"};
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return false;
	self[n] = 0;
	slash = strrchr(self, '/');
	if (slash)
		*slash = 0;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(path, size, "%s/%s/%s", self, places[i], h->program);
		if (!access(path, X_OK))
			return true;
	}
	return false;
}

static char *read_all(int fd)
{
	size_t used = 0, room = 65536;
	char *text = malloc(room);

	while (text) {
		ssize_t n = read(fd, text + used, room - used - 1);
		char *more = text;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
		if (used + 1 == room) {
			room *= 2;
			more = realloc(text, room);
			if (!more)
				free(text);
		}
		text = more;
	}
	if (text)
		text[used] = 0;
	return text;
}

static _Noreturn void become(const char *path, const char *name, const char *const *args, int out)
{
	const char *argv[16] = {name};

	for (unsigned i = 0; i < 14 && args[i]; i++)
		argv[i + 1] = args[i];
	dup2(out, STDOUT_FILENO);
	execv(path, (char *const *)argv);
	_exit(127);
}

static void run(struct helper *h, const struct suite_options *o)
{
	const char *const *args = o->scale ? h->full : h->brief;
	int ends[2], status = 0;
	char path[8192];
	pid_t child;

	if (!locate(h, path, sizeof(path))) {
		h->trouble = "its program is not installed beside this one";
		return;
	}
	if (pipe(ends)) {
		h->trouble = "no pipe";
		return;
	}
	fflush(NULL);
	child = fork();
	if (!child)
		become(path, h->program, args, ends[1]);
	close(ends[1]);
	h->text = child < 0 ? NULL : read_all(ends[0]);
	close(ends[0]);
	if (child > 0)
		waitpid(child, &status, 0);
	if (h->text && WIFEXITED(status) && !WEXITSTATUS(status))
		return;
	free(h->text);
	h->text = NULL;
	h->trouble = WIFEXITED(status) && WEXITSTATUS(status) == EXIT_LACKS
			     ? "something is not installed"
			     : "its program failed";
}

/* "name=value name=value …" */
static void add_params(struct suite_row *row, char *text)
{
	char *rest = text, *word;

	while ((word = strsep(&rest, " "))) {
		char *equals = strchr(word, '=');

		if (!equals)
			continue;
		*equals = 0;
		suite_param(row, word, strtod(equals + 1, NULL));
	}
}

/* The line becomes the row's strings. */
static void add_row(struct suite_table *t, char *line)
{
	char *field[8] = {0}, *rest = line;
	struct suite_row *row;

	for (unsigned i = 0; i < 8 && rest; i++)
		field[i] = strsep(&rest, "\t");
	if (!field[6])
		return;
	row = suite_row(t, field[1], strtod(field[3], NULL));
	row->min = strtod(field[4], NULL);
	row->max = strtod(field[5], NULL);
	if (*field[2])
		t->unit = field[2];
	row->what = field[7];
	add_params(row, field[6]);
}

/* One string for each line; a line is used up by its table. */
static void split(struct helper *h)
{
	char *rest = h->text, *line;

	for (const char *p = h->text; *p; p++)
		h->lines += *p == '\n';
	h->line = calloc(h->lines + 1, sizeof(*h->line));
	h->lines = 0;
	if (!h->line)
		h->trouble = "no memory";
	while (h->line && (line = strsep(&rest, "\n")) && rest)
		h->line[h->lines++] = line;
}

void helper_rows(struct helper *h, struct suite_table *t, const struct suite_options *o)
{
	size_t length = strlen(t->name);

	if (!h->text && !h->trouble) {
		run(h, o);
		if (h->text)
			split(h);
	}
	t->left_out = h->trouble;
	for (size_t i = 0; i < h->lines; i++)
		if (!strncmp(h->line[i], t->name, length) && h->line[i][length] == '\t')
			add_row(t, h->line[i]);
}
