import type { Builder, Row } from './builder.js';

/** Instructions for operating systems: control registers, descriptor tables, MSRs, CPUID. */

/** A helper without operands; `ends` where code behind it may run differently, or an interrupt be let in. */
function plain(name: string, encoding: string, helper: string, ends: Row['ends'] = false): Row {
  return {
    name,
    encodings: [encoding],
    ends,
    system: true,
    semantics(b) {
      b.helper(helper);
      if (ends) b.jump(b.nextEip());
    },
  };
}

/** A helper that takes the linear address of a pseudo-descriptor. */
function table(name: string, digit: number, write: boolean): Row {
  return {
    name,
    encodings: [`0F 01 /${digit} M`],
    access: '-',
    sized: true,
    system: true,
    semantics(b) {
      // Rights come before the operand: LGDT and LIDT of ring 3 fault the same way wherever they point.
      if (!write) b.helper('requireLevel0');
      b.helper(name, b.address(0, 6, write), b.const(b.form.size));
    },
  };
}

/** A privileged helper that takes a 16-bit operand; `rights` checks before the operand is looked at. */
function withSelector(name: string, encoding: string, rights: string): Row {
  return {
    name,
    encodings: [`${encoding} Ew`],
    access: 'r',
    ends: 'next',
    system: true,
    semantics(b) {
      b.helper(rights);
      b.helper(name, b.read(0));
      b.jump(b.nextEip());
    },
  };
}

/** SLDT, STR, SMSW: a register of operand size, or 16 bits of memory. */
function storeWord(name: string, encoding: string): Row {
  return {
    name,
    encodings: [`${encoding} Ev`],
    access: 'w',
    system: true,
    semantics(b) {
      const value = b.helper(name);
      if (b.form.isMemory(0)) b.store('default', b.offset(0), 16, value);
      else b.write(0, value);
    },
  };
}

function moveSpecial(encoding: string, toRegister: boolean, helper: string): Row {
  return {
    name: 'mov',
    encodings: [encoding],
    access: 'w,r',
    ends: 'next',
    system: true,
    semantics(b) {
      if (toRegister) b.write(0, b.helper(helper, b.number(1)));
      else b.helper(helper, b.number(0), b.read(1));
      b.jump(b.nextEip());
    },
  };
}

function invalidatePage(b: Builder): void {
  // Rights come before the operand, if looking at that can fault.
  if (b.form.checked) b.helper('requireLevel0');
  // No access takes place, so no segment limit is checked beyond what the address needs.
  b.helper('invlpg', b.address(0, 1, false));
  b.jump(b.nextEip());
}

export const SYSTEM: readonly Row[] = [
  moveSpecial('0F 20 /r Rd,Cd', true, 'readControl'),
  moveSpecial('0F 22 /r Cd,Rd', false, 'writeControl'),
  moveSpecial('0F 21 /r Rd,Dd', true, 'readDebug'),
  moveSpecial('0F 23 /r Dd,Rd', false, 'writeDebug'),
  table('sgdt', 0, true),
  table('sidt', 1, true),
  table('lgdt', 2, false),
  table('lidt', 3, false),
  storeWord('smsw', '0F 01 /4'),
  withSelector('lmsw', '0F 01 /6', 'requireLevel0'),
  { name: 'invlpg', encodings: ['0F 01 /7 M'], access: '-', ends: 'next', system: true, semantics: invalidatePage },
  storeWord('sldt', '0F 00 /0'),
  storeWord('str', '0F 00 /1'),
  withSelector('lldt', '0F 00 /2', 'requireProtectedLevel0'),
  withSelector('ltr', '0F 00 /3', 'requireProtectedLevel0'),
  plain('clts', '0F 06', 'clts'),
  plain('invd', '0F 08', 'flushCaches'),
  plain('wbinvd', '0F 09', 'flushCaches'),
  plain('wrmsr', '0F 30', 'wrmsr', 'next'),
  plain('rdtsc', '0F 31', 'rdtsc', 'next'),
  plain('rdmsr', '0F 32', 'rdmsr'),
  plain('rdpmc', '0F 33', 'rdpmc'),
  plain('cpuid', '0F A2', 'cpuid'),
  { name: 'sysenter', encodings: ['0F 34'], ends: true, system: true, semantics: (b) => void b.helper('sysenter') },
  { name: 'sysexit', encodings: ['0F 35'], ends: true, system: true, semantics: (b) => void b.helper('sysexit') },
  plain('hlt', 'F4', 'hlt', true),
];
