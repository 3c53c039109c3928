/*G:610
 * Asking
 *
 * Neither a register nor a flag may change by a hypercall, whichever instruction makes it; a program may not make
 * one at all. Calls in the ring wait for the next real one, and are then executed before it, one after the other.
 * The virtual TS bit is what most of these cases look at: a call in the ring sets it, and `fninit` tells whether it
 * is set already.
 */
import { type CaseSource, notC1, notPae, STILL_ALIVE } from './case.js';

/** All registers and three flags, around a FLUSH_ASYNC by `instruction`. */
function nothingChanges(instruction: string, seen: string): string {
  return `
    mov [${seen} + 32], esp
    mov ebx, 0xB0B0B0B0
    mov ecx, 0xC1C1C1C1
    mov edx, 0xD2D2D2D2
    mov esi, 0x53535353
    mov edi, 0xD4D4D4D4
    mov ebp, 0xB5B5B5B5
    push 0x443                          ; CF, ZF and DF
    popf
    mov eax, FLUSH_ASYNC
    ${instruction}
    mov [${seen}], eax
    mov [${seen} + 4], ebx
    mov [${seen} + 8], ecx
    mov [${seen} + 12], edx
    mov [${seen} + 16], esi
    mov [${seen} + 20], edi
    mov [${seen} + 24], ebp
    mov [${seen} + 28], esp
    pushf
    pop dword [${seen} + 36]
    cld
    check dword [${seen}], 0, "EAX"
    check dword [${seen} + 4], 0xB0B0B0B0, "EBX"
    check dword [${seen} + 8], 0xC1C1C1C1, "ECX"
    check dword [${seen} + 12], 0xD2D2D2D2, "EDX"
    check dword [${seen} + 16], 0x53535353, "ESI"
    check dword [${seen} + 20], 0xD4D4D4D4, "EDI"
    check dword [${seen} + 24], 0xB5B5B5B5, "EBP"
    check dword [${seen} + 28], dword [${seen} + 32], "ESP"
    check_bits dword [${seen} + 36], 0x8D5, 0x041, "CF, PF, AF, ZF, SF, OF"
    check_bits dword [${seen} + 36], 0x700, 0x600, "TF, IF, DF"
    ret
section .bss
${seen}: resd 10
section .text`;
}

export const hypercallCases: readonly CaseSource[] = [
  { id: 'T16', title: 'int 0x1f changes nothing', code: nothingChanges('int 0x1f', 't16_seen') },
  { id: 'T17', title: 'vmcall changes nothing', code: nothingChanges('vmcall', 't17_seen') },
  {
    id: 'T18',
    title: 'int 0x1f in ring 3',
    code: `
section .user
t18_program: int 0x1f
section .text
    in_user t18_program
    check_trap 13, 0xFA, "int 0x1f"
    check dword [trap_words + 4], t18_program, "saved EIP"
    ret`,
  },
  {
    id: 'T19',
    title: 'vmcall in ring 3',
    code: `
section .user
t19_program: vmcall
section .text
    in_user t19_program
    check_trap 6, t19_program, "vmcall"
    ret`,
  },
  {
    id: 'T20',
    title: 'hypercall 63',
    expected: { kill: 'Bad hypercall 63' },
    code: `
    hcall0 63
${STILL_ALIVE}`,
  },
  {
    id: 'T21',
    title: 'hypercall 13 without PAE',
    on: (variant) => notPae(variant) && notC1(variant),
    expected: { kill: 'Bad hypercall 13' },
    code: `
    hcall2 SET_PMD, 0x1000, 0
${STILL_ALIVE}`,
  },
  {
    id: 'T22',
    title: 'the ring waits',
    code: `
    ring_call TS, 8, 0, 0
    fninit                              ; nothing has happened yet
    mov ecx, 1
    call ring_status
    check eax, 0, "status of the slot"
    ret`,
  },
  {
    id: 'T23',
    title: 'FLUSH_ASYNC executes the ring',
    code: `
    ring_call TS, 8, 0, 0
    hcall0 FLUSH_ASYNC
    ts_is_set
    mov ecx, 1
    call ring_status
    check eax, 0xFF, "status of the slot"
    ret`,
  },
  {
    id: 'T24',
    title: 'first the ring, then the call',
    code: `
    ring_call TS, 8, 0, 0
    hcall1 TS, 0
    fninit
    ret`,
  },
  {
    id: 'T25',
    title: 'the ring is in order',
    code: `
    ring_call TS, 0, 0, 0
    ring_call TS, 8, 0, 0
    hcall0 FLUSH_ASYNC
    ts_is_set
    hcall1 TS, 0
    ring_call TS, 8, 0, 0
    ring_call TS, 0, 0, 0
    hcall0 FLUSH_ASYNC
    fninit
    ret`,
  },
  {
    id: 'T26',
    title: 'no slot is skipped',
    code: `
    mov ebx, [ring_next]
    lea eax, [ebx + 1]
    and eax, RING_SLOTS - 1
    mov [ring_next], eax
    ring_call TS, 8, 0, 0               ; a slot too far
    hcall0 FLUSH_ASYNC
    fninit
    mov ecx, 1
    call ring_status
    check eax, 0, "status of the second slot"
    mov [ring_next], ebx
    ring_call TS, 0, 0, 0               ; the slot before it
    hcall0 FLUSH_ASYNC
    ts_is_set
    movzx eax, byte [hcall_status + ebx]
    check eax, 0xFF, "status of the first slot"
    inc ebx
    and ebx, RING_SLOTS - 1
    movzx eax, byte [hcall_status + ebx]
    check eax, 0xFF, "status of the second slot"
    inc ebx
    and ebx, RING_SLOTS - 1
    mov [ring_next], ebx
    ret`,
  },
  {
    id: 'T27',
    title: 'a full ring, and around the corner',
    code: `
    mov ecx, RING_SLOTS
.fill:
    ring_call TS, 0, 0, 0
    loop .fill
    hcall0 FLUSH_ASYNC
.status:
    movzx eax, byte [hcall_status + ecx]
    check eax, 0xFF, "status"
    inc ecx
    cmp ecx, RING_SLOTS
    jb .status
    ring_call TS, 8, 0, 0
    hcall0 FLUSH_ASYNC
    ts_is_set
    ret`,
  },
  {
    id: 'T28',
    title: 'words of a ring entry',
    code: `
section .user
t28_program: ud2
section .text
    ring_call SET_STACK, KERNEL_DS, other_stack_top, 1
    hcall0 FLUSH_ASYNC
    in_user t28_program
    check_trap 6, t28_program, "ud2"
    check dword [trap_esp], other_stack_top - 20, "ESP in the handler"
    ret
section .bss
align 4096
other_stack:    resb PAGE
other_stack_top:
section .text`,
  },
  {
    id: 'T29',
    title: 'nothing is written where irq_pending would be',
    on: (variant) => variant.layout === 1,
    code: `
    call make_timer_wait
    mov ecx, 0
.status:
    movzx eax, byte [hcall_status + ecx]
    check eax, 0xFF, "hcall_status"
    inc ecx
    cmp ecx, RING_SLOTS
    jb .status
    ret`,
  },
];
