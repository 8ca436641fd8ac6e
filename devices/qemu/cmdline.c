/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line that makes the machine: SMMUs, root ports, devices. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

static void add_word(struct args *a, const char *word)
{
	if (a->n == ARGS_MAX || !(a->v[a->n] = strdup(word)))
		a->incomplete = true;
	else
		a->n++;
}

/* Add an option and its formatted argument, which may hold blanks. */
static void __attribute__((format(printf, 3, 4)))
add(struct args *a, const char *option, const char *fmt, ...)
{
	char *text;
	va_list ap;

	add_word(a, option);
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0) {
		a->incomplete = true;
	} else {
		add_word(a, text);
		free(text);
	}
	va_end(ap);
}

void args_free(struct args *a)
{
	while (a->n)
		free(a->v[--a->n]);
}

/*
 * Instance 0 serves the first root bus: edu in slot 2, the testdevs as functions of slot 3, NVMe in slot 4. Each other
 * one serves a root bus that takes only bridges, so its devices are the functions of the one slot behind a root port:
 * testdev, edu, further testdevs, and NVMe last.
 */
static void add_endpoint(struct args *a, unsigned smmu, unsigned slot, unsigned function,
			 const char *device)
{
	const char *multi = function == 0 && slot != 2 && slot != 4 ? ",multifunction=on" : "";

	if (smmu == 0)
		add(a, "-device", "%s,bus=pcie.0,addr=%x.%u%s", device, slot, function, multi);
	else
		add(a, "-device", "%s,bus=rp.%u,addr=0.%u%s", device, smmu, function, multi);
}

static void add_instance(struct args *a, const struct qemu_config *c, unsigned n, int disk_fd)
{
	char nvme[96];
	unsigned i;

	if (n > 0)
		add(a, "-device", "pxb-pcie,id=pcie.%u,bus_nr=%u,bus=pcie.0,addr=%x", n,
		    n * ROOT_BUS_STEP, 16 + n);
	add(a, "-device", "arm-smmuv3,primary-bus=pcie.%u,id=smmu.%u,stage=%s", n, n, c->stage);
	if (n > 0)
		add(a, "-device", "pcie-root-port,id=rp.%u,bus=pcie.%u,chassis=%u,slot=%u", n, n, n,
		    n);
	for (i = 0; i < c->testdevs; i++)
		add_endpoint(a, n, 3, n > 0 && i > 0 ? i + 1 : i, "iommu-testdev");
	if (!c->no_edu)
		add_endpoint(a, n, 2, n > 0 ? 1 : 0, "edu,dma_mask=0xffffffffffffffff");
	if (!c->no_nvme) {
		add(a, "-blockdev", "driver=file,filename=/dev/fd/%d,node-name=file.%u,locking=off",
		    disk_fd, n);
		add(a, "-blockdev", "driver=raw,file=file.%u,node-name=disk.%u", n, n);
		snprintf(nvme, sizeof(nvme), "nvme,serial=smmu%u,drive=disk.%u", n, n);
		add_endpoint(a, n, 4, n > 0 ? 7 : 0, nvme);
	}
}

int args_build(struct args *a, const struct qemu_config *c, const char *program, int ram_fd,
	       int qtest_fd, const int *disk_fd)
{
	unsigned n;

	memset(a, 0, sizeof(*a));
	add_word(a, program);
	add(a, "-M", "virt,gic-version=3,msi=off,memory-backend=ram0");
	add(a, "-accel", "qtest");
	add(a, "-cpu", "cortex-a57");
	add(a, "-m", "%lluM", (unsigned long long)c->ram_size >> 20);
	add_word(a, "-nodefaults");
	add(a, "-display", "none");
	add(a, "-object", "memory-backend-file,id=ram0,size=%lluM,mem-path=/dev/fd/%d,share=on",
	    (unsigned long long)c->ram_size >> 20, ram_fd);
	for (n = 0; n < c->smmus; n++)
		add_instance(a, c, n, disk_fd[n]);
	add(a, "-chardev", "socket,id=qtest,fd=%d", qtest_fd);
	add(a, "-qtest", "chardev:qtest");
	add(a, "-qtest-log", "none");
	if (c->trace) {
		add(a, "-trace", "smmu*");
		add(a, "-D", "%s", c->trace);
	}
	if (a->incomplete) {
		args_free(a);
		return -SMMU_ENOMEM;
	}
	return 0;
}
