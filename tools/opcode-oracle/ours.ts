/** Which opcodes our decoder does not know. */

import { DECODE, Decoder, MODE } from '../../src/cpu/decoder.js';
import { Forms } from '../../src/cpu/interpreter/forms.js';
import type { Opcode } from './questions.js';

const UNDEFINED = ['ud0', 'ud1', 'ud2'];
/** Immediates and displacements that may follow. */
const ROOM = 12;

export class OurOpcodes {
  private readonly forms = new Forms();
  private readonly decoder = new Decoder(this.forms);

  isUndefined({ bytes }: Opcode): boolean {
    const code = new Uint8Array(bytes.length + ROOM).fill(0xcc);
    code.set(bytes);
    const mode = MODE.code32 | MODE.stack32 | MODE.flat;
    if (this.decoder.decode(code, 0, code.length, mode) !== DECODE.ok) throw new Error('an instruction without end');
    return UNDEFINED.includes(this.forms.list[this.decoder.decoded.form]!.row.name);
  }
}
