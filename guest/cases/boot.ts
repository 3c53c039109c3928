/*G:600
 * What we were given
 *
 * The first cases look at the registers, the boot parameters and the address space that a guest finds, and at the
 * answers in `lguest_data`. Some of them misbehave before they say hello, and are killed for it.
 */
import { type CaseSource, STILL_ALIVE } from './case.js';

export const bootCases: readonly CaseSource[] = [
  {
    id: 'T01',
    title: 'registers at entry',
    code: `
    check dword [entry_cs], KERNEL_CS, "CS"
    check dword [entry_ds], KERNEL_DS, "DS"
    check dword [entry_es], KERNEL_DS, "ES"
    check dword [entry_ss], KERNEL_DS, "SS"
    check dword [entry_fs], 0, "FS"
    check dword [entry_gs], 0, "GS"
    check dword [entry_eax], 0, "EAX"
    check dword [entry_ebx], 0, "EBX"
    check dword [entry_ecx], 0, "ECX"
    check dword [entry_edx], 0, "EDX"
    check dword [entry_esi], 0, "ESI"
    check dword [entry_edi], 0, "EDI"
    check dword [entry_ebp], 0, "EBP"
    check dword [entry_esp], 0, "ESP"
    check_bits dword [entry_eflags], 0x3FFF, 0x0202, "EFLAGS"
    ret`,
  },
  {
    id: 'T02',
    title: 'boot parameters (alone: 64 MB, arguments a b)',
    arguments: ['a', 'b'],
    code: `
    movzx eax, byte [ZERO_PAGE + E820_ENTRIES]
    check eax, 1, "number of memory areas"
    check dword [ZERO_PAGE + E820_MAP], 0, "start of memory"
    check dword [ZERO_PAGE + E820_MAP + 4], 0, "start of memory, high"
    check dword [ZERO_PAGE + E820_MAP + 12], 0, "size of memory, high"
    check dword [ZERO_PAGE + E820_MAP + 16], 1, "type of memory"
    check_bits dword [ZERO_PAGE + E820_MAP + 8], 0xFFF, 0, "size of memory in a page"
    movzx eax, word [ZERO_PAGE + PROTOCOL]
    check eax, 0x0207, "protocol"
    check_bits dword [ZERO_PAGE + LOAD_FLAGS], 0x40, 0x40, "KEEP_SEGMENTS"
    check dword [ZERO_PAGE + COMMAND_POINTER], COMMAND_LINE, "cmd_line_ptr"
    check dword [ZERO_PAGE + SUBARCHITECTURE], 1, "hardware_subarch"
    mov esi, PAGE_OFFSET + COMMAND_LINE
    mov edi, t02_line
    cmp dword [esi + 4], '=T02'
    jne .done
    check dword [ZERO_PAGE + E820_MAP + 8], 0x4000000, "size of memory"
.next:
    movzx eax, byte [esi]
    movzx ebx, byte [edi]
    check eax, ebx, "letter of the command line"
    inc esi
    inc edi
    test ebx, ebx
    jnz .next
.done:
    ret
section .data
t02_line: db "case=T02 a b", 0
section .text`,
  },
  {
    id: 'T03',
    title: 'initrd of 5000 bytes, byte i is 7i+3',
    needs: 'initrd',
    code: `
    check dword [ZERO_PAGE + RAMDISK_SIZE], 8192, "ramdisk_size"
    mov eax, [ZERO_PAGE + E820_MAP + 8]
    sub eax, 8192
    check dword [ZERO_PAGE + RAMDISK_IMAGE], eax, "ramdisk_image"
    movzx ebx, byte [ZERO_PAGE + LOADER]
    check ebx, 0xFF, "type_of_loader"
    or eax, KERNEL_PAGE
    store_pte window_table, FREE_WINDOW, eax
    add eax, PAGE
    store_pte window_table, FREE_WINDOW + 1, eax
    mov esi, FREE_WINDOW_ADDRESS
    mov ecx, 5000
    mov ebx, 3
.next:
    movzx eax, byte [esi]
    cmp al, bl
    jne .wrong
    inc esi
    add bl, 7
    loop .next
    mov ecx, 8192 - 5000
.rest:
    movzx eax, byte [esi]
    mov ebx, 0
    cmp al, bl
    jne .wrong
    inc esi
    loop .rest
    ret
.wrong:
    movzx ebx, bl
    check eax, ebx, "byte of the initrd"
    ret`,
  },
  {
    id: 'T06',
    title: 'physical addresses before NEW_PGTABLE',
    on: (variant) => variant.linear,
    code: `
    check dword [early_command_line], dword [PAGE_OFFSET + COMMAND_LINE], "word at 0x1000"
    mov eax, [ZERO_PAGE + E820_MAP + 8]
    add eax, KERNEL_PAGE - PAGE
    cmp dword [ZERO_PAGE + RAMDISK_SIZE], 0     ; an initrd would be there
    jne .done
    store_pte window_table, FREE_WINDOW, eax
    check dword [FREE_WINDOW_ADDRESS + PAGE - 4], 0x5EED1234, "last word of memory"
.done:
    ret`,
  },
  {
    id: 'T07',
    title: 'behind memory, between LGUEST_INIT and NEW_PGTABLE',
    on: (variant) => variant.linear,
    stage: 'early',
    expected: { kill: 'bad page table entry' },
    code: `
    mov eax, LGUEST_INIT
    mov ebx, lguest_data - PAGE_OFFSET
    hypercall
    mov eax, [BOOT_PARAMS + E820_MAP + 8]
    mov eax, [eax + 0x10000000]
    ret`,
  },
  {
    id: 'T07b',
    title: 'behind memory, before LGUEST_INIT',
    on: (variant) => variant.linear,
    stage: 'early',
    expected: { kill: 'bad page table entry' },
    code: `
    mov eax, [BOOT_PARAMS + E820_MAP + 8]
    mov eax, [eax + 0x10000000]
    ret`,
  },
  {
    id: 'T08',
    title: 'memory is mapped twice at entry',
    on: (variant) => !variant.linear,
    code: `
    check dword [early_low_word], dword [early_high_word], "word at 0x100000 and 0xC0100000"
    mov eax, [host_directory_word]
%if PAE
    check_bits eax, 0xFFF, 0x001, "flags of the directory entry"
%else
    check_bits eax, 0xFFF, 0x007, "flags of the directory entry"
%endif
    and eax, ~0xFFF
    cmp eax, [ZERO_PAGE + E820_MAP + 8]
    jb .inside
    fail "the page table is outside memory"
.inside:
    ret`,
  },
  {
    id: 'T10',
    title: 'HALT before LGUEST_INIT',
    stage: 'early',
    expected: { kill: 'hypercall 10 before INIT' },
    code: `
    mov eax, HALT
    hypercall
    ret`,
  },
  {
    id: 'T11',
    title: 'what LGUEST_INIT answers',
    code: `
    at_init eax, reserve_mem
    check_bits eax, 0xFFF, 0, "reserve_mem in a page"
    test eax, eax
    jnz .reserved
    fail "reserve_mem is 0"
.reserved:
%if LINEAR == 0
    check eax, RESERVED_TOP, "reserve_mem"
%endif
    at_init eax, time_seconds
    cmp eax, 1000000000
    jae .recent
    fail "time is before 2001"
.recent:
    at_init eax, time_nanoseconds
    cmp eax, 1000000000
    jb .nanoseconds
    fail "a second of nanoseconds"
.nanoseconds:
%if LAYOUT <= 2
    at_init eax, pgdir
    check_bits eax, 0xFFF, 0, "pgdir in a page"
    cmp eax, [ZERO_PAGE + E820_MAP + 8]
    jb .inside
    fail "pgdir is outside memory"
.inside:
%endif
    mov ecx, 0
.status:
    movzx eax, byte [lguest_data_at_init + STATUS_OFFSET + ecx]
    check eax, 0xFF, "hcall_status"
    inc ecx
    cmp ecx, RING_SLOTS
    jb .status
%if LAYOUT >= 2
    at_init eax, irq_pending
    check eax, 0, "irq_pending"
%endif
    at_init eax, irq_enabled
    check eax, 0, "irq_enabled"
    ret`,
  },
  {
    id: 'T12',
    title: 'LGUEST_INIT twice',
    expected: { kill: 'already have lguest_data' },
    code: `
    hcall1 LGUEST_INIT, lguest_data - PAGE_OFFSET
${STILL_ALIVE}`,
  },
  {
    id: 'T13',
    title: 'another system call vector',
    stage: 'early',
    needs: 'override',
    expected: { kill: 'bad syscall vector' },
    code: `
    mov dword [syscall_vec - PAGE_OFFSET], 0x90
    ret`,
  },
  {
    id: 'T15',
    title: 'lguest_data outside memory',
    stage: 'early',
    expected: { kill: /^bad guest page 0x/ },
    code: `
    mov ebx, [BOOT_PARAMS + E820_MAP + 8]
    add ebx, 0x1000
    mov eax, LGUEST_INIT
    hypercall
    ret`,
  },
];
