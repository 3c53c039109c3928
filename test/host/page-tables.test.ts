import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  enterUser,
  CODE,
  initialisedGuest,
  LOOP,
  PAGE_OFFSET,
  RAM_BYTES,
  STACK,
  type TestGuest,
  USER_DS,
  word,
} from './test-guest.js';

const DIRECTORY_A = 0x20_0000;
const DIRECTORY_B = 0x20_1000;
const KERNEL_TABLE = 0x20_2000;
const USER_TABLE_A = 0x20_3000;
const USER_TABLE_B = 0x20_4000;
const HANDLER = 0x11_0000;
/** Two frames with different contents. */
const ONE = 0x21_0000;
const TWO = 0x21_1000;
/** A linear page in the user part and one in the kernel's. */
const USER_PAGE = 0x0080_0000;
const KERNEL_PAGE = 0xc030_0000;

/** Own tables: identity and alias for the first 4 MiB (shared by A and B), USER_PAGE → ONE in A and TWO in B. */
function guestWithTables(tag: 'C1' | 'C2' | 'D2' = 'C2'): TestGuest {
  const guest = initialisedGuest(tag)
    .gate(14, PAGE_OFFSET + HANDLER)
    .write(HANDLER, LOOP);
  const { memory } = guest;
  for (let page = 0; page < 1024; page++) memory.write32(KERNEL_TABLE + page * 4, (page << 12) | 7);
  for (const directory of [DIRECTORY_A, DIRECTORY_B]) {
    memory.write32(directory, KERNEL_TABLE | 7);
    memory.write32(directory + 768 * 4, KERNEL_TABLE | 7);
  }
  memory.write32(DIRECTORY_A + 2 * 4, USER_TABLE_A | 7);
  memory.write32(DIRECTORY_B + 2 * 4, USER_TABLE_B | 7);
  memory.write32(USER_TABLE_A, ONE | 7);
  memory.write32(USER_TABLE_B, TWO | 7);
  memory.write32(ONE, 1111);
  memory.write32(TWO, 2222);
  guest.registers[4] = STACK;
  return guest.call(4, [DIRECTORY_A]);
}

function read(guest: TestGuest, linear: number): number {
  guest.registers[0] = 0xdead;
  guest.execute([0xa1, ...word(linear)], 2);
  return guest.registers[0]!;
}
function write(guest: TestGuest, linear: number): void {
  guest.execute([0xa3, ...word(linear)], 2);
}
/** Whether the last access went to the page-fault handler, and with which code. */
function faultCode(guest: TestGuest): number | undefined {
  if (guest.state.eip !== PAGE_OFFSET + HANDLER) return undefined;
  const [code] = guest.frame(1);
  guest.registers[4] = STACK;
  return code;
}

describe('NEW_PGTABLE', () => {
  test('T81 switches, also from the ring', () => {
    const guest = guestWithTables();
    assert.equal(read(guest, USER_PAGE), 1111);
    guest.postToRing(0, [4, DIRECTORY_B, 0, 0, 0]).call(0);
    assert.equal(read(guest, USER_PAGE), 2222);
    assert.equal(guest.host.pageTables.root, DIRECTORY_B);
  });

  test('kernel parts that differ are not confused', () => {
    const guest = guestWithTables();
    guest.memory.write32(USER_TABLE_B + 4, ONE | 7);
    guest.memory.write32(DIRECTORY_A + 0x301 * 4, USER_TABLE_A | 7);
    guest.memory.write32(DIRECTORY_B + 0x301 * 4, USER_TABLE_B | 7);
    assert.equal(read(guest, 0xc040_0000), 1111);
    guest.call(4, [DIRECTORY_B]);
    assert.equal(read(guest, 0xc040_0000), 2222);
  });

  test('ends linear mode for ever', () => {
    const guest = guestWithTables('D2');
    assert.equal(guest.host.generation?.pae, false);
    assert.equal(read(guest, USER_PAGE), 1111);
    guest.call(4, [DIRECTORY_B]);
    read(guest, 0x0100_0000);
    assert.equal(faultCode(guest), 0);
  });

  test('a directory outside memory', () => {
    const guest = guestWithTables().call(4, [0x4000_0000]);
    read(guest, USER_PAGE);
    assert.equal(guest.end, 'bad read address 0x40000000 len 4');
  });
});

describe('entries', () => {
  test('T70 accessed and dirty', () => {
    const guest = guestWithTables();
    assert.equal(guest.memory.read32(USER_TABLE_A), ONE | 7);
    read(guest, USER_PAGE);
    assert.equal(guest.memory.read32(USER_TABLE_A), ONE | 0x27);
    write(guest, USER_PAGE);
    assert.equal(guest.memory.read32(USER_TABLE_A), ONE | 0x67);
    assert.equal(guest.memory.read32(DIRECTORY_A + 8), USER_TABLE_A | 7);
  });

  test('T71 T72 T73 fatal ones', () => {
    const cases: [number, number, string][] = [
      [USER_TABLE_A, ONE | 0x87, 'bad page table entry'],
      [USER_TABLE_A, (RAM_BYTES + 2 * 4096) | 7, 'bad page table entry'],
      [DIRECTORY_A + 8, USER_TABLE_A | 0x87, 'bad page directory entry'],
      [DIRECTORY_A + 8, USER_TABLE_A | 0x17, 'bad page directory entry'],
      [DIRECTORY_A + 8, 0x4000_0007, 'bad page directory entry'],
    ];
    for (const [at, entry, text] of cases) {
      const guest = guestWithTables();
      guest.memory.write32(at, entry);
      read(guest, USER_PAGE);
      assert.equal(guest.end, text);
    }
  });

  test('device pages may be mapped', () => {
    const guest = guestWithTables();
    guest.memory.write32(USER_TABLE_A, (RAM_BYTES + 4096) | 7);
    guest.memory.write32(RAM_BYTES + 4096, 77);
    assert.equal(read(guest, USER_PAGE), 77);
  });

  test('T74 T75 absent ones fault, and work once they are there', () => {
    const guest = guestWithTables();
    guest.memory.write32(DIRECTORY_A + 8, 0);
    read(guest, USER_PAGE);
    assert.equal(faultCode(guest), 0);
    guest.memory.write32(DIRECTORY_A + 8, USER_TABLE_A | 7);
    assert.equal(read(guest, USER_PAGE), 1111);
  });
});

describe('SET_PTE', () => {
  test('T76 T77 write protection takes effect, by SET_PTE and by FLUSH_TLB', () => {
    for (const announce of [
      [14, DIRECTORY_A, USER_PAGE, ONE | 5, 0],
      [5, 1],
      [5, 0],
    ]) {
      const guest = guestWithTables();
      write(guest, USER_PAGE);
      guest.memory.write32(USER_TABLE_A, ONE | 5);
      guest.call(announce[0]!, announce.slice(1));
      write(guest, USER_PAGE);
      assert.equal(faultCode(guest), 3);
    }
  });

  test('T78 with 0 it only forgets, and never writes', () => {
    const guest = guestWithTables();
    guest.call(14, [DIRECTORY_A, USER_PAGE, 0, 0]);
    assert.equal(read(guest, USER_PAGE), 1111);
    guest.call(14, [DIRECTORY_A, USER_PAGE, TWO | 7, 0]);
    assert.equal(guest.memory.read32(USER_TABLE_A), ONE | 0x27);
    assert.equal(read(guest, USER_PAGE), 1111);
  });

  test('T79 kernel pages change in every address space', () => {
    const guest = guestWithTables();
    read(guest, KERNEL_PAGE);
    guest.memory.write32(KERNEL_TABLE + 0x300 * 4, ONE | 7);
    guest.call(14, [DIRECTORY_A, KERNEL_PAGE, ONE | 7, 0]).call(4, [DIRECTORY_B]);
    assert.equal(read(guest, KERNEL_PAGE), 1111);
    guest.memory.write32(KERNEL_TABLE + 0x300 * 4, TWO | 7);
    guest.call(14, [DIRECTORY_A, KERNEL_PAGE, TWO | 7, 0]);
    assert.equal(read(guest, KERNEL_PAGE), 2222);
  });
});

test('T80 FLUSH_TLB(0) forgets the user part', () => {
  const guest = guestWithTables();
  read(guest, USER_PAGE);
  guest.memory.write32(USER_TABLE_A, TWO | 7);
  guest.call(5, [0]);
  assert.equal(read(guest, USER_PAGE), 2222);
});

test('SET_PGD forgets what is below the entry', () => {
  const guest = guestWithTables();
  read(guest, USER_PAGE);
  guest.memory.write32(DIRECTORY_A + 8, USER_TABLE_B | 7);
  guest.call(15, [DIRECTORY_A, 2]);
  assert.equal(read(guest, USER_PAGE), 2222);
  read(guest, KERNEL_PAGE);
  guest.memory.write32(USER_TABLE_B + 0x300 * 4, ONE | 7);
  guest.memory.write32(USER_TABLE_B + 0x100 * 4, CODE | 7);
  guest.memory.write32(USER_TABLE_B + 0x110 * 4, HANDLER | 7);
  guest.memory.write32(DIRECTORY_A + 768 * 4, USER_TABLE_B | 7);
  guest.call(15, [DIRECTORY_A, 768]);
  assert.equal(read(guest, KERNEL_PAGE), 1111);
  assert.equal(guest.call(15, [DIRECTORY_A, 5000]).end, undefined, 'an index beyond the table is ignored');
});

test('PAE: SET_PGD and SET_PMD, T82', () => {
  const guest = initialisedGuest('C2', { generation: { pae: true } });
  const { memory } = guest;
  const [middle, table, other] = [0x20_0000, 0x20_1000, 0x20_2000];
  const directory = 0x20_3fe0;
  for (let page = 0; page < 512; page++) {
    memory.write32(table + page * 8, (page << 12) | 7);
    memory.write32(other + page * 8, (page << 12) | 7);
  }
  memory.write32(directory, middle | 1);
  memory.write32(directory + 24, middle | 1);
  memory.write32(middle, table | 7);
  memory.write32(middle + 8, table | 7);
  memory.write32(ONE, 0);
  memory.write32(0x16_0000, 1111);
  memory.write32(0x17_0000, 2222);
  guest.registers[4] = STACK;
  guest.call(4, [directory]);
  assert.equal(read(guest, 0x0036_0000), 1111);
  memory.write32(other + 0x160 * 8, 0x17_0007);
  memory.write32(middle + 8, other | 7);
  guest.call(13, [middle, 1]);
  assert.equal(read(guest, 0x0036_0000), 2222);
  const middle2 = 0x20_5000;
  memory.write32(middle2, table | 7);
  memory.write32(middle2 + 8, table | 7);
  memory.write32(directory, middle2 | 1);
  guest.call(15, [directory, 0]);
  assert.equal(read(guest, 0x0036_0000), 1111);
  memory.write32(middle2 + 8, table | 0x87);
  guest.call(5, [1]);
  read(guest, 0x0036_0000);
  assert.equal(guest.end, 'bad page middle directory entry');
});

test('ring 3 in linear mode', () => {
  const guest = initialisedGuest('D2').gate(14, HANDLER).write(HANDLER, LOOP);
  enterUser(guest, [0xb8, ...word(USER_DS)]);
  guest.host.run(3);
  assert.equal(guest.frame(1)[0]! & 7, 5, 'pages are the supervisor’s');
});

test('T84 changed code is executed', () => {
  const guest = initialisedGuest('C2');
  guest.registers[4] = STACK;
  // L: mov ecx, 1; cmp ecx, 2; je L+20; mov [L+1], 2; jmp L
  guest.execute([0xb9, ...word(1), 0x83, 0xf9, 2, 0x74, 12, 0xc7, 0x05, ...word(CODE + 1), ...word(2), 0xeb, 0xea], 40);
  assert.equal(guest.registers[1], 2);
});

describe('SET_STACK', () => {
  test('T90 refused', () => {
    assert.equal(initialisedGuest('C2').call(7, [0x68, STACK, 1]).end, 'bad stack segment 104');
    assert.equal(initialisedGuest('C2').call(7, [0x69, STACK, 3]).end, 'bad stack pages 3');
    assert.equal(initialisedGuest('C2').call(7, [0x69, 0x7000_0000, 1]).end, 'bad stack page 0x6fffffff');
  });

  test('pages become accessed and dirty at once, also behind a complete flush', () => {
    const guest = guestWithTables();
    guest.memory.write32(KERNEL_TABLE + 0x310 * 4, 0x31_0007);
    guest.memory.write32(KERNEL_TABLE + 0x311 * 4, 0x31_1007);
    guest.call(7, [0x69, 0xc031_2000, 2]);
    assert.equal(guest.memory.read32(KERNEL_TABLE + 0x310 * 4), 0x31_0067);
    assert.equal(guest.memory.read32(KERNEL_TABLE + 0x311 * 4), 0x31_1067);
    guest.memory.write32(KERNEL_TABLE + 0x311 * 4, 0x31_1007);
    guest.call(5, [1]);
    assert.equal(guest.memory.read32(KERNEL_TABLE + 0x311 * 4), 0x31_1067);
  });

  test('a read-only page is no stack', () => {
    const guest = guestWithTables();
    guest.memory.write32(KERNEL_TABLE + 0x311 * 4, 0x31_1005);
    assert.equal(guest.call(7, [0x69, 0xc031_2000, 1]).end, 'bad stack page 0xc0311fff');
  });
});
