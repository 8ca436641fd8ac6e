/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The n-th allocation of a step fails, for n = 1, 2, … until the step is done before it comes to the n-th: whatever the step says
 * then, devices do their DMA afterwards, after an unmap none of them reaches the memory, and no memory is lost. FILE is
 * fail_nth of our module as the tests build it (failing.c), whose own allocations fail then, or /proc/thread-self/fail-nth of a kernel
 * with FAILSLAB, where the kernel's do too; what that lets fail is set by whoever calls.
 *
 * usage: fail_check NAME FILE vfio LAST GROUP:DEVICE…  attach, map, unmap and close, n up to LAST
 *        fail_check NAME FILE once N PATH TEXT…        writes of each TEXT to its PATH
 * "once": exit status 0 it failed, 1 it went well without an allocation, 2 it was done before the n-th, 3 neither. Else: "ok: NAME: …" or
 * "FAILED: NAME: …" for what was to be seen; 0 all well, 1 something failed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vfio.h"

#define MEMORY 0x200000ull
#define PAGE 4096u
/* Each n has 512 GiB of its own: no table is there before. */
#define IOVA(n) ((uint64_t)(n) << 39)
#define PLACES 160u /* for each size */
/* A device takes 100 ms for what it does: it is asked after every so many n. */
#define WATCHED 16u

static const char *name;
static unsigned failed;
static int nth = -1;
static unsigned armed;

static void wrong(const char *step, unsigned n, const char *what)
{
	printf("FAILED: %s: %s, allocation %u: %s\n", name, step, n, what);
	failed++;
}

/* From now on the N-th allocation of this thread fails; 0: none. */
static void arm(unsigned n)
{
	char text[16];
	int size = snprintf(text, sizeof(text), "%u", n);

	if (pwrite(nth, text, (size_t)size, 0) != size) {
		printf("FAILED: %s: fail-nth: %s\n", name, strerror(errno));
		exit(1);
	}
	armed = n;
}

/* Ends that. Was there an N-th? */
static bool disarm(void)
{
	char text[16] = "";
	bool fired = armed && pread(nth, text, sizeof(text) - 1, 0) > 0 && !atoi(text);

	arm(0);
	return fired;
}

/* What our module has allocated; -1 where nothing says so. Memory behind a grace period is waited for, 2 s at most. */
static long allocated(long wanted)
{
	long n = -1;

	for (unsigned i = 0; i < 100; i++) {
		struct timespec pause = {.tv_nsec = 20000000};
		char text[24] = "";
		int fd = open("/sys/module/smmuv3/parameters/allocated", O_RDONLY);

		if (fd < 0)
			return -1;
		if (read(fd, text, sizeof(text) - 1) > 0)
			n = atol(text);
		close(fd);
		if (n <= wanted)
			break;
		nanosleep(&pause, NULL);
	}
	return n;
}

/* Device after device carries a page on; then it is unmapped, and none gets at it. */
static void watch(struct vfio *v, uint8_t *memory, const char *step, unsigned n)
{
	uint64_t at = IOVA(n) + MEMORY;

	if (vfio_map(v, memory, at, MEMORY)) {
		wrong(step, n, "no map after it");
		return;
	}
	for (unsigned i = 0; i < v->nr_devices; i++) {
		memset(memory, (int)(0x30 + i), PAGE);
		if (!vfio_edu_read(v, i, at, PAGE))
			wrong(step, n, "a device's read does not end");
		memset(memory, 0xee, PAGE);
		if (!vfio_edu_write(v, i, at, PAGE))
			wrong(step, n, "a device's write does not end");
		if (memory[0] != 0x30 + i || memcmp(memory, memory + 1, PAGE - 1))
			wrong(step, n, "the round trip of a page after it has other data");
	}
	if (vfio_unmap(v, at, MEMORY))
		wrong(step, n, "no unmap after it");
	for (unsigned i = 0; i < v->nr_devices; i++) {
		memset(memory, 0x55, 8);
		if (!vfio_edu_write(v, i, at, 8) || memory[0] != 0x55)
			wrong(step, n, "stale: a device writes after the unmap");
	}
}

static void start(struct vfio *v, unsigned n)
{
	for (unsigned i = 0; i < v->nr_devices; i++)
		if (!vfio_edu_start(v, i))
			wrong("start", n, "it is no edu device");
}

/* The container is made and the devices attached. Returns how many allocations there were; FAILURES: how many made it fail. */
static unsigned attaches(unsigned last, unsigned devices, char **names, uint8_t *memory,
			 unsigned *failures)
{
	for (unsigned n = 1;; n++) {
		const char *what;
		struct vfio v;
		bool fired;
		int error;

		arm(n <= last ? n : 0);
		error = vfio_try_open(&v, devices, names, &what);
		fired = disarm();
		*failures += error != 0;
		if (error && !fired)
			wrong("attach", n, what);
		if (!error && (!fired || n % WATCHED == 0)) {
			start(&v, n);
			watch(&v, memory, "attach", n);
		}
		vfio_close(&v);
		/* At once again, without. */
		if (error) {
			error = vfio_try_open(&v, devices, names, &what);
			if (error)
				wrong("attach again", n, what);
			else if (n % WATCHED == 0) {
				start(&v, n);
				watch(&v, memory, "attach again", n);
			}
			vfio_close(&v);
		}
		if (!fired)
			return n - 1;
	}
}

/* An unmap may not fail, and a map that did left nothing. */
static unsigned maps(struct vfio *v, unsigned first, unsigned last, uint64_t size, uint8_t *memory,
		     unsigned *failures)
{
	for (unsigned n = 1;; n++) {
		bool fired;
		int error;

		arm(n <= last ? n : 0);
		error = vfio_map(v, memory, IOVA(first + n), size);
		fired = disarm();
		*failures += error != 0;
		if (error && !fired)
			wrong("map", n, strerror(error));
		if (error && n % WATCHED == 0) {
			memset(memory, 0x55, 8);
			if (!vfio_edu_write(v, 0, IOVA(first + n), 8) || memory[0] != 0x55)
				wrong("map", n, "stale: a device writes where a map failed");
		}
		if (error && vfio_map(v, memory, IOVA(first + n), size))
			wrong("map again", n, "it fails");
		if (vfio_unmap(v, IOVA(first + n), size))
			wrong("map", n, "no unmap after it");
		if (!fired || n % WATCHED == 0)
			watch(v, memory, "map", first + n);
		if (!fired)
			return n - 1;
	}
}

static unsigned unmaps(struct vfio *v, unsigned first, unsigned last, uint64_t size,
		       uint8_t *memory)
{
	for (unsigned n = 1;; n++) {
		bool fired;
		int error;

		if (vfio_map(v, memory, IOVA(first + n), size))
			wrong("unmap", n, "no map before it");
		arm(n <= last ? n : 0);
		error = vfio_unmap(v, IOVA(first + n), size);
		fired = disarm();
		if (error)
			wrong("unmap", n, strerror(error));
		memset(memory, 0x55, 8);
		if (!vfio_edu_write(v, 0, IOVA(first + n), 8) || memory[0] != 0x55)
			wrong("unmap", n, "stale: a device writes after it");
		if (!fired)
			return n - 1;
	}
}

/* What is mapped goes with the container. */
static unsigned closes(unsigned last, unsigned devices, char **names, uint8_t *memory)
{
	for (unsigned n = 1;; n++) {
		const char *what;
		struct vfio v;
		bool fired;

		if (vfio_try_open(&v, devices, names, &what)) {
			wrong("close", n, what);
			return n - 1;
		}
		if (vfio_map(&v, memory, IOVA(n), MEMORY))
			wrong("close", n, "no map before it");
		arm(n <= last ? n : 0);
		vfio_close(&v);
		fired = disarm();
		if (!fired)
			return n - 1;
	}
}

static int vfio(unsigned last, unsigned devices, char **names)
{
	uint8_t *memory = vfio_memory(MEMORY);
	unsigned attach, attach_failed = 0, map = 0, map_failed = 0, unmap = 0, close;
	static const uint64_t sizes[] = {PAGE, 16ull * PAGE, MEMORY};
	struct vfio v;
	long before, after;

	mlockall(MCL_CURRENT | MCL_FUTURE);
	vfio_open(&v, devices, names);
	vfio_close(&v);
	before = allocated(-1);
	attach = attaches(last, devices, names, memory, &attach_failed);
	vfio_open(&v, devices, names);
	start(&v, 0);
	for (unsigned s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		map += maps(&v, PLACES * s, PLACES - 1, sizes[s], memory, &map_failed);
		unmap += unmaps(&v, PLACES * s, PLACES - 1, sizes[s], memory);
	}
	vfio_close(&v);
	close = closes(last, devices, names, memory);
	after = allocated(before);
	if (after > before)
		printf("FAILED: %s: memory is lost: %ld pieces before, %ld after\n", name, before,
		       after),
			failed++;
	if (!attach_failed || !map_failed)
		printf("FAILED: %s: no attach or no map failed: nothing was tried\n", name),
			failed++;
	if (!failed)
		printf("ok: %s: by %u devices, one allocation missing at a time: of attach %u (%u "
		       "failed), map %u (%u), unmap %u, close %u; %ld pieces of memory before, %ld "
		       "after\n",
		       name, devices, attach, attach_failed, map, map_failed, unmap, close, before,
		       after);
	return failed ? 1 : 0;
}

/* The N-th allocation of all N_WRITES writes together, each a path and a text. */
static int once(unsigned n, int nr_writes, char **writes)
{
	bool fine = true, fired;

	arm(n);
	for (int i = 0; i < nr_writes && fine; i++) {
		const char *text = writes[2 * i + 1];
		int fd = open(writes[2 * i], O_WRONLY);

		fine = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
		if (fd >= 0)
			close(fd);
	}
	fired = disarm();
	return fired ? fine : fine ? 2 : 3;
}

int main(int argc, char **argv)
{
	if (argc < 6)
		return 3;
	setvbuf(stdout, NULL, _IOLBF, 0);
	name = argv[1];
	nth = open(argv[2], O_RDWR);
	if (nth < 0) {
		printf("FAILED: %s: %s: %s\n", name, argv[2], strerror(errno));
		return 3;
	}
	if (!strcmp(argv[3], "vfio"))
		return vfio((unsigned)atoi(argv[4]), (unsigned)(argc - 5), argv + 5);
	return once((unsigned)atoi(argv[4]), (argc - 5) / 2, argv + 5);
}
