import { check, userCheck } from './check.js';

const PAGE_ON = `
    mov eax, cr0
    or eax, 0x80010000                  ; PG, WP
    mov cr0, eax`;
const PAGE_OFF = `
    mov eax, cr0
    and eax, 0x7FFEFFFF
    mov cr0, eax
    xor eax, eax
    mov cr4, eax`;

/** Two-level tables at 2 MB: everything below 4 MB mapped to itself for everybody, 4 MB to 8 MB by one large page. */
const TWO_LEVEL = `
    mov edi, 0x200000
    mov ecx, 1024
    xor eax, eax
    rep stosd
    mov dword [0x200000], 0x201007
    mov dword [0x200004], 0x00000087    ; 4 MB to 8 MB is 0 to 4 MB once more, by a large page
    mov edi, 0x201000
    mov eax, 7
    mov ecx, 1024
%%fill:
    stosd
    add eax, 0x1000
    loop %%fill
    mov eax, 0x10                       ; PSE
    mov cr4, eax
    mov eax, 0x200000
    mov cr3, eax${PAGE_ON}`;

/** Entry of the page at 3 MB. */
const PTE = '0x201C00';
const set = (entry: number): string => `mov dword [${PTE}], ${entry}\n invlpg [0x300000]\n`;

/** Page tables of both kinds, their faults and bits. Reserved bits are not here: qemu 7.2 forgets P in the error code. */
export const PAGING_CHECKS = [
  check('paging on', `${TWO_LEVEL}\n mov eax, cr0\n call value`),
  check('read, absent', `${set(0x30_0006)} mov eax, [0x300123]`),
  check('write, absent', `${set(0x30_0006)} mov [0x300123], eax`),
  check('write to read-only, WP on', `${set(0x30_0005)} mov [0x300ABC], eax`),
  check('write to read-only, WP off', 'mov eax, cr0\n and eax, 0xFFFEFFFF\n mov cr0, eax\n mov [0x300000], eax'),
  check('WP on again', 'mov eax, cr0\n or eax, 0x10000\n mov cr0, eax\n mov [0x300000], eax'),
  check('accessed', `${set(0x30_0007)} mov eax, [0x300000]\n mov eax, [${PTE}]\n call value`),
  check('dirty', `${set(0x30_0007)} mov [0x300000], eax\n mov eax, [${PTE}]\n call value`),
  check('no dirty on a write that faults', `${set(0x30_0005)} mov [0x300000], eax`),
  check('bits after that', `mov eax, [${PTE}]\n call value`),
  check('accessed in the directory', 'mov eax, [0x200000]\n and eax, 0x7F\n call value'),
  check(
    'large page',
    `${set(0x30_0007)}` +
      'mov dword [0x300010], 0x600DF00D\n mov eax, [0x700010]\n call value\n mov eax, [0x200004]\n call value',
  ),
  check('absent directory entry', 'mov eax, [0x800000]'),
  check('access across pages, second absent', `${set(0x30_0006)} mov eax, [0x2FFFFE]`),
  check('write across pages changes nothing', 'mov dword [0x2FFFFC], 0x11223344\n mov [0x2FFFFE], eax'),
  check('what is there', 'mov eax, [0x2FFFFC]\n call value'),
  check('jump to an absent page', 'mov eax, 0x300000\n jmp eax'),
  check(
    'remapped after INVLPG',
    `${set(0x30_1007)} mov dword [0x301000], 0xCAFE0001\n mov eax, [0x300000]\n call value`,
  ),
  check(
    'remapped after a load of CR3',
    `mov dword [${PTE}], 0x302007\n mov eax, cr3\n mov cr3, eax\n mov dword [0x302000], 0xCAFE0002\n mov eax, [0x300000]\n call value`,
  ),
  check('page for ring 0', set(0x30_0003)),
  userCheck('ring 3: read of a page for ring 0', 'mov eax, [0x300000]'),
  userCheck('ring 3: write to a page for ring 0', 'mov [0x300000], eax'),
  userCheck('ring 3: jump to a page for ring 0', 'mov eax, 0x300000\n jmp eax'),
  check('page to read', set(0x30_0005)),
  userCheck('ring 3: read', 'mov eax, [0x300000]'),
  userCheck('ring 3: write to read-only', 'mov [0x300000], eax'),
  userCheck('ring 3: absent', 'mov eax, [0x800000]'),
  userCheck('ring 3: stack on a page to read', 'mov esp, 0x300800\n push eax'),
  check('directory for ring 0', 'mov dword [0x200004], 0x00000083\n mov eax, cr3\n mov cr3, eax'),
  userCheck('ring 3: read of a large page for ring 0', 'mov eax, [0x400000]'),
  check(
    'string instruction stops at the page',
    `${set(0x30_0006)} mov esi, 0x100000\n mov edi, 0x2FFFF0\n mov ecx, 8\n rep movsd`,
  ),
  check('its registers', 'mov eax, ecx\n call value\n mov eax, edi\n sub eax, [scratch]\n call value'),
  check('two-level off', PAGE_OFF),
  check(
    'PAE on',
    `
    mov edi, 0x210000
    mov ecx, 4096
    xor eax, eax
    rep stosd
    mov dword [0x210000], 0x211001      ; the first gigabyte
    mov dword [0x211000], 0x212007
    mov dword [0x211008], 0x00200087    ; 2 MB to 4 MB by a large page
    mov dword [0x211010], 0x213007      ; 4 MB to 6 MB
    mov edi, 0x212000
    mov eax, 7
    mov ecx, 512
%%fill:
    stosd
    mov dword [edi], 0
    add edi, 4
    add eax, 0x1000
    loop %%fill
    mov dword [0x213000], 0x300007
    mov eax, 0x20                       ; PAE
    mov cr4, eax
    mov eax, 0x210000
    mov cr3, eax
    mov ecx, 0xC0000080
    rdmsr
    or eax, 0x800                       ; NXE
    wrmsr${PAGE_ON}`,
  ),
  check(
    'PAE: read and write',
    'mov dword [0x300000], 0x0BADCAFE\n mov eax, [0x400000]\n call value\n mov eax, [0x213000]\n call value',
  ),
  check('PAE: absent', 'mov eax, [0x401000]'),
  check('PAE: absent gigabyte', 'mov eax, [0x40000000]'),
  check('PAE: no execute, read', 'mov dword [0x213004], 0x80000000\n invlpg [0x400000]\n mov eax, [0x400000]'),
  check('PAE: no execute, jump', 'mov eax, 0x400000\n jmp eax'),
  userCheck('PAE: no execute, ring 3', 'mov eax, 0x400000\n jmp eax'),
  check('PAE: large page', 'mov eax, [0x211008]\n call value'),
  check('PAE off', `mov dword [0x213004], 0${PAGE_OFF}`),
];
