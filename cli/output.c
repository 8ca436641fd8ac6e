/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that fit, and places that can be written. */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Letters, not bytes: what continues one in UTF-8 takes no column. */
static unsigned columns_of(const char *text, size_t len)
{
	unsigned n = 0;

	while (len--)
		n += (*text++ & 0xc0) != 0x80;
	return n;
}

void output_wrap(FILE *out, const char *text, unsigned at, unsigned indent, unsigned columns)
{
	const char *space = "";

	while (*text) {
		size_t len = strcspn(text, " ");
		unsigned width = columns_of(text, len);

		if (*space && at + 1 + width > columns) {
			fprintf(out, "\n%*s", (int)indent, "");
			at = indent;
			space = "";
		}
		fprintf(out, "%s%.*s", space, (int)len, text);
		at += width + (*space == ' ');
		space = " ";
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

int output_check(const char *command, const char *option, const char *path)
{
	struct stat st;
	int fd;

	if (!strcmp(path, "-"))
		return 0;
	/* A pipe is not opened in vain: its reader would see an end. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) {
		if (!access(path, W_OK))
			return 0;
	} else {
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd >= 0)
			unlink(path);
		else if (errno == EEXIST)
			fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0) {
			close(fd);
			return 0;
		}
	}
	fprintf(stderr, "smmuv3 %s: %s %s: %s; expected a place to write to\n", command, option,
		path, strerror(errno));
	return 2;
}

int output_finish(int status)
{
	/* What failed before has left its reason. */
	if (!ferror(stdout))
		errno = 0;
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	fprintf(stderr, "smmuv3: standard output: %s; expected a place to write to\n",
		strerror(errno ? errno : EIO));
	return 2;
}
