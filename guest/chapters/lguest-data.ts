/*G:050
 * The page we share with the Host
 *
 * `struct lguest_data` is the whole interface apart from hypercalls. The guest fills in the second half before it
 * says hello: where its kernel begins, which vector its system calls use, and between which two addresses it must
 * not be interrupted. The Host fills in a few answers. The first words are used all the time, by plain loads and
 * stores that cost nothing: the virtual interrupt flag, the mask of interrupts, the address of the last page fault,
 * the time.
 *
 * The ring in the middle is for hypercalls that can wait. The guest writes one into the next slot and sets the
 * slot's status from 0xFF (done) to 0 (ready); the Host works the slots off, in order, when it is called next.
 */
export const lguestData = `
section .data
align 4096
lguest_data:
irq_enabled:        dd 0            ; bit 9, as in EFLAGS
blocked_interrupts: dd 1            ; a mask; the timer's bit 0 is set at first
fault_address:      dd 0            ; what CR2 would hold
time_seconds:       dd 0
time_nanoseconds:   dd 0
%if LAYOUT >= 2
irq_pending:        dd 0            ; an interrupt waits for irq_enabled
%endif
hcall_status:       times RING_SLOTS db 0xFF
hcalls:             times RING_SLOTS * RING_ENTRY db 0
reserve_mem:        dd 0            ; bytes at the top that are not ours
tsc_khz:            dd 0
%if LAYOUT <= 2
pgdir:              dd 0            ; the page directory that the Host has made
%endif
noirq_start:        dd lguest_noirq_start
noirq_end:          dd lguest_noirq_end
kernel_address:     dd PAGE_OFFSET
syscall_vec:        dd 0x80
lguest_data_end:
LGUEST_DATA_BYTES   equ lguest_data_end - lguest_data
`;
