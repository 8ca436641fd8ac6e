#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Fetches what `make test-uefi` boots: the firmware (qemu-efi-aarch64), Debian's own kernel for AArch64 and a static busybox,
# from the packages of Debian 12. They are unpacked into the cache folder; nothing is installed, no root is needed, and the
# machine's apt state is not touched. apt checks their origin with Debian's keys.
#
# usage: tools/fetch-uefi.sh [--offline]
# The last line of standard output is a folder with code.fd, vars.fd, vmlinuz, busybox and VERSIONS. Exit status: 0 it is there,
# 77 it cannot be had here (no network, not a Debian), 1 anything else.
#
# SMMUV3_CACHE  the cache folder (default: .cache in the repository's root)
# SMMUV3_MIRROR the Debian mirror to take the packages from (default: the one this machine's apt uses)
set -eu

suite=bookworm
need_kib=220000 # 25 MB of packages, 120 MB unpacked for a moment, 65 MB kept

say() { echo "fetch-uefi: $*" >&2; }
die() { code=$1; shift; say "$@"; exit "$code"; }

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cache=${SMMUV3_CACHE:-$root/.cache}
final=$cache/uefi

# The folder gets this name only when it is complete, so its being there is enough.
if [ -r "$final/VERSIONS" ]; then
	echo "$final"
	exit 0
fi
[ "${1:-}" != --offline ] || die 77 "no firmware in $final (run without --offline to fetch it)"
for tool in apt-get apt-cache dpkg-deb; do
	command -v "$tool" >/dev/null || die 77 "no $tool here: this is no Debian"
done
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -r "$keyring" ] || die 77 "no $keyring (package debian-archive-keyring) to check the packages' origin with"
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
tmp=$(mktemp -d "$cache/uefi.tmp.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# An apt of its own, for another architecture than this machine's.
mkdir -p "$tmp/apt/lists/partial" "$tmp/apt/archives/partial" "$tmp/debs" "$tmp/tree" "$tmp/done"
: >"$tmp/apt/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$tmp/apt/sources.list"
cat >"$tmp/apt/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear APT::Architectures;
Dir::Etc::SourceList "$tmp/apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::Etc::Preferences "/dev/null";
Dir::Etc::PreferencesParts "/dev/null";
Dir::State "$tmp/apt";
Dir::State::Lists "$tmp/apt/lists";
Dir::State::Status "$tmp/apt/status";
Dir::Cache "$tmp/apt";
Dir::Cache::Archives "$tmp/apt/archives";
Dir::Log "$tmp/apt";
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
CONF
# apt's own output only matters when it fails.
quiet() {
	if ! "$@" >"$tmp/log" 2>&1; then
		tail -n 5 "$tmp/log" >&2
		return 1
	fi
}

say "fetching firmware and kernel ($suite, arm64): about 35 MB, into $final"
quiet apt-get -c "$tmp/apt/apt.conf" -q update || die 77 "cannot read the package list (no network?)"
# The package without a version names the newest one.
kernel=$(apt-cache -c "$tmp/apt/apt.conf" depends linux-image-cloud-arm64 | awk '/Depends: linux-image-/ { print $2; exit }')
[ -n "$kernel" ] || die 77 "no kernel in $suite"
(cd "$tmp/debs" && quiet apt-get -c "$tmp/apt/apt.conf" -q download qemu-efi-aarch64 "$kernel" busybox-static) ||
	die 77 "cannot fetch the packages (see above)"
for deb in "$tmp"/debs/*.deb; do
	dpkg-deb -x "$deb" "$tmp/tree" || die 1 "cannot unpack $(basename "$deb") (no space?)"
	dpkg-deb -W "$deb" >>"$tmp/done/VERSIONS.tmp"
done
cp "$tmp/tree/usr/share/AAVMF/AAVMF_CODE.fd" "$tmp/done/code.fd"
cp "$tmp/tree/usr/share/AAVMF/AAVMF_VARS.fd" "$tmp/done/vars.fd"
cp "$tmp"/tree/boot/vmlinuz-* "$tmp/done/vmlinuz"
cp "$tmp/tree/bin/busybox" "$tmp/done/busybox"
mv "$tmp/done/VERSIONS.tmp" "$tmp/done/VERSIONS"

# Another run may have been quicker; either result is as good.
if [ ! -r "$final/VERSIONS" ]; then
	rm -rf "$final"
	mv -T "$tmp/done" "$final" || [ -r "$final/VERSIONS" ] || die 1 "cannot move what was fetched to $final"
fi
say "$(cut -f 1 "$final/VERSIONS" | tr '\n' ' '): $(du -sk "$final" | awk '{ print int($1 / 1024) }') MiB on disk"
echo "$final"
