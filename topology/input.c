/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a table from a file: packed or not, in binary or in text, of the kind that was asked for or of another. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* A file is read to its end rather than by its size: a pipe and some of sysfs have none. */
static int read_all(const struct topology_build *b, gzFile file, void **data, size_t *size)
{
	size_t room = 0x10000, n = 0;
	uint8_t *buf = NULL, *bigger;
	const char *text;
	int got, code;

	for (;;) {
		bigger = realloc(buf, room);
		if (!bigger) {
			code = topology_no_memory(b);
			break;
		}
		buf = bigger;
		got = gzread(file, buf + n, (unsigned)(room - n));
		if (got < 0) {
			text = gzerror(file, &code);
			code = topology_fail(b, -SMMU_EIO, "%s",
					     code == Z_ERRNO ? strerror(errno ? errno : EIO)
							     : text);
			break;
		}
		n += (size_t)got;
		if (n > SMMU_TOPOLOGY_MAX_FILE) {
			code = topology_fail(
				b, -SMMU_EINVAL,
				"offset 0x%x: the file goes on; expected at most %u bytes",
				SMMU_TOPOLOGY_MAX_FILE, SMMU_TOPOLOGY_MAX_FILE);
			break;
		}
		if (n < room) {
			*data = buf;
			*size = n;
			return 0;
		}
		room *= 2;
	}
	free(buf);
	return code;
}

int input_read(const struct topology_build *b, const char *path, void **data, size_t *size)
{
	int fd = !strcmp(path, "-") ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;
	gzFile file;

	if (fd < 0)
		return topology_fail(b, -SMMU_EIO, "%s; expected a file to read", strerror(errno));
	if (!fstat(fd, &st) && S_ISDIR(st.st_mode)) {
		close(fd);
		return topology_fail(b, -SMMU_EIO,
				     "this is a folder; expected a file (a device tree in folders: "
				     "dtc -I fs -O dtb -o FILE.dtb FOLDER; of this machine: "
				     "/sys/firmware/fdt)");
	}
	file = gzdopen(fd, "rb");
	if (!file) {
		close(fd);
		return topology_no_memory(b);
	}
	rc = read_all(b, file, data, size);
	/* A file that stops in the middle of a block is noticed only here. */
	if (gzclose_r(file) == Z_BUF_ERROR && !rc) {
		free(*data);
		rc = topology_fail(b, -SMMU_EIO,
				   "the file is cut off; expected more compressed data");
	}
	return rc;
}

int smmu_topology_from_bytes(const void *bytes, size_t size, enum smmu_topology_format format,
			     unsigned how, struct smmu_topology *t, char *err, size_t errlen)
{
	const struct topology_build b = {.t = t, .how = how, .err = err, .errlen = errlen};
	char text[256];
	size_t length;
	void *table;
	int rc;

	memset(t, 0, sizeof(*t));
	switch (input_kind(bytes, size, text, sizeof(text))) {
	case INPUT_DTB:
		if (format == SMMU_TOPOLOGY_IORT)
			return topology_fail(&b, -SMMU_EINVAL,
					     "this is a device tree; expected an IORT: use --dtb");
		break;
	case INPUT_IORT:
		if (format == SMMU_TOPOLOGY_DTB)
			return topology_fail(
				&b, -SMMU_EINVAL,
				"this is an ACPI IORT; expected a device tree: use --iort");
		break;
	case INPUT_ACPIDUMP:
		if (format == SMMU_TOPOLOGY_DTB)
			return topology_fail(
				&b, -SMMU_EINVAL,
				"this is the text of acpidump; expected a device tree: use "
				"--iort");
		rc = input_acpidump(&b, bytes, size, &table, &length);
		if (rc)
			return rc;
		rc = smmu_topology_from_iort(table, length, how, t, err, errlen);
		free(table);
		return rc;
	case INPUT_WRONG:
		return topology_fail(&b, -SMMU_EINVAL, "this is %s; expected %s", text,
				     format == SMMU_TOPOLOGY_IORT ? "an IORT" : "a device tree");
	case INPUT_UNKNOWN:
		break;
	}
	return format == SMMU_TOPOLOGY_IORT
		       ? smmu_topology_from_iort(bytes, size, how, t, err, errlen)
		       : smmu_topology_from_dtb(bytes, size, how, t, err, errlen);
}

int smmu_topology_from_file(const char *path, enum smmu_topology_format format, unsigned how,
			    struct smmu_topology *t, char *err, size_t errlen)
{
	char text[SMMU_TOPOLOGY_ERR];
	const struct topology_build b = {.t = t, .how = how, .err = text, .errlen = sizeof(text)};
	void *data = NULL;
	size_t size = 0;
	int rc;

	memset(t, 0, sizeof(*t));
	rc = input_read(&b, path, &data, &size);
	if (!rc) {
		rc = smmu_topology_from_bytes(data, size, format, how, t, text, sizeof(text));
		free(data);
	}
	if (rc)
		topology_fail(&(struct topology_build){.err = err, .errlen = errlen}, rc, "%s: %s",
			      strcmp(path, "-") ? path : "standard input", text);
	return rc;
}
