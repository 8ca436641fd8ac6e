# SPDX-License-Identifier: BSD-2-Clause
"""What the tests that boot a guest have in common: what they boot is fetched, and their initial RAM disks are made here."""
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '..'))


def cpio(files):
    """An archive in the format that the kernel unpacks (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    out = []
    for number, (name, mode, data) in enumerate(files + [('TRAILER!!!', 0, b'')], 1):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b'070701' + b''.join(b'%08X' % f for f in fields) + name.encode() + b'\0'
        out += [head, b'\0' * (-len(head) % 4), data, b'\0' * (-len(data) % 4)]
    return b''.join(out)


def fetched(script, *arguments):
    """Runs a script of tools/ that fetches something, and returns its last line. Ends the program, with 77 where it cannot be had."""
    found = fetched_or_none(script, *arguments)
    if found is None:
        sys.exit(77)
    return found


def fetched_or_none(script, *arguments):
    """The same, but None where it cannot be had; the script has said why."""
    got = subprocess.run([os.path.join(TOP, 'tools', script), *arguments], stdout=subprocess.PIPE, text=True, check=False)
    if got.returncode == 77:
        return None
    if got.returncode:
        sys.exit(1)
    return got.stdout.strip().splitlines()[-1]


def console(data):
    """A serial console's bytes as text, without what moves a cursor."""
    return re.sub(r'\x1b\[[0-9;=?]*[A-Za-z]', '', data.decode('utf-8', 'replace').replace('\r', ''))
