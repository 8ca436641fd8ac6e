#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Holds docs/conformance.md against the tree.

usage: tools/conformance.py [--build DIR] [--no-run]

The tables of that file have five columns:

  | section | rule | binds | where | held by |

  binds     driver, port, embedder, model, decoder: one or more, with commas
  where     paths of the tree, `path` or `path:function`; a "–" for what is deliberately not done
  held by   `test NAME`, `test NAME:function` (a test function in the sources of that test), `mutant NAME`,
            `run ARGS` (of smmuv3 run), `judge TEXT` (part of the oracle or the model, named in words),
            or `not done: reason`; several with semicolons

Checked: every path and function is there; every test exists and passes (unless --no-run); every mutant is in
tests/mutants; every citation "IHI 0070 G.b, N.N.N" in include/, src/ and devices/ has a row of that section or of one
above it; no citation of IHI 0070 lacks its letter and number; no row that binds the driver is without a judge.
Exit status: 0 all holds, 1 something does not (named), 2 bad usage.
"""
import argparse
import collections
import json
import os
import re
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '..'))
BINDERS = {'driver', 'port', 'embedder', 'model', 'decoder'}
complaints = []


def complain(text):
    complaints.append(text)


def read(path):
    with open(os.path.join(TOP, path), encoding='utf-8') as f:
        return f.read()


def rows():
    for number, line in enumerate(read('docs/conformance.md').split('\n'), 1):
        cells = [c.strip() for c in line.strip().strip('|').split(' | ')]
        if not line.startswith('|') or set(line) <= set('|-: ') or cells[0] == 'section':
            continue
        if len(cells) != 5:
            complain(f'docs/conformance.md:{number}: {len(cells)} columns, expected 5')
            continue
        yield number, cells


def check_where(at, where):
    for place in re.findall(r'`([^`]+)`', where):
        path, _, function = place.partition(':')
        if not os.path.exists(os.path.join(TOP, path)):
            complain(f'{at}: there is no {path}')
        elif function and not re.search(rf'\b{re.escape(function)}\b', read(path)):
            complain(f'{at}: {path} has no {function}')


class Tests:
    def __init__(self, build):
        r = subprocess.run(['meson', 'introspect', '--tests', build], capture_output=True, text=True, check=False)
        if r.returncode:
            sys.exit(f'conformance: {build} is no build folder; `make test` makes one')
        self.all = {t['name'] for t in json.loads(r.stdout)}
        self.sources = collections.defaultdict(str)
        for folder, _, names in os.walk(os.path.join(TOP, 'tests')):
            for n in names:
                if n.endswith(('.c', '.py')):
                    with open(os.path.join(folder, n), encoding='utf-8') as f:
                        self.sources[os.path.relpath(os.path.join(folder, n), TOP)] = f.read()
        self.named = set()
        self.mutants = set()
        for n in os.listdir(os.path.join(TOP, 'tests/mutants')):
            if n.endswith('.mut'):
                self.mutants |= set(re.findall(r'^=== (\S+)', read(f'tests/mutants/{n}'), re.M))

    def text_of(self, name):
        """The sources of a test: tests/FOLDER/test_X.c of FOLDER-X, else the whole folder."""
        folder, _, rest = name.partition('-')
        own = f'tests/{folder}/test_{rest}.c'
        return self.sources.get(own) or '\n'.join(t for p, t in self.sources.items() if p.startswith(f'tests/{folder}/'))

    def check(self, at, holder):
        """One of the things that hold a rule; its kind, or None after a complaint."""
        kind, _, rest = holder.partition(' ')
        rest = rest.strip('` ')
        if holder.startswith('not done:'):
            return 'not done'
        if kind == 'test':
            name, _, function = rest.partition(':')
            if name not in self.all:
                return complain(f'{at}: there is no test {name}')
            self.named.add(name)
            if function and not re.search(rf'\b{re.escape(function)}\b', self.text_of(name)):
                return complain(f'{at}: test {name} has no function {function}')
            return 'test'
        if kind == 'mutant':
            if rest not in self.mutants:
                return complain(f'{at}: there is no mutant {rest}')
            return 'mutant'
        if kind in ('run', 'judge') and rest:
            return kind
        return complain(f'{at}: "{holder}" is no test, mutant, run, judge or "not done: reason"')


def check_citations(sections):
    for folder in ('include', 'src', 'devices', 'ports'):
        for where, _, names in os.walk(os.path.join(TOP, folder)):
            for n in names:
                if not n.endswith(('.c', '.h')):
                    continue
                path = os.path.relpath(os.path.join(where, n), TOP)
                text = re.sub(r'\n\s*\*? ?', ' ', read(path))
                for m in re.finditer(r'IHI 0070(?=[,:"]| "| G\.b(?!, (?:\d|chapter)))', text):
                    complain(f'{path}: a citation without letter and number: '
                             f'"{text[m.start():m.start() + 50].strip()}"')
                for m in re.finditer(r'IHI 0070 G\.b, ((?:\d+(?:\.\d+)+(?:, | and | to )?)+)', text):
                    for cited in re.findall(r'\d+(?:\.\d+)+', m[1]):
                        parts = cited.split('.')
                        above = any('.'.join(parts[:k]) in sections for k in range(2, len(parts) + 1))
                        if not above and not any(known.startswith(cited + '.') for known in sections):
                            complain(f'{path}: cites {cited}, which has no row in docs/conformance.md')


def main():
    p = argparse.ArgumentParser(usage=__doc__)
    p.add_argument('--build', default=os.path.join(TOP, 'build'))
    p.add_argument('--no-run', action='store_true')
    a = p.parse_args()
    tests = Tests(a.build)
    held = collections.defaultdict(collections.Counter)
    sections, count = set(), 0
    for number, (section, rule, binds, where, holders) in rows():
        at = f'docs/conformance.md:{number}'
        count += 1
        sections |= set(re.findall(r'\d+(?:\.\d+)+', section))
        whom = {b.strip() for b in binds.split(',')}
        if not whom <= BINDERS:
            complain(f'{at}: "{binds}" binds nobody known')
        check_where(at, where)
        # A reason may hold semicolons of its own.
        holders, reason = (holders + ' not done:').split('not done:')[:2]
        held_by = [h.strip() for h in holders.split(';') if h.strip()] + ([f'not done: {reason}'] if reason.strip() else [])
        kinds = {tests.check(at, h) for h in held_by} - {None}
        if not kinds:
            complain(f'{at}: nothing holds "{rule[:60]}"')
        strongest = next((k for k in ('mutant', 'test', 'run', 'judge', 'not done') if k in kinds), 'nothing')
        for b in whom:
            held[b][strongest] += 1
    check_citations(sections)
    if not a.no_run and tests.named:
        r = subprocess.run(['meson', 'test', '-C', a.build, '--no-rebuild', '--quiet', *sorted(tests.named)],
                           capture_output=True, text=True, check=False)
        if r.returncode:
            complain(f'tests that hold rules fail:\n{r.stdout[-2000:]}')
    print(f'{count} rules')
    columns = ['mutant', 'test', 'run', 'judge', 'not done', 'nothing']
    print(f'  {"binds":10}' + ''.join(f'{c:>10}' for c in columns))
    for b in sorted(held):
        print(f'  {b:10}' + ''.join(f'{held[b][c]:>10}' for c in columns))
    for c in complaints:
        print(c, file=sys.stderr)
    print('conformance: ' + ('holds' if not complaints else f'{len(complaints)} complaints'))
    return 1 if complaints else 0


if __name__ == '__main__':
    sys.exit(main())
