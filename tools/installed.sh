#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The package as a stranger meets it: installs a built tree below a folder, compiles the example against what lies
# there (shared and static; the core alone with threads), runs it, and takes everything away again. Also builds the library
# alone, without anything that it does not need, natively, for AArch64 with the embed page on top, and as a subproject.
#
# usage: tools/installed.sh BUILD
# Exit status: 0 all of it works, 1 something does not (said).
set -eu
cd "$(dirname "$0")/.."
top=$PWD
build=${1:?usage: tools/installed.sh BUILD}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
die() { echo "installed: $*" >&2; exit 1; }

DESTDIR=$dir/root meson install -C "$build" --no-rebuild >/dev/null
prefix=$(meson introspect --buildoptions "$build" | sed -n 's/.*"name": "prefix", "value": "\([^"]*\)".*/\1/p')
[ -n "$prefix" ] || prefix=/usr/local
libdir=$(dirname "$(find "$dir/root" -name libsmmuv3.so)")
PKG_CONFIG_PATH=$libdir/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$dir/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR

# A soname, and nothing but the library's own names.
readelf -d "$libdir/libsmmuv3.so" | grep -q 'SONAME.*libsmmuv3\.so\.[0-9]' || die "the shared library has no soname"
if nm -D --defined-only "$libdir/libsmmuv3.so" | awk '{ print $3 }' | grep -v '^smmu_'; then
	die "the shared library exports the names above"
fi
for archive in "$libdir"/*.a; do
	if nm -g --defined-only "$archive" 2>/dev/null | awk 'NF == 3 { print $3 }' | grep -vE '^(smmu_|model_|urcu_)'; then
		die "$archive defines the names above"
	fi
done

cp examples/on-model/on_model.c "$dir"
# shellcheck disable=SC2046 # lists of flags
cc -Wall -Wextra -Werror -o "$dir/shared" "$dir/on_model.c" $(pkg-config --cflags --libs libsmmuv3-model libsmmuv3)
LD_LIBRARY_PATH=$libdir "$dir/shared" >"$dir/out" || die "the example does not run against the shared library"
rm "$libdir"/libsmmuv3.so*
# shellcheck disable=SC2046
cc -o "$dir/static" "$dir/on_model.c" $(pkg-config --cflags --libs --static libsmmuv3-model libsmmuv3)
"$dir/static" >"$dir/out" || die "the example does not run against the static library"
# The core alone, which needs no model.
cp examples/core-threads/core_threads.c "$dir"
# shellcheck disable=SC2046
cc -Wall -Wextra -Werror -Wno-unused-parameter -o "$dir/core-threads" "$dir/core_threads.c" \
	$(pkg-config --cflags --libs --static libsmmuv3)
"$dir/core-threads" >"$dir/out" || die "the core alone, with threads, leaves something stale: $(cat "$dir/out")"

# Another port header than the library was built with must not link.
# shellcheck disable=SC2046
if cc -o "$dir/wrong" "$dir/on_model.c" $(pkg-config --cflags --libs --static libsmmuv3-model libsmmuv3 |
	sed 's/-include smmu_hosted.h/-DSMMU_PORT_SINGLE_THREAD/') >"$dir/wrong.log" 2>&1; then
	die "a program with another port header links against the hosted library"
fi

# The library alone: no dependency, natively, for AArch64, and as a subproject of something else.
alone="-Dposix=disabled -Dmodel=disabled -Dcli=disabled -Dtests=disabled -Dexamples=false"
# shellcheck disable=SC2086 # a list of options
PKG_CONFIG=/bin/false meson setup "$dir/alone" $alone >/dev/null || die "the library alone does not configure"
ninja -C "$dir/alone" >/dev/null || die "the library alone does not build"
if command -v aarch64-linux-gnu-gcc >/dev/null && [ "$(uname -m)" != aarch64 ]; then
	cat >"$dir/cross" <<-CROSS
		[binaries]
		c = 'aarch64-linux-gnu-gcc'
		ar = 'aarch64-linux-gnu-ar'
		[host_machine]
		system = 'none'
		cpu_family = 'aarch64'
		cpu = 'cortex-a72'
		endian = 'little'
		[built-in options]
		c_args = ['-mgeneral-regs-only', '-mno-outline-atomics', '-ffunction-sections', '-fdata-sections']
	CROSS
	# shellcheck disable=SC2086
	meson setup "$dir/cross-build" --cross-file "$dir/cross" $alone >/dev/null || die "it does not configure for AArch64"
	ninja -C "$dir/cross-build" >/dev/null || die "it does not build for AArch64"
	DESTDIR=$dir/bare meson install -C "$dir/cross-build" --no-rebuild >/dev/null
	EMBED_PREFIX=$dir/bare/usr/local examples/embed/build.sh "$dir/embed" >"$dir/out" 2>&1 || {
		tail -n 5 "$dir/out" >&2
		die "the embed page does not work against the installed library alone"
	}
fi
mkdir -p "$dir/super/subprojects"
ln -s "$top" "$dir/super/subprojects/libsmmuv3"
cat >"$dir/super/meson.build" <<-SUPER
	project('super', 'c')
	smmu = dependency('libsmmuv3', fallback: ['libsmmuv3', 'smmuv3_core_dep'],
	  default_options: ['posix=disabled', 'model=disabled', 'cli=disabled', 'tests=disabled', 'examples=false'])
	executable('super', 'super.c', dependencies: smmu)
SUPER
printf '#include <smmuv3/domain.h>\nint main(void) { struct smmu_domain d = {0}; return smmu_domain_fini(&d); }\n' \
	>"$dir/super/super.c"
(cd "$dir/super" && PKG_CONFIG_PATH=/nowhere meson setup build >/dev/null && ninja -C build >/dev/null && build/super) ||
	die "it does not work as a subproject"
echo "installed: shared, static, core with threads, alone, embedded, as a subproject"
