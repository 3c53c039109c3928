import type { Operand } from '../isa/encoding.js';
import type { Decoded } from '../cpu/decoder.js';
import type { HandlerForm } from '../cpu/interpreter/forms.js';

/** A decoded instruction at a linear address: a copy of what the decoder, which reuses its result, has found. */
export class Instruction {
  readonly length: number;
  readonly reg: number;
  readonly rm: number;
  readonly base: number;
  readonly index: number;
  readonly scale: number;
  readonly segment: number;
  readonly addressMask: number;
  readonly displacement: number;
  readonly immediate: number;

  constructor(
    readonly eip: number,
    readonly handler: HandlerForm,
    decoded: Decoded,
  ) {
    this.length = decoded.length;
    this.reg = decoded.reg;
    this.rm = decoded.rm;
    this.base = decoded.base;
    this.index = decoded.index;
    this.scale = decoded.scale;
    this.segment = decoded.segment;
    this.addressMask = decoded.addressMask;
    this.displacement = decoded.displacement;
    this.immediate = decoded.immediate;
  }
}

export function isVectorRegister({ kind }: Operand): boolean {
  return kind === 'xmmReg' || kind === 'xmmRm';
}
/** Those are used where they are in the state. */
export function isMmxRegister({ kind }: Operand): boolean {
  return kind === 'mmxReg' || kind === 'mmxRm';
}
