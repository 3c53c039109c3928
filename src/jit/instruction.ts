import type { Decoded } from '../cpu/decoder.js';
import type { HandlerForm } from '../cpu/interpreter/forms.js';

/** A decoded instruction at a linear address. */
export interface Instruction extends Readonly<Decoded> {
  readonly eip: number;
  readonly handler: HandlerForm;
}
