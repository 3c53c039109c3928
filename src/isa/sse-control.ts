import type { Row } from './builder.js';
import { SSE } from './sse-rows.js';

/** MXCSR, fences, and what concerns caches (SDM vol. 1, 10.4.6 and 11.4.4). Memory is in order here anyway. */
export const SSE_CONTROL: readonly Row[] = [
  {
    ...SSE,
    name: 'ldmxcsr',
    encodings: ['NP 0F AE /2 Md'],
    access: 'r',
    semantics: (b) => void b.helper('ldmxcsr', b.read(0)),
  },
  {
    ...SSE,
    name: 'stmxcsr',
    encodings: ['NP 0F AE /3 Md'],
    access: 'w',
    semantics: (b) => b.write(0, b.state('mxcsr')),
  },
  { name: 'lfence', encodings: ['NP 0F AE /5 R'], access: '-', compact: true, semantics() {} },
  { name: 'mfence', encodings: ['NP 0F AE /6 R'], access: '-', compact: true, semantics() {} },
  { name: 'sfence', encodings: ['NP 0F AE /7 R'], access: '-', compact: true, semantics() {} },
  {
    // No cache holds anything; the address must be readable, though.
    name: 'clflush',
    encodings: ['NP 0F AE /7 Mb'],
    access: 'r',
    compact: true,
    semantics: (b) => void b.read(0),
  },
  {
    name: 'movnti',
    encodings: ['NP 0F C3 /r Md,Gd'],
    access: 'w,r',
    compact: true,
    semantics: (b) => b.write(0, b.read(1)),
  },
];
