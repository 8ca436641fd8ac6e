#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Small faults in src/, one at a time, each of which a named test or run has to notice.

usage: tests/mutants/run.py [options] [NAME…]

  --build DIR    build folder, made when missing (build-mutants); it builds a copy of the tree that lies inside it
  --sample N     only N of them, chosen by --seed
  --seed S       (1)
  --part I/N     the I-th of N parts, for two terminals
  --check        only look whether every mutant still applies, exactly once
  --list         names and what they do

NAME is a mutant, or a file without its ending. Exit status: 0 every one was killed or is argued to be equivalent,
1 one survived, 2 bad usage, or a mutant that does not apply or whose killers fail without it.

A file NAME.mut holds mutants of one subject:

  === name            one word
  what: …             what is wrong with it, for a person
  file: src/…         the file that changes
  kill: test NAME     a test of `meson test`, or
  kill: run ARGS      `smmuv3 run ARGS` must not end with 0; several kill lines are tried in turn
  equivalent: …       in place of kill: why no judge can tell
  open: …             beside kill: nothing notices it yet; a full run counts it as a survivor, a sample leaves it out
  --- old             lines that stand in the file exactly once
  --- new             what takes their place
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
LIMIT = 120  # seconds for one killer: a mutant that hangs is killed as well


class Mutant:
    def __init__(self, where, name):
        self.where, self.name = where, name
        self.what = self.file = self.equivalent = self.open = ''
        self.kill, self.old, self.new = [], [], []


def die(text):
    print(f'mutants: {text}', file=sys.stderr)
    sys.exit(2)


def read(path):
    mutants, m, into = [], None, None
    for number, line in enumerate(open(path, encoding='utf-8'), 1):
        line = line.rstrip('\n')
        if line.startswith('=== '):
            m = Mutant(f'{os.path.relpath(path, TOP)}:{number}', line[4:].strip())
            mutants.append(m)
            into = None
        elif line in ('--- old', '--- new') and m:
            into = m.old if line == '--- old' else m.new
        elif into is not None:
            into.append(line)
        elif not line.strip() or line.startswith('#'):
            continue
        else:
            key, colon, value = line.partition(':')
            if not m or not colon or key not in ('what', 'file', 'kill', 'equivalent', 'open'):
                die(f'{path}:{number}: expected "what:", "file:", "kill:", "open:" or "equivalent:", not "{line}"')
            if key == 'kill':
                kind, _, rest = value.strip().partition(' ')
                if kind not in ('test', 'run') or not rest:
                    die(f'{path}:{number}: expected "kill: test NAME" or "kill: run ARGS"')
                m.kill.append((kind, rest))
            else:
                setattr(m, key, value.strip())
    for m in mutants:
        for lines in (m.old, m.new):
            while lines and not lines[-1].strip():
                lines.pop()
        if not m.old or not m.file or not m.what or bool(m.kill) == bool(m.equivalent):
            die(f'{m.where}: {m.name}: needs what, file, old lines, and either kill or equivalent')
    return mutants


def mutate(text, m):
    """The text of the file with the fault in it, or None."""
    old = '\n'.join(m.old) + '\n'
    if text.count(old) != 1:
        return None
    new = '\n'.join(m.new) + '\n' if m.new else ''
    return text.replace(old, new)


class Tree:
    """A copy of the sources with a build folder of its own, so that nobody's work is touched."""

    def __init__(self, build):
        self.src, self.build = os.path.join(build, 'tree'), os.path.join(build, 'build')
        os.makedirs(self.src, exist_ok=True)
        files = subprocess.run(['git', '-C', TOP, 'ls-files', '-co', '--exclude-standard'], check=True,
                               capture_output=True, text=True).stdout.split('\n')
        wanted = {f for f in files if f and os.path.isfile(os.path.join(TOP, f))}
        for folder, _, names in os.walk(self.src):
            for n in names:
                p = os.path.join(folder, n)
                if os.path.relpath(p, self.src) not in wanted:
                    os.unlink(p)
        for f in wanted:
            self.put(f, open(os.path.join(TOP, f), 'rb').read(), os.stat(os.path.join(TOP, f)).st_mode)
        if not os.path.exists(os.path.join(self.build, 'build.ninja')):
            self.must(['meson', 'setup', self.build, self.src, '-Dtests=enabled', '-Dwerror=false',
                       '-Dbuildtype=plain', '-Dc_args=-O1'])
        self.must(['ninja', '-C', self.build])
        self.tests = {}
        listed = subprocess.run(['meson', 'introspect', '--tests', self.build], check=True, capture_output=True,
                                text=True).stdout
        for t in json.loads(listed):
            self.tests[t['name']] = t

    def put(self, f, data, mode=0o644):
        p = os.path.join(self.src, f)
        if os.path.exists(p) and open(p, 'rb').read() == data:
            return
        os.makedirs(os.path.dirname(p), exist_ok=True)
        with open(p, 'wb') as out:
            out.write(data)
        os.chmod(p, mode & 0o777)

    @staticmethod
    def must(command):
        r = subprocess.run(command, capture_output=True, text=True)
        if r.returncode:
            print(r.stdout[-4000:], r.stderr[-4000:], file=sys.stderr)
            die(f'{" ".join(command)} failed')

    def target(self, killer):
        """What ninja has to build for it, and the command that judges."""
        kind, rest = killer
        if kind == 'run':
            return ['smmuv3'], [os.path.join(self.build, 'smmuv3'), 'run'] + rest.split(), {}
        if rest not in self.tests:
            die(f'there is no test {rest}')
        t = self.tests[rest]
        program = [os.path.relpath(c, self.build) for c in t['cmd'] if c.startswith(self.build + '/')]
        return program, t['cmd'], t.get('env', {})

    def build_target(self, what):
        r = subprocess.run(['ninja', '-C', self.build] + what, capture_output=True, text=True)
        return r.returncode == 0, r.stdout

    def fails(self, killer):
        """None if the killer is content, else how it ended."""
        what, command, env = self.target(killer)
        ok, out = self.build_target(what)
        if not ok:
            return 'does not build:\n' + '\n'.join(out.split('\n')[-15:])
        try:
            r = subprocess.run(command, cwd=self.build, capture_output=True, timeout=LIMIT,
                               env={**os.environ, **env})
        except subprocess.TimeoutExpired:
            return 'hangs'
        return None if r.returncode == 0 else f'exit {r.returncode}'


def judge(tree, m):
    """(word, detail): killed, survived, equivalent or broken."""
    path = os.path.join(tree.src, m.file)
    text = open(path, encoding='utf-8').read()
    new = mutate(text, m)
    if new is None:
        return 'broken', 'its old lines do not stand in the file exactly once'
    if m.equivalent:
        return 'equivalent', m.equivalent
    try:
        tree.put(m.file, new.encode())
        for killer in m.kill:
            how = tree.fails(killer)
            if how and how.startswith('does not build'):
                return 'broken', how
            if how:
                return 'killed', f'{" ".join(killer)}: {how}'
        return 'survived', (f'(known: {m.open}) ' if m.open else '') + '; '.join(' '.join(k) for k in m.kill)
    finally:
        tree.put(m.file, text.encode())


def main():
    p = argparse.ArgumentParser(usage=__doc__, add_help=True)
    p.add_argument('--build', default=os.path.join(TOP, 'build-mutants'))
    p.add_argument('--sample', type=int)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--part', default='0/1')
    p.add_argument('--check', action='store_true')
    p.add_argument('--list', action='store_true')
    p.add_argument('names', nargs='*')
    a = p.parse_args()
    here = os.path.dirname(os.path.realpath(__file__))
    mutants = []
    for f in sorted(os.listdir(here)):
        if f.endswith('.mut'):
            some = read(os.path.join(here, f))
            mutants += [m for m in some if not a.names or m.name in a.names or f[:-4] in a.names]
    seen = set()
    for m in mutants:
        if m.name in seen:
            die(f'{m.where}: there are two of the name {m.name}')
        seen.add(m.name)
    if a.names and not mutants:
        die(f'no mutant or file of mutants is named {" ".join(a.names)}')
    if a.list:
        for m in mutants:
            print(f'{m.name:32} {m.what}')
        return 0
    if a.check:
        bad = [m for m in mutants if mutate(open(os.path.join(TOP, m.file), encoding='utf-8').read(), m) is None]
        for m in bad:
            print(f'{m.where}: {m.name}: its old lines do not stand in {m.file} exactly once')
        print(f'{len(mutants)} mutants, {len(bad)} do not apply')
        return 2 if bad else 0
    if a.sample:
        mutants = [m for m in mutants if not m.open]
        mutants = random.Random(a.seed).sample(mutants, min(a.sample, len(mutants)))
    i, n = (int(x) for x in a.part.split('/'))
    mutants = mutants[i::n]
    tree = Tree(os.path.realpath(a.build))
    # A killer that fails without any fault would kill everything.
    for killer in sorted({k for m in mutants for k in m.kill}):
        how = tree.fails(killer)
        if how:
            die(f'without any mutant, {" ".join(killer)} ends with: {how}')
    count = {'killed': 0, 'survived': 0, 'equivalent': 0, 'broken': 0}
    start = time.time()
    for k, m in enumerate(mutants, 1):
        word, detail = judge(tree, m)
        count[word] += 1
        if word != 'killed' or not os.environ.get('CI'):
            print(f'{word:10} {m.name:32} {detail}', flush=True)
        if sys.stderr.isatty():
            print(f'\r{k} of {len(mutants)}, {int(time.time() - start)} s ', end='', file=sys.stderr)
    print(f'{len(mutants)} mutants: {count["killed"]} killed, {count["survived"]} survived, '
          f'{count["equivalent"]} equivalent, {count["broken"]} broken; {int(time.time() - start)} s')
    return 2 if count['broken'] else 1 if count['survived'] else 0


if __name__ == '__main__':
    sys.exit(main())
