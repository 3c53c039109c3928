/** lguest guests of a few instructions, put together byte by byte: what the Launcher's tests launch. */

/** Guest-physical addresses. One segment holds all of it. */
const CODE = 0x10_0000;
const DATA = 0x11_0000;
const TEXTS = 0x11_1000;
const STACK_TOP = 0x12_0000;
const PAGE_OFFSET = 0xc000_0000;
const IMAGE_BYTES = STACK_TOP - CODE;

/** Hypercall numbers (lguest-abi.md, §4.2). */
export const CALL = { init: 1, shutdown: 2, idtEntry: 6, clockEvent: 9, halt: 10, notify: 17 } as const;

/** `mov r32, imm32` of EAX, EBX, ECX and EDX. */
const MOVE = { eax: 0xb8, ebx: 0xbb, ecx: 0xb9, edx: 0xba } as const;

/** A guest of generation C2 under construction. Methods add code and return the guest. */
export class SmallGuest {
  private readonly image = new Uint8Array(IMAGE_BYTES);
  private readonly symbols: { name: string; address: number }[] = [];
  private at = CODE;
  private textAt = TEXTS;

  constructor() {
    const view = new DataView(this.image.buffer);
    const data = DATA - CODE;
    // struct lguest_data of layout L2 as the compiler leaves it (§3).
    view.setUint32(data + 4, 1, true);
    this.image.fill(0xff, data + 24, data + 88);
    view.setUint32(data + 1380, PAGE_OFFSET + 0xf00, true);
    view.setUint32(data + 1384, PAGE_OFFSET + 0xf06, true);
    view.setUint32(data + 1388, PAGE_OFFSET, true);
    view.setUint32(data + 1392, 0x80, true);
    this.text('Linux version 2.6.32.9-small (test) #1\n');
    this.text('lguest');
  }

  /** Where the next instruction goes. */
  get here(): number {
    return this.at;
  }

  code(...bytes: number[]): this {
    this.image.set(bytes, this.at - CODE);
    this.at += bytes.length;
    return this;
  }

  /** Names the present address. */
  label(name: string): this {
    this.symbols.push({ name, address: this.at });
    return this;
  }

  move(register: keyof typeof MOVE, value: number): this {
    return this.code(MOVE[register], ...word(value));
  }

  call(number: number, first = 0, second = 0, third = 0): this {
    this.move('eax', number).move('ebx', first).move('ecx', second).move('edx', third);
    return this.code(0x0f, 0x01, 0xc1);
  }

  /** LGUEST_INIT as `lguest_entry` makes it, with the stack that follows. */
  init(): this {
    this.move('eax', CALL.init).move('ebx', DATA).code(0x0f, 0x01, 0xc1);
    return this.code(0xbc, ...word(STACK_TOP));
  }

  /** Early console output (§9.6). */
  print(text: string): this {
    return this.call(CALL.notify, this.text(text));
  }

  powerOff(): this {
    return this.call(CALL.shutdown, this.text('Power down'), 1);
  }
  restart(): this {
    return this.call(CALL.shutdown, this.text('Restarting'), 2);
  }
  crash(text: string): this {
    return this.call(CALL.shutdown, this.text(text), 1);
  }

  /** `jmp $` */
  loop(): this {
    return this.code(0xeb, 0xfe);
  }

  /** `mov dword [address], value` */
  store(address: number, value: number): this {
    return this.code(0xc7, 0x05, ...word(address), ...word(value));
  }

  /** Gate and handler of interrupt 0, which turns interrupts on again and returns; unmasks it and turns them on. */
  timer(): this {
    this.code(0xeb, 11);
    const handler = this.at;
    this.store(DATA, 0x200).code(0xcf);
    this.call(CALL.idtEntry, 0x20, (0x61 << 16) | (handler & 0xffff), (handler & 0xffff_0000) | 0x8e00);
    return this.store(DATA + 4, 0).store(DATA, 0x200);
  }

  /** Sleeps for `nanoseconds` by the guest's own clock. */
  sleep(nanoseconds: number): this {
    return this.call(CALL.clockEvent, nanoseconds).call(CALL.halt);
  }

  /** Address of a NUL-terminated text. */
  text(text: string): number {
    const at = this.textAt;
    this.image.set(new TextEncoder().encode(`${text}\0`), at - CODE);
    this.textAt += text.length + 1;
    return at;
  }

  /** The guest as an ELF executable; with a symbol table if there are labels. */
  elf(): Uint8Array {
    const header = new Uint8Array(52 + 32);
    const view = new DataView(header.buffer);
    header.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
    view.setUint16(16, 2, true);
    view.setUint16(18, 3, true);
    view.setUint32(20, 1, true);
    view.setUint32(24, CODE, true);
    view.setUint32(28, 52, true);
    view.setUint16(40, 52, true);
    view.setUint16(42, 32, true);
    view.setUint16(44, 1, true);
    const programHeader = [1, header.length, PAGE_OFFSET + CODE, CODE, IMAGE_BYTES, IMAGE_BYTES, 7, 4096];
    programHeader.forEach((value, index) => {
      view.setUint32(52 + 4 * index, value, true);
    });
    return join(header, this.image, this.symbolSections(view, header.length + IMAGE_BYTES));
  }

  /** Symbols, their names and the three section headers; told to the ELF header. */
  private symbolSections(header: DataView, offset: number): Uint8Array {
    if (this.symbols.length === 0) return new Uint8Array(0);
    const names = new TextEncoder().encode(`\0${this.symbols.map((symbol) => `${symbol.name}\0`).join('')}`);
    const table = new Uint8Array(16 * this.symbols.length);
    const view = new DataView(table.buffer);
    let nameAt = 1;
    this.symbols.forEach(({ name, address }, index) => {
      view.setUint32(16 * index, nameAt, true);
      view.setUint32(16 * index + 4, address, true);
      table[16 * index + 12] = 0x12;
      view.setUint16(16 * index + 14, 1, true);
      nameAt += name.length + 1;
    });
    const sections = new Uint8Array(3 * 40);
    const headers = new DataView(sections.buffer);
    headers.setUint32(40 + 4, 2, true);
    headers.setUint32(40 + 16, offset, true);
    headers.setUint32(40 + 20, table.length, true);
    headers.setUint32(40 + 24, 2, true);
    headers.setUint32(80 + 4, 3, true);
    headers.setUint32(80 + 16, offset + table.length, true);
    headers.setUint32(80 + 20, names.length, true);
    header.setUint32(32, offset + table.length + names.length, true);
    header.setUint16(46, 40, true);
    header.setUint16(48, 3, true);
    return join(table, names, sections);
  }
}

function word(value: number): number[] {
  return [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24];
}

function join(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
