/*G:650
 * Devices, and the end
 *
 * The console is the one device every guest has. It prints what we chain up, tells us when it has, and can be reset.
 * The last cases end the guest in all the ways there are.
 */
import { type CaseSource, STILL_ALIVE } from './case.js';

/** Routines that several cases share. */
export const deviceRoutines = `
section .text
; One empty output buffer goes through the console, so that its interrupt waits. Keeps all registers.
post_empty_output:
    pusha
    mov ebx, [output_ring]
    mov eax, 0
    mov esi, frame_a - PAGE_OFFSET
    mov ecx, 0
    mov edx, 0
    call set_descriptor
    call offer_buffer
    call kick
    popa
    ret

; A buffer for 16 bytes of input. Keeps all registers.
post_input_buffer:
    pusha
    mov dword [input_buffer], 0
    mov ebx, [input_ring]
    mov eax, 0
    mov esi, input_buffer - PAGE_OFFSET
    mov ecx, 16
    mov edx, 2                          ; the device writes
    call set_descriptor
    call offer_buffer
    call kick
    popa
    ret

; EAX: descriptor number of a chain of two that prints t94_text.
make_output_chain:
    pusha
    mov ebx, [output_ring]
    mov esi, t94_text - PAGE_OFFSET
    mov ecx, 3
    mov edx, eax
    inc edx
    shl edx, 16
    or edx, 1                           ; there is a next one
    call set_descriptor
    inc eax
    mov esi, t94_text - PAGE_OFFSET + 3
    mov ecx, t94_text_end - t94_text - 3
    mov edx, 0
    call set_descriptor
    popa
    ret

; EAX: how many buffers the device has used of ring EBX.
used_index:
    push edx
    push edi
    call find_rings
    movzx eax, word [edx + 2]
    pop edi
    pop edx
    ret

section .data
t94_text: db "T94 prints", 10
t94_text_end:
section .bss
align 16
input_buffer:   resb 16
`;

const NEEDS_CONSOLE = `
    call console_setup
    jnc .console
    fail "no console"
.console:`;

export const deviceCases: readonly CaseSource[] = [
  {
    id: 'T91',
    title: 'early printing',
    code: `
    hcall1 NOTIFY, t91_text - PAGE_OFFSET
    ret
section .data
t91_text: db "hi", 10, 0
section .text`,
  },
  {
    id: 'T92',
    title: 'NOTIFY far behind memory',
    expected: { kill: 'Bad NOTIFY 0xfffff000' },
    code: `
    hcall1 NOTIFY, 0xFFFFF000
${STILL_ALIVE}`,
  },
  {
    id: 'T93',
    title: 'the list of devices ends with the console',
    code: `
    call map_device_page
    mov esi, DEVICE_WINDOW
    mov ebx, [memory_bytes]             ; page number of the next queue
    shr ebx, 12
    inc ebx
    mov edx, 1                          ; its interrupt
    mov ebp, 0                          ; the type before
.device:
    movzx eax, byte [esi]
    test eax, eax
    jz .end
    mov ebp, eax
    movzx ecx, byte [esi + 1]
    lea edi, [esi + 5]
.queue:
    movzx eax, word [edi]
    check eax, 256, "entries of a ring"
    movzx eax, word [edi + 2]
    check eax, edx, "interrupt of a queue"
    check dword [edi + 4], ebx, "page of a queue"
    inc edx
    add ebx, 3
    add edi, 8
    loop .queue
    movzx ecx, byte [esi + 1]
    call next_descriptor
    jmp .device
.end:
    check ebp, 3, "type of the last device"
    check ecx, 2, "queues of the last device"
    ret`,
  },
  {
    id: 'T94',
    countsInterrupts: true,
    title: 'console output of two pieces',
    code: `${NEEDS_CONSOLE}
    mov ebx, [output_ring]
    mov eax, 4
    call make_output_chain
    call offer_buffer
    call kick
    call used_index
    check eax, 1, "used index"
    call find_rings
    check dword [edx + 4], 4, "descriptor that was used"
    mov ecx, [output_irq]
    btr dword [blocked_interrupts], ecx
    catch .came
    enable_interrupts
    mov ecx, 480
.wait:
    dec ecx
    jnz .wait
    fail "no interrupt"
.came:
    mov eax, [output_irq]
    add eax, 0x20
    check dword [trap_vector], eax, "vector"
    mov ebx, [output_ring]              ; once more, without an interrupt
    call find_rings
    mov word [edi], 1
    mov eax, 4
    call offer_buffer
    call kick
    mov dword [trap_hook], ignore_trap
    mov dword [trap_count], 0
    enable_interrupts
    hcall0 FLUSH_ASYNC
    disable_interrupts
    call used_index
    check eax, 2, "used index"
    check dword [trap_count], 0, "interrupts that nobody wants"
    ret`,
  },
  {
    id: 'T95',
    title: 'console input',
    needs: 'input',
    code: `${NEEDS_CONSOLE}
    call post_input_buffer
    mov ecx, [input_irq]
    btr dword [blocked_interrupts], ecx
    catch .came
    hcall0 HALT
.came:
    mov ebx, [input_ring]
    call used_index
    check eax, 1, "used index"
    call find_rings
    check dword [edx + 8], 1, "used length"
    movzx eax, byte [input_buffer]
    check eax, 'x', "first byte of the buffer"
    ret`,
  },
  {
    id: 'T102',
    title: 'a reset empties the rings',
    code: `${NEEDS_CONSOLE}
    mov ebx, [output_ring]
    mov eax, 0
    call make_output_chain
    call offer_buffer
    call kick
    mov al, 0
    call console_status
    mov esi, [console_descriptor]
    movzx eax, byte [esi + 4]
    check eax, 0, "status"
    mov edi, [input_ring]
    call .is_zero
    mov edi, [output_ring]
    call .is_zero
    mov al, 1
    call console_status
    mov al, 7
    call console_status
    mov eax, 0                          ; again from the beginning
    call make_output_chain
    call offer_buffer
    call kick
    call used_index
    check eax, 1, "used index after the reset"
    ret
.is_zero:
    mov ecx, 3 * PAGE / 4
    mov eax, 0
    repe scasd
    je .zero
    fail "the ring is not empty"
.zero:
    ret`,
  },
  {
    id: 'T103',
    title: 'a kick before DRIVER_OK',
    code: `${NEEDS_CONSOLE}
    mov al, 0
    call console_status
    mov al, 1
    call console_status
    mov ebx, [output_ring]
    mov eax, 0
    call make_output_chain
    call offer_buffer
    call kick
    mov al, 3
    call console_status
    mov al, 7
    call console_status
    call kick
    call used_index
    check eax, 1, "used index"
    ret`,
  },
  {
    id: 'T114',
    title: 'power off',
    expected: 'power-off',
    code: `
    hcall2 SHUTDOWN, power_down_text - PAGE_OFFSET, POWER_OFF
${STILL_ALIVE}`,
  },
  {
    id: 'T114b',
    title: 'panic',
    expected: { kill: 'CRASH: Attempted to kill init!' },
    code: `
    hcall2 SHUTDOWN, t114_text - PAGE_OFFSET, POWER_OFF
${STILL_ALIVE}
section .data
t114_text: db "Attempted to kill init!", 0
section .text`,
  },
  {
    id: 'T115',
    title: 'restart with fresh memory',
    expected: 'restart',
    code: `
    mov eax, [PAGE_OFFSET + 0x300000]   ; nobody uses this page
    check eax, 0, "word of the life before"
    mov dword [PAGE_OFFSET + 0x300000], 0x0B0E0000
    check dword [lguest_data_at_init], 0, "word of the image"
    cmp dword [case_failed], 0
    jne .over
    mov esi, .again
    call put_string
    call end_line
    hcall2 SHUTDOWN, 0xFFFFF000, RESTART        ; the text is out of reach, as Linux has it
    fail "the guest is still alive"
.over:
    ret
.again: db "T115 restarts", 0`,
  },
  {
    id: 'T116',
    title: 'a long text',
    expected: { kill: `CRASH: ${'0123456789'.repeat(13).slice(0, 127)}` },
    code: `
    hcall2 SHUTDOWN, t116_text - PAGE_OFFSET, POWER_OFF
${STILL_ALIVE}
section .data
t116_text: times 20 db "0123456789"
    db 0
section .text`,
  },
  {
    id: 'T117',
    title: 'two fatal calls at once',
    expected: { kill: 'bad stack segment 104' },
    code: `
    ring_call SET_STACK, 0x68, trap_stack_top, 1
    ring_call SET_STACK, KERNEL_DS, trap_stack_top, 3
    hcall3 LOAD_IDT_ENTRY, 256, 0x00600000, 0x8E00
${STILL_ALIVE}`,
  },
];
