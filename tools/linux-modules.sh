# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
# For scripts that put a kernel for the tests of the Linux module into the cache folder. To be read by "." in a script with set -eu.

# What the tests load; what those need comes with it.
test_modules="virtio_blk nvme vfio-pci vfio_iommu_type1"

# take_modules TREE INTO: the test's modules that lie anywhere in TREE, unpacked; INTO/order names each after those it needs. What is
# not there is built in.
take_modules() {
	mkdir -p "$2"
	: >"$2/order"
	for module in $test_modules; do
		take_module "$1" "$2" "$module"
	done
}

take_module() {
	name=$(echo "$3" | tr - _)
	! grep -qx "$name" "$2/order" || return 0
	file=$(find "$1" -name "$(echo "$name" | sed 's/_/[-_]/g').ko*" | head -n 1)
	[ -n "$file" ] || return 0
	case $file in
	*.xz) xz -dc "$file" >"$2/$name.ko" ;;
	*) cp "$file" "$2/$name.ko" ;;
	esac
	# Of its own .modinfo.
	for needed in $(tr '\0' '\n' <"$2/$name.ko" | sed -n 's/^depends=//p' | head -n 1 | tr , ' '); do
		take_module "$1" "$2" "$needed"
	done
	name=$(echo "$3" | tr - _)
	echo "$name" >>"$2/order"
}
