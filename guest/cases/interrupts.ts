/*G:630
 * Being interrupted
 *
 * An interrupt comes when it is not masked, when bit 9 of `irq_enabled` is set, and when we are not in the middle of
 * `lguest_iret`; as soon as that is true, and never before. Both words are changed by plain stores. So most of these
 * cases let the timer run out while interrupts are off, then do something, and count.
 */
import { type CaseSource, notC1 } from './case.js';

/**
 * Steps of a loop of two instructions: an interrupt that may come must come within 1000 instructions (§5.7), the
 * instructions around the loop included.
 */
const SOON = 480;

/** Waits without a hypercall for the interrupt that `catch` has announced. */
const WAIT_SOON = `
    mov ecx, ${SOON}
%%wait:
    dec ecx
    jnz %%wait
    fail "no interrupt within 1000 instructions"`;

/** Routines that several cases share. */
export const interruptRoutines = `
; The timer has run out and is not masked, but interrupts are off. Keeps all registers.
section .text
make_timer_wait:
    push eax
    disable_interrupts
    mov eax, 20000
    call arm_timer
    mov eax, 100000
    call spin_nanoseconds
    pop eax
    hcall0 FLUSH_ASYNC                  ; now the Host must have noticed
    ret

%macro comes_soon 0${WAIT_SOON}
%endmacro

; Interrupt 0 was delivered at an instruction of ours.
%macro check_timer_interrupt 0
    check dword [trap_vector], 0x20, "vector"
    check dword [trap_words + 4], KERNEL_CS, "saved CS"
    check_bits dword [trap_words + 8], IF, IF, "IF in the saved flags"
    check dword [trap_irq_enabled], 0, "irq_enabled in the handler"
%endmacro
`;

export const interruptCases: readonly CaseSource[] = [
  {
    id: 'T35',
    countsInterrupts: true,
    title: 'interrupts off: the timer waits',
    code: `
    catch .early
    mov dword [trap_hook], ignore_trap
    mov eax, 1000000
    call arm_timer
    spin 10000000
    check dword [trap_count], 0, "interrupts"
%if LAYOUT >= 2
    check dword [irq_pending], IF, "irq_pending"
%endif
.early:
    ret`,
  },
  {
    id: 'T50',
    countsInterrupts: true,
    title: 'the timer interrupts a loop',
    code: `
    enable_interrupts
    catch .came
    mov ebx, esp
    mov eax, 1000000
    call arm_timer
    spin 500000000
    fail "no interrupt within half a second"
.came:
    check_timer_interrupt
    check_bits dword [trap_eflags], IF, IF, "the real IF"
    at_init eax, time_seconds
    cmp [time_seconds], eax
    ja .later
    check dword [time_seconds], eax, "time"
    at_init eax, time_nanoseconds
    cmp [time_nanoseconds], eax
    jae .later
    fail "time went back"
.later:
    ret`,
  },
  {
    id: 'T51',
    countsInterrupts: true,
    title: 'a plain store turns interrupts on',
    code: `
    call make_timer_wait
    catch .came
    enable_interrupts
    comes_soon
.came:
    check_timer_interrupt
    ret`,
  },
  {
    id: 'T52',
    countsInterrupts: true,
    title: 'lg_irq_enable of the seed',
    code: `
    call make_timer_wait
    catch .came
    call lg_irq_enable
    comes_soon
.came:
    check_timer_interrupt
%if LAYOUT >= 2
    check dword [irq_pending], 0, "irq_pending"
%endif
    ret`,
  },
  {
    id: 'T53',
    countsInterrupts: true,
    title: 'lg_restore_fl of the seed asks for it',
    on: notC1,
    code: `
    call make_timer_wait
    check dword [irq_pending], IF, "irq_pending"
    catch .came
    mov eax, IF | 0x46
    call lg_restore_fl
    fail "no interrupt"
.came:
    check_timer_interrupt
    check dword [trap_words], after_send_interrupts, "saved EIP"
    ret`,
  },
  {
    id: 'T54',
    countsInterrupts: true,
    title: 'a masked interrupt waits to be unmasked',
    code: `
    call make_timer_wait
    or dword [blocked_interrupts], 1
    hcall0 FLUSH_ASYNC
%if LAYOUT >= 2
    mov dword [irq_pending], 0          ; what make_timer_wait has left
%endif
    catch .early
    enable_interrupts
    spin 100000
    hcall0 FLUSH_ASYNC
    spin 100000
%if LAYOUT >= 2
    check dword [irq_pending], 0, "irq_pending"
%endif
    catch .came
    and dword [blocked_interrupts], ~1
    comes_soon
.early:
    fail "delivered though masked"
.came:
    check_timer_interrupt
    ret`,
  },
  {
    id: 'T55',
    countsInterrupts: true,
    title: 'two interrupts: the lower number first',
    code: `
    call console_setup
    jnc .console
    fail "no console"
.console:
    call post_empty_output              ; the console's output interrupt waits
    call make_timer_wait
    mov dword [blocked_interrupts], 0
    catch .back
    mov dword [trap_hook], t55_hook
    enable_interrupts
    mov ecx, ${2 * SOON}
.wait:
    dec ecx
    jnz .wait
.back:
    disable_interrupts
    mov dword [trap_hook], 0
    check dword [trap_count], 2, "interrupts"
    check dword [trap_log], 0x20, "first vector"
    mov eax, [output_irq]
    add eax, 0x20
    check dword [trap_log + 4], eax, "second vector"
    ret
t55_hook:                               ; nothing may come before interrupts are on again
    push ecx
    mov ebx, [trap_count]
    mov ecx, 2000
.stay:
    dec ecx
    jnz .stay
    pop ecx
    check dword [trap_count], ebx, "interrupts, before the first returns"
    ret`,
  },
  {
    id: 'T56',
    countsInterrupts: true,
    title: 'an interrupt without a gate waits for one',
    code: `
    mov eax, 0x20
    call remove_gate
    call make_timer_wait
    enable_interrupts
    spin 100000
    hcall0 FLUSH_ASYNC
    catch .came
    gate 0x20, stub_32, INTERRUPT_GATE
    comes_soon
.came:
    check_timer_interrupt
    ret`,
  },
  {
    id: 'T57',
    countsInterrupts: true,
    title: 'no interrupt inside lguest_iret',
    code: `
; The end of lguest_iret is "pop eax; iret". Frames that all return to the pop make a loop of these two instructions,
; which is wholly inside the range, 1200 instructions long.
T57_FRAMES equ 600
    call make_timer_wait
    mov edi, t57_stack
    mov ecx, T57_FRAMES
.frame:
    mov dword [edi], 0x77777777
    mov dword [edi + 4], lguest_iret_pop
    mov dword [edi + 8], KERNEL_CS
    mov dword [edi + 12], IF | 2
    add edi, 16
    loop .frame
    mov dword [edi - 12], .outside
    catch .came
    mov esp, t57_stack
    mov eax, IF | 2
    jmp lguest_noirq_start
.outside:
    comes_soon
.came:
    check_timer_interrupt
    mov eax, [trap_words]
    sub eax, .outside
    cmp eax, 64                         ; in the loop of comes_soon
    jbe .right
    check dword [trap_words], .outside, "saved EIP"
.right:
    ret
section .bss
align 4
t57_stack: resb T57_FRAMES * 16
    resb 256
section .text`,
  },
  {
    id: 'T59',
    countsInterrupts: true,
    title: 'irq_enabled without bit 9 is off',
    code: `
    call make_timer_wait
    catch .early
    mov dword [irq_enabled], 0x46
    spin 100000
    hcall0 FLUSH_ASYNC
    catch .came
    mov dword [irq_enabled], 0x246
    comes_soon
.early:
    fail "delivered with bit 9 clear"
.came:
    check_timer_interrupt
    ret`,
  },
  {
    id: 'T60',
    countsInterrupts: true,
    title: 'HALT sleeps until the timer',
    code: `
    disable_interrupts
    mov eax, 1000000
    call arm_timer
    catch .came
    mov eax, HALT
    hypercall
.behind:
    fail "awake without an interrupt"
.came:
    check_timer_interrupt
    check dword [trap_words], .behind, "saved EIP"
    ret`,
  },
  {
    id: 'T61',
    countsInterrupts: true,
    title: 'a masked timer does not wake, a key does',
    needs: 'input',
    code: `
    call console_setup
    jnc .console
    fail "no console"
.console:
    call post_input_buffer
    mov esi, .sleeps
    call put_string
    call end_line
    mov eax, 1000000
    call arm_timer
    mov dword [blocked_interrupts], -1
    mov ecx, [input_irq]
    btr dword [blocked_interrupts], ecx
    catch .came
    hcall0 HALT
    fail "awake without an interrupt"
.came:
    mov eax, [input_irq]
    add eax, 0x20
    check dword [trap_vector], eax, "vector"
    movzx eax, byte [input_buffer]
    check eax, 'x', "first byte of the input"
    ret
.sleeps: db "T61 sleeps", 0`,
  },
  {
    id: 'T62',
    countsInterrupts: true,
    title: 'HALT with an interrupt waiting',
    code: `
    call make_timer_wait
    catch .came
    mov eax, HALT
    hypercall
.behind:
    fail "no interrupt"
.came:
    check_timer_interrupt
    check dword [trap_words], .behind, "saved EIP"
    ret`,
  },
  {
    id: 'T63',
    countsInterrupts: true,
    title: 'SEND_INTERRUPTS with nothing to send',
    on: notC1,
    code: `
    mov dword [blocked_interrupts], 0
    enable_interrupts
    mov dword [trap_hook], ignore_trap
    hcall0 SEND_INTERRUPTS
    spin 20000
    disable_interrupts
    check dword [trap_count], 0, "interrupts"
    ret`,
  },
  {
    id: 'T64',
    countsInterrupts: true,
    title: 'a timer of 0 is none',
    code: `
    enable_interrupts
    mov dword [trap_hook], ignore_trap
    mov eax, 10000000
    call arm_timer
    spin 1000000
    hcall1 SET_CLOCKEVENT, 0
    mov dword [trap_count], 0           ; a busy computer may have been too late
    spin 12000000
    disable_interrupts
    check dword [trap_count], 0, "interrupts"
    ret`,
  },
  {
    id: 'T65',
    countsInterrupts: true,
    title: 'a new timer replaces the old one',
    code: `
    enable_interrupts
    mov dword [trap_hook], ignore_trap
.again:
    mov dword [trap_count], 0
    mov eax, 10000000
    call arm_timer
    mov eax, 1000000
    call arm_timer
    cmp dword [trap_count], 0
    jne .again                          ; a busy computer was too late
    spin 6000000
    check dword [trap_count], 1, "interrupts of the new timer"
    spin 8000000
    disable_interrupts
    check dword [trap_count], 1, "interrupts of both"
    ret`,
  },
  {
    id: 'T66',
    title: 'lguest_iret returns to ring 3',
    code: `
section .user
t66_program:
    pushf
    pop eax
    int 0x80
t66_behind:
section .text
    catch .back
    push USER_DS
    push USER_STACK_TOP
    push 0x3202                         ; the kernel would like IOPL 3
    push USER_CS
    push t66_program
    mov eax, USER_DS
    mov ds, eax
    mov eax, 0x5A5A5A5A
    jmp lguest_iret
.back:
    mov eax, [irq_enabled]
    disable_interrupts
    check_trap 0x80, t66_behind, "int 0x80"
    check_bits dword [trap_irq_enabled], IF, IF, "irq_enabled"
    check_bits dword [trap_eax], 0x3200, IF, "EFLAGS of the program"
    ret`,
  },
  {
    id: 'S01',
    title: 'the patches for cli and pushf',
    code: `
    check dword [lgstart_cli + 6], 0, "immediate of the store"
    movzx eax, word [lgstart_cli]
    check eax, 0x05C7, "opcode of the store"
    check dword [lgstart_cli + 2], irq_enabled, "address of the store"
    check_bits dword [lgstart_pushf], 0xFF, 0xA1, "opcode of the load"
    mov eax, lgend_cli - lgstart_cli
    check eax, 10, "bytes of cli"
    mov eax, lgend_pushf - lgstart_pushf
    check eax, 5, "bytes of pushf"
    mov esi, lgstart_cli                ; patch them into the place below
    mov edi, .cli
    mov ecx, lgend_cli - lgstart_cli
    rep movsb
    mov esi, lgstart_pushf
    mov edi, .pushf
    mov ecx, lgend_pushf - lgstart_pushf
    rep movsb
    enable_interrupts
    mov eax, 0x12345678
    call .pushf
    check eax, IF, "pushf with interrupts on"
    call .cli
    check dword [irq_enabled], 0, "irq_enabled after cli"
    call .pushf
    check eax, 0, "pushf with interrupts off"
    ret
.cli: times 10 nop
    ret
.pushf: times 5 nop
    ret`,
  },
  {
    id: 'S02',
    title: 'the bytes of the seed',
    code: `
%macro same_bytes 3         ; routine, expected bytes, their name
    mov esi, %1
    mov edi, %2
    mov ecx, %2_end - %2
    repe cmpsb
    mov eax, 0
    setne al
    check eax, 0, %3
%endmacro
%if LAYOUT >= 2
    same_bytes lg_irq_enable, s02_irq_enable, "lg_irq_enable differs"
    same_bytes lg_restore_fl, s02_restore_fl, "lg_restore_fl differs"
%endif
    same_bytes lguest_iret, s02_iret, "lguest_iret differs"
    mov eax, s02_iret_end - s02_iret
    check dword [noirq_start], lguest_iret + 5, "noirq_start"
    add eax, lguest_iret
    check dword [noirq_end], eax, "noirq_end"
    same_bytes lguest_entry, s02_entry, "lguest_entry differs"
    ret
section .data
%if LAYOUT >= 2
s02_irq_enable:
    db 0xC7, 0x05
    dd irq_enabled
    db 0x00, 0x02, 0x00, 0x00, 0xF7, 0x05
    dd irq_enabled + 0x14
    db 0x00, 0x00, 0x00, 0x00, 0x75, 0x01, 0xC3, 0x50, 0xB8, 0x13, 0x00, 0x00, 0x00
%if VMCALL_IN_SEND_INTERRUPTS
    db 0x0F, 0x01, 0xC1
%else
    db 0xCD, 0x1F
%endif
    db 0x58, 0xC3
s02_irq_enable_end:
s02_restore_fl:
    db 0xA3
    dd irq_enabled
    db 0x85, 0x05
    dd irq_enabled + 0x14
    db 0x75
s02_restore_fl_end:
%endif
s02_iret:
    db 0x50, 0x8B, 0x44, 0x24, 0x0C, 0x36, 0xA3
    dd irq_enabled
    db 0x58, 0xCF
s02_iret_end:
s02_entry:
    db 0xB8, 0x01, 0x00, 0x00, 0x00, 0xBB
    dd lguest_data - PAGE_OFFSET
%if VMCALL
    db 0x0F, 0x01, 0xC1
%else
    db 0xCD, 0x1F
%endif
%if LINEAR
    db 0xB8, 0x04, 0x00, 0x00, 0x00, 0xBB
    dd initial_page_table - PAGE_OFFSET
    db 0xCD, 0x1F
%endif
    db 0xBC
s02_entry_end:
section .text`,
  },
  {
    id: 'S03',
    title: 'lg_irq_enable and lg_restore_fl with nothing waiting',
    code: `
    mov dword [trap_hook], ignore_trap
    mov eax, 0x1111
    call lg_irq_enable
    check dword [irq_enabled], IF, "irq_enabled after lg_irq_enable"
    check eax, 0x1111, "EAX"
    mov eax, 0x46
    call lg_restore_fl
    check dword [irq_enabled], 0x46, "irq_enabled after lg_restore_fl"
    mov eax, 0x246
    call lg_restore_fl
    check dword [irq_enabled], 0x246, "irq_enabled after lg_restore_fl"
    disable_interrupts
    check dword [trap_count], 0, "interrupts"
    ret`,
  },
  {
    id: 'S04',
    title: 'lguest_iret returns to ring 1, interrupts on or off',
    code: `
    mov ebx, esp
    push 0x246
    push KERNEL_CS
    push .on
    mov eax, 0xE0E0E0E0
    jmp lguest_iret
.on:
    mov ecx, [irq_enabled]
    disable_interrupts
    check ecx, 0x246, "irq_enabled"
    check eax, 0xE0E0E0E0, "EAX"
    mov ecx, esp
    check ecx, ebx, "ESP"
    enable_interrupts
    push 0x46
    push KERNEL_CS
    push .off
    jmp lguest_iret
.off:
    check dword [irq_enabled], 0x46, "irq_enabled"
    disable_interrupts
    mov ecx, esp
    check ecx, ebx, "ESP"
    ret`,
  },
];
