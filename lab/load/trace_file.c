/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines of a trace's file. */
#include "trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

int trace_fail(const struct trace *t, uint64_t line, char *err, size_t size, const char *fmt, ...)
{
	const char *path = strcmp(t->path, "-") ? t->path : "standard input";
	va_list ap;
	int n;

	if (line)
		n = snprintf(err, size, "%s: line %" PRIu64 ": ", path, line);
	else
		n = snprintf(err, size, "%s: ", path);
	if (n < 0 || (size_t)n >= size)
		return -1;
	va_start(ap, fmt);
	vsnprintf(err + n, size - (size_t)n, fmt, ap);
	va_end(ap);
	return -1;
}

static const struct {
	const char *magic;
	size_t length;
	const char *what;
} binaries[] = {
	{"\x17\x08\x44tracing", 10,
	 "this is a binary trace of trace-cmd; expected text: run trace-cmd report -i FILE > "
	 "FILE.txt first"},
	{"PERFILE2", 8,
	 "this is a binary trace of perf; expected text: run perf script -i FILE > FILE.txt first"},
	{"PERFFILE", 8,
	 "this is a binary trace of perf; expected text: run perf script -i FILE > FILE.txt first"},
	{"\xfd"
	 "7zXZ",
	 5, "this is packed by xz; expected text or gzip: run xz -d FILE first"},
	{"\x28\xb5\x2f\xfd", 4,
	 "this is packed by zstd; expected text or gzip: run zstd -d FILE first"},
	{"BZh", 3, "this is packed by bzip2; expected text or gzip: run bzip2 -d FILE first"},
	{"IORT", 4, "this is an ACPI IORT; expected a trace: use --iort for it"},
	{"\xd0\x0d\xfe\xed", 4, "this is a device tree; expected a trace: use --dtb for it"},
};

/* A name for what is no text at all. */
static int check_kind(struct trace *t, char *err, size_t size)
{
	char head[512];
	int n = gzread(t->file, head, sizeof(head));
	size_t i;

	for (i = 0; n > 0 && i < sizeof(binaries) / sizeof(binaries[0]); i++)
		if ((size_t)n >= binaries[i].length &&
		    !memcmp(head, binaries[i].magic, binaries[i].length))
			return trace_fail(t, 0, err, size, "%s", binaries[i].what);
	if (n > 0 && memchr(head, 0, (size_t)n))
		return trace_fail(t, 0, err, size, "this is no text; expected a trace in text");
	return trace_file_rewind(t, err, size);
}

/* Standard input can be read once, a trace is read more often. */
static int spool(const struct trace *t, char *err, size_t size)
{
	FILE *f = tmpfile();
	char *buf = malloc(1 << 16);
	ssize_t n = -1;
	int fd = -1;

	while (f && buf && (n = read(STDIN_FILENO, buf, 1 << 16)) > 0)
		if (fwrite(buf, 1, (size_t)n, f) != (size_t)n)
			n = -1;
	if (!n && !fflush(f))
		fd = dup(fileno(f));
	if (fd < 0)
		trace_fail(t, 0, err, size, "%s; expected to keep it in a temporary file",
			   strerror(errno));
	else
		lseek(fd, 0, SEEK_SET);
	free(buf);
	if (f)
		fclose(f);
	return fd;
}

int trace_file_open(struct trace *t, char *err, size_t size)
{
	struct stat st;
	int fd;

	t->line = malloc(TRACE_LINE_BYTES);
	if (!t->line)
		return trace_fail(t, 0, err, size, "out of memory");
	fd = strcmp(t->path, "-") ? open(t->path, O_RDONLY | O_CLOEXEC) : spool(t, err, size);
	if (fd < 0)
		return strcmp(t->path, "-") ? trace_fail(t, 0, err, size, "%s", strerror(errno))
					    : -1;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		t->bytes = (uint64_t)st.st_size;
	else
		t->bytes = 0;
	if (!t->bytes && strcmp(t->path, "-") && lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return trace_fail(t, 0, err, size,
				  "cannot be read twice; expected a file, or - for standard input");
	}
	t->file = gzdopen(fd, "rb");
	if (!t->file) {
		close(fd);
		return trace_fail(t, 0, err, size, "out of memory");
	}
	gzbuffer(t->file, 1 << 17);
	return check_kind(t, err, size);
}

void trace_file_close(struct trace *t)
{
	if (t->file)
		gzclose_r(t->file);
	free(t->line);
	t->file = NULL;
	t->line = NULL;
}

int trace_file_rewind(struct trace *t, char *err, size_t size)
{
	/* A file that is damaged inside is read up to there each time. */
	gzclearerr(t->file);
	return gzrewind(t->file)
		       ? trace_fail(t, 0, err, size, "cannot be read twice; expected a file")
		       : 0;
}

uint64_t trace_position(const struct trace *t)
{
	z_off_t at = gzoffset(t->file);

	return at < 0 ? 0 : (uint64_t)at;
}

/* At the end: 0, or -1 where it could not be read. */
static int end(struct trace *t, char *err, size_t size)
{
	const char *text;
	int code;

	text = gzerror(t->file, &code);
	if (code == Z_OK || code == Z_STREAM_END)
		return 0;
	if (code == Z_ERRNO)
		return trace_fail(t, 0, err, size, "%s; expected to read on", strerror(errno));
	if (code == Z_MEM_ERROR)
		return trace_fail(t, 0, err, size, "out of memory");
	(void)text;
	t->counts.cut = true;
	return 0;
}

int trace_file_line(struct trace *t, char *err, size_t size)
{
	size_t len;

	for (;;) {
		if (!gzgets(t->file, t->line, TRACE_LINE_BYTES))
			return end(t, err, size);
		t->counts.lines++;
		len = strlen(t->line);
		if (len && t->line[len - 1] == '\n') {
			t->line[--len] = '\0';
			if (len && t->line[len - 1] == '\r')
				t->line[--len] = '\0';
			return 1;
		}
		/* The last one may have no newline, and a packed file may end within one. */
		if (len < TRACE_LINE_BYTES - 1)
			return 1;
		t->counts.long_lines++;
		while (gzgets(t->file, t->line, TRACE_LINE_BYTES) && !strchr(t->line, '\n'))
			;
	}
}
