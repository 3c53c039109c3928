import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GuestAddressError, GuestMemory } from '../../src/memory/guest-memory.js';
import {
  ACCESS_FETCH,
  ACCESS_READ,
  ACCESS_USER,
  ACCESS_WRITE,
  PAGING,
  PageWalker,
  type WalkRules,
} from '../../src/memory/page-walk.js';

const MEGABYTE = 1 << 20;
const ROOT = 0x1000;
const TABLE = 0x3000;
const PMD = 0x2000;

const hardware: WalkRules = {
  strict: false,
  accessedInDirectories: true,
  flatUser: true,
  refuse: () => assert.fail('hardware refuses nothing'),
  flat: (linear) => linear,
};

class Refused extends Error {}

const lguest: WalkRules = {
  strict: true,
  accessedInDirectories: false,
  flatUser: false,
  refuse: (level) => {
    throw new Refused(level);
  },
  flat: (linear) => (linear < MEGABYTE ? linear : -1),
};

function makeWalker(rules: WalkRules, mode: number): { memory: GuestMemory; walker: PageWalker } {
  const memory = new GuestMemory(MEGABYTE);
  const walker = new PageWalker(memory, rules);
  walker.mode = mode;
  walker.root = ROOT;
  walker.largePages = true;
  return { memory, walker };
}

/** Two-level tables that map linear 0x0040_5000 with the given flags. */
function mapTwoLevel(memory: GuestMemory, pdeFlags: number, pteFlags: number, frame = 0x8000): void {
  memory.write32(ROOT + 4, TABLE | pdeFlags);
  memory.write32(TABLE + 5 * 4, frame | pteFlags);
}
const LINEAR = 0x0040_5123;

/** PAE tables that map linear 0xC020_5000. */
function mapPae(memory: GuestMemory, pdeFlags: number, pteFlags: number, high = 0, frame = 0x8000): void {
  memory.write32(ROOT + 3 * 8, PMD | 1);
  memory.write32(PMD + 8, TABLE | pdeFlags);
  memory.write32(TABLE + 5 * 8, frame | pteFlags);
  memory.write32(TABLE + 5 * 8 + 4, high);
}
const LINEAR_PAE = 0xc020_5abc;

describe('two-level tables', () => {
  test('a present page is translated, at page granularity', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
    mapTwoLevel(memory, 7, 7);
    const walk = walker.walk(LINEAR, ACCESS_READ);
    assert.equal(walk.fault, -1);
    assert.equal(walk.pageGpa, 0x8000);
    assert.equal(walker.locate(LINEAR), 0x8123);
  });

  test('error codes: what is missing, who asked, and for what (SDM vol. 3, 4.7)', () => {
    const cases: [number, number, number, number][] = [
      // PDE flags, PTE flags, access, error code
      [0, 7, ACCESS_READ, 0],
      [7, 0, ACCESS_READ, 0],
      [7, 0, ACCESS_WRITE, 2],
      [7, 0, ACCESS_USER, 4],
      [7, 6, ACCESS_USER | ACCESS_WRITE, 6],
      [7, 5, ACCESS_WRITE, 3],
      [5, 7, ACCESS_WRITE, 3],
      [7, 3, ACCESS_USER, 5],
      [3, 7, ACCESS_USER, 5],
      [7, 5, ACCESS_USER | ACCESS_WRITE, 7],
      [5, 7, ACCESS_USER | ACCESS_WRITE, 7],
      [0, 0, ACCESS_FETCH, 0],
      [7, 3, ACCESS_FETCH | ACCESS_USER, 5],
    ];
    for (const [pde, pte, access, code] of cases) {
      const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
      walker.noExecute = true; // counts in PAE mode only
      mapTwoLevel(memory, pde, pte);
      assert.equal(walker.walk(LINEAR, access).fault, code, `PDE ${pde} PTE ${pte} access ${access}`);
      assert.equal(memory.read32(TABLE + 20), 0x8000 | pte, 'a fault changes nothing');
    }
  });

  test('write protection holds for the supervisor only with WP', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
    mapTwoLevel(memory, 7, 5);
    assert.equal(walker.walk(LINEAR, ACCESS_WRITE).fault, 3);
    walker.writeProtect = false;
    const walk = walker.walk(LINEAR, ACCESS_WRITE);
    assert.equal(walk.fault, -1);
    assert.equal(walk.supervisorWritable, true);
    assert.equal(walk.userWritable, false);
    assert.equal(walker.walk(LINEAR, ACCESS_WRITE | ACCESS_USER).fault, 7);
  });

  test('A on every access, D on writes, A in the directory', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
    mapTwoLevel(memory, 7, 7);
    walker.walk(LINEAR, ACCESS_READ);
    assert.equal(memory.read32(TABLE + 20), 0x8027);
    assert.equal(memory.read32(ROOT + 4), TABLE | 0x27);
    walker.walk(LINEAR, ACCESS_WRITE);
    assert.equal(memory.read32(TABLE + 20), 0x8067);
    assert.equal(memory.read32(ROOT + 4), TABLE | 0x27);
  });

  test('a page may be written without another walk once it is dirty', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
    mapTwoLevel(memory, 7, 7);
    const clean = { ...walker.walk(LINEAR, ACCESS_READ) };
    assert.deepEqual([clean.userReadable, clean.userWritable, clean.supervisorWritable], [true, false, false]);
    const written = { ...walker.walk(LINEAR, ACCESS_WRITE) };
    assert.deepEqual([written.userReadable, written.userWritable, written.supervisorWritable], [true, true, true]);
    const dirty = { ...walker.walk(LINEAR, ACCESS_READ) };
    assert.deepEqual([dirty.userWritable, dirty.supervisorWritable], [true, true]);
    memory.write32(TABLE + 20, 0x8063);
    const kernel = { ...walker.walk(LINEAR, ACCESS_READ) };
    assert.deepEqual([kernel.userReadable, kernel.userWritable, kernel.supervisorWritable], [false, false, true]);
    memory.write32(TABLE + 20, 0x8065);
    const readOnly = { ...walker.walk(LINEAR, ACCESS_READ) };
    assert.deepEqual([readOnly.userReadable, readOnly.userWritable, readOnly.supervisorWritable], [true, false, false]);
  });

  test('4 MiB pages: frame, offset, rights, A and D in the directory, reserved bits', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
    memory.write32(ROOT + 4, 0x00c0_0000 | 0x87);
    const walk = walker.walk(0x0055_5555, ACCESS_WRITE);
    assert.equal(walk.pageGpa, 0x00d5_5000);
    assert.equal(walker.locate(0x0055_5555), 0x00d5_5555);
    assert.equal(memory.read32(ROOT + 4), 0x00c0_0000 | 0xe7);
    memory.write32(ROOT + 4, 0x00c0_0000 | 0x83);
    assert.equal(walker.walk(0x0040_0000, ACCESS_USER).fault, 5);
    memory.write32(ROOT + 4, 0x00c2_0000 | 0x87);
    assert.equal(walker.walk(0x0040_0000, ACCESS_READ).fault, 9);
    // Without CR4.PSE the bit is ignored and the entry points at a table.
    walker.largePages = false;
    memory.write32(ROOT + 4, TABLE | 0x87);
    memory.write32(TABLE + 20, 0x8007);
    assert.equal(walker.walk(LINEAR, ACCESS_READ).pageGpa, 0x8000);
  });

  test('hardware: a table outside memory maps nothing, a page outside memory is fine', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
    memory.write32(ROOT + 4, 0xfff0_0000 | 7);
    assert.equal(walker.walk(LINEAR, ACCESS_READ).fault, 0);
    assert.equal(walker.locate(LINEAR), -1);
    mapTwoLevel(memory, 7, 7, 0xfee0_0000);
    assert.equal(walker.walk(LINEAR, ACCESS_READ).pageGpa, 0xfee0_0000);
    walker.root = 0xffff_f000;
    assert.equal(walker.walk(LINEAR, ACCESS_READ).fault, 0);
  });

  test('the last page of the address space, signed or unsigned', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.twoLevel);
    memory.write32(ROOT + 1023 * 4, TABLE | 7);
    memory.write32(TABLE + 1023 * 4, 0x9007);
    assert.equal(walker.walk(0xffff_ffff, ACCESS_READ).pageGpa, 0x9000);
    assert.equal(walker.walk(-1, ACCESS_READ).pageGpa, 0x9000);
    assert.equal(walker.locate(-1), 0x9fff);
  });
});

describe('PAE tables', () => {
  test('three levels, with frames above 4 GiB', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.pae);
    mapPae(memory, 7, 7, 3);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_READ).pageGpa, 0x3_0000_8000);
    assert.equal(walker.locate(LINEAR_PAE), 0x3_0000_8abc);
    assert.equal(memory.read32(ROOT + 24), PMD | 1, 'a PDPTE is never marked');
    assert.equal(memory.read32(PMD + 8), TABLE | 0x27);
    assert.equal(memory.read32(TABLE + 40), 0x8027);
  });

  test('the directory may lie in mid-page', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.pae);
    mapPae(memory, 7, 7);
    memory.write32(0x5fe0 + 24, PMD | 1);
    walker.root = 0x5fe0;
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_READ).pageGpa, 0x8000);
  });

  test('not present at each level', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.pae);
    walker.noExecute = true;
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_FETCH | ACCESS_USER).fault, 0x14);
    mapPae(memory, 0, 7);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_WRITE).fault, 2);
    mapPae(memory, 7, 0);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_READ).fault, 0);
    assert.equal(walker.locate(LINEAR_PAE), -1);
  });

  test('no-execute stops fetches and nothing else, at either level', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.pae);
    walker.noExecute = true;
    mapPae(memory, 7, 7, 0x8000_0000);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_FETCH).fault, 0x11);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_FETCH | ACCESS_USER).fault, 0x15);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_WRITE).fault, -1);
    mapPae(memory, 7, 7);
    memory.write32(PMD + 12, 0x8000_0000);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_FETCH).fault, 0x11);
  });

  test('reserved bits: NX without EFER.NXE, and address bits above 35', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.pae);
    mapPae(memory, 7, 7, 0x8000_0000);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_READ).fault, 9);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_WRITE | ACCESS_USER).fault, 0xf);
    mapPae(memory, 7, 7, 0x10);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_READ).fault, 9);
    mapPae(memory, 7, 7);
    memory.write32(PMD + 12, 0x10);
    assert.equal(walker.walk(LINEAR_PAE, ACCESS_READ).fault, 9);
  });

  test('2 MiB pages', () => {
    const { memory, walker } = makeWalker(hardware, PAGING.pae);
    mapPae(memory, 0, 0);
    memory.write32(PMD + 8, 0x0060_0087);
    memory.write32(PMD + 12, 1);
    const walk = walker.walk(0xc03f_f123, ACCESS_WRITE);
    assert.equal(walk.pageGpa, 0x1_007f_f000);
    assert.equal(walk.userWritable, true);
    assert.equal(walker.locate(0xc03f_f123), 0x1_007f_f123);
    assert.equal(memory.read32(PMD + 8), 0x0060_00e7);
    memory.write32(PMD + 8, 0x0060_2087);
    assert.equal(walker.walk(0xc03f_f123, ACCESS_READ).fault, 9);
    memory.write32(PMD + 8, 0x0060_0085);
    assert.equal(walker.walk(0xc03f_f123, ACCESS_WRITE).fault, 3);
  });
});

describe('no tables', () => {
  test('paging off', () => {
    const { walker } = makeWalker(hardware, PAGING.flat);
    const walk = walker.walk(0x8000_1234, ACCESS_WRITE | ACCESS_USER);
    assert.deepEqual(
      { ...walk },
      {
        fault: -1,
        pageGpa: 0x8000_1000,
        userWritable: true,
        supervisorWritable: true,
        userReadable: true,
        executable: true,
        global: false,
      },
    );
  });

  test("lguest's linear mode is the supervisor's", () => {
    const { walker } = makeWalker(lguest, PAGING.flat);
    assert.equal(walker.walk(0x1234, ACCESS_WRITE).supervisorWritable, true);
    assert.equal(walker.walk(0x1234, ACCESS_USER).fault, 5);
    assert.equal(walker.walk(MEGABYTE, ACCESS_READ).fault, 0);
    assert.equal(walker.locate(0x1234), 0x1234);
    assert.equal(walker.locate(MEGABYTE), -1);
  });
});

describe("lguest's rules (lguest-abi.md §6.2)", () => {
  function refusal(rules: WalkRules, mode: number, prepare: (memory: GuestMemory) => void, linear: number): string {
    const { memory, walker } = makeWalker(rules, mode);
    prepare(memory);
    try {
      return `fault ${walker.walk(linear, ACCESS_READ).fault}`;
    } catch (error) {
      if (error instanceof Refused) return error.message;
      throw error;
    }
  }

  test('two levels: directory bits outside 0x67, PSE in a PTE, frames behind the limit', () => {
    const two = (pde: number, pte: number) =>
      refusal(
        lguest,
        PAGING.twoLevel,
        (memory) => {
          memory.write32(ROOT + 4, pde);
          memory.write32(TABLE + 20, pte);
        },
        LINEAR,
      );
    assert.equal(two(TABLE | 0x67, 0x8067), 'fault -1');
    for (const bit of [0x08, 0x10, 0x80, 0x100, 0x200, 0x800]) assert.equal(two(TABLE | 7 | bit, 0x8067), 'directory');
    assert.equal(two(MEGABYTE | 7, 0), 'directory');
    assert.equal(two(MEGABYTE | 6, 0), 'fault 0');
    for (const bit of [0x08, 0x10, 0x100, 0x200, 0x800]) assert.equal(two(TABLE | 7, 0x8007 | bit), 'fault -1');
    assert.equal(two(TABLE | 7, 0x8087), 'entry');
    assert.equal(two(TABLE | 7, MEGABYTE | 7), 'entry');
    assert.equal(two(TABLE | 7, 0xffff_f007), 'entry');
  });

  test('PAE: each level, high words', () => {
    const pae = (pdpte: number, pde: number, pte: number, highs: [number, number, number] = [0, 0, 0]) =>
      refusal(
        lguest,
        PAGING.pae,
        (memory) => {
          memory.write32(ROOT + 24, pdpte);
          memory.write32(ROOT + 28, highs[0]);
          memory.write32(PMD + 8, pde);
          memory.write32(PMD + 12, highs[1]);
          memory.write32(TABLE + 40, pte);
          memory.write32(TABLE + 44, highs[2]);
        },
        LINEAR_PAE,
      );
    assert.equal(pae(PMD | 1, TABLE | 0x67, 0x8067), 'fault -1');
    assert.equal(pae(PMD | 3, TABLE | 0x67, 0x8067), 'directory');
    assert.equal(pae(PMD | 0x21, TABLE | 0x67, 0x8067), 'directory');
    assert.equal(pae(PMD | 1, TABLE | 0x67, 0x8067, [1, 0, 0]), 'directory');
    assert.equal(pae(PMD | 1, TABLE | 0xe7, 0x8067), 'middle');
    assert.equal(pae(PMD | 1, TABLE | 0x67, 0x8067, [0, 1, 0]), 'middle');
    assert.equal(pae(PMD | 1, MEGABYTE | 0x67, 0x8067), 'middle');
    assert.equal(pae(PMD | 1, TABLE | 0x67, 0x80e7), 'entry');
    assert.equal(pae(PMD | 1, TABLE | 0x67, 0x8067, [0, 0, 1]), 'entry');
    assert.equal(pae(PMD | 1, TABLE | 0x67, 0x8167), 'fault -1');
  });

  test('A in page-table entries only', () => {
    const { memory, walker } = makeWalker(lguest, PAGING.twoLevel);
    mapTwoLevel(memory, 7, 7);
    walker.walk(LINEAR, ACCESS_WRITE);
    assert.equal(memory.read32(ROOT + 4), TABLE | 7);
    assert.equal(memory.read32(TABLE + 20), 0x8067);
  });

  test('tables outside memory are an address error', () => {
    const { walker } = makeWalker(lguest, PAGING.twoLevel);
    walker.root = 0xffff_f000;
    assert.throws(() => walker.walk(LINEAR, ACCESS_READ), GuestAddressError);
    walker.mode = PAGING.pae;
    assert.throws(() => walker.locate(LINEAR), GuestAddressError);
  });
});

test('a walker can be saved', () => {
  const { walker } = makeWalker(hardware, PAGING.pae);
  walker.noExecute = true;
  const { memory, walker: copy } = makeWalker(hardware, PAGING.flat);
  mapPae(memory, 7, 7);
  copy.load(JSON.parse(JSON.stringify(walker.save())));
  assert.equal(copy.walk(LINEAR_PAE, ACCESS_READ).pageGpa, 0x8000);
  assert.deepEqual(copy.save(), walker.save());
});
