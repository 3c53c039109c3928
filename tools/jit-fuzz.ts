import { Comparison } from '../test/jit/compare.js';

/** `npm run fuzz:jit -- [seconds [first seed]]`: random programs, interpreted and translated, until they differ. */

const seconds = Number(process.argv[2] ?? 60);
const first = Number(process.argv[3] ?? Date.now() % 1_000_000_000);
const end = performance.now() + seconds * 1000;
const comparison = new Comparison();
let seed = first;
let bad = 0;
for (; performance.now() < end && bad < 10; seed++) {
  const difference = comparison.run(seed);
  if (difference === undefined) continue;
  bad++;
  console.log(difference);
}
const { translated, leaves } = comparison.translator.statistics();
console.log(
  `${seed - first} programs from seed ${first}: ${bad} differ, ${comparison.faults} fault; ${translated} regions, left for ${JSON.stringify(leaves)}`,
);
process.exitCode = bad > 0 ? 1 : 0;
