/*G:100
 * The first instruction
 *
 * The Launcher starts us at a physical address, in ring 1, with flat segments, all registers zero and ESI pointing
 * to the boot parameters. Interrupts are on as far as the processor is concerned and will be for ever; as far as we
 * are concerned the Host does not even know yet that we exist.
 *
 * A real kernel would clear its .bss, copy the boot parameters and look up in a table, under hardware_subarch, whom
 * to become. We write down what we found in the registers (case T01 looks at it), prepare page tables while at it,
 * and take the same jump.
 */
export const startup = `
section .text
startup_32:
    mov [entry_eax - PAGE_OFFSET], eax
    mov [entry_ebx - PAGE_OFFSET], ebx
    mov [entry_ecx - PAGE_OFFSET], ecx
    mov [entry_edx - PAGE_OFFSET], edx
    mov [entry_esi - PAGE_OFFSET], esi
    mov [entry_edi - PAGE_OFFSET], edi
    mov [entry_ebp - PAGE_OFFSET], ebp
    mov [entry_esp - PAGE_OFFSET], esp
    mov eax, cs
    mov [entry_cs - PAGE_OFFSET], eax
    mov eax, ds
    mov [entry_ds - PAGE_OFFSET], eax
    mov eax, es
    mov [entry_es - PAGE_OFFSET], eax
    mov eax, fs
    mov [entry_fs - PAGE_OFFSET], eax
    mov eax, gs
    mov [entry_gs - PAGE_OFFSET], eax
    mov eax, ss
    mov [entry_ss - PAGE_OFFSET], eax
    mov esp, kernel_stack_top - PAGE_OFFSET
    pushf
    pop eax
    mov [entry_eflags - PAGE_OFFSET], eax
    cld

    call build_boot_tables
    call look_around
    call find_early_case                ; some cases have to happen before we say hello
    cmp dword [BOOT_PARAMS + SUBARCHITECTURE], 1
    je lguest_entry
    ud2                                 ; nobody else can run us

; What the address space looks like before anybody has said anything.
look_around:
%if LINEAR
    mov eax, [COMMAND_LINE]
    mov [early_command_line - PAGE_OFFSET], eax
    mov ebx, [BOOT_PARAMS + E820_MAP + 8]
    cmp dword [BOOT_PARAMS + RAMDISK_SIZE], 0
    jne .taken                          ; by the initrd
    mov dword [ebx - 4], 0x5EED1234     ; the last word of memory; T06 looks for it from the other side
.taken:
%else
    mov eax, [0x100000]
    mov [early_low_word - PAGE_OFFSET], eax
    mov eax, [PAGE_OFFSET + 0x100000]
    mov [early_high_word - PAGE_OFFSET], eax
%endif
    ret

section .bss
align 4
entry_eax:      resd 1
entry_ebx:      resd 1
entry_ecx:      resd 1
entry_edx:      resd 1
entry_esi:      resd 1
entry_edi:      resd 1
entry_ebp:      resd 1
entry_esp:      resd 1
entry_cs:       resd 1
entry_ds:       resd 1
entry_es:       resd 1
entry_fs:       resd 1
entry_gs:       resd 1
entry_ss:       resd 1
entry_eflags:   resd 1
early_command_line: resd 1
early_low_word: resd 1
early_high_word: resd 1
`;

/*G:110
 * Saying hello
 *
 * This is the place the seed of this project begins with: tell the Host where `lguest_data` is, take a stack in the
 * upper gigabyte, and jump there. The jump is the odd thing. We are at some physical address, assembled for a
 * virtual one, and relative jumps do not care which: the distance from here to `lguest_init`, plus PAGE_OFFSET, leads
 * to the virtual place of `lguest_init` even though we set out from the physical place of this code.
 *
 * Kernels up to 3.0 find the upper gigabyte mapped when they arrive. Later ones see nothing but physical addresses
 * until they hand over page tables of their own, so that is the second thing they do.
 */
export const lguestEntry = `
section .text
lguest_entry:
    mov eax, LGUEST_INIT
    mov ebx, lguest_data - PAGE_OFFSET
    hypercall
%if LINEAR
    mov eax, NEW_PGTABLE
    mov ebx, initial_page_table - PAGE_OFFSET
    hypercall
%endif
    mov esp, kernel_stack_top
    jmp lguest_init + PAGE_OFFSET
`;

/*G:120
 * Up in the high half
 *
 * A kernel would now replace its "paravirt operations" (the functions behind cli, sti, load cr3 and so on) by ones
 * that ask the Host. We have no others to replace. What is left is to put our own descriptors, page tables, stack
 * and gates in place of what we were started with. Before that we keep a copy of what the Host has written into
 * `lguest_data`, for case T11.
 */
export const lguestInit = `
lguest_init:
    mov esi, lguest_data
    mov edi, lguest_data_at_init
    mov ecx, LGUEST_DATA_BYTES
    rep movsb
%if LAYOUT <= 2
    mov eax, [pgdir]                    ; the Host's directory, seen through its own alias
  %if PAE
    mov eax, [eax + PAGE_OFFSET + 3 * 8]
  %else
    mov eax, [eax + PAGE_OFFSET + 768 * 4]
  %endif
    mov [host_directory_word], eax
%endif
    call load_descriptors
    call build_kernel_tables
    hcall1 NEW_PGTABLE, swapper_pg_dir - PAGE_OFFSET
    hcall1 FLUSH_TLB, 1
    hcall3 SET_STACK, KERNEL_DS, trap_stack_top, 1
    call load_default_gates
    call run_cases
    hcall2 SHUTDOWN, power_down_text - PAGE_OFFSET, POWER_OFF

section .data
power_down_text: db "Power down", 0

section .bss
align 4
lguest_data_at_init: resb LGUEST_DATA_BYTES
align 4
host_directory_word: resd 1
align 4096
kernel_stack:   resb 8192
kernel_stack_top:
trap_stack:     resb 8192               ; where traps from programs arrive
trap_stack_top:
`;

/*G:130
 * Descriptors
 *
 * The Host keeps the real GDT; we send it ours entry by entry. It will not let us have ring 0, so it makes every
 * DPL 0 a DPL 1, and it forces the "accessed" bit, since it does not want the processor to write to its table.
 * FS and GS get the segments that Linux keeps per-processor variables and the stack protector's canary in.
 */
export const descriptors = `
section .text
load_descriptors:
    mov esi, gdt
    mov edi, 0
.next:
    hcall3 LOAD_GDT_ENTRY, edi, dword [esi], dword [esi + 4]
    add esi, 8
    inc edi
    cmp edi, 32
    jb .next
reload_segments:
    mov eax, KERNEL_DS
    mov ds, eax
    mov es, eax
    mov ss, eax
    mov eax, PERCPU_FS
    mov fs, eax
    mov eax, CANARY_GS
    mov gs, eax
    ret

section .data
align 8
gdt:
    times 12 dq 0
    dd 0x0000FFFF, 0x00CF9A00           ; 12: the kernel's code
    dd 0x0000FFFF, 0x00CF9200           ; 13: the kernel's data
    dd 0x0000FFFF, 0x00CFFA00           ; 14: code of programs
    dd 0x0000FFFF, 0x00CFF200           ; 15: data of programs
    times 11 dq 0
    dd 0x0000FFFF | ((percpu_area & 0xFFFF) << 16)
    dd 0x00CF9200 | ((percpu_area >> 16) & 0xFF) | (percpu_area & 0xFF000000)
    dd 0x00000018 | ((canary_area & 0xFFFF) << 16)
    dd 0x00409200 | ((canary_area >> 16) & 0xFF) | (canary_area & 0xFF000000)
    times 3 dq 0
percpu_area:    dd 0x0CC0FFEE, 0, 0, 0
canary_area:    times 5 dd 0
                dd 0xDEADBEA7
                dd 0
`;
