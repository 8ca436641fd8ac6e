#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds the public headers to the form of their contracts.

Each function has a comment, its own or that of its @name group. What returns int has a @return that lists its values.
Where one parameter has a @param, each has (Doxygen checks that). The function, its group or its file says in which
contexts it may be called, or whether it may sleep. No line is longer than 100 columns but the rows of a table. No
comment behind a member tears its declaration apart.

usage: tools/contracts.py [HEADER…]     (default: all of include/smmuv3 but the port's own)
Exit status: 0 all of them do, 1 some do not (printed).
"""
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
# The contract of what a port provides is the table in port.h.
PORTS = {"port.h", "port_generic.h", "port_barriers.h", "atomic.h", "barriers.h", "types.h", "trace.h", "version.h"}
CONTEXT = re.compile(r"context|sleep|thread", re.I)
FUNCTION = re.compile(r"^(?:static inline )?((?:const |unsigned |struct |enum )*\w+ \**)(smmu_\w+)\(", re.M)


def main():
    bad = []
    headers = [pathlib.Path(a) for a in sys.argv[1:]] or sorted((TOP / "include/smmuv3").rglob("*.h"))
    for header in headers:
        text = header.read_text()
        for number, line in enumerate(text.split("\n"), 1):
            if len(line.expandtabs(8)) > 100 and not line.startswith(" * |"):
                bad.append(f"{header}:{number}: longer than 100 columns")
            if re.match(r"^\t\t+\S.*/\*\*<", line):
                bad.append(f"{header}:{number}: the comment tears its declaration apart; put it above")
        if header.name in PORTS:
            continue
        comments = [(m.start(), m.end(), m.group()) for m in re.finditer(r"/\*.*?\*/", text, re.S)]
        said = next((c for _, _, c in comments if "@file" in c), "")
        for m in FUNCTION.finditer(text):
            if any(start < m.start() < end for start, end, _ in comments):
                continue
            where = f"{header}:{text.count(chr(10), 0, m.start()) + 1}: {m.group(2)}"
            before = text[: m.start()].rstrip()
            own = next((c for _, end, c in comments if end == len(before)), "")
            group = ""
            for start, _, c in comments:
                if start > m.start():
                    break
                group = c if "@name" in c else "" if re.fullmatch(r"/\*\* @} \*/", c) else group
            if not own and not group:
                bad.append(f"{where}: no comment")
                continue
            if m.group(1).strip() == "int" and "@return" not in own + group:
                bad.append(f"{where}: no @return")
            if not CONTEXT.search(own + group + said):
                bad.append(f"{where}: in which contexts, and may it sleep?")
    for line in bad:
        print(f"contracts: {line}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
