/*L:345
 * Where the time went
 *
 * `--profile` answers the next question: in which functions? The table has a row for each function that took a
 * noticeable share, the longest first.
 */
import type { ProfileRow } from '../vm/index.js';

const MOST_ROWS = 40;

function percent(part: number, whole: number): string {
  return `${((100 * part) / whole).toFixed(1)}%`;
}

/** The profile for people. `share` is of all time, `translated` of the function's. */
export function renderProfile(rows: readonly ProfileRow[]): string {
  const secondsOf = (row: ProfileRow): number => row.translatedSeconds + row.interpretedSeconds;
  const whole = rows.reduce((sum, row) => sum + secondsOf(row), 0);
  if (whole === 0) return 'lguest profile  no samples: the guest ran too briefly\n';
  const samples = rows.reduce((sum, row) => sum + row.samples, 0);
  const shown = rows.slice(0, MOST_ROWS);
  const others = rows.slice(MOST_ROWS).reduce((sum, row) => sum + secondsOf(row), 0);
  const lines = [
    `lguest profile  ${samples.toLocaleString('en-US')} samples, ${whole.toFixed(3)} s`,
    ' share  translated  ring    function',
    ...shown.map((row) => {
      const share = percent(secondsOf(row), whole).padStart(6);
      const translated = percent(row.translatedSeconds, secondsOf(row) || 1).padStart(10);
      return `${share}  ${translated}  ${row.ring.padEnd(6)}  ${row.name}`;
    }),
  ];
  if (others > 0) lines.push(`${percent(others, whole).padStart(6)}  in ${rows.length - MOST_ROWS} others`);
  return `${lines.join('\n')}\n`;
}

/** The profile for programs. */
export function profileAsJson(rows: readonly ProfileRow[]): string {
  return `${JSON.stringify({ version: 1, rows }, undefined, 2)}\n`;
}
