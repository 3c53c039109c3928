/*G:020
 * Numbers
 *
 * The kernel lives twice: the Launcher puts it at physical address 0x100000, and once it has introduced itself to
 * the Host it runs at 0xC0100000, in the upper gigabyte, where Linux kernels live so that programs can have
 * everything below. All labels are addresses up there. Code that runs before that has to subtract PAGE_OFFSET.
 */
export const constants = `
; The pieces of the image, in the order in which they lie in memory. Code of programs is assembled for other addresses.
section .text physical=0x100000 virtual=0xC0100000 align=4096
section .data align=4096
section .user physical=0x140000 virtual=0x40000000 align=4096
section .bss align=4096 zero

PAGE_OFFSET     equ 0xC0000000
PAGE            equ 4096
USER_PROGRAMS   equ 0x140000        ; where ring-3 code is loaded

; Where the Launcher has put what the boot protocol demands.
BOOT_PARAMS     equ 0               ; the "zero page"
COMMAND_LINE    equ 0x1000
E820_ENTRIES    equ 0x1E8
PROTOCOL        equ 0x206
LOADER          equ 0x210
LOAD_FLAGS      equ 0x211
RAMDISK_IMAGE   equ 0x218
RAMDISK_SIZE    equ 0x21C
COMMAND_POINTER equ 0x228
SUBARCHITECTURE equ 0x23C
E820_MAP        equ 0x2D0
ZERO_PAGE       equ PAGE_OFFSET + BOOT_PARAMS   ; the same from the high half

; Hypercalls.
FLUSH_ASYNC     equ 0
LGUEST_INIT     equ 1
SHUTDOWN        equ 2
NEW_PGTABLE     equ 4
FLUSH_TLB       equ 5
LOAD_IDT_ENTRY  equ 6
SET_STACK       equ 7
TS              equ 8
SET_CLOCKEVENT  equ 9
HALT            equ 10
SET_PMD         equ 13
SET_PTE         equ 14
SET_PGD         equ 15
LOAD_TLS        equ 16
NOTIFY          equ 17
LOAD_GDT_ENTRY  equ 18
SEND_INTERRUPTS equ 19

POWER_OFF       equ 1
RESTART         equ 2

; Selectors. The guest's kernel runs in ring 1, programs in ring 3.
KERNEL_CS       equ 0x61
KERNEL_DS       equ 0x69
USER_CS         equ 0x73
USER_DS         equ 0x7B
PERCPU_FS       equ 0xD8
CANARY_GS       equ 0xE0

IF              equ 0x200

; Gates, as the upper word of an IDT entry has them.
INTERRUPT_GATE  equ 0x8E00
TRAP_GATE       equ 0x8F00
FOR_PROGRAMS    equ 0x6000          ; DPL 3

; Page table entries.
PRESENT         equ 0x001
WRITABLE        equ 0x002
USER            equ 0x004
ACCESSED        equ 0x020
DIRTY           equ 0x040
LARGE           equ 0x080
KERNEL_PAGE     equ 0x063           ; present, writable, accessed, dirty
USER_PAGE       equ 0x067
USER_READ_ONLY  equ 0x025
TABLE           equ 0x067

%if PAE
%assign PTE_BYTES 8
DIRECTORY_BYTES equ 32
RESERVED_TOP    equ 0x200000
%else
%assign PTE_BYTES 4
DIRECTORY_BYTES equ 4096
RESERVED_TOP    equ 0x400000
%endif

%if LAYOUT == 1
RING_ENTRY      equ 16
STATUS_OFFSET   equ 20
%else
RING_ENTRY      equ 20
STATUS_OFFSET   equ 24
%endif
RING_SLOTS      equ 64
`;

/*G:030
 * How to ask the Host
 *
 * A hypercall is a number in EAX, arguments in EBX, ECX, EDX and ESI, and one instruction. There is no result. In the
 * seed generation that instruction is `vmcall`, which is what a KVM guest uses too: on the processors of 2009 it was
 * an undefined opcode unless the machine was in virtualization mode, so that the Host got its attention by a trap in
 * any case. Later kernels went back to `int 0x1f`.
 *
 * The macros below leave all registers and flags as they were, which is more than kernels bother to do.
 */
export const hypercallMacros = `
%macro hypercall 0
%if VMCALL
    vmcall
%else
    int 0x1f
%endif
%endmacro

%macro hcall0 1             ; number
    push eax
    mov eax, %1
    hypercall
    pop eax
%endmacro

%macro hcall1 2             ; number, argument
    push eax
    push ebx
    push %2
    pop ebx
    mov eax, %1
    hypercall
    pop ebx
    pop eax
%endmacro

%macro hcall2 3
    push eax
    push ebx
    push ecx
    push %3
    push %2
    pop ebx
    pop ecx
    mov eax, %1
    hypercall
    pop ecx
    pop ebx
    pop eax
%endmacro

%macro hcall3 4
    push eax
    push ebx
    push ecx
    push edx
    push esi
    push %4
    push %3
    push %2
    pop ebx
    pop ecx
    pop edx
    mov esi, 0              ; the high half of a PAE entry
    mov eax, %1
    hypercall
    pop esi
    pop edx
    pop ecx
    pop ebx
    pop eax
%endmacro
`;

/*G:040
 * Testing without a debugger
 *
 * `check` compares what was seen with what should have been seen and says so if they differ. `catch` announces that
 * a trap or interrupt is wanted: when it comes, the handler writes down everything about it and goes on at the label
 * given, on the stack as it was, as if nothing else had happened. `in_user` does the same and enters a program.
 */
export const testMacros = `
%macro check 3              ; seen, wanted, what it is
    pushf
    push %1
    push %2
    push %%text
    call check_equal
    popf
section .data
%%text: db %3, 0
section .text
%endmacro

%macro check_bits 4         ; seen, mask, wanted, what it is
    push eax
    mov eax, %1
    and eax, %2
    check eax, %3, %4
    pop eax
%endmacro

%macro fail 1               ; why
    push %%text
    call fail_case
section .data
%%text: db %1, 0
section .text
%endmacro

%macro catch 1              ; where to go on
    mov dword [trap_vector], -1
    mov dword [trap_count], 0
    mov dword [trap_hook], 0
    mov dword [trap_resume], %1
    mov [trap_resume_esp], esp
%endmacro

%macro check_trap 3         ; vector, error code or saved EIP (top word of the frame), what it is
    check dword [trap_vector], %1, %3
    check dword [trap_words], %2, %3
%endmacro

%macro in_user 1            ; address of a program
    catch %%back
    push %1
    call enter_user
%%back:
%endmacro

%macro gate 3               ; vector, handler, kind
    push eax
    push ebx
    push ecx
    mov eax, %1
    mov ebx, %2
    mov ecx, %3
    call set_gate
    pop ecx
    pop ebx
    pop eax
%endmacro

%macro ring_call 4          ; number and three arguments, left in the ring
    push %4
    push %3
    push %2
    push %1
    call ring_add
%endmacro

; The instruction must be refused: #GP(0) at its own address.
%macro refused 2            ; {instruction}, its name
    catch %%trapped
%%place:
    %1
    fail %2
%%trapped:
    check dword [trap_vector], 13, %2
    check dword [trap_words], 0, %2
    check dword [trap_words + 4], %%place, %2
%endmacro

%macro refused_in_user 2    ; address of a program, its name
    in_user %1
    check_trap 13, 0, %2
    check dword [trap_words + 4], %1, %2
%endmacro

%macro page_fault 3         ; error code, address, what it is
    check dword [trap_vector], 14, %3
    check dword [trap_words], %1, %3
    check dword [fault_address], %2, %3
%endmacro

; TS is set if an FPU instruction raises #NM.
%macro ts_is_set 0
    catch %%trapped
%%place:
    fninit
    fail "TS is not set"
%%trapped:
    check_trap 7, %%place, "#NM"
%endmacro

%macro at_init 2            ; register, field of lguest_data as the Host had left it
    mov %1, [lguest_data_at_init + %2 - lguest_data]
%endmacro

%macro store_pte 3          ; table, index, entry
    mov dword [%1 + (%2) * PTE_BYTES], %3
%if PAE
    mov dword [%1 + (%2) * PTE_BYTES + 4], 0
%endif
%endmacro

%macro enable_interrupts 0
    mov dword [irq_enabled], IF
%endmacro

%macro disable_interrupts 0
    mov dword [irq_enabled], 0
%endmacro

%macro spin 1               ; nanoseconds
    push eax
    mov eax, %1
    call spin_nanoseconds
    pop eax
%endmacro
`;
