#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Installs the packages that a step needs and that are missing, by name, from the Debian archive this machine uses.
# With nothing missing it asks nobody: no network and no root needed.
#
# usage: tools/setup.sh run|test|bench|ci|deb|uefi|linux|linux-debug
#   run   build and use the library and the command
#   test  the same, and the test programs
#   bench as run, and what counts instructions and draws
#   ci    as test, and every check of .ci/run: second compiler, cross compiler, sanitizers, format, lint, pages
#   deb   build the Debian packages
#   uefi  build the UEFI driver and boot it
#   linux build the Linux module and boot kernels with it
#   linux-debug  the same with kernels that are built here
# Exit status: 0 all there, 1 something could not be installed, 2 bad usage.
set -eu

run="gcc libc6-dev meson ninja-build pkg-config liburcu-dev libfdt-dev libjson-c-dev zlib1g-dev"
test="$run libcmocka-dev python3"
bench="$run valgrind gnuplot-nox"
ci="$test g++ clang clang-format clang-tidy libclang-rt-dev lld gcc-aarch64-linux-gnu mandoc shellcheck doxygen valgrind"
deb="$run build-essential debhelper dh-dkms dpkg-dev lintian"
uefi="clang lld python3"
linux="gcc make gcc-aarch64-linux-gnu libc6-dev-arm64-cross xz-utils python3"

# On AArch64 itself the native compiler goes by the cross compiler's name.
if [ "$(uname -m)" = aarch64 ]; then
	ci=$(echo "$ci" | sed 's/ gcc-aarch64-linux-gnu//')
	linux=$(echo "$linux" | sed 's/ gcc-aarch64-linux-gnu libc6-dev-arm64-cross//')
fi

case "${1:-}" in
run) wanted=$run ;;
test) wanted=$test ;;
bench) wanted=$bench ;;
ci) wanted=$ci ;;
deb) wanted=$deb ;;
uefi) wanted=$uefi ;;
linux) wanted=$linux ;;
linux-debug) wanted="$linux bc bison flex perl" ;;
*)
	echo "usage: tools/setup.sh run|test|bench|ci|deb|uefi|linux|linux-debug" >&2
	exit 2
	;;
esac

say() { echo "setup: $*" >&2; }

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	say "this is no Debian: install what these packages hold by your system's means, and set NO_SETUP=1:"
	say "  $wanted"
	exit 1
fi

# A package with a foreign architecture's copy gets one line for each: one installed copy is enough.
installed() {
	dpkg-query -W -f='${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

missing=
for package in $wanted; do
	installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		say "missing packages; as root run:"
		say "  apt-get update && apt-get install --no-install-recommends$missing"
		exit 1
	fi
	as_root=sudo
fi

say "installing:$missing"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# apt's own output only matters when it fails. The variable goes in by env, which sudo lets through.
apt() {
	if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null >"$log" 2>&1; then
		tail -n 15 "$log" >&2
		return 1
	fi
}
apt update || say "the package lists could not all be brought up to date; trying with what is there"
# shellcheck disable=SC2086 # a list of names
if ! apt install --no-install-recommends $missing; then
	say "could not install:$missing"
	exit 1
fi
say "done"
