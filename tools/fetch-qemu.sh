#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Finds a QEMU that can stand in for an SMMUv3 (11.1 or later, with arm-smmuv3 and iommu-testdev as devices, and the
# qtest accelerator), and fetches one when the machine has none.
#
# What is fetched is a distribution's own package with all it depends on, unpacked into a folder of the cache and run
# there through its own loader. Nothing is installed; no root is needed; the machine's apt state is not touched.
#
# usage: tools/fetch-qemu.sh [--offline]
# The last line of standard output is the path of the program to start. Exit status: 0 found or fetched, 77 there is
# none and it cannot be fetched here (no network, not a Debian), 1 anything else (no space, a package that does not run).
#
# SMMUV3_QEMU   a QEMU to use and nothing else
# SMMUV3_CACHE  the cache folder (default: .cache in the repository's root)
# SMMUV3_MIRROR the Debian mirror to take the package from (default: the one this machine's apt uses)
set -eu

suite=sid
package=qemu-system-arm
program=qemu-system-aarch64
need_kib=350000 # 43 MB of packages, 190 MB unpacked, and room to breathe

say() { echo "fetch-qemu: $*" >&2; }
die() { code=$1; shift; say "$@"; exit "$code"; }

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${SMMUV3_CACHE:-$root/.cache}
final=$cache/qemu

# Does this QEMU start, is it new enough, and does it have the devices? What is wrong goes to $why.
usable() {
	line=$("$1" --version 2>/dev/null </dev/null | head -n 1) || line=
	version=${line#*version }
	version=${version%% *}
	major=${version%%.*}
	minor=${version#*.}
	minor=${minor%%.*}
	case $major$minor in
	'' | *[!0-9]*)
		why="it does not start"
		return 1
		;;
	esac
	if [ "$major" -lt 11 ] || { [ "$major" -eq 11 ] && [ "$minor" -lt 1 ]; }; then
		why="version $version, 11.1 is needed"
		return 1
	fi
	# -device help leaves out what only a board's own bus takes; the accelerator's list leaves out what is a module.
	if ! "$1" -M virt -accel qtest -nodefaults -display none -device iommu-testdev,help </dev/null >/dev/null 2>&1 ||
		! "$1" -M virt -accel qtest -nodefaults -display none -device arm-smmuv3,help </dev/null >/dev/null 2>&1; then
		why="version $version, without arm-smmuv3, iommu-testdev or the qtest accelerator"
		return 1
	fi
	return 0
}

if [ -n "${SMMUV3_QEMU:-}" ]; then
	usable "$SMMUV3_QEMU" || die 1 "SMMUV3_QEMU=$SMMUV3_QEMU cannot be used: $why"
	echo "$SMMUV3_QEMU"
	exit 0
fi
if own=$(command -v "$program"); then
	if usable "$own"; then
		echo "$own"
		exit 0
	fi
	say "this machine's $own cannot be used: $why"
fi
# The folder gets this name only when it is complete, so its being there is enough.
if [ -x "$final/run" ]; then
	echo "$final/run"
	exit 0
fi
[ "${1:-}" != --offline ] || die 77 "no QEMU in $final (run without --offline to fetch it)"

# shellcheck source=tools/private-apt.sh
. "$root/tools/private-apt.sh"
command -v dpkg >/dev/null || die 77 "no dpkg here: install QEMU 11.1 or later, or name one in SMMUV3_QEMU"
private_apt_open "$final" "$suite" "$(dpkg --print-architecture)" "$need_kib"

say "fetching $package ($suite) with what it needs: about 50 MB, into $final"
private_apt update || die 77 "cannot read the package list (no network?)"
private_apt --download-only install "$package" ||
	die 77 "cannot fetch the packages (see above)"
count=0
mkdir "$tmp/tree"
for deb in "$tmp"/apt/archives/*.deb; do
	dpkg-deb -x "$deb" "$tmp/tree" || die 1 "cannot unpack $(basename "$deb") (no space?)"
	count=$((count + 1))
done
fetched=$(du -sk "$tmp/apt/archives" | cut -f 1)
rm -rf "$tmp/apt" "$tmp/log"

# Through its own loader and libraries, so that this machine's need not fit.
cat >"$tmp/tree/run" <<'RUN'
#!/bin/sh
# Starts the QEMU unpacked beside this file. Written by tools/fetch-qemu.sh.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
for loader in "$here"/usr/lib*/ld-linux-*.so.* "$here"/lib*/ld-linux-*.so.*; do
	[ -e "$loader" ] && break
done
for libs in "$here"/usr/lib/*-linux-gnu*; do
	[ -d "$libs/qemu" ] && break
done
export QEMU_MODULE_DIR="$libs/qemu"
exec "$loader" --library-path "$libs" "$here/usr/bin/qemu-system-aarch64" -L "$here/usr/share/qemu" "$@"
RUN
chmod +x "$tmp/tree/run"
usable "$tmp/tree/run" || die 1 "the QEMU that was fetched cannot be used: $why"

# Another run may have been quicker; either result is as good.
if [ ! -x "$final/run" ]; then
	rm -rf "$final"
	mv -T "$tmp/tree" "$final" || [ -x "$final/run" ] || die 1 "cannot move the unpacked QEMU to $final"
fi
say "QEMU $version: $count packages, $((fetched / 1024)) MiB fetched, $(du -sk "$final" | awk '{ print int($1 / 1024) }') MiB on disk"
echo "$final/run"
