/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file topology.h
 * Which SMMUs a machine has, and which device identifiers reach which of them as which stream: read
 * from an ACPI IORT (ARM DEN 0049), from a flattened device tree, or made up for a workload.
 *
 * Hosted code: it allocates with malloc and reports errors as text. Nothing here is thread safe
 * while a topology is being loaded or freed; a loaded one is only read.
 */
#ifndef SMMU_TOPOLOGY_TOPOLOGY_H
#define SMMU_TOPOLOGY_TOPOLOGY_H

#include <smmuv3/types.h>

/** Limits that keep the time and memory that a hostile table can cost small. */
#define SMMU_TOPOLOGY_MAX_FILE (16u << 20)   /**< bytes of a table, unpacked */
#define SMMU_TOPOLOGY_MAX_SMMUS 1024u        /**< instances */
#define SMMU_TOPOLOGY_MAX_ROOTS 4096u        /**< root complexes, components and devices */
#define SMMU_TOPOLOGY_MAX_STREAMS (1u << 20) /**< ranges of all roots together */
#define SMMU_TOPOLOGY_MAX_OTHERS 4096u       /**< what is told besides */
#define SMMU_TOPOLOGY_MAX_RESERVED 4096u     /**< ranges of memory that stay mapped */
#define SMMU_TOPOLOGY_MAX_WARNINGS 256u      /**< kept in words; the rest is only counted */
#define SMMU_TOPOLOGY_MAX_DEVICES 0x10000u   /**< devices a synthetic root complex can have */
#define SMMU_TOPOLOGY_ERR 512                /**< room that is enough for most error texts */

/** A set of consecutive stream identifiers. */
struct smmu_topology_ids {
	uint32_t first;
	uint64_t count; /**< 1 … 2^32 - first */
};

/** What an IORT says of the part: its "model". */
#define SMMU_TOPOLOGY_MODEL_GENERIC 0u
#define SMMU_TOPOLOGY_MODEL_HI161X 1u
#define SMMU_TOPOLOGY_MODEL_CN99XX 2u

/** One SMMUv3. */
struct smmu_topology_smmu {
	unsigned index; /**< its position in smmus[] */
	uint64_t base;  /**< physical address of register page 0 */
	uint64_t size;  /**< bytes of registers; an IORT implies two 64K pages */
	bool coherent;  /**< COHACC override, or dma-coherent */
	bool has_numa;  /**< numa is known */
	uint32_t numa;  /**< ACPI proximity domain, or numa-node-id */
	bool has_gsivs; /**< the four below are known; 0: not wired, an MSI, absent */
	bool combined;  /**< one interrupt for all purposes: the four are the same */
	uint32_t
		event_gsiv; /**< global interrupt number: SPIs count from 32, extended SPIs from 4096 */
	uint32_t pri_gsiv;
	uint32_t gerror_gsiv;
	uint32_t sync_gsiv;
	bool has_model; /**< an IORT states the model */
	uint32_t model;
	bool page0_only; /**< what belongs into page 1 lies in page 0 */
	bool disabled; /**< the firmware says not to use it, and SMMU_TOPOLOGY_ALL overruled that */
	char *compatible; /**< a device tree's list, most special first, with blanks; or NULL */
	char *name; /**< where it came from: "iort@0x48", "/soc/iommu@9050000", "synthetic0" */

	struct smmu_topology_ids *ids; /**< its streams: ascending, disjoint */
	size_t n_ids;
	uint64_t n_streams; /**< sum of ids[].count */
};

/** What may be the origin of streams. */
enum smmu_topology_kind {
	SMMU_TOPOLOGY_ROOT_COMPLEX,    /**< IORT root complex; inputs are PCI requester ids */
	SMMU_TOPOLOGY_NAMED_COMPONENT, /**< IORT named component; inputs are its own ids */
	SMMU_TOPOLOGY_PCIE_HOST,       /**< device tree host bridge; inputs are PCI requester ids */
	SMMU_TOPOLOGY_PLATFORM_DEVICE, /**< device tree device; inputs number its `iommus` */
};

/** Inputs first … first + count - 1 reach instance smmu as stream … stream + count - 1. */
struct smmu_topology_streams {
	uint32_t first;
	uint64_t count; /**< at least 1; neither first nor stream goes past 2^32 - 1 */
	unsigned smmu;  /**< index of the instance */
	uint32_t stream;
};

/** A root complex, component, host bridge or device. One without streams reaches no SMMUv3. */
struct smmu_topology_root {
	enum smmu_topology_kind kind;
	char *name; /**< "iort@0xf8" for a root complex, else the ACPI or device tree path */
	bool has_segment;
	uint32_t segment;   /**< PCI segment (linux,pci-domain) */
	bool ats;           /**< the root complex supports ATS */
	bool pri;           /**< … and page requests */
	bool stall;         /**< the device can wait for a stalled transaction */
	bool has_pasid;     /**< pasid_bits is known */
	uint8_t pasid_bits; /**< width of its PASIDs or substreams; 0: has none */
	bool coherent;      /**< the root's own memory accesses are coherent */
	bool made_up;       /**< no table has it */
	struct smmu_topology_streams *streams; /**< ascending by first */
	size_t n_streams;
};

/** Memory that streams use before any driver knows them: it has to stay mapped one to one. */
struct smmu_topology_reserved {
	uint64_t base, size; /**< physical, bytes; not empty, below 2^64 */
	unsigned smmu;
	uint32_t stream; /**< streams stream … stream + count - 1 of that instance */
	uint64_t count;
	bool remap;      /**< the memory may be moved when the device is told */
	bool privileged; /**< the accesses are privileged */
	char *name;      /**< where it came from: "iort@0x100" */
};

/** Something else that the table tells, for people. */
struct smmu_topology_other {
	const char *kind; /**< "SMMUv1 or v2", "PMCG", "SMMUv3, disabled", … a constant */
	char *name;
	bool has_base;
	uint64_t base;
};

struct smmu_topology {
	struct smmu_topology_smmu *smmus;
	size_t n_smmus;
	struct smmu_topology_root *roots;
	size_t n_roots;
	size_t n_streams; /**< sum of roots[].n_streams */
	struct smmu_topology_reserved *reserved;
	size_t n_reserved;
	struct smmu_topology_other *others;
	size_t n_others;
	char **warnings; /**< what is wrong in the table, each with its place: the first of them */
	size_t n_warnings;
	size_t more_warnings; /**< beyond those */
	size_t left_out;      /**< items that were not used for it */
};

enum smmu_topology_format {
	SMMU_TOPOLOGY_IORT,
	SMMU_TOPOLOGY_DTB,
};

/** @name How to read a table: bits @{ */
#define SMMU_TOPOLOGY_STRICT 1u /**< refuse what is otherwise left out with a warning */
#define SMMU_TOPOLOGY_ALL 2u    /**< use the SMMUs that a device tree marks as disabled too */
/** @} */

/**
 * Read an IORT of @p size bytes at @p table (no alignment needed; bytes past the length that the
 * table states are ignored). Every length, offset, count, reference and the checksum are looked at.
 *
 * As Linux does, an item that is wrong is left out, the rest is used, and a warning in @p t names
 * the offset and what was expected there; SMMU_TOPOLOGY_STRICT in @p how makes the first of them an
 * error. Where two mappings take the same input, the one that comes first has it, but for the last
 * input of a range that is also the first of another: the count of the former is one too many then.
 *
 * @p t is written, not read: free it first when it holds a topology. After an error it is empty.
 * @return 0; -SMMU_EINVAL: nothing in it can be read (or it is strict, see above), @p err says at
 * which offset and what was expected; -SMMU_ENOMEM. @p err, of @p errlen bytes, is only written on
 * errors.
 */
int smmu_topology_from_iort(const void *table, size_t size, unsigned how, struct smmu_topology *t,
			    char *err, size_t errlen);

/**
 * Read a flattened device tree; as smmu_topology_from_iort(), but texts name a node and property
 * where the structure itself is sound. Nodes whose status, or that of a bus above them, is not
 * "okay" do not count; SMMUs among them are told in others[].
 */
int smmu_topology_from_dtb(const void *fdt, size_t size, unsigned how, struct smmu_topology *t,
			   char *err, size_t errlen);

/**
 * Read the file @p path; "-": standard input. It may be compressed by gzip, and an IORT may be in
 * the text of acpidump. Errors as those of the two functions above, with the file's name in front,
 * and -SMMU_EIO: it cannot be read. What is no such table is named, with the way to make one of it.
 */
int smmu_topology_from_file(const char *path, enum smmu_topology_format format, unsigned how,
			    struct smmu_topology *t, char *err, size_t errlen);

/** The same for bytes that are in memory already. */
int smmu_topology_from_bytes(const void *bytes, size_t size, enum smmu_topology_format format,
			     unsigned how, struct smmu_topology *t, char *err, size_t errlen);

/**
 * Make up @p n_smmus coherent instances (1 … SMMU_TOPOLOGY_MAX_SMMUS), each with a root complex of
 * its own that supports ATS and has @p n_devices requesters (1 … SMMU_TOPOLOGY_MAX_DEVICES).
 * Streams count from 0 on every instance, so that a stream on the wrong instance is a wrong device
 * rather than none.
 * @return 0, -SMMU_EINVAL (out of range), -SMMU_ENOMEM; @p t is empty then.
 */
int smmu_topology_synthetic(unsigned n_smmus, unsigned n_devices, struct smmu_topology *t);

/**
 * Give each instance of @p t that nothing reaches a made-up root complex with @p n_devices
 * requesters (1 … SMMU_TOPOLOGY_MAX_DEVICES), streams from 0 on, as smmu_topology_synthetic() does.
 * @return how many instances got one, or -SMMU_EINVAL, -SMMU_ENOMEM; @p t can be freed in any case.
 */
int smmu_topology_make_up_devices(struct smmu_topology *t, unsigned n_devices);

/** Free what @p t holds and leave it empty. An empty (zeroed) one is allowed. */
void smmu_topology_free(struct smmu_topology *t);

/**
 * The stream of the @p n th device to place behind instance @p smmu. The first few are spread over
 * all that the instance has, every n gives another stream, and the same n always the same one.
 * @return 0; -1: there is no such instance or it has no more than @p n streams.
 */
int smmu_topology_pick_device(const struct smmu_topology *t, unsigned smmu, unsigned n,
			      uint32_t *stream);

/** The first root that reaches instance @p smmu as @p stream, or NULL. */
const struct smmu_topology_root *smmu_topology_root_of(const struct smmu_topology *t, unsigned smmu,
						       uint32_t stream);

/** The model of an SMMU in words ("HiSilicon Hi161x"), or NULL for a number that has no name. */
const char *smmu_topology_model_name(uint32_t model);

/** The name of @p kind as the command prints it: "root-complex" and so on. */
const char *smmu_topology_kind_name(enum smmu_topology_kind kind);

#endif
