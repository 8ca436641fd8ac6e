#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Small faults in the Linux module, one at a time, each of which a boot of run.py has to notice.

usage: tests/linux/mutants.py [--build DIR] [--jobs N] [--limit S] [--full] [--trust] [--check [--compile]] [--list] [NAME…]

  --build DIR  as run.py's (build/linux): its modules are built there, and a tree MUTANT beside them
  --jobs N     so many boots at a time (1)
  --limit S    seconds that a boot may take (240); one that hangs is red
  --full       loads for as long as `make test-linux` has them, not its short form
  --trust      boots are not tried with the module as it is first
  --check      only look whether every mutant still applies, exactly once
  --compile    with --check: and whether the file with it compiles for a kernel that is there (.cache/linux-*, build/linux)
  --list       names and what they do

NAME is a mutant, or a file of tests/linux/mutants without its ending; mutants for kernels of tools/debug-linux.sh are left out unless
they are named. Such a file is as one of tests/mutants (see run.py there), but its killers are "kill: boot NAME [KERNEL]", a boot of
run.py that must be red, with kernel 6.12 unless one is named. Exit status: 0 all were noticed, 1 one was not, 2 bad usage, a mutant
that does not apply or compile, or a boot that is red without any.
"""
import argparse
import concurrent.futures
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import threading
import time

import run
from guest import TOP, fetched

HERE = os.path.dirname(os.path.realpath(__file__))
spec = importlib.util.spec_from_file_location('mutants', os.path.join(TOP, 'tests', 'mutants', 'run.py'))
mutants = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mutants)


def chosen(names, all_of_them):
    found = []
    for f in sorted(os.listdir(os.path.join(HERE, 'mutants'))):
        some = mutants.read(os.path.join(HERE, 'mutants', f), ('boot',))
        found += [m for m in some if not names or m.name in names or f.removesuffix('.mut') in names]
    if len({m.name for m in found}) != len(found) or not found:
        mutants.die('two mutants have one name' if found else f'no mutant is named {" ".join(names)}')
    for m in found:
        m.kill = [(name, kernel or '6.12') for name, _, kernel in (rest.partition(' ') for _, rest in m.kill)]
        if not {name for name, _ in m.kill} <= set(run.BOOTS):
            mutants.die(f'{m.where}: {m.name}: boots are: {" ".join(run.BOOTS)}')
    # Those take half an hour to build.
    return [m for m in found if names or all_of_them or not {kernel for _, kernel in m.kill} <= set(run.DEBUG)]


def text_of(m):
    with open(os.path.join(TOP, m.file), encoding='utf-8') as f:
        return f.read()


def in_tree(m):
    """Its file in a tree that the module is built in."""
    return m.file.removeprefix('ports/linux/')


def compiles(args, m):
    """
    What the compiler says against the file with the fault in it, by the command that Kbuild had for its object. Empty: nothing; None: no
    such object is here.
    """
    tree = os.path.join(args.build, m.kill[0][1], 'ours')
    at = os.path.join(tree, in_tree(m))
    try:
        with open(os.path.join(os.path.dirname(at), f'.{os.path.basename(at)[:-2]}.o.cmd'), encoding='utf-8') as f:
            command = re.match(r'savedcmd_\S+ := (.*?) -c -o', f.readline()).group(1)
    except FileNotFoundError:
        return None
    words = [w for w in shlex.split(command) if not w.startswith('-Wp,-MMD')]
    headers = os.path.join(run.fetched_kernels([m.kill[0][1]])[m.kill[0][1]], 'headers')
    r = subprocess.run(words + ['-fsyntax-only', '-I' + os.path.dirname(at), '-xc', '-'],
                       cwd=tree if '/tree' not in command else os.path.realpath(headers), input=mutants.mutate(text_of(m), m),
                       capture_output=True, text=True, check=False)
    return r.stderr if r.returncode else ''


def check(args, some):
    bad = [m for m in some if mutants.mutate(text_of(m), m) is None]
    for m in bad:
        print(f'{m.where}: {m.name}: its old lines do not stand in {m.file} exactly once')
    print(f'{len(some)} mutants of the Linux module, {len(bad)} do not apply')
    left = []
    for m in some if args.compile else []:
        said = '' if m in bad else compiles(args, m)
        if said is None:
            left.append(m.name)
        elif said:
            print(f'{m.where}: {m.name}: does not compile:\n{said}', end='')
            bad.append(m)
    if left:
        print('not compiled, as nothing was built of theirs here: ' + ' '.join(left))
    return 2 if bad else 0


class Trees:
    """Copies of the trees that modules are built in, with one fault at a time."""

    def __init__(self, args):
        self.args, self.lock, self.fresh = args, threading.Lock(), set()

    def build(self, m, kernel, folder, variant):
        """The module's path, and what is wrong; one of them."""
        base = os.path.join(self.args.build, kernel, variant)
        here = os.path.join(self.args.build, kernel, f'mutant-{variant}')
        with open(os.path.join(base, in_tree(m)), encoding='utf-8') as f:
            as_it_is = f.read()
        text = mutants.mutate(as_it_is, m)
        if text is None:
            return None, f'its old lines do not stand in {m.file} of {variant} exactly once'
        with self.lock:
            if here not in self.fresh:
                os.makedirs(here, exist_ok=True)
                subprocess.run(['cp', '-Rup', base + '/.', here], check=True)
                self.fresh.add(here)
            try:
                put(here, m, text)
                r = subprocess.run([os.path.join(HERE, 'build.sh'), '--tree', here, self.args.build, folder],
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
                module = os.path.join(self.args.build, kernel, f'mutant-{m.name}.ko')
                if r.returncode == 0:
                    os.rename(os.path.join(self.args.build, kernel, 'mutant.ko'), module)
                return (None, r.stdout) if r.returncode else (module, '')
            finally:
                put(here, m, as_it_is)


def put(tree, m, text):
    with open(os.path.join(tree, in_tree(m)), 'w', encoding='utf-8') as f:
        f.write(text)


def boot(args, name, version, folder, mark='', module=None):
    """('killed', what was red first) or ('survived', the boot)."""
    args = argparse.Namespace(**{**vars(args), 'mark': mark, 'module': module, 'stop': b'FAILED: ' if module else b''})
    verdicts, text, _ = run.boot(args, name, version, folder, 'ours')
    wrong = re.findall('FAILED: .*', text) + [w for found in verdicts.values() for w in found]
    return ('killed', f'{name} {version}: {wrong[0]}') if any(verdicts.values()) else ('survived', f'{name} {version}')


def judge(args, trees, kernels, m):
    """(word, detail)."""
    if m.equivalent:
        return 'equivalent', m.equivalent
    word, detail = 'skipped', 'its kernel is not here'
    for name, version in m.kill:
        if version not in kernels:
            continue
        module, wrong = trees.build(m, version, kernels[version], run.other_driver(name, kernels[version]) or 'ours')
        if not module:
            return 'broken', wrong
        word, detail = boot(args, name, version, kernels[version], '-' + m.name, module)
        os.remove(module)
        if word == 'killed':
            break
    return word, detail


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument('--build', default=os.path.join(TOP, 'build', 'linux'))
    parser.add_argument('--jobs', type=int, default=1)
    parser.add_argument('--limit', type=float, default=240)
    parser.add_argument('--full', dest='short', action='store_false')
    parser.add_argument('--trust', action='store_true')
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--compile', action='store_true')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('names', nargs='*')
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    some = chosen(args.names, args.check or args.list)
    if args.list:
        for m in some:
            print(f'{m.name:28} {m.file:24} {m.what}')
        return 0
    if args.check:
        return check(args, some)
    args.qemu, args.firmware = fetched('fetch-qemu.sh'), fetched('fetch-uefi.sh')
    kernels = run.fetched_kernels(sorted({kernel for m in some for _, kernel in m.kill}))
    if subprocess.run([os.path.join(HERE, 'build.sh'), args.build, *kernels.values()], check=False).returncode:
        return 2
    begin, count, trees = time.monotonic(), {}, Trees(args)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        boots = [] if args.trust else sorted({k for m in some for k in m.kill if k[1] in kernels})
        for word, detail in pool.map(lambda k: boot(args, *k, kernels[k[1]]), boots):
            if word != 'survived':
                mutants.die(f'without any mutant: {detail}')
        running = {pool.submit(judge, args, trees, kernels, m): m for m in some}
        for done in concurrent.futures.as_completed(running):
            word, detail = done.result()
            count[word] = count.get(word, 0) + 1
            run.say(f'{word:10} {running[done].name:28} {detail}')
    run.say(f'{len(some)} mutants: ' + ', '.join(f'{n} {word}' for word, n in sorted(count.items())) +
            f'; {time.monotonic() - begin:.0f} s, {run.processor_time():.0f} s of processor time')
    return 2 if 'broken' in count else 1 if 'survived' in count else 0


if __name__ == '__main__':
    sys.exit(main())
