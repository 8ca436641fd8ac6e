#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Small faults in src/, one at a time, each of which a named test or run has to notice.

usage: tests/mutants/run.py [options] [NAME…]

  --build DIR    build folder, made when missing (build-mutants); it builds copies of the tree that lie inside it
  --jobs N       so many copies side by side (as many as there are processors)
  --sample N     only N of them, chosen by --seed
  --seed S       (1)
  --part I/N     the I-th of N parts, for two machines
  --check        only look whether every mutant still applies, exactly once
  --compile      with --check: and whether what it makes of the file still compiles
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
import concurrent.futures
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), '..', '..'))
LIMIT = 120  # seconds for one killer: a mutant that hangs is killed as well
SKIPPED = 'exit 77'  # how a test ends that needs what is not there
SPIN = 10  # and so many times the processor time that it takes without a fault, and 3 s


class Mutant:
    def __init__(self, where, name):
        self.where, self.name = where, name
        self.what = self.file = self.equivalent = self.open = ''
        self.kill, self.old, self.new = [], [], []


def die(text):
    print(f'mutants: {text}', file=sys.stderr)
    sys.exit(2)


def read(path, kinds=('test', 'run')):
    """The mutants of a file; KINDS of killers are known."""
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
                if kind not in kinds or not rest:
                    die(f'{path}:{number}: expected "kill: KIND …", KIND being {" or ".join(kinds)}')
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


class Killer:
    """A test or a run: what ninja has to build for it, and the command that judges."""

    def __init__(self, program, command, env):
        self.program, self.command, self.env = program, command, env
        self.cpu = LIMIT  # seconds of processor time that it may take


class Tree:
    """A copy of the sources with a build folder of its own, so that nobody's work is touched."""

    def __init__(self, build, killers):
        self.src, self.build = os.path.join(build, 'tree'), os.path.join(build, 'build')
        os.makedirs(self.src, exist_ok=True)
        self.env = dict(os.environ)
        if shutil.which('ccache'):
            self.env.setdefault('CC', 'ccache cc')
            self.env.update(CCACHE_BASEDIR=build, CCACHE_NOHASHDIR='1')
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
        self.must(['ninja', '-C', self.build, 'build.ninja'])
        tests = {t['name']: t for t in self.introspect('--tests')}
        self.outputs = {os.path.relpath(f, self.build) for t in self.introspect('--targets') for f in t['filename']}
        self.killers = {k: self.killer(k, tests) for k in killers}
        programs = sorted({p for k in self.killers.values() for p in k.program})
        if programs:
            self.must(['ninja', '-C', self.build] + programs)

    def killer(self, what, tests):
        kind, rest = what
        if kind == 'run':
            return Killer(['smmuv3'], [os.path.join(self.build, 'smmuv3'), 'run'] + rest.split(), {})
        if rest not in tests:
            die(f'there is no test {rest}')
        t = tests[rest]
        parts = {os.path.relpath(os.path.join(self.build, c), self.build) for c in t['cmd']}
        return Killer(sorted(parts & self.outputs), t['cmd'], t.get('env', {}))

    def introspect(self, what):
        return json.loads(subprocess.run(['meson', 'introspect', what, self.build], check=True, capture_output=True,
                                         text=True).stdout)

    def put(self, f, data, mode=0o644):
        p = os.path.join(self.src, f)
        if os.path.exists(p) and open(p, 'rb').read() == data:
            return
        os.makedirs(os.path.dirname(p), exist_ok=True)
        with open(p, 'wb') as out:
            out.write(data)
        os.chmod(p, mode & 0o777)

    def must(self, command):
        r = subprocess.run(command, capture_output=True, text=True, env=self.env)
        if r.returncode:
            print(r.stdout[-4000:], r.stderr[-4000:], file=sys.stderr)
            die(f'{" ".join(command)} failed')

    def judge(self, k):
        """How the killer ended (None: content), and the processor time that it took."""
        p = subprocess.Popen(['sh', '-c', f'ulimit -t {int(k.cpu) + 1}; exec "$@"', 'sh'] + k.command, cwd=self.build,
                             stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={**os.environ, **k.env}, start_new_session=True)
        late = threading.Timer(LIMIT, os.killpg, (p.pid, signal.SIGKILL))
        late.start()
        _, status, used = os.wait4(p.pid, 0)
        late.cancel()
        p.returncode = os.waitstatus_to_exitcode(status)
        if p.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return 'hangs', k.cpu
        return None if p.returncode == 0 else f'exit {p.returncode}', used.ru_utime + used.ru_stime

    def try_out(self, what):
        """A killer that fails without any fault would kill everything."""
        k = self.killers[what]
        how, cpu = self.judge(k)
        if how == SKIPPED:
            k.cpu = 0
            print(f'{" ".join(what)} cannot run here, and judges nothing', flush=True)
        elif how:
            die(f'without any mutant, {" ".join(what)} ends with: {how}')
        else:
            k.cpu = 3 + SPIN * cpu

    def fails(self, what):
        """None if the killer is content, else how it ended."""
        k = self.killers[what]
        r = k.program and subprocess.run(['ninja', '-C', self.build] + k.program, capture_output=True, text=True,
                                         env=self.env)
        if r and r.returncode:
            return 'does not build:\n' + '\n'.join(r.stdout.split('\n')[-15:])
        return self.judge(k)[0]


def judge(tree, m):
    """(word, detail): killed, survived, equivalent, skipped or broken."""
    path = os.path.join(tree.src, m.file)
    text = open(path, encoding='utf-8').read()
    new = mutate(text, m)
    if new is None:
        return 'broken', 'its old lines do not stand in the file exactly once'
    if m.equivalent:
        return 'equivalent', m.equivalent
    try:
        tree.put(m.file, new.encode())
        killers = [k for k in m.kill if tree.killers[k].cpu]
        if not killers:
            return 'skipped', '; '.join(' '.join(k) for k in m.kill)
        for killer in killers:
            how = tree.fails(killer)
            if how and how.startswith('does not build'):
                return 'broken', how
            if how:
                return 'killed', f'{" ".join(killer)}: {how}'
        return 'survived', (f'(known: {m.open}) ' if m.open else '') + '; '.join(' '.join(k) for k in m.kill)
    finally:
        tree.put(m.file, text.encode())


def compiles(m):
    """What the compiler says against the file with the fault in it; empty: nothing."""
    text = mutate(open(os.path.join(TOP, m.file), encoding='utf-8').read(), m)
    r = subprocess.run(['cc', '-fsyntax-only', '-std=gnu11', '-Werror=implicit-function-declaration', '-xc', '-pthread',
                        '-Iinclude', '-Iports/sim', '-Iports/posix', '-DSMMU_PORT_HEADER="smmu_sim.h"',
                        '-I' + os.path.dirname(m.file), '-'], cwd=TOP, input=text, capture_output=True, text=True)
    return r.stderr if r.returncode else ''


class Run:
    """The mutants, by file: who has one of a file goes on with that file, which is the least to build."""

    def __init__(self, mutants, trees):
        self.todo = {}
        for m in mutants:
            self.todo.setdefault(m.file, []).append(m)
        self.trees, self.total, self.done = trees, len(mutants), 0
        self.names = {'killed': [], 'survived': [], 'equivalent': [], 'skipped': [], 'broken': []}
        self.lock, self.start, self.failed = threading.Lock(), time.time(), None

    def take(self, file):
        with self.lock:
            if self.failed or not any(self.todo.values()):
                return None
            if not self.todo.get(file):
                file = max(self.todo, key=lambda f: len(self.todo[f]))
            return self.todo[file].pop(0)

    def work(self, tree):
        m = self.take(None)
        while m:
            try:
                word, detail = judge(tree, m)
            except BaseException as error:
                self.failed = error
                raise
            with self.lock:
                self.done += 1
                self.names[word].append(m.name)
                if word != 'killed' or not os.environ.get('CI'):
                    print(f'{word:10} {m.name:32} {detail}', flush=True)
                if sys.stderr.isatty():
                    print(f'\r{self.done} of {self.total}, {int(time.time() - self.start)} s ', end='', file=sys.stderr)
            m = self.take(m.file)

    def all(self):
        threads = [threading.Thread(target=self.work, args=(t,)) for t in self.trees]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if self.failed:
            sys.exit(2)


def main():
    p = argparse.ArgumentParser(usage=__doc__, add_help=True)
    p.add_argument('--build', default=os.path.join(TOP, 'build-mutants'))
    p.add_argument('--jobs', type=int, default=len(os.sched_getaffinity(0)))
    p.add_argument('--sample', type=int)
    p.add_argument('--seed', type=int, default=1)
    p.add_argument('--part', default='0/1')
    p.add_argument('--check', action='store_true')
    p.add_argument('--compile', action='store_true')
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
        if a.compile:
            with concurrent.futures.ThreadPoolExecutor(max(1, a.jobs)) as pool:
                for m, said in zip(mutants, pool.map(lambda m: '' if m in bad else compiles(m), mutants)):
                    if said:
                        print(f'{m.where}: {m.name}: does not compile:\n{said}', end='')
                        bad.append(m)
        return 2 if bad else 0
    if a.sample:
        mutants = [m for m in mutants if not m.open]
        mutants = random.Random(a.seed).sample(mutants, min(a.sample, len(mutants)))
    i, n = (int(x) for x in a.part.split('/'))
    mutants = mutants[i::n]
    start = time.time()
    killers = sorted({k for m in mutants for k in m.kill})
    build = os.path.realpath(a.build)
    # One after the other: what the first compiles the compiler cache has for the rest.
    trees = [Tree(os.path.join(build, str(j)), killers) for j in range(max(1, min(a.jobs, len(mutants))))]
    for k in killers:
        trees[0].try_out(k)
        for t in trees:
            t.killers[k].cpu = trees[0].killers[k].cpu
    run = Run(mutants, trees)
    run.all()
    cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
    count = {word: len(names) for word, names in run.names.items()}
    if run.names['survived']:
        print('survivors: ' + ' '.join(run.names['survived']))
    print(f'{len(mutants)} mutants: {count["killed"]} killed, {count["survived"]} survived, '
          f'{count["equivalent"]} equivalent, {count["skipped"]} skipped, {count["broken"]} broken; {int(time.time() - start)} s, '
          f'{int(cpu.ru_utime + cpu.ru_stime)} s of processor time')
    return 2 if count['broken'] else 1 if count['survived'] else 0


if __name__ == '__main__':
    sys.exit(main())
