/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Puts a kernel for crashes in place, by kexec_load(2); or with "now" one that is started in an orderly way, at once.
 *
 * usage: crash_load IMAGE INITRD DTB BASE [now]
 * Where everything lies in the memory that was set aside (crashkernel=), tests/linux/crash.py has written into the device tree:
 * the image at BASE + 2 MiB, the device tree at BASE + 128 MiB, the initial RAM disk at BASE + 144 MiB.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MIB 0x100000ull
#define PAGE 4096ull
#define IMAGE_AT (2 * MIB)
#define DTB_AT (128 * MIB)
#define INITRD_AT (144 * MIB)
#define ELF_AT (140 * MIB)
#define START_AT MIB
#define IMAGE_SIZE_OFFSET 16 /* in an image's header: the memory that it takes */

struct segment {
	const void *buffer;
	size_t buffer_size;
	uint64_t address;
	size_t size;
};

/* The boot protocol: x0 has the device tree, x1 to x3 are 0. */
struct start {
	uint32_t code[6];
	uint64_t image, dtb;
};

static const void *file(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY);
	struct stat s;
	void *p;

	if (fd < 0 || fstat(fd, &s))
		return NULL;
	*size = (size_t)s.st_size;
	p = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	return p == MAP_FAILED ? NULL : p;
}

static struct segment segment(const void *buffer, size_t n, uint64_t address, uint64_t size)
{
	return (struct segment){buffer, n, address, (size + PAGE - 1) & ~(PAGE - 1)};
}

int main(int argc, char **argv)
{
	/* An ELF header and nothing else: its being there says that this is a kernel after a crash. */
	static const uint8_t elf[64] = {0x7f, 'E',      'L',        'F',      2,         1,
					1,    [16] = 4, [18] = 183, [20] = 1, [52] = 64, [54] = 56};
	static struct start start = {
		{0x580000d1, 0x580000e0, 0xaa1f03e1, 0xaa1f03e2, 0xaa1f03e3, 0xd61f0220}, 0, 0};
	struct segment segments[5];
	const void *files[3];
	size_t sizes[3];
	uint64_t base, image_size;

	bool now = argc == 6;

	if (argc != 5 && !now)
		return 2;
	base = strtoull(argv[4], NULL, 0);
	for (int i = 0; i < 3; i++) {
		files[i] = file(argv[1 + i], &sizes[i]);
		if (!files[i]) {
			perror(argv[1 + i]);
			return 1;
		}
	}
	memcpy(&image_size, (const uint8_t *)files[0] + IMAGE_SIZE_OFFSET, sizeof(image_size));
	start.image = base + IMAGE_AT;
	start.dtb = base + DTB_AT;
	segments[0] = segment(&start, sizeof(start), base + START_AT, sizeof(start));
	segments[1] = segment(files[0], sizes[0], base + IMAGE_AT, image_size);
	segments[2] = segment(files[2], sizes[2], base + DTB_AT, sizes[2]);
	segments[3] = segment(files[1], sizes[1], base + INITRD_AT, sizes[1]);
	segments[4] = segment(elf, sizeof(elf), base + ELF_AT, sizeof(elf));
	if (syscall(SYS_kexec_load, base + START_AT, now ? 4ul : 5ul, segments,
		    (unsigned long)(KEXEC_ARCH_AARCH64 | (now ? 0 : KEXEC_ON_CRASH)))) {
		perror("kexec_load");
		return 1;
	}
	if (!now)
		return 0;
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	perror("reboot");
	return 1;
}
