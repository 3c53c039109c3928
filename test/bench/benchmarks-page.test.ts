import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBenchmarksPage } from '../../bench/benchmarks-page.js';

test('the page says what was measured, how, and what is amiss', () => {
  const page = renderBenchmarksPage({
    bench: {
      descriptions: new Map([
        ['native', 'the same files'],
        ['qemu', 'qemu 7.2'],
      ]),
      missing: ['v86 is left out: not here.'],
      packages: new Map([['busybox-static', '1:1.35']]),
      kernelRelease: '6.1.0-50-686',
    },
    rounds: 3,
    time: 'wall',
    tables: '## Group\n\n| a |\n',
    remarks: ['Missed: g/a.'],
    computer: 'a computer',
    nodeVersion: '26.0.0',
    date: '2026-11-27',
  });
  for (const part of [
    '2026-11-27, a computer, Node 26.0.0. Medians of 3 rounds, real time. Guests: Linux 6.1.0-50-686',
    '- **native**: the same files\n- **qemu**: qemu 7.2\n- v86 is left out: not here.\n\n## Group\n',
    "## Remarks\n\n- Missed: g/a.\n\nDebian's packages: busybox-static 1:1.35.\n",
  ]) {
    assert.ok(page.includes(part), `${part}\nis not in\n${page}`);
  }
});
