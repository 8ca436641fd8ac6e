/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The devices of one VFIO container do DMA through one address space: what each writes the next one reads, and after an unmap
 * none of them reaches the memory, which the kernel's log says of each.
 *
 * usage: vfio_check NAME ROUNDS GROUP:DEVICE…
 * Says "ok: NAME: …" or "FAILED: NAME: …" for each thing that was to be seen. Exit status: 0 all well, 1 something failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vfio.h"

#define MEMORY 0x800000ull
#define PAGE 4096u
#define IOVA 0x1000000ull
/* The device reads and writes four bytes or eight at a time: as little of it as there may be events, which the log limits. */
#define PROBE 8u
/* What a table of the last level has pages for, and how many are needed to be seen. */
#define TABLE 0x200000ull
#define TABLES 512u

static const uint64_t sizes[] = {PAGE, 16ull * PAGE, 0x200000};
static const char *name;
static unsigned failed;

static void check(bool fine, const char *what)
{
	/* Each failure; a success is counted by whoever calls. */
	if (!fine) {
		printf("FAILED: %s: %s\n", name, what);
		failed++;
	}
}

static void fill(uint8_t *p, unsigned n, unsigned seed)
{
	for (unsigned i = 0; i < n; i++)
		p[i] = (uint8_t)((i * 7 + i / 251 + seed * 31) ^ seed);
}

/* From now on the log's lines are read. */
static int log_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);

	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* How many SMMUs have reported a fault since: a line names its SMMU first. Waits for SMMUS of them, 2 s at most. */
static unsigned log_faults(int fd, unsigned smmus)
{
	char seen[VFIO_DEVICES][48];
	unsigned n = 0;

	for (unsigned i = 0; i < 100 && n < smmus; i++) {
		struct timespec pause = {.tv_nsec = 20000000};
		char record[2048];
		ssize_t got;

		while ((got = read(fd, record, sizeof(record) - 1)) > 0) {
			char *text, *end;
			unsigned k = 0;

			record[got] = '\0';
			text = strchr(record, ';');
			if (!text || !(strstr(text, "F_TRANSLATION") || strstr(text, "event 0x10")))
				continue;
			/* "driver device: …" */
			text++;
			end = strstr(text, ": ");
			if (!end || end - text >= (long)sizeof(seen[0]))
				continue;
			*end = '\0';
			while (k < n && strcmp(seen[k], text))
				k++;
			if (k == n && n < VFIO_DEVICES)
				strcpy(seen[n++], text);
		}
		nanosleep(&pause, NULL);
	}
	return n;
}

/* The device's read and write of 8 bytes at IOVA are to be turned away: MEMORY, which was mapped there, keeps its bytes. */
static void turned_away(struct vfio *v, unsigned i, uint64_t iova, uint8_t *memory)
{
	uint8_t before[PROBE];

	memset(memory, 0x55, PROBE);
	memcpy(before, memory, PROBE);
	check(vfio_edu_write(v, i, iova, PROBE), "a DMA after an unmap does not end");
	if (memcmp(memory, before, PROBE)) {
		printf("FAILED: %s: stale: device %u wrote to %#llx after the unmap\n", name, i,
		       (unsigned long long)iova);
		failed++;
	}
}

/* Our driver's dump says how many attachments each domain has; the built-in driver, which makes a domain for each SMMU, has none. */
static void one_domain(const struct vfio *v)
{
	FILE *f = fopen("/sys/kernel/debug/smmuv3/domains", "r");
	char line[256], wanted[32];
	bool found = false;

	if (!f)
		return;
	snprintf(wanted, sizeof(wanted), "; attachments %u\n", v->nr_devices);
	while (fgets(line, sizeof(line), f))
		found |= strstr(line, ": stage ") && strstr(line, wanted);
	fclose(f);
	check(found, "no domain has all devices");
}

/* SIZE bytes are mapped; device after device carries a page on to the next; SIZE is unmapped, and none gets through. */
static void one_round(struct vfio *v, uint8_t *memory, uint64_t size, unsigned seed)
{
	uint64_t at = size / 2 & ~(uint64_t)(PAGE - 1);
	uint8_t *page = memory + at;
	uint8_t wanted[PAGE];

	check(!vfio_map(v, memory, IOVA, size), "map");
	for (unsigned i = 0; i < v->nr_devices; i++) {
		fill(wanted, PAGE, seed + i);
		memcpy(page, wanted, PAGE);
		check(vfio_edu_read(v, i, IOVA + at, PAGE), "a device's read does not end");
		memset(page, 0xee, PAGE);
		check(vfio_edu_write(v, i, IOVA + at, PAGE), "a device's write does not end");
		check(!memcmp(page, wanted, PAGE), "the round trip of a page has other data");
	}
	check(!vfio_unmap(v, IOVA, size), "unmap");
	for (unsigned i = 0; i < v->nr_devices; i++)
		turned_away(v, i, IOVA + at, page);
}

/* Of two pages the first may only be read: its bytes arrive in the second, and stay as they are. */
static void read_only(struct vfio *v, uint8_t *memory)
{
	uint64_t *from = (uint64_t *)memory, *to = (uint64_t *)(memory + PAGE);

	check(!vfio_map_read_only(v, memory, IOVA, PAGE), "map");
	check(!vfio_map(v, memory + PAGE, IOVA + PAGE, PAGE), "map");
	*from = 0x0123456789abcdefull;
	*to = 0;
	check(vfio_edu_read(v, 0, IOVA, PROBE), "a device's read does not end");
	check(vfio_edu_write(v, 0, IOVA + PAGE, PROBE), "a device's write does not end");
	check(*to == *from, "what may only be read is not");
	*from = 0x55;
	check(vfio_edu_write(v, 0, IOVA, PROBE), "a device's write does not end");
	check(*from == 0x55, "a device writes to what it may only read");
	check(!vfio_unmap(v, IOVA, 2 * PAGE), "unmap");
}

/*
 * Objects of 4 KiB that the kernel has charged to somebody; -1: it does not tell, or the tables are not of our driver. What each
 * processor holds in store (some dozens) is among them before it is charged.
 */
static long charged(void)
{
	FILE *f = access("/sys/kernel/debug/smmuv3", F_OK) ? NULL : fopen("/proc/slabinfo", "r");
	char line[256];
	long n = -1;

	while (f && n < 0 && fgets(line, sizeof(line), f))
		if (sscanf(line, "kmalloc-cg-4k %ld", &n) != 1)
			n = -1;
	if (f)
		fclose(f);
	return n;
}

/* User space's mappings take the kernel's memory for their tables: it is charged to who maps. */
static void tables_are_charged(struct vfio *v, uint8_t *memory)
{
	long before = charged(), after;

	for (unsigned i = 0; i < TABLES; i++)
		check(!vfio_map(v, memory, 64 * IOVA + i * TABLE, PAGE), "map");
	after = charged();
	if (before >= 0 && after < before + TABLES / 2) {
		printf("FAILED: %s: %ld objects are charged, %ld with %u tables more\n", name,
		       before, after, TABLES);
		failed++;
	}
	for (unsigned i = 0; i < TABLES; i++)
		check(!vfio_unmap(v, 64 * IOVA + i * TABLE, PAGE), "unmap");
}

int main(int argc, char **argv)
{
	struct vfio v;
	uint8_t *memory;
	unsigned rounds, seen;
	int log;

	if (argc < 4)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	name = argv[1];
	rounds = (unsigned)atoi(argv[2]);
	vfio_open(&v, (unsigned)(argc - 3), argv + 3);
	memory = vfio_memory(MEMORY);
	for (unsigned i = 0; i < v.nr_devices; i++)
		check(vfio_edu_start(&v, i), "it is no edu device");
	if (failed)
		return 1;
	one_domain(&v);
	log = log_open();
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
			one_round(&v, memory, sizes[s], r * 4 + s);
	read_only(&v, memory);
	tables_are_charged(&v, memory);
	seen = log_faults(log, v.nr_devices);
	if (seen != v.nr_devices) {
		/* Kernels print ten such lines in 5 s, and others may have had them. */
		sleep(6);
		one_round(&v, memory, sizes[0], rounds * 4);
		seen = log_faults(log, v.nr_devices);
	}
	if (seen != v.nr_devices) {
		printf("FAILED: %s: %u of %u SMMUs reported the DMA after the unmap\n", name, seen,
		       v.nr_devices);
		failed++;
	}
	if (!failed)
		printf("ok: %s: %u rounds by %u devices, 4K, 64K and 2M, then none gets through; "
		       "%u SMMUs say so\n",
		       name, rounds, v.nr_devices, seen);
	return failed ? 1 : 0;
}
