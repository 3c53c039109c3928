/*G:620
 * Falling
 *
 * What the guest does wrong, or what a program does, comes back to the guest as a trap through the gates it has
 * loaded. These cases look at every word of the frame, and at what must not have changed.
 */
import { type CaseSource, STILL_ALIVE } from './case.js';

/** `ud2` in ring 1 through a gate of `kind`, with `irq_enabled` = `before`. */
function trapInKernel(kind: string, before: string, savedFlag: string, after: string): string {
  return `
    gate 6, stub_6, ${kind}
    mov dword [irq_enabled], ${before}
    catch .trapped
    mov ebx, esp
.place:
    ud2
    fail "no trap"
.trapped:
    mov eax, [irq_enabled]
    disable_interrupts
    check dword [trap_irq_enabled], ${after}, "irq_enabled in the handler"
    mov ebx, [trap_ebx]
    sub ebx, 12
    check dword [trap_vector], 6, "vector"
    check dword [trap_esp], ebx, "ESP in the handler"
    check dword [trap_words], .place, "saved EIP"
    check dword [trap_words + 4], KERNEL_CS, "saved CS"
    check_bits dword [trap_words + 8], IF, ${savedFlag}, "IF in the saved flags"
    check dword [trap_cs], KERNEL_CS, "CS in the handler"
    check_bits dword [trap_eflags], IF, IF, "the real IF"
    ret`;
}

export const trapCases: readonly CaseSource[] = [
  {
    id: 'T30',
    title: 'gates 2, 8, 15 and 31 are left alone',
    code: `
    hcall3 LOAD_IDT_ENTRY, 2, 0x00600000, 0x8500
    hcall3 LOAD_IDT_ENTRY, 8, 0x00600000, 0x8500
    hcall3 LOAD_IDT_ENTRY, 15, 0x00600000, 0x8500
    hcall3 LOAD_IDT_ENTRY, 31, 0x00600000, 0x8500
    hcall0 FLUSH_ASYNC
    ret`,
  },
  {
    id: 'T31',
    title: 'a task gate',
    expected: { kill: 'bad IDT type 5' },
    code: `
    hcall3 LOAD_IDT_ENTRY, 9, 0x00600000, 0x8500
${STILL_ALIVE}`,
  },
  {
    id: 'T31b',
    title: 'an absent gate of any type',
    code: `
    hcall3 LOAD_IDT_ENTRY, 9, 0, 0
    hcall3 LOAD_IDT_ENTRY, 9, 0x00600000, 0x0500
    ret`,
  },
  {
    id: 'T32',
    title: 'gate 256',
    expected: { kill: 'Setting idt entry 256' },
    code: `
    hcall3 LOAD_IDT_ENTRY, 256, 0x00600000, 0x8E00
${STILL_ALIVE}`,
  },
  {
    id: 'T33',
    title: 'a trap without a gate',
    expected: { kill: 'unhandled trap 6 at {t33_place} (0)' },
    code: `
    mov eax, 6
    call remove_gate
t33_place:
    ud2
${STILL_ALIVE}`,
  },
  {
    id: 'T34',
    title: 'interrupt gate, interrupts on',
    code: trapInKernel('INTERRUPT_GATE', 'IF', 'IF', '0'),
  },
  { id: 'T34b', title: 'trap gate, interrupts on', code: trapInKernel('TRAP_GATE', 'IF', 'IF', 'IF') },
  { id: 'T34c', title: 'interrupt gate, interrupts off', code: trapInKernel('INTERRUPT_GATE', '0', '0', '0') },
  {
    id: 'T36',
    title: 'privileged instructions in ring 1',
    code: `
    mov ecx, 0x10
    refused {rdmsr}, "rdmsr"
    refused {wrmsr}, "wrmsr"
    refused {hlt}, "hlt"
    refused {sti}, "sti"
    refused {mov eax, cr0}, "mov eax, cr0"
    refused {mov cr3, eax}, "mov cr3, eax"
    refused {lgdt [lguest_data]}, "lgdt"
    refused {lidt [lguest_data]}, "lidt"
    refused {invlpg [lguest_data]}, "invlpg"
    refused {clts}, "clts"
    refused {wbinvd}, "wbinvd"
    refused {ltr ax}, "ltr"
    ret`,
  },
  {
    id: 'T37',
    title: 'cli in ring 1 does nothing',
    code: `
    enable_interrupts
    cli
    mov eax, [irq_enabled]
    check eax, IF, "irq_enabled"
    ret`,
  },
  {
    id: 'T38',
    title: 'popf changes neither IF nor IOPL',
    code: `
    pushf
    pop eax
    and eax, ~IF
    or eax, 0x3000
    push eax
    popf
    pushf
    pop eax
    check_bits eax, 0x3200, 0x0200, "IF and IOPL"
    ret`,
  },
  {
    id: 'T39',
    title: 'privileged instructions in ring 3',
    code: `
section .user
t39_in:  in al, dx
t39_cli: cli
t39_hlt: hlt
section .text
    refused_in_user t39_in, "in al, dx"
    refused_in_user t39_cli, "cli"
    refused_in_user t39_hlt, "hlt"
    ret`,
  },
  {
    id: 'T40',
    title: 'ports read as ones',
    code: `
    mov eax, 0x12345600
    in al, 0x71
    check eax, 0x123456FF, "in al, 0x71"
    mov eax, 0x12345600
    mov edx, 0x3F8
    in ax, dx
    check eax, 0x1234FFFF, "in ax, dx"
    mov eax, 0x12345600
    in eax, dx
    check eax, 0xFFFFFFFF, "in eax, dx"
    mov eax, 0x12345600
    in ax, 0x71
    check eax, 0x1234FFFF, "in ax, 0x71"
    mov eax, 0x12345600
    out 0x80, al
    out dx, al
    out dx, ax
    out dx, eax
    out 0x80, eax
    check eax, 0x12345600, "EAX after out"
    check edx, 0x3F8, "EDX after out"
    ret`,
  },
  {
    id: 'T42',
    title: 'a trap from ring 3 changes stacks',
    code: `
section .user
t42_program: ud2
section .text
    hcall3 SET_STACK, KERNEL_DS, other_stack_top, 1
    in_user t42_program
    check dword [trap_vector], 6, "vector"
    check dword [trap_esp], other_stack_top - 20, "ESP in the handler"
    check dword [trap_words], t42_program, "saved EIP"
    check dword [trap_words + 4], USER_CS, "saved CS"
    check_bits dword [trap_words + 8], 0x3000, 0, "IOPL in the saved flags"
    check dword [trap_words + 12], USER_STACK_TOP, "saved ESP"
    check dword [trap_words + 16], USER_DS, "saved SS"
    check dword [trap_ss], KERNEL_DS, "SS in the handler"
    check dword [trap_ds], USER_DS, "DS in the handler"
    check dword [trap_es], USER_DS, "ES in the handler"
    check dword [trap_fs], USER_DS, "FS in the handler"
    check dword [trap_gs], USER_DS, "GS in the handler"
    ret`,
  },
  {
    id: 'T43',
    title: 'error codes of page faults',
    code: `
section .user
t43_absent:     mov eax, [NOWHERE + 0x345]
t43_supervisor: mov eax, [lguest_data]
t43_read_only:  mov [t43_absent + 1], eax
section .text
    catch .absent
    mov eax, [NOWHERE + 0x123]
    fail "no page fault"
.absent:
    page_fault 0, NOWHERE + 0x123, "ring 1 reads an absent page"
    store_pte window_table, FREE_WINDOW, frame_a - PAGE_OFFSET + PRESENT + ACCESSED
    mov eax, [FREE_WINDOW_ADDRESS]
    catch .read_only
.place:
    mov [FREE_WINDOW_ADDRESS + 8], eax
    fail "no page fault"
.read_only:
    page_fault 3, FREE_WINDOW_ADDRESS + 8, "ring 1 writes a read-only page"
    check dword [trap_words + 4], .place, "saved EIP"
    in_user t43_absent
    page_fault 4, NOWHERE + 0x345, "ring 3 reads an absent page"
    in_user t43_supervisor
    page_fault 5, lguest_data, "ring 3 reads a page of the kernel"
    in_user t43_read_only
    page_fault 7, t43_absent + 1, "ring 3 writes a read-only page"
    check dword [trap_words + 4], t43_read_only, "saved EIP"
    ret`,
  },
  {
    id: 'T44',
    title: 'system calls through either kind of gate',
    code: `
section .user
t44_program: int 0x80
t44_behind:
section .text
    enable_interrupts
    in_user t44_program
    disable_interrupts
    check_trap 0x80, t44_behind, "int 0x80"
    check dword [trap_irq_enabled], IF, "irq_enabled behind a trap gate"
    gate 0x80, stub_128, INTERRUPT_GATE | FOR_PROGRAMS
    enable_interrupts
    in_user t44_program
    disable_interrupts
    check_trap 0x80, t44_behind, "int 0x80"
    check dword [trap_irq_enabled], 0, "irq_enabled behind an interrupt gate"
    ret`,
  },
  {
    id: 'T45',
    title: 'int 0x40 in ring 3 is refused',
    code: `
section .user
t45_program: int 0x40
section .text
    gate 0x40, stub_64, INTERRUPT_GATE | FOR_PROGRAMS
    in_user t45_program
    check_trap 13, 0x202, "int 0x40"
    check dword [trap_words + 4], t45_program, "saved EIP"
    ret`,
  },
  {
    id: 'T46',
    title: 'int3 in ring 3',
    code: `
section .user
t46_program: int3
t46_behind:
section .text
    in_user t46_program
    check_trap 3, t46_behind, "int3"
    ret`,
  },
  {
    id: 'T47',
    title: 'sysenter in ring 3 is refused',
    code: `
section .user
t47_program: sysenter
section .text
    in_user t47_program
    check_trap 13, 0, "sysenter"
    check dword [trap_words + 4], t47_program, "saved EIP"
    ret`,
  },
  {
    id: 'T48',
    title: 'single steps in ring 3',
    code: `
section .user
t48_program:
    pushf
    or dword [esp], 0x100               ; TF
    popf
    nop
t48_one: nop
t48_two: nop
t48_three: int 0x80
section .text
    gate 1, stub_1, INTERRUPT_GATE
    catch t48_done
    mov dword [trap_hook], t48_hook
    push t48_program
    call enter_user
t48_hook:
    check_bits dword [trap_eflags], 0x100, 0, "TF in the handler"
    cmp dword [trap_vector], 0x80
    jne .step
    mov dword [trap_hook], 0
    mov esp, [trap_resume_esp]
    jmp [trap_resume]
.step:
    ret
t48_done:
    check dword [trap_count], 4, "traps"
    check dword [trap_log_eip], t48_one, "first step"
    check dword [trap_log_eip + 4], t48_two, "second step"
    check dword [trap_log_eip + 8], t48_three, "third step"
    check dword [trap_log], 1, "vector of a step"
    check dword [trap_log + 12], 0x80, "vector of the end"
    ret`,
  },
  {
    id: 'T49',
    title: 'TS keeps the FPU away',
    code: `
    mov eax, 1
    cpuid
    mov esi, edx
    hcall1 TS, 8
    catch .first
    call .use_fpu
    fail "no trap"
.first:
    check dword [trap_vector], 7, "vector of an FPU instruction"
    catch .second
.place:
    fwait
    fail "no trap"
.second:
    check_trap 7, .place, "fwait"
    hcall1 TS, 0
    catch .third
    call .use_fpu
    fwait
    mov dword [trap_resume], 0
    ret
.third:
    check dword [trap_vector], -1, "vector with TS clear"
    ret
.use_fpu:                               ; SSE if there is any, else MMX
    bt esi, 25
    jc .sse
    movq mm0, [t49_data]
    emms
    ret
.sse:
    movaps xmm0, [t49_data]
    ret
section .data
align 16
t49_data: times 16 db 0
section .text`,
  },
];
