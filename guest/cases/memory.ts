/*G:640
 * Page tables and segments
 *
 * The guest's page tables are its own, and it changes them with plain stores. What it announces is that a translation
 * may be forgotten. These cases change entries, announce it in every way there is, and look whether the processor
 * has noticed; and hand over tables that a Host must not accept.
 */
import { type CaseSource, notC1, notPae, onlyPae, STILL_ALIVE } from './case.js';

/** A directory entry that the Host must refuse. */
function badDirectory(flags: string): string {
  return `
    mov dword [swapper_pg_dir + NOWHERE / 0x400000 * 4], user_table - PAGE_OFFSET + ${flags}
    hcall2 SET_PGD, swapper_pg_dir - PAGE_OFFSET, NOWHERE / 0x400000
    mov eax, [NOWHERE]
${STILL_ALIVE}`;
}

/** A page that may be written, is written, becomes read-only by `announce`, and is written again. */
function becomesReadOnly(announce: string): string {
  return `
    store_pte user_table, SLOT, frame_a - PAGE_OFFSET + PRESENT + WRITABLE
    mov dword [SLOT_ADDRESS + 4], 1
    store_pte user_table, SLOT, frame_a - PAGE_OFFSET + PRESENT
    ${announce}
    catch .trapped
.place:
    mov dword [SLOT_ADDRESS + 4], 2
    fail "no page fault"
.trapped:
    page_fault 3, SLOT_ADDRESS + 4, "write to a page that became read-only"
    check dword [trap_words + 4], .place, "saved EIP"
    check dword [frame_a + 4], 1, "the page"
    ret`;
}

export const memoryCases: readonly CaseSource[] = [
  {
    id: 'T70',
    title: 'accessed and dirty bits',
    code: `
%if PAE
T70_DIRECTORY equ user_pmd
%else
T70_DIRECTORY equ swapper_pg_dir + USER_BASE / 0x400000 * 4
%endif
    mov dword [T70_DIRECTORY], user_table - PAGE_OFFSET + PRESENT + WRITABLE + USER
    hcall1 FLUSH_TLB, 1
    store_pte user_table, SLOT, frame_a - PAGE_OFFSET + 7
    mov eax, [SLOT_ADDRESS]
    check eax, 0xAAAA0001, "word in the page"
    check dword [user_table + SLOT * PTE_BYTES], frame_a - PAGE_OFFSET + 0x27, "entry after a read"
    mov dword [SLOT_ADDRESS + 4], 1
    check dword [user_table + SLOT * PTE_BYTES], frame_a - PAGE_OFFSET + 0x67, "entry after a write"
    check dword [T70_DIRECTORY], user_table - PAGE_OFFSET + 7, "entry of the directory"
    mov dword [T70_DIRECTORY], user_table - PAGE_OFFSET + TABLE
    ret`,
  },
  {
    id: 'T71',
    title: 'PSE in a page table entry',
    expected: { kill: 'bad page table entry' },
    code: `
    store_pte user_table, SLOT, frame_a - PAGE_OFFSET + KERNEL_PAGE + LARGE
    mov eax, [SLOT_ADDRESS]
${STILL_ALIVE}`,
  },
  {
    id: 'T72',
    title: 'a frame behind the last device page',
    expected: { kill: 'bad page table entry' },
    code: `
    call map_device_page
    mov ebx, [memory_bytes]             ; the furthest page of any queue, and how many there are
    add ebx, PAGE
    mov esi, DEVICE_WINDOW
.device:
    cmp byte [esi], 0
    je .last
    movzx ecx, byte [esi + 1]
    lea edi, [esi + 5]
.queue:
    movzx edx, word [edi]               ; entries: 18 bytes each, 6 more, used ring on a page of its own
    imul edx, edx, 18
    add edx, 6 + PAGE - 1
    and edx, ~(PAGE - 1)
    movzx eax, word [edi]
    shl eax, 3
    add eax, 6 + PAGE - 1
    and eax, ~(PAGE - 1)
    add edx, eax
    mov eax, [edi + 4]
    shl eax, 12
    add edx, eax
    cmp edx, ebx
    jbe .nearer
    mov ebx, edx
.nearer:
    add edi, 8
    loop .queue
    call next_descriptor
    jmp .device
.last:
    lea eax, [ebx - PAGE + KERNEL_PAGE]
    store_pte user_table, SLOT, eax
    mov eax, [SLOT_ADDRESS]             ; the last page is ours
    lea eax, [ebx + KERNEL_PAGE]
    store_pte user_table, SLOT + 1, eax
    mov eax, [SLOT_ADDRESS + PAGE]
${STILL_ALIVE}`,
  },
  {
    id: 'T73',
    title: 'PSE in a directory entry',
    on: notPae,
    expected: { kill: 'bad page directory entry' },
    code: badDirectory('0x87'),
  },
  {
    id: 'T73b',
    title: 'PCD in a directory entry',
    on: notPae,
    expected: { kill: 'bad page directory entry' },
    code: badDirectory('0x17'),
  },
  {
    id: 'T74',
    title: 'an absent directory entry',
    code: `
    catch .trapped
    mov eax, [NOWHERE]
    fail "no page fault"
.trapped:
    page_fault 0, NOWHERE, "read"
    ret`,
  },
  {
    id: 'T75',
    title: 'a page that becomes present needs no announcement',
    code: `
    catch .trapped
    mov eax, [SLOT_ADDRESS]
    fail "no page fault"
.trapped:
    page_fault 0, SLOT_ADDRESS, "read"
    store_pte user_table, SLOT, frame_b - PAGE_OFFSET + PRESENT
    mov eax, [SLOT_ADDRESS]
    check eax, 0xBBBB0002, "word in the page"
    ret`,
  },
  {
    id: 'T76',
    title: 'SET_PTE makes a page read-only',
    code: becomesReadOnly(
      'hcall3 SET_PTE, swapper_pg_dir - PAGE_OFFSET, SLOT_ADDRESS, frame_a - PAGE_OFFSET + PRESENT',
    ),
  },
  { id: 'T77', title: 'FLUSH_TLB makes a page read-only', code: becomesReadOnly('hcall1 FLUSH_TLB, 1') },
  {
    id: 'T77b',
    title: 'SET_PTE in the ring makes a page read-only',
    code: becomesReadOnly(`ring_call SET_PTE, swapper_pg_dir - PAGE_OFFSET, SLOT_ADDRESS, frame_a - PAGE_OFFSET + PRESENT
    hcall0 FLUSH_ASYNC`),
  },
  {
    id: 'T78',
    title: 'SET_PTE of 0 forgets, and stores nothing',
    code: `
    store_pte user_table, SLOT, frame_a - PAGE_OFFSET + KERNEL_PAGE
    mov eax, [SLOT_ADDRESS]
    hcall3 SET_PTE, swapper_pg_dir - PAGE_OFFSET, SLOT_ADDRESS, 0
    mov eax, [SLOT_ADDRESS]
    check eax, 0xAAAA0001, "word in the page"
    check dword [user_table + SLOT * PTE_BYTES], frame_a - PAGE_OFFSET + KERNEL_PAGE, "entry"
    store_pte user_table, SLOT, frame_b - PAGE_OFFSET + KERNEL_PAGE
    hcall3 SET_PTE, swapper_pg_dir - PAGE_OFFSET, SLOT_ADDRESS, 0
    mov eax, [SLOT_ADDRESS]
    check eax, 0xBBBB0002, "word in the other page"
    ret`,
  },
  {
    id: 'T79',
    title: 'a kernel page changes in every address space',
    code: `
    mov edi, second_directory
    call copy_directory
    store_pte window_table, FREE_WINDOW, frame_a - PAGE_OFFSET + KERNEL_PAGE
    hcall1 NEW_PGTABLE, second_directory - PAGE_OFFSET
    mov eax, [FREE_WINDOW_ADDRESS]
    check eax, 0xAAAA0001, "word in the second address space"
    hcall1 NEW_PGTABLE, swapper_pg_dir - PAGE_OFFSET
    mov eax, [FREE_WINDOW_ADDRESS]
    check eax, 0xAAAA0001, "word in the first address space"
    store_pte window_table, FREE_WINDOW, frame_b - PAGE_OFFSET + KERNEL_PAGE
    hcall3 SET_PTE, swapper_pg_dir - PAGE_OFFSET, FREE_WINDOW_ADDRESS, frame_b - PAGE_OFFSET + KERNEL_PAGE
    hcall1 NEW_PGTABLE, second_directory - PAGE_OFFSET
    mov eax, [FREE_WINDOW_ADDRESS]
    check eax, 0xBBBB0002, "word after the change"
    ret`,
  },
  {
    id: 'T80',
    title: 'FLUSH_TLB of the user part',
    code: `
    store_pte user_table, SLOT, frame_a - PAGE_OFFSET + USER_PAGE
    mov eax, [SLOT_ADDRESS]
    store_pte user_table, SLOT, frame_b - PAGE_OFFSET + USER_PAGE
    hcall1 FLUSH_TLB, 0
    mov eax, [SLOT_ADDRESS]
    check eax, 0xBBBB0002, "word in the page"
    ret`,
  },
  {
    id: 'T81',
    title: 'NEW_PGTABLE in the ring',
    code: `
    call make_second_space
    store_pte user_table, SLOT, frame_a - PAGE_OFFSET + USER_PAGE
    store_pte second_table, SLOT, frame_b - PAGE_OFFSET + USER_PAGE
    mov eax, [SLOT_ADDRESS]
    check eax, 0xAAAA0001, "word in the first address space"
    ring_call NEW_PGTABLE, second_directory - PAGE_OFFSET, 0, 0
    mov eax, [SLOT_ADDRESS]
    check eax, 0xAAAA0001, "word before the ring is emptied"
    hcall0 FLUSH_ASYNC
    mov eax, [SLOT_ADDRESS]
    check eax, 0xBBBB0002, "word in the second address space"
    hcall1 NEW_PGTABLE, swapper_pg_dir - PAGE_OFFSET
    mov eax, [SLOT_ADDRESS]
    check eax, 0xAAAA0001, "word in the first address space again"
    ret
; The second directory has a user part of its own, second_table.
make_second_space:
    mov edi, second_directory
    call copy_directory
    mov edi, second_table
    mov ecx, PAGE / 4
    mov eax, 0
    rep stosd
%if PAE
    mov edi, second_pmd
    mov ecx, PAGE / 4
    rep stosd
    mov dword [second_pmd], second_table - PAGE_OFFSET + TABLE
    mov dword [second_directory + 8], second_pmd - PAGE_OFFSET + PRESENT
%else
    mov dword [second_directory + USER_BASE / 0x400000 * 4], second_table - PAGE_OFFSET + TABLE
%endif
    ret`,
  },
  {
    id: 'T81b',
    title: 'SET_PGD changes a directory entry',
    code: `
    mov edi, second_table
    mov ecx, PAGE / 4
    mov eax, 0
    rep stosd
    mov edi, third_table
    mov ecx, PAGE / 4
    rep stosd
    store_pte second_table, 0, frame_a - PAGE_OFFSET + KERNEL_PAGE
    store_pte third_table, 0, frame_b - PAGE_OFFSET + KERNEL_PAGE
%if PAE
T81B_ENTRY equ swapper_pg_dir + 2 * 8
T81B_INDEX equ 2
T81B_FIRST equ second_pmd - PAGE_OFFSET + PRESENT
T81B_SECOND equ third_pmd - PAGE_OFFSET + PRESENT
    mov dword [second_pmd], second_table - PAGE_OFFSET + TABLE
    mov dword [third_pmd], third_table - PAGE_OFFSET + TABLE
%else
T81B_INDEX equ NOWHERE / 0x400000
T81B_ENTRY equ swapper_pg_dir + T81B_INDEX * 4
T81B_FIRST equ second_table - PAGE_OFFSET + TABLE
T81B_SECOND equ third_table - PAGE_OFFSET + TABLE
%endif
    mov dword [T81B_ENTRY], T81B_FIRST
    hcall2 SET_PGD, swapper_pg_dir - PAGE_OFFSET, T81B_INDEX
    mov eax, [NOWHERE]
    check eax, 0xAAAA0001, "word by the first table"
    mov dword [T81B_ENTRY], T81B_SECOND
    hcall2 SET_PGD, swapper_pg_dir - PAGE_OFFSET, T81B_INDEX
    mov eax, [NOWHERE]
    check eax, 0xBBBB0002, "word by the second table"
    mov dword [T81B_ENTRY], 0
    hcall2 SET_PGD, swapper_pg_dir - PAGE_OFFSET, T81B_INDEX
    catch .trapped
    mov eax, [NOWHERE]
    fail "no page fault"
.trapped:
    page_fault 0, NOWHERE, "read without a table"
    ret`,
  },
  {
    id: 'T82',
    title: 'three levels',
    on: onlyPae,
    code: `
    call make_second_space
    hcall1 NEW_PGTABLE, second_directory - PAGE_OFFSET
    mov eax, second_directory           ; in mid-page, as a PAE directory may be
    test eax, 0xFFF
    jnz .middle
    fail "the directory begins a page"
.middle:
    store_pte second_table, SLOT, frame_a - PAGE_OFFSET + KERNEL_PAGE
    store_pte third_table, SLOT, frame_b - PAGE_OFFSET + KERNEL_PAGE
    mov eax, [SLOT_ADDRESS]
    check eax, 0xAAAA0001, "word by the first table"
    mov dword [second_pmd], third_table - PAGE_OFFSET + TABLE
    hcall2 SET_PMD, second_pmd - PAGE_OFFSET, 0
    mov eax, [SLOT_ADDRESS]
    check eax, 0xBBBB0002, "word after SET_PMD"
    mov dword [third_pmd], second_table - PAGE_OFFSET + TABLE
    mov dword [second_directory + 8], third_pmd - PAGE_OFFSET + PRESENT
    hcall2 SET_PGD, second_directory - PAGE_OFFSET, 1
    mov eax, [SLOT_ADDRESS]
    check eax, 0xAAAA0001, "word after SET_PGD"
    ret`,
  },
  {
    id: 'T82b',
    title: 'PSE in a middle entry',
    on: onlyPae,
    expected: { kill: 'bad page middle directory entry' },
    code: `
    mov dword [user_pmd + 8], user_table - PAGE_OFFSET + TABLE + LARGE
    hcall2 SET_PMD, user_pmd - PAGE_OFFSET, 1
    mov eax, [USER_BASE + 0x200000]
${STILL_ALIVE}`,
  },
  {
    id: 'T82c',
    title: 'a flag in a PAE directory entry',
    on: onlyPae,
    expected: { kill: 'bad page directory entry' },
    code: `
    mov dword [swapper_pg_dir + 2 * 8], user_pmd - PAGE_OFFSET + PRESENT + WRITABLE
    hcall2 SET_PGD, swapper_pg_dir - PAGE_OFFSET, 2
    mov eax, [NOWHERE]
${STILL_ALIVE}`,
  },
  {
    id: 'T83',
    title: 'read-only holds in ring 1 too',
    code: `
    catch .trapped
    mov dword [USER_BASE + 0x10], 0     ; the programs
    fail "no page fault"
.trapped:
    page_fault 3, USER_BASE + 0x10, "write"
    ret`,
  },
  {
    id: 'T84',
    title: 'code that changes itself',
    code: `
    mov ecx, 3
    mov edx, 0x11111111
.again:
    mov [.place + 1], edx
.place:
    mov eax, 0x99999999
    check eax, edx, "immediate"
    add edx, 0x11111111
    loop .again
    mov dword [.place + 1], 0x99999999
    ret`,
  },
  {
    id: 'T85',
    title: 'a descriptor gets DPL 1 and is accessed',
    code: `
    hcall3 LOAD_GDT_ENTRY, 20, 0x0000FFFF, 0x00CF9200
    mov ecx, 0xA1
    mov eax, 0
    lar eax, ecx
    setz bl
    movzx ebx, bl
    check ebx, 1, "ZF after lar"
    check_bits eax, 0xFF00, 0xB300, "access rights"
    ret`,
  },
  {
    id: 'T86',
    title: "the Host's own descriptors are left alone",
    code: `
%macro dropped 1
    hcall3 LOAD_GDT_ENTRY, %1, 0x0000FFFF, 0x00CFF200
    mov ecx, %1 * 8 + 3
    lar eax, ecx
    setz bl
    movzx ebx, bl
    check ebx, 0, "ZF after lar"
%endmacro
    dropped 10
    dropped 11
    dropped 16
    dropped 31
    ret`,
  },
  {
    id: 'T87',
    title: 'descriptor 32',
    on: notC1,
    expected: { kill: 'too many gdt entries 32' },
    code: `
    hcall3 LOAD_GDT_ENTRY, 32, 0x0000FFFF, 0x00CF9200
${STILL_ALIVE}`,
  },
  {
    id: 'T89',
    title: 'thread-local storage of a program',
    code: `
section .user
t89_program:
    mov eax, 0x33
    mov gs, eax
    mov eax, [gs:0]
    mov ebx, [gs:8]
    int 0x80
t89_behind:
section .data
align 8
t89_tls:        dd 0x0000FFFF | ((USER_DATA & 0xFFFF) << 16)
                dd 0x00CFF200 | ((USER_DATA >> 16) & 0xFF) | (USER_DATA & 0xFF000000)
                dd 0, 0, 0, 0
section .text
    mov dword [user_data_page], 0x715A11ED
    mov dword [user_data_page + 8], 0x08080808
    mov eax, 0
    mov gs, eax
    hcall2 LOAD_TLS, t89_tls - PAGE_OFFSET, 0
    in_user t89_program
    check_trap 0x80, t89_behind, "int 0x80"
    check dword [trap_eax], 0x715A11ED, "GS:0"
    check dword [trap_ebx], 0x08080808, "GS:8"
    check dword [trap_gs], 0x33, "GS in the handler"
    ret`,
  },
  {
    id: 'T90',
    title: 'a stack segment of ring 0',
    expected: { kill: 'bad stack segment 104' },
    code: `
    hcall3 SET_STACK, 0x68, trap_stack_top, 1
${STILL_ALIVE}`,
  },
  {
    id: 'T90b',
    title: 'three stack pages',
    expected: { kill: 'bad stack pages 3' },
    code: `
    hcall3 SET_STACK, KERNEL_DS, trap_stack_top, 3
${STILL_ALIVE}`,
  },
  {
    id: 'T90c',
    title: 'a stack that is not mapped',
    expected: { kill: /^bad stack page 0x/ },
    code: `
    hcall3 SET_STACK, KERNEL_DS, NOWHERE + PAGE, 1
${STILL_ALIVE}`,
  },
  {
    id: 'S05',
    title: 'per-processor variables and the canary',
    code: `
    check dword [fs:0], 0x0CC0FFEE, "FS:0"
    check dword [gs:20], 0xDEADBEA7, "GS:20"
    catch .trapped
    mov eax, [gs:28]                    ; behind the limit
    fail "no fault"
.trapped:
    check_trap 13, 0, "behind the limit"
    ret`,
  },
];
