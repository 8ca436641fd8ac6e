// SPDX-License-Identifier: BSD-2-Clause
/*
 * The module: parameters, and what there is one of. It takes the place of the built-in driver, which has to be kept from the
 * devices by initcall_blacklist=arm_smmu_driver_init (docs/linux.md).
 */
#include "smmu_module.h"

#include <linux/module.h>
#include <smmuv3/quirks.h>
#include <smmuv3/version.h>

unsigned int smmu_linux_stage;
module_param_named(stage, smmu_linux_stage, uint, 0444);
MODULE_PARM_DESC(stage, "Stage of paging domains: 1 or 2; 0: 1 where all SMMUs have it (default)");

unsigned int smmu_linux_quirks;
module_param_named(quirks, smmu_linux_quirks, uint, 0444);
MODULE_PARM_DESC(quirks,
		 "Quirks for all SMMUs, beside those that are found: bits of smmuv3/quirks.h");

bool smmu_linux_disable_ats;
module_param_named(disable_ats, smmu_linux_disable_ats, bool, 0444);
MODULE_PARM_DESC(disable_ats, "Do not use ATS of any device");

bool smmu_linux_ats_always;
module_param_named(ats_always, smmu_linux_ats_always, bool, 0444);
MODULE_PARM_DESC(ats_always, "Use ATS in the identity domain as well");

bool smmu_linux_disable_msi;
module_param_named(disable_msi, smmu_linux_disable_msi, bool, 0444);
MODULE_PARM_DESC(disable_msi, "Interrupts of SMMUs by wires, also where they can write messages");

static bool stats;
module_param(stats, bool, 0444);
MODULE_PARM_DESC(stats, "Count commands and sweeps, for debugfs");

DEFINE_STATIC_KEY_FALSE(smmu_linux_stats);
DEFINE_MUTEX(smmu_linux_lock);
LIST_HEAD(smmu_linux_instances);

struct smmu_linux_instance *smmu_linux_find(const struct fwnode_handle *fwnode)
{
	struct smmu_linux_instance *s, *found = NULL;

	mutex_lock(&smmu_linux_lock);
	list_for_each_entry(s, &smmu_linux_instances, link) if (dev_fwnode(s->dev) == fwnode)
		found = s;
	mutex_unlock(&smmu_linux_lock);
	return found;
}

/* Not arm_smmu_driver_init: that name is what keeps the built-in driver away. */
static int __init smmu_module_start(void)
{
	int error;

	if (smmu_linux_stage > 2)
		return -EINVAL;
	if (stats)
		static_branch_enable(&smmu_linux_stats);
	error = smmu_linux_port_start();
	if (error)
		return error;
	error = smmu_linux_domains_start();
	if (error)
		goto no_domains;
	smmu_linux_debugfs_start();
	error = platform_driver_register(&smmu_linux_driver);
	if (!error)
		return 0;
	if (error == -EBUSY)
		pr_err("the kernel's own driver is there: boot with "
		       "initcall_blacklist=arm_smmu_driver_init\n");
	smmu_linux_debugfs_stop();
	smmu_linux_domains_stop();
no_domains:
	smmu_linux_port_stop();
	return error;
}

static void __exit smmu_module_stop(void)
{
	platform_driver_unregister(&smmu_linux_driver);
	smmu_linux_debugfs_stop();
	smmu_linux_domains_stop();
	smmu_linux_port_stop();
}

module_init(smmu_module_start);
module_exit(smmu_module_stop);

MODULE_LICENSE("Dual BSD/GPL");
MODULE_DESCRIPTION("Arm SMMUv3 by libsmmuv3: domains with arrays of invalidations");
MODULE_VERSION(SMMU_VERSION_TEXT);
