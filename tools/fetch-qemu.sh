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

for tool in apt-get dpkg dpkg-deb; do
	command -v "$tool" >/dev/null ||
		die 77 "no $tool here: install QEMU 11.1 or later, or name one in SMMUV3_QEMU"
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || die 77 "no $keyring (package debian-archive-keyring) to check the package's origin with"
mirror=${SMMUV3_MIRROR:-}
if [ -z "$mirror" ]; then
	# Of the archives this machine uses: those with a main component, security archives and the like left out.
	# shellcheck disable=SC2016 # the fields are apt's, not the shell's
	mirror=$(apt-get indextargets --format '$(CREATED_BY) $(SITE) $(RELEASE)' 2>/dev/null |
		awk '$1 == "Packages" && $3 !~ /security|updates|backports/ && $2 !~ /security/ { print $2; exit }')
fi
[ -n "$mirror" ] || die 77 "apt knows no Debian mirror here: name one in SMMUV3_MIRROR"

mkdir -p "$cache" || die 1 "cannot make the cache folder $cache"
free_kib=$(df -Pk "$cache" | awk 'NR == 2 { print $4 }')
[ "$free_kib" -ge "$need_kib" ] ||
	die 1 "$cache has $((free_kib / 1024)) MiB free, $((need_kib / 1024)) MiB are needed"

tmp=$(mktemp -d "$cache/qemu.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# An apt of its own: its lists, cache and (empty) record of what is installed are all in the temporary folder.
apt_root=$tmp/apt
mkdir -p "$apt_root/lists/partial" "$apt_root/archives/partial"
: >"$apt_root/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$apt_root/sources.list"
cat >"$apt_root/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
Dir::Etc::SourceList "$apt_root/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$apt_root";
Dir::State::Lists "$apt_root/lists";
Dir::State::Status "$apt_root/status";
Dir::Cache "$apt_root";
Dir::Cache::Archives "$apt_root/archives";
Dir::Log "$apt_root";
APT::Architecture "$(dpkg --print-architecture)";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
APT::Install-Recommends "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
CONF
apt() {
	# apt's own output only matters when it fails.
	if ! apt-get -c "$apt_root/apt.conf" -q -y "$@" >"$tmp/log" 2>&1; then
		tail -n 5 "$tmp/log" >&2
		return 1
	fi
}

say "fetching $package ($suite) with what it needs: about 50 MB, into $final"
apt update || die 77 "cannot read the package list (no network?)"
apt --download-only install "$package" ||
	die 77 "cannot fetch the packages (see above)"
count=0
mkdir "$tmp/tree"
for deb in "$apt_root"/archives/*.deb; do
	dpkg-deb -x "$deb" "$tmp/tree" || die 1 "cannot unpack $(basename "$deb") (no space?)"
	count=$((count + 1))
done
fetched=$(du -sk "$apt_root/archives" | cut -f 1)
rm -rf "$apt_root" "$tmp/log"

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
