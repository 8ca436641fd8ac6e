#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Draws the last call of a worker from a timeline (smmuv3 run, replay or bench --timeline): docs/timeline.svg, a picture of the README.

usage: tools/plot-timeline.py [COMMAND [FILE.svg]]     (default: build/smmuv3 docs/timeline.svg)
"""
import json
import os
import subprocess
import sys
import tempfile

LEFT, WIDTH, ROW, TOP = 96, 820, 22, 46
COLOURS = {'submit': '#0b6bcb', 'wait': '#d5dbe3', 'TLBI': '#15803d', 'ATC_INV': '#c2410c', 'SYNC': '#f2c48d', 'call': '#4d5563'}


def kind(name):
    for k in ('TLBI', 'ATC_INV', 'SYNC'):
        if k in name:
            return k
    return name


def load(command):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'timeline.json')
        subprocess.run([command, 'bench', 'instances', '--timeline', path], stdout=subprocess.DEVNULL, check=True)
        with open(path) as f:
            return json.load(f)['traceEvents']


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    command = sys.argv[1] if len(sys.argv) > 1 else 'build/smmuv3'
    target = sys.argv[2] if len(sys.argv) > 2 else 'docs/timeline.svg'
    events = load(command)
    spans = [e for e in events if e['ph'] == 'X']
    call = [e for e in spans if e['pid'] == 1 and e['name'] == 'unmap'][-1]
    begin, end = call['ts'], call['ts'] + call['dur']

    def inside(e):
        return e['ts'] >= begin and e['ts'] <= end
    smmus = sorted({e['pid'] for e in spans if e['pid'] >= 100 and inside(e)})
    height = TOP + ROW * (len(smmus) + 1) + 46
    out = []

    def x(ts):
        return LEFT + (ts - begin) * WIDTH / (end - begin)

    def box(ts, dur, y, h, colour):
        out.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" stroke="none" fill="%s"/>'
                   % (x(ts), y, max(0.8, dur * WIDTH / (end - begin)), h, colour))

    def text(at, y, words, anchor='start', colour='#1f2933'):
        out.append('<text x="%.1f" y="%.1f" text-anchor="%s" fill="%s">%s</text>' % (at, y, anchor, colour, words))
    text(LEFT, 18, 'One unmap of 4K, domain shared by %d SMMUs, 4 devices with ATS behind each: %.2f microseconds of the virtual clock'
         % (len(smmus), end - begin))
    text(LEFT - 8, TOP + 13, 'worker', 'end')
    box(begin, end - begin, TOP + 1, 3, COLOURS['call'])
    inner = [e for e in spans if e['pid'] == 1 and inside(e) and e is not call and e['ts'] + e['dur'] <= end]
    for e in inner:
        if e['name'] in ('submit', 'wait'):
            box(e['ts'], e['dur'], TOP + 5, ROW - 10, COLOURS[e['name']])
            out.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#ffffff" stroke-width="0.6"/>'
                       % (x(e['ts'] + e['dur']), x(e['ts'] + e['dur']), TOP + 5, TOP + ROW - 5))
    for n, pid in enumerate(smmus):
        y = TOP + ROW * (n + 1)
        text(LEFT - 8, y + 13, 'SMMU %d' % (pid - 100), 'end')
        out.append('<line x1="%d" x2="%d" y1="%d" y2="%d" stroke="#e5e9ee"/>' % (LEFT, LEFT + WIDTH, y, y))
        for e in spans:
            if e['pid'] == pid and inside(e):
                box(e['ts'], e['dur'], y + 3, 7, COLOURS.get(kind(e['name']), '#888888'))
        pairs = [e for e in events if e['pid'] == pid and e['ph'] in 'be' and e['cat'] == 'atc' and inside(e)]
        starts = {e['id']: e['ts'] for e in pairs if e['ph'] == 'b'}
        for lane, e in enumerate(e for e in pairs if e['ph'] == 'e'):
            if e['id'] in starts:
                box(starts[e['id']], e['ts'] - starts[e['id']], y + 12 + 2 * (lane % 4), 1.2, COLOURS['ATC_INV'])
    y = TOP + ROW * (len(smmus) + 1)
    step = next(s for s in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if (end - begin) / s <= 10)
    at = 0.0
    while at <= end - begin:
        out.append('<line x1="%.1f" x2="%.1f" y1="%d" y2="%d" stroke="#9aa5b1"/>' % (x(begin + at), x(begin + at), y, y + 4))
        text(x(begin + at), y + 16, '%g' % round(at, 3), 'middle')
        at += step
    legend = (('submit', 'submits'), ('wait', 'waits'), ('TLBI', 'TLBI'), ('SYNC', 'CMD_SYNC'), ('ATC_INV', 'ATC_INV, and ATCs (thin)'))
    at = LEFT
    for colour, words in legend:
        out.append('<rect x="%d" y="%d" width="12" height="8" fill="%s"/>' % (at, y + 26, COLOURS[colour]))
        text(at + 16, y + 34, words)
        at += 40 + 8 * len(words)
    with open(target, 'w') as f:
        f.write('<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" '
                'viewBox="0 0 %d %d">\n<style>text{font:12px sans-serif}</style>\n<rect width="100%%" height="100%%" fill="#ffffff"/>\n'
                % (LEFT + WIDTH + 24, height, LEFT + WIDTH + 24, height))
        f.write('\n'.join(out) + '\n</svg>\n')
    return 0


sys.exit(main())
