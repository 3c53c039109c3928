/*G:400
 * The console, done properly
 *
 * The page behind the end of memory lists the devices (lguest-abi §9.3). The console is the last one: two queues, for
 * input and output. A queue is a ring in memory: descriptors say where buffers are, the "available" ring which of
 * them the device may use, the "used" ring which it has used. The only hypercall is NOTIFY, with the address of the
 * queue; what comes back is an interrupt.
 *
 * A driver finds the descriptor, maps the rings, tells the device how far it has got (status 1: seen, 2: there is
 * a driver, 4: the driver is ready), and goes to work. A status of 0 resets the device, rings included.
 */
export const consoleDriver = `
section .text
; Maps the device page and the rings, resets the console and gets it ready. CF: there is none.
console_setup:
    pusha
    call map_device_page
    call find_console
    jc .done
    mov esi, [console_descriptor]
    movzx eax, word [esi + 5]           ; entries per ring
    mov [ring_entries], eax
    mov eax, [esi + 5 + 4]              ; page number of the input queue
    mov edi, 1
    call map_queue
    mov [input_ring], eax
    mov eax, [esi + 5 + 8 + 4]
    mov edi, 4
    call map_queue
    mov [output_ring], eax
    hcall1 FLUSH_TLB, 1
    movzx eax, word [esi + 5 + 2]
    mov [input_irq], eax
    movzx eax, word [esi + 5 + 8 + 2]
    mov [output_irq], eax
    mov al, 0
    call console_status
    mov al, 1
    call console_status
    mov al, 3
    call console_status
    mov al, 7
    call console_status
    clc
.done:
    popa
    ret

; AL: status, told to the Host.
console_status:
    pusha
    mov esi, [console_descriptor]
    mov [esi + 4], al
    sub esi, DEVICE_WINDOW
    add esi, [memory_bytes]
    hcall1 NOTIFY, esi
    popa
    ret

map_device_page:
    mov eax, [PAGE_OFFSET + BOOT_PARAMS + E820_MAP + 8]
    mov [memory_bytes], eax
    or eax, KERNEL_PAGE
    store_pte window_table, 0, eax
    hcall1 FLUSH_TLB, 1
    ret

; Walks the list. CF: no console in it.
find_console:
    mov esi, DEVICE_WINDOW
.next:
    mov al, [esi]
    cmp al, 1
    jc .end
    cmp al, 3
    je .found
    call next_descriptor
    jmp .next
.found:
    mov [console_descriptor], esi
    clc
.end:
    ret

; ESI: a descriptor; becomes the next one. Uses EAX.
next_descriptor:
    movzx eax, byte [esi + 1]           ; queues
    shl eax, 3
    push ecx
    movzx ecx, byte [esi + 2]           ; feature bytes, twice
    lea eax, [eax + ecx * 2]
    movzx ecx, byte [esi + 3]           ; configuration
    add eax, ecx
    lea esi, [esi + eax + 5]
    pop ecx
    ret

; EAX: page number, EDI: page of the window. Three pages are mapped; EAX: their address.
map_queue:
    pusha
    shl eax, 12
    or eax, KERNEL_PAGE
    mov ecx, 3
.next:
    mov [window_table + edi * PTE_BYTES], eax
    add eax, PAGE
    inc edi
    loop .next
    popa
    mov eax, edi
    shl eax, 12
    add eax, WINDOW
    ret

; EBX: a ring. EDI: its available ring, EDX: its used ring. Keeps the rest.
find_rings:
    push eax
    mov eax, [ring_entries]
    shl eax, 4
    lea edi, [ebx + eax]
    mov eax, [ring_entries]
    imul eax, eax, 18
    add eax, 6 + PAGE - 1
    and eax, ~(PAGE - 1)
    lea edx, [ebx + eax]
    pop eax
    ret

; EBX: a ring, EAX: number of its first descriptor. It becomes available. Keeps all registers.
offer_buffer:
    pusha
    call find_rings
    movzx ecx, word [edi + 2]           ; where to put it, counted without end
    mov esi, [ring_entries]
    dec esi
    and esi, ecx
    mov [edi + 4 + esi * 2], ax
    inc word [edi + 2]
    popa
    ret

; EBX: a ring. The device is told. Keeps all registers.
kick:
    pusha
    mov eax, [console_descriptor]
    mov ecx, [eax + 5 + 4]
    cmp ebx, [input_ring]
    je .found
    mov ecx, [eax + 5 + 8 + 4]
.found:
    shl ecx, 12
    hcall1 NOTIFY, ecx
    popa
    ret

; EBX: a ring, EAX: descriptor, ESI: physical address, ECX: bytes, EDX: flags and next. Keeps all registers.
set_descriptor:
    pusha
    shl eax, 4
    add ebx, eax
    mov [ebx], esi
    mov dword [ebx + 4], 0
    mov [ebx + 8], ecx
    mov [ebx + 12], edx
    popa
    ret

section .bss
align 4
memory_bytes:   resd 1
console_descriptor: resd 1
ring_entries:   resd 1
input_ring:     resd 1
output_ring:    resd 1
input_irq:      resd 1
output_irq:     resd 1
`;
