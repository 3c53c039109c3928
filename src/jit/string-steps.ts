import { isComparing, type StringRun, UNTIL_EQUAL } from '../cpu/interpreter/string-runs.js';
import { EAX, ECX, EDI, ESI } from '../cpu/state.js';
import { ITERATIONS_PER_TURN, setCompared } from '../isa/strings.js';
import { OP } from '../wasm/code.js';
import type { BlockBuilder } from './block-builder.js';
import * as n from './node.js';
import type { Node } from './node.js';
import { FLAGS_AUX, FLAGS_RESULT } from './steps.js';

/** What the functions use, and what they move. */
const REGISTERS: Record<StringRun, { used: readonly number[]; moved: readonly number[] }> = {
  movs: { used: [ECX, ESI, EDI], moved: [ECX, ESI, EDI] },
  stos: { used: [EAX, ECX, EDI], moved: [ECX, EDI] },
  cmps: { used: [ECX, ESI, EDI], moved: [ECX, ESI, EDI] },
  scas: { used: [EAX, ECX, EDI], moved: [ECX, EDI] },
};

/**
 * A repeated string instruction by a function of the interpreter's, one turn at most; what that leaves over, the
 * interpreter does. False: the form does not allow it.
 */
export function repeatAtOnce(b: BlockBuilder, operation: StringRun): boolean {
  const { size, addressSize, checked, repeat } = b.form;
  if (addressSize !== 32 || checked) return false;
  const untilEqual = isComparing(operation) && repeat === 'repne';
  const before = [...b.variables];
  // Comparisons leave the last iteration of such a turn.
  if (!isComparing(operation))
    b.leave(n.comparison(OP.i32_gt_u, before[ECX]!, n.constant(ITERATIONS_PER_TURN)), b.interpreted);
  const { used, moved } = REGISTERS[operation];
  const parameter = Math.log2(size / 8) + (untilEqual ? UNTIL_EQUAL : 0);
  const { place } = b;
  const done = b.runString(operation, parameter, used, moved);
  if (!isComparing(operation)) {
    b.leave(n.isZero(done), b.interpreted, b.resumption());
    b.variables[ECX] = n.constant(0);
    return true;
  }
  b.leave(n.isZero(done), b.interpreted, place);
  setCompared(b);
  // Of no iterations the flags are what they were.
  const none = n.isZero(before[ECX]!);
  for (const word of [FLAGS_RESULT, FLAGS_AUX]) b.variables[word] = n.select(none, before[word]!, b.variables[word]!);
  const equal = b.eq(b.state('comparedX'), b.state('comparedY'));
  const left = b.ne(b.variables[ECX]!, b.const(0));
  b.leave(b.and(left, untilEqual ? b.isZero(equal) : equal) as Node, b.interpreted, b.resumption());
  return true;
}
