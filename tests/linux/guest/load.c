/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several threads read and write a disk at random, past the page cache, and compare what they read with what they wrote.
 *
 * usage: load NAME DEVICE DISK THREADS SECONDS [gone]
 * The disk's first 4 MiB hold words that say where they are (tests/linux/run.py wrote them): they are read first. Then each thread
 * has 8 MiB of its own. At the end they hold words that the host looks at. With "gone" it goes on until the disk is taken away,
 * for SECONDS at most, which is then a failure.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB 0x100000ull
#define PATTERN_END (4 * MIB)
#define SLICE (8 * MIB)
#define BLOCK 4096u
#define MOST_BLOCKS 32u /* of one transfer */
#define THREADS 8u

struct worker {
	pthread_t thread;
	unsigned index;
	uint64_t random;
	uint64_t reads, writes;
	const char *wrong; /* NULL: nothing */
	bool gone;
	uint32_t generations[SLICE / BLOCK]; /* 0: never written */
};

static const char *name;
static unsigned disk;
static int fd;
static struct timespec deadline;

static uint64_t next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static bool over(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > deadline.tv_sec ||
	       (now.tv_sec == deadline.tv_sec && now.tv_nsec >= deadline.tv_nsec);
}

static uint64_t word(unsigned tag, uint64_t offset)
{
	return (uint64_t)tag << 56 | offset;
}

static uint64_t worker_word(uint64_t offset, uint32_t generation)
{
	return (offset * 0x9e3779b97f4a7c15ull) ^ (uint64_t)generation << 32;
}

/* Both: false when the disk has gone; a short transfer is one. */
static bool transfer(bool write, uint8_t *data, uint64_t n, uint64_t offset)
{
	ssize_t done =
		write ? pwrite(fd, data, n, (off_t)offset) : pread(fd, data, n, (off_t)offset);

	return done == (ssize_t)n;
}

static void worker_write(struct worker *w, uint8_t *data, uint64_t block, unsigned n)
{
	uint64_t at = PATTERN_END + w->index * SLICE + block * BLOCK;

	for (unsigned i = 0; i < n; i++) {
		uint32_t generation = ++w->generations[block + i];

		for (unsigned k = 0; k < BLOCK; k += 8) {
			uint64_t value = worker_word(at + i * BLOCK + k, generation);

			memcpy(data + i * BLOCK + k, &value, 8);
		}
	}
	w->writes++;
	w->gone = !transfer(true, data, (uint64_t)n * BLOCK, at);
}

static void worker_read(struct worker *w, uint8_t *data, uint64_t block, unsigned n)
{
	uint64_t at = PATTERN_END + w->index * SLICE + block * BLOCK;

	memset(data, 0xee, (uint64_t)n * BLOCK);
	w->reads++;
	w->gone = !transfer(false, data, (uint64_t)n * BLOCK, at);
	for (unsigned i = 0; i < n && !w->gone; i++) {
		for (unsigned k = 0; k < BLOCK && w->generations[block + i]; k += 8) {
			uint64_t value;

			memcpy(&value, data + i * BLOCK + k, 8);
			if (value != worker_word(at + i * BLOCK + k, w->generations[block + i]))
				w->wrong = "read other data than was written";
		}
	}
}

static void *work(void *argument)
{
	struct worker *w = argument;
	uint8_t *data = aligned_alloc(BLOCK, (size_t)MOST_BLOCKS * BLOCK);

	if (!data)
		w->wrong = "no memory";
	while (!w->wrong && !w->gone && !over()) {
		unsigned n = 1 + (unsigned)(next(&w->random) % MOST_BLOCKS);
		uint64_t block = next(&w->random) % (SLICE / BLOCK - n + 1);

		if (next(&w->random) & 1)
			worker_write(w, data, block, n);
		else
			worker_read(w, data, block, n);
	}
	for (uint64_t b = 0; b < SLICE / BLOCK && !w->wrong && !w->gone; b += MOST_BLOCKS)
		worker_read(w, data, b, MOST_BLOCKS);
	free(data);
	return NULL;
}

/* What the host wrote, or writes what it is to find. */
static const char *pattern(bool write, uint64_t start, uint64_t end)
{
	unsigned tag = disk + 1 + (write ? 0x80 : 0);
	uint64_t *data = aligned_alloc(BLOCK, MIB);

	if (!data)
		return "no memory";
	for (uint64_t at = start; at < end; at += MIB) {
		for (unsigned k = 0; k < MIB / 8; k++)
			data[k] = write ? word(tag, at + k * 8ull) : 0;
		if (!transfer(write, (uint8_t *)data, MIB, at))
			return write ? "the last write fails" : "the first read fails";
		for (unsigned k = 0; k < MIB / 8 && !write; k++)
			if (data[k] != word(tag, at + k * 8ull))
				return "it does not hold what the host wrote";
	}
	free(data);
	return write && fsync(fd) ? "fsync" : NULL;
}

int main(int argc, char **argv)
{
	static struct worker workers[THREADS];
	uint64_t reads = 0, writes = 0;
	const char *wrong;
	bool until_gone, gone = false;
	unsigned threads;

	if (argc < 6)
		return 2;
	name = argv[1];
	disk = (unsigned)atoi(argv[3]);
	threads = (unsigned)atoi(argv[4]);
	threads = threads < THREADS ? threads : THREADS;
	until_gone = argc > 6;
	fd = open(argv[2], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (fd < 0) {
		printf("FAILED: %s: %s: %s\n", name, argv[2], strerror(errno));
		return 1;
	}
	wrong = pattern(false, 0, PATTERN_END);
	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += atoi(argv[5]);
	for (unsigned i = 0; i < threads && !wrong; i++) {
		workers[i].index = i;
		workers[i].random = 0x1234567 + disk * 1000 + i;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			wrong = "no thread";
	}
	for (unsigned i = 0; i < threads && workers[i].thread; i++) {
		pthread_join(workers[i].thread, NULL);
		reads += workers[i].reads;
		writes += workers[i].writes;
		gone |= workers[i].gone;
		wrong = workers[i].wrong ? workers[i].wrong : wrong;
	}
	if (!wrong && gone != until_gone)
		wrong = gone ? "a transfer failed" : "it was not taken away";
	if (!wrong && !gone)
		wrong = pattern(true, PATTERN_END, PATTERN_END + threads * SLICE);
	if (wrong)
		printf("FAILED: %s: %s: %s\n", name, argv[2], wrong);
	else
		printf("ok: %s: %s: %llu reads and %llu writes by %u threads%s\n", name, argv[2],
		       (unsigned long long)reads, (unsigned long long)writes, threads,
		       gone ? ", then it was gone" : "");
	return wrong ? 1 : 0;
}
