import type { Builder, Row, Size, Value } from './builder.js';
import { truncate } from './flags.js';
import { repeated } from './strings.js';

/**
 * IN, OUT, INS, OUTS. Rights are checked by the helpers before anything else happens. Blocks end behind IN and OUT,
 * where an interrupt that they bring about is delivered.
 */

const EDX = 2;
const ESI = 6;
const EDI = 7;
const ES = 0;

function input(b: Builder, port: Value): Value {
  return b.helper('portRead', port, b.const(b.form.size / 8));
}

function output(b: Builder, port: Value, value: Value): void {
  b.helper('portWrite', port, b.const(b.form.size / 8), value);
}

function step(b: Builder, register: number): void {
  const width = b.form.addressSize;
  const by = b.mul(b.state('direction'), b.const(b.form.size / 8));
  b.setRegister(register, width, truncate(b, width, b.add(b.register(register, width), by)));
}

/** INS makes sure that its destination can be written before it touches the port. */
function inputString(b: Builder): void {
  const size: Size = b.form.size;
  const port = b.register(EDX, 16);
  const cell = b.cell(ES, b.register(EDI, b.form.addressSize), size);
  cell.write(input(b, port));
  step(b, EDI);
}

function outputString(b: Builder): void {
  const port = b.register(EDX, 16);
  output(b, port, b.load('default', b.register(ESI, b.form.addressSize), b.form.size));
  step(b, ESI);
}

function stringRow(name: string, encoding: string, sized: boolean, iteration: (b: Builder) => void): Row {
  return {
    name,
    encodings: [encoding],
    sized,
    addressSized: true,
    repeat: 'rep',
    system: true,
    semantics(b) {
      // Before anything else, and even if ECX is 0.
      b.helper('checkPort', b.register(EDX, 16), b.const(b.form.size / 8));
      repeated(b, () => iteration(b), false);
    },
  };
}

export const PORTS: readonly Row[] = [
  {
    name: 'in',
    encodings: ['E4 AL,Ib', 'E5 eAX,Ib', 'EC AL,DX', 'ED eAX,DX'],
    access: 'w,r',
    ends: 'next',
    system: true,
    semantics(b) {
      b.write(0, input(b, b.read(1)));
      b.jump(b.nextEip());
    },
  },
  {
    name: 'out',
    encodings: ['E6 Ib,AL', 'E7 Ib,eAX', 'EE DX,AL', 'EF DX,eAX'],
    access: 'r,r',
    ends: 'next',
    system: true,
    semantics(b) {
      // The size of the data, not of the port number, is what counts.
      output(b, b.read(0), b.read(1));
      b.jump(b.nextEip());
    },
  },
  stringRow('ins', '6C', false, inputString),
  stringRow('ins', '6D', true, inputString),
  stringRow('outs', '6E', false, outputString),
  stringRow('outs', '6F', true, outputString),
];
