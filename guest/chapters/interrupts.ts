/*G:200
 * Interrupts on and off
 *
 * Kernels turn interrupts off and on thousands of times a second. A hypercall for each would be far too slow, so the
 * interrupt flag is a word of memory that the Host looks at before it delivers anything. A kernel goes further and
 * patches the two commonest operations into the places that use them: "cli" becomes this store, "pushf" this load.
 */
export const patchTemplates = `
section .text
lgstart_cli:
    mov dword [irq_enabled], 0          ; C7 05 irq_enabled 00000000
lgend_cli:
lgstart_pushf:
    mov eax, [irq_enabled]              ; A1 irq_enabled
lgend_pushf:
`;

/*G:210
 * Turning interrupts on is a store as well, but if one is waiting, somebody should tell the Host. That is what
 * `irq_pending` is for, and here is a famous slip. The routine means "if irq_pending is not zero, then call", but the
 * test it makes ANDs the word with an immediate of zero. The result is always zero, the jump is never taken, and no
 * guest of those years ever told the Host anything at this place. Real hardware has enough other reasons to come by;
 * a Host made of software has to look for itself. We keep the instruction as it was, byte for byte.
 */
export const irqEnable = `
%if LAYOUT >= 2
lg_irq_enable:
    mov dword [irq_enabled], IF         ; C7 05 irq_enabled 00020000
    test dword [irq_pending], 0         ; F7 05 irq_pending 00000000
    jnz short send_interrupts           ; 75 01
    ret                                 ; C3
send_interrupts:
    push eax                            ; 50
    mov eax, SEND_INTERRUPTS            ; B8 13000000
%if VMCALL_IN_SEND_INTERRUPTS
    vmcall                              ; 0F 01 C1
%else
    int 0x1f                            ; CD 1F
%endif
after_send_interrupts:
    pop eax                             ; 58
    ret                                 ; C3

; "popf": the flags are in EAX. Here the test is right: both words have bit 9 or they have not.
lg_restore_fl:
    mov [irq_enabled], eax              ; A3 irq_enabled
    test eax, [irq_pending]             ; 85 05 irq_pending
    jnz send_interrupts                 ; 75 ..
    ret                                 ; C3
%else
; 2.6.30 has neither irq_pending nor anybody to tell: both operations are plain stores.
lg_irq_enable:
    mov dword [irq_enabled], IF
    ret
lg_restore_fl:
    mov [irq_enabled], eax
    ret
%endif
`;

/*G:220
 * Going back
 *
 * An `iret` is supposed to set the interrupt flag from the saved flags. In ring 1 it silently does not, so we have to
 * copy the saved flags to `irq_enabled` first. From that store on an interrupt may come, but we still have EAX on the
 * stack and have not yet left the frame: if one came now, and another one when that one returns, frames would pile up
 * without end. So the Host is told these two addresses and promises not to interrupt between them.
 */
export const lguestIret = `
lguest_iret:
    push eax                            ; 50
    mov eax, [esp + 12]                 ; 8B 44 24 0C
lguest_noirq_start:
    mov [ss:irq_enabled], eax           ; 36 A3 irq_enabled
lguest_iret_pop:
    pop eax                             ; 58
    iret                                ; CF
lguest_noirq_end:
`;

/*G:230
 * Gates
 *
 * We load an interrupt gate for every exception and every interrupt, except that programs may use 3, 4 and 0x80, and
 * that 0x80 is a trap gate: a system call does not turn interrupts off. The selector in a gate is 0x60, ring 0's
 * idea of the kernel's code; the Host ignores it and uses 0x61.
 */
export const gates = `
section .text
; EAX: vector, EBX: handler, ECX: kind. Keeps all registers.
set_gate:
    pusha
    mov edx, ebx
    and edx, 0xFFFF0000
    or edx, ecx
    and ebx, 0xFFFF
    or ebx, 0x00600000
    mov ecx, ebx
    mov ebx, eax
    mov eax, LOAD_IDT_ENTRY
    hypercall
    popa
    ret

; EAX: vector. The gate is taken away.
remove_gate:
    pusha
    mov ebx, eax
    mov ecx, 0
    mov edx, 0
    mov eax, LOAD_IDT_ENTRY
    hypercall
    popa
    ret

load_default_gates:
    mov eax, 0
    mov ecx, INTERRUPT_GATE
.next:
    mov ebx, [stub_table + eax * 4]
    call set_gate
    inc eax
    cmp eax, STUBS
    jb .next
    gate 3, stub_3, INTERRUPT_GATE | FOR_PROGRAMS
    gate 4, stub_4, INTERRUPT_GATE | FOR_PROGRAMS
    gate 0x80, stub_128, TRAP_GATE | FOR_PROGRAMS
    mov eax, 0x40
    call remove_gate
    ret
`;

/*G:240
 * What a handler writes down
 *
 * All handlers are one. It notes which vector it was, where the stack pointer was and the words it pointed to, all
 * registers and segment registers, and what the virtual interrupt flag had become; then it either goes on at the
 * place that `catch` has named, or calls the hook of a case and returns from the trap by `lguest_iret`. A trap that
 * nobody has asked for ends the case. Until DS is known to be ours again, memory is reached through SS.
 */
export const handlers = `
STUBS           equ 48
section .text
%assign vector 0
%rep 48
stub_%[vector]:
    mov [ss:trap_eax], eax
    mov eax, %[vector]
    jmp trap_common
%assign vector vector + 1
%endrep
stub_64:
    mov [ss:trap_eax], eax
    mov eax, 0x40
    jmp trap_common
stub_128:
    mov [ss:trap_eax], eax
    mov eax, 0x80

trap_common:
    mov [ss:trap_vector], eax
    mov [ss:trap_esp], esp
    mov [ss:trap_ebx], ebx
    mov [ss:trap_ecx], ecx
    mov [ss:trap_edx], edx
    mov [ss:trap_esi], esi
    mov [ss:trap_edi], edi
    mov [ss:trap_ebp], ebp
    pushf
    pop eax
    mov [ss:trap_eflags], eax
    mov eax, ds
    mov [ss:trap_ds], eax
    mov eax, es
    mov [ss:trap_es], eax
    mov eax, fs
    mov [ss:trap_fs], eax
    mov eax, gs
    mov [ss:trap_gs], eax
    mov eax, ss
    mov [ss:trap_ss], eax
    mov eax, cs
    mov [ss:trap_cs], eax
    mov eax, KERNEL_DS
    mov ds, eax
    mov es, eax
    cld
    mov eax, [irq_enabled]
    mov [trap_irq_enabled], eax
    mov esi, esp
    mov edi, trap_words
    mov ecx, 6
    rep movsd
    mov ecx, [trap_count]               ; a diary of the first sixteen
    and ecx, 15
    mov eax, [trap_vector]
    mov [trap_log + ecx * 4], eax
    call saved_eip
    mov [trap_log_eip + ecx * 4], eax
    inc dword [trap_count]

    mov eax, [trap_hook]
    test eax, eax
    jnz .return
    mov eax, [trap_resume]
    test eax, eax
    jz unexpected_trap
    mov dword [trap_resume], 0
    mov esp, [trap_resume_esp]
    jmp eax

.return:
    call eax
    mov ecx, [trap_vector]
    call has_error_code
    jnc .no_code
    add esp, 4
.no_code:
    mov eax, [trap_es]
    mov es, eax
    mov ebx, [trap_ebx]
    mov ecx, [trap_ecx]
    mov edx, [trap_edx]
    mov esi, [trap_esi]
    mov edi, [trap_edi]
    mov ebp, [trap_ebp]
    push dword [trap_eax]
    mov eax, [trap_ds]
    mov ds, eax
    pop eax
    jmp lguest_iret

; CF: the vector in ECX comes with an error code.
has_error_code:
    cmp ecx, 32
    jae .no
    bt dword [error_code_vectors], ecx
    ret
.no:
    clc
    ret

; EAX: where the trap that was noted last came from.
saved_eip:
    push ecx
    mov ecx, [trap_vector]
    call has_error_code
    mov eax, [trap_words]
    jnc .found
    mov eax, [trap_words + 4]
.found:
    pop ecx
    ret

; A hook that does nothing but let the trap return.
ignore_trap:
    ret

section .data
align 4
error_code_vectors: dd (1 << 8) | (1 << 10) | (1 << 11) | (1 << 12) | (1 << 13) | (1 << 14) | (1 << 17)
stub_table:
%assign vector 0
%rep 48
    dd stub_%[vector]
%assign vector vector + 1
%endrep

section .bss
align 4
trap_vector:    resd 1
trap_count:     resd 1
trap_hook:      resd 1
trap_resume:    resd 1
trap_resume_esp: resd 1
trap_esp:       resd 1
trap_words:     resd 6
trap_irq_enabled: resd 1
trap_eflags:    resd 1
trap_eax:       resd 1
trap_ebx:       resd 1
trap_ecx:       resd 1
trap_edx:       resd 1
trap_esi:       resd 1
trap_edi:       resd 1
trap_ebp:       resd 1
trap_ds:        resd 1
trap_es:        resd 1
trap_fs:        resd 1
trap_gs:        resd 1
trap_ss:        resd 1
trap_cs:        resd 1
trap_log:       resd 16
trap_log_eip:   resd 16
`;
