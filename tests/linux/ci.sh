#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# The short form of `make test-linux` for continuous integration: where packages, kernels or QEMU cannot be fetched it says SKIP, and
# that is no failure. Anything else is.
set -eu
cd "$(dirname "$0")/../.."
if ! tools/setup.sh linux; then
	echo "SKIP: what builds the Linux module cannot be installed here (see above): nothing of it was tried"
	exit 0
fi
tests/linux/run.py --short --may-skip --kernel 6.12
exec tests/linux/run.py --short --may-skip one two --kernel 7.2
