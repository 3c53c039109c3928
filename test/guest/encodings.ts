/**
 * Encodings recorded from GNU as 2.4x (`as --32 -msyntax=intel`), one instruction a line: text | bytes.
 * Together they cover every row of guest/assembler/instructions.ts.
 */
export const RECORDED_ENCODINGS = `
mov al, [0x12345678] | a078563412
mov eax, [0x12345678] | a178563412
mov ax, [0x12345678] | 66a178563412
mov [0x12345678], al | a278563412
mov [0x12345678], eax | a378563412
mov [0x12345678], ax | 66a378563412
mov dl, bl | 88da
mov byte [ebx], ch | 882b
mov byte [esi+4], bl | 885e04
mov edx, ebx | 89da
mov dword [0x12345678], esi | 893578563412
mov dword [eax+ecx*4+0x1000], ebx | 899c8800100000
mov dword [ss:edi-2], esi | 368977fe
mov dword [edx*8+4], ebx | 891cd504000000
mov dx, bx | 6689da
mov word [ebp], si | 66897500
mov word [esp+8], bx | 66895c2408
mov bl, dl | 88d3
mov ch, byte [ebx] | 8a2b
mov bl, byte [esi+4] | 8a5e04
mov ebx, edx | 89d3
mov esi, dword [0x12345678] | 8b3578563412
mov ebx, dword [eax+ecx*4+0x1000] | 8b9c8800100000
mov esi, dword [ss:edi-2] | 368b77fe
mov ebx, dword [edx*8+4] | 8b1cd504000000
mov bx, dx | 6689d3
mov si, word [ebp] | 668b7500
mov bx, word [esp+8] | 668b5c2408
mov bl, 0x12 | b312
mov ch, 0x12 | b512
mov ebx, 0x12345678 | bb78563412
mov esi, 0x12345678 | be78563412
mov bx, 0x1234 | 66bb3412
mov si, 0x1234 | 66be3412
mov dl, 0x12 | b212
mov byte [ebx], 0x12 | c60312
mov byte [esi+4], 0x12 | c6460412
mov edx, 0x12345678 | ba78563412
mov dword [0x12345678], 0x12345678 | c7057856341278563412
mov dword [eax+ecx*4+0x1000], 0x12345678 | c784880010000078563412
mov dword [ss:edi-2], 0x12345678 | 36c747fe78563412
mov dword [edx*8+4], 0x12345678 | c704d50400000078563412
mov dx, 0x1234 | 66ba3412
mov word [ebp], 0x1234 | 66c745003412
mov word [esp+8], 0x1234 | 66c74424083412
mov word [ecx], ds | 8c19
mov word [ecx], fs | 8c21
mov ebx, ds | 8cdb
mov esi, fs | 8ce6
mov bx, ds | 668cdb
mov si, fs | 668ce6
mov ds, dx | 8eda
mov fs, word [ebp] | 8e6500
mov ds, word [esp+8] | 8e5c2408
mov ds, ebx | 8edb
mov fs, esi | 8ee6
mov ebx, cr0 | 0f20c3
mov esi, cr3 | 0f20de
mov cr0, ebx | 0f22c3
mov cr3, esi | 0f22de
mov ebx, dr7 | 0f21fb
mov esi, dr7 | 0f21fe
mov dr7, ebx | 0f23fb
mov dr7, esi | 0f23fe
movzx ebx, dl | 0fb6da
movzx esi, byte [ebx] | 0fb633
movzx ebx, byte [esi+4] | 0fb65e04
movzx bx, dl | 660fb6da
movzx si, byte [ebx] | 660fb633
movzx bx, byte [esi+4] | 660fb65e04
movzx ebx, dx | 0fb7da
movzx esi, word [ebp] | 0fb77500
movzx ebx, word [esp+8] | 0fb75c2408
movsx ebx, dl | 0fbeda
movsx esi, byte [ebx] | 0fbe33
movsx ebx, byte [esi+4] | 0fbe5e04
movsx bx, dl | 660fbeda
movsx si, byte [ebx] | 660fbe33
movsx bx, byte [esi+4] | 660fbe5e04
movsx ebx, dx | 0fbfda
movsx esi, word [ebp] | 0fbf7500
movsx ebx, word [esp+8] | 0fbf5c2408
lea ebx, [ecx] | 8d19
lea esi, [ecx] | 8d31
lea bx, [ecx] | 668d19
lea si, [ecx] | 668d31
xchg eax, ebx | 93
xchg eax, esi | 96
xchg ax, bx | 6693
xchg ax, si | 6696
xchg ebx, eax | 93
xchg esi, eax | 96
xchg bx, ax | 6693
xchg si, ax | 6696
xchg dl, bl | 86da
xchg byte [ebx], ch | 862b
xchg byte [esi+4], bl | 865e04
xchg bl, dl | 86d3
xchg ch, byte [ebx] | 862b
xchg bl, byte [esi+4] | 865e04
xchg edx, ebx | 87da
xchg dword [0x12345678], esi | 873578563412
xchg dword [eax+ecx*4+0x1000], ebx | 879c8800100000
xchg dword [ss:edi-2], esi | 368777fe
xchg dword [edx*8+4], ebx | 871cd504000000
xchg dx, bx | 6687da
xchg word [ebp], si | 66877500
xchg word [esp+8], bx | 66875c2408
xchg ebx, edx | 87d3
xchg esi, dword [0x12345678] | 873578563412
xchg ebx, dword [eax+ecx*4+0x1000] | 879c8800100000
xchg esi, dword [ss:edi-2] | 368777fe
xchg ebx, dword [edx*8+4] | 871cd504000000
xchg bx, dx | 6687d3
xchg si, word [ebp] | 66877500
xchg bx, word [esp+8] | 66875c2408
push bx | 6653
push si | 6656
push ebx | 53
push esi | 56
push 5 | 6a05
push -3 | 6afd
push 0x12345678 | 6878563412
push word [ecx] | 66ff31
push dword [ecx+0x80] | ffb180000000
push es | 06
push cs | 0e
push ss | 16
push ds | 1e
push fs | 0fa0
push gs | 0fa8
pop bx | 665b
pop si | 665e
pop ebx | 5b
pop esi | 5e
pop word [ecx] | 668f01
pop dword [ecx+0x80] | 8f8180000000
pop es | 07
pop ss | 17
pop ds | 1f
pop fs | 0fa1
pop gs | 0fa9
pusha | 60
popa | 61
pushf | 9c
popf | 9d
lahf | 9f
sahf | 9e
cmc | f5
clc | f8
stc | f9
cli | fa
sti | fb
cld | fc
std | fd
inc bx | 6643
inc si | 6646
inc ebx | 43
inc esi | 46
inc dl | fec2
inc byte [ebx] | fe03
inc byte [esi+4] | fe4604
inc edx | 42
inc dword [0x12345678] | ff0578563412
inc dword [eax+ecx*4+0x1000] | ff848800100000
inc dword [ss:edi-2] | 36ff47fe
inc dword [edx*8+4] | ff04d504000000
inc dx | 6642
inc word [ebp] | 66ff4500
inc word [esp+8] | 66ff442408
dec bx | 664b
dec si | 664e
dec ebx | 4b
dec esi | 4e
dec dl | feca
dec byte [ebx] | fe0b
dec byte [esi+4] | fe4e04
dec edx | 4a
dec dword [0x12345678] | ff0d78563412
dec dword [eax+ecx*4+0x1000] | ff8c8800100000
dec dword [ss:edi-2] | 36ff4ffe
dec dword [edx*8+4] | ff0cd504000000
dec dx | 664a
dec word [ebp] | 66ff4d00
dec word [esp+8] | 66ff4c2408
not dl | f6d2
not byte [ebx] | f613
not byte [esi+4] | f65604
not edx | f7d2
not dword [0x12345678] | f71578563412
not dword [eax+ecx*4+0x1000] | f7948800100000
not dword [ss:edi-2] | 36f757fe
not dword [edx*8+4] | f714d504000000
not dx | 66f7d2
not word [ebp] | 66f75500
not word [esp+8] | 66f7542408
neg dl | f6da
neg byte [ebx] | f61b
neg byte [esi+4] | f65e04
neg edx | f7da
neg dword [0x12345678] | f71d78563412
neg dword [eax+ecx*4+0x1000] | f79c8800100000
neg dword [ss:edi-2] | 36f75ffe
neg dword [edx*8+4] | f71cd504000000
neg dx | 66f7da
neg word [ebp] | 66f75d00
neg word [esp+8] | 66f75c2408
mul dl | f6e2
mul byte [ebx] | f623
mul byte [esi+4] | f66604
mul edx | f7e2
mul dword [0x12345678] | f72578563412
mul dword [eax+ecx*4+0x1000] | f7a48800100000
mul dword [ss:edi-2] | 36f767fe
mul dword [edx*8+4] | f724d504000000
mul dx | 66f7e2
mul word [ebp] | 66f76500
mul word [esp+8] | 66f7642408
imul dl | f6ea
imul byte [ebx] | f62b
imul byte [esi+4] | f66e04
imul edx | f7ea
imul dword [0x12345678] | f72d78563412
imul dword [eax+ecx*4+0x1000] | f7ac8800100000
imul dword [ss:edi-2] | 36f76ffe
imul dword [edx*8+4] | f72cd504000000
imul dx | 66f7ea
imul word [ebp] | 66f76d00
imul word [esp+8] | 66f76c2408
imul ebx, edx | 0fafda
imul esi, dword [0x12345678] | 0faf3578563412
imul ebx, dword [eax+ecx*4+0x1000] | 0faf9c8800100000
imul esi, dword [ss:edi-2] | 360faf77fe
imul ebx, dword [edx*8+4] | 0faf1cd504000000
imul bx, dx | 660fafda
imul si, word [ebp] | 660faf7500
imul bx, word [esp+8] | 660faf5c2408
imul ebx, edx, 5 | 6bda05
imul esi, dword [0x12345678], -3 | 6b3578563412fd
imul ebx, dword [eax+ecx*4+0x1000], 5 | 6b9c880010000005
imul esi, dword [ss:edi-2], -3 | 366b77fefd
imul ebx, dword [edx*8+4], 5 | 6b1cd50400000005
imul bx, dx, 5 | 666bda05
imul si, word [ebp], -3 | 666b7500fd
imul bx, word [esp+8], 5 | 666b5c240805
imul ebx, edx, 0x12345678 | 69da78563412
imul esi, dword [0x12345678], 0x12345678 | 69357856341278563412
imul ebx, dword [eax+ecx*4+0x1000], 0x12345678 | 699c880010000078563412
imul esi, dword [ss:edi-2], 0x12345678 | 366977fe78563412
imul ebx, dword [edx*8+4], 0x12345678 | 691cd50400000078563412
imul bx, dx, 0x1234 | 6669da3412
imul si, word [ebp], 0x1234 | 666975003412
imul bx, word [esp+8], 0x1234 | 66695c24083412
div dl | f6f2
div byte [ebx] | f633
div byte [esi+4] | f67604
div edx | f7f2
div dword [0x12345678] | f73578563412
div dword [eax+ecx*4+0x1000] | f7b48800100000
div dword [ss:edi-2] | 36f777fe
div dword [edx*8+4] | f734d504000000
div dx | 66f7f2
div word [ebp] | 66f77500
div word [esp+8] | 66f7742408
idiv dl | f6fa
idiv byte [ebx] | f63b
idiv byte [esi+4] | f67e04
idiv edx | f7fa
idiv dword [0x12345678] | f73d78563412
idiv dword [eax+ecx*4+0x1000] | f7bc8800100000
idiv dword [ss:edi-2] | 36f77ffe
idiv dword [edx*8+4] | f73cd504000000
idiv dx | 66f7fa
idiv word [ebp] | 66f77d00
idiv word [esp+8] | 66f77c2408
test dl, bl | 84da
test byte [ebx], ch | 842b
test byte [esi+4], bl | 845e04
test edx, ebx | 85da
test dword [0x12345678], esi | 853578563412
test dword [eax+ecx*4+0x1000], ebx | 859c8800100000
test dword [ss:edi-2], esi | 368577fe
test dword [edx*8+4], ebx | 851cd504000000
test dx, bx | 6685da
test word [ebp], si | 66857500
test word [esp+8], bx | 66855c2408
test bl, byte [ecx] | 8419
test ch, byte [ecx] | 8429
test ebx, edx | 85d3
test esi, dword [0x12345678] | 853578563412
test ebx, dword [eax+ecx*4+0x1000] | 859c8800100000
test esi, dword [ss:edi-2] | 368577fe
test ebx, dword [edx*8+4] | 851cd504000000
test bx, dx | 6685d3
test si, word [ebp] | 66857500
test bx, word [esp+8] | 66855c2408
test al, 0x12 | a812
test eax, 0x12345678 | a978563412
test ax, 0x1234 | 66a93412
test dl, 0x12 | f6c212
test byte [ebx], 0x12 | f60312
test byte [esi+4], 0x12 | f6460412
test edx, 0x12345678 | f7c278563412
test dword [0x12345678], 0x12345678 | f7057856341278563412
test dword [eax+ecx*4+0x1000], 0x12345678 | f784880010000078563412
test dword [ss:edi-2], 0x12345678 | 36f747fe78563412
test dword [edx*8+4], 0x12345678 | f704d50400000078563412
test dx, 0x1234 | 66f7c23412
test word [ebp], 0x1234 | 66f745003412
test word [esp+8], 0x1234 | 66f74424083412
cbw | 6698
cwde | 98
cwd | 6699
cdq | 99
daa | 27
das | 2f
aaa | 37
aas | 3f
aam | d40a
aad | d50a
bsf ebx, edx | 0fbcda
bsf esi, dword [0x12345678] | 0fbc3578563412
bsf ebx, dword [eax+ecx*4+0x1000] | 0fbc9c8800100000
bsf esi, dword [ss:edi-2] | 360fbc77fe
bsf ebx, dword [edx*8+4] | 0fbc1cd504000000
bsf bx, dx | 660fbcda
bsf si, word [ebp] | 660fbc7500
bsf bx, word [esp+8] | 660fbc5c2408
bsr ebx, edx | 0fbdda
bsr esi, dword [0x12345678] | 0fbd3578563412
bsr ebx, dword [eax+ecx*4+0x1000] | 0fbd9c8800100000
bsr esi, dword [ss:edi-2] | 360fbd77fe
bsr ebx, dword [edx*8+4] | 0fbd1cd504000000
bsr bx, dx | 660fbdda
bsr si, word [ebp] | 660fbd7500
bsr bx, word [esp+8] | 660fbd5c2408
bt edx, ebx | 0fa3da
bt dword [0x12345678], esi | 0fa33578563412
bt dword [eax+ecx*4+0x1000], ebx | 0fa39c8800100000
bt dword [ss:edi-2], esi | 360fa377fe
bt dword [edx*8+4], ebx | 0fa31cd504000000
bt dx, bx | 660fa3da
bt word [ebp], si | 660fa37500
bt word [esp+8], bx | 660fa35c2408
bt edx, 0x12 | 0fbae212
bt dword [0x12345678], 0x12 | 0fba257856341212
bt dword [eax+ecx*4+0x1000], 0x12 | 0fbaa4880010000012
bt dword [ss:edi-2], 0x12 | 360fba67fe12
bt dword [edx*8+4], 0x12 | 0fba24d50400000012
bt dx, 0x12 | 660fbae212
bt word [ebp], 0x12 | 660fba650012
bt word [esp+8], 0x12 | 660fba64240812
bts edx, ebx | 0fabda
bts dword [0x12345678], esi | 0fab3578563412
bts dword [eax+ecx*4+0x1000], ebx | 0fab9c8800100000
bts dword [ss:edi-2], esi | 360fab77fe
bts dword [edx*8+4], ebx | 0fab1cd504000000
bts dx, bx | 660fabda
bts word [ebp], si | 660fab7500
bts word [esp+8], bx | 660fab5c2408
bts edx, 0x12 | 0fbaea12
bts dword [0x12345678], 0x12 | 0fba2d7856341212
bts dword [eax+ecx*4+0x1000], 0x12 | 0fbaac880010000012
bts dword [ss:edi-2], 0x12 | 360fba6ffe12
bts dword [edx*8+4], 0x12 | 0fba2cd50400000012
bts dx, 0x12 | 660fbaea12
bts word [ebp], 0x12 | 660fba6d0012
bts word [esp+8], 0x12 | 660fba6c240812
btr edx, ebx | 0fb3da
btr dword [0x12345678], esi | 0fb33578563412
btr dword [eax+ecx*4+0x1000], ebx | 0fb39c8800100000
btr dword [ss:edi-2], esi | 360fb377fe
btr dword [edx*8+4], ebx | 0fb31cd504000000
btr dx, bx | 660fb3da
btr word [ebp], si | 660fb37500
btr word [esp+8], bx | 660fb35c2408
btr edx, 0x12 | 0fbaf212
btr dword [0x12345678], 0x12 | 0fba357856341212
btr dword [eax+ecx*4+0x1000], 0x12 | 0fbab4880010000012
btr dword [ss:edi-2], 0x12 | 360fba77fe12
btr dword [edx*8+4], 0x12 | 0fba34d50400000012
btr dx, 0x12 | 660fbaf212
btr word [ebp], 0x12 | 660fba750012
btr word [esp+8], 0x12 | 660fba74240812
btc edx, ebx | 0fbbda
btc dword [0x12345678], esi | 0fbb3578563412
btc dword [eax+ecx*4+0x1000], ebx | 0fbb9c8800100000
btc dword [ss:edi-2], esi | 360fbb77fe
btc dword [edx*8+4], ebx | 0fbb1cd504000000
btc dx, bx | 660fbbda
btc word [ebp], si | 660fbb7500
btc word [esp+8], bx | 660fbb5c2408
btc edx, 0x12 | 0fbafa12
btc dword [0x12345678], 0x12 | 0fba3d7856341212
btc dword [eax+ecx*4+0x1000], 0x12 | 0fbabc880010000012
btc dword [ss:edi-2], 0x12 | 360fba7ffe12
btc dword [edx*8+4], 0x12 | 0fba3cd50400000012
btc dx, 0x12 | 660fbafa12
btc word [ebp], 0x12 | 660fba7d0012
btc word [esp+8], 0x12 | 660fba7c240812
shld edx, ebx, 0x12 | 0fa4da12
shld dword [0x12345678], esi, 0x12 | 0fa4357856341212
shld dword [eax+ecx*4+0x1000], ebx, 0x12 | 0fa49c880010000012
shld dword [ss:edi-2], esi, 0x12 | 360fa477fe12
shld dword [edx*8+4], ebx, 0x12 | 0fa41cd50400000012
shld dx, bx, 0x12 | 660fa4da12
shld word [ebp], si, 0x12 | 660fa4750012
shld word [esp+8], bx, 0x12 | 660fa45c240812
shld edx, ebx, cl | 0fa5da
shld dword [0x12345678], esi, cl | 0fa53578563412
shld dword [eax+ecx*4+0x1000], ebx, cl | 0fa59c8800100000
shld dword [ss:edi-2], esi, cl | 360fa577fe
shld dword [edx*8+4], ebx, cl | 0fa51cd504000000
shld dx, bx, cl | 660fa5da
shld word [ebp], si, cl | 660fa57500
shld word [esp+8], bx, cl | 660fa55c2408
shrd edx, ebx, 0x12 | 0facda12
shrd dword [0x12345678], esi, 0x12 | 0fac357856341212
shrd dword [eax+ecx*4+0x1000], ebx, 0x12 | 0fac9c880010000012
shrd dword [ss:edi-2], esi, 0x12 | 360fac77fe12
shrd dword [edx*8+4], ebx, 0x12 | 0fac1cd50400000012
shrd dx, bx, 0x12 | 660facda12
shrd word [ebp], si, 0x12 | 660fac750012
shrd word [esp+8], bx, 0x12 | 660fac5c240812
shrd edx, ebx, cl | 0fadda
shrd dword [0x12345678], esi, cl | 0fad3578563412
shrd dword [eax+ecx*4+0x1000], ebx, cl | 0fad9c8800100000
shrd dword [ss:edi-2], esi, cl | 360fad77fe
shrd dword [edx*8+4], ebx, cl | 0fad1cd504000000
shrd dx, bx, cl | 660fadda
shrd word [ebp], si, cl | 660fad7500
shrd word [esp+8], bx, cl | 660fad5c2408
cmpxchg dl, bl | 0fb0da
cmpxchg byte [ebx], ch | 0fb02b
cmpxchg byte [esi+4], bl | 0fb05e04
cmpxchg edx, ebx | 0fb1da
cmpxchg dword [0x12345678], esi | 0fb13578563412
cmpxchg dword [eax+ecx*4+0x1000], ebx | 0fb19c8800100000
cmpxchg dword [ss:edi-2], esi | 360fb177fe
cmpxchg dword [edx*8+4], ebx | 0fb11cd504000000
cmpxchg dx, bx | 660fb1da
cmpxchg word [ebp], si | 660fb17500
cmpxchg word [esp+8], bx | 660fb15c2408
cmpxchg8b qword [eax+eax*2] | 0fc70c40
xadd dl, bl | 0fc0da
xadd byte [ebx], ch | 0fc02b
xadd byte [esi+4], bl | 0fc05e04
xadd edx, ebx | 0fc1da
xadd dword [0x12345678], esi | 0fc13578563412
xadd dword [eax+ecx*4+0x1000], ebx | 0fc19c8800100000
xadd dword [ss:edi-2], esi | 360fc177fe
xadd dword [edx*8+4], ebx | 0fc11cd504000000
xadd dx, bx | 660fc1da
xadd word [ebp], si | 660fc17500
xadd word [esp+8], bx | 660fc15c2408
bswap ebx | 0fcb
bswap esi | 0fce
movsb | a4
movsw | 66a5
movsd | a5
cmpsb | a6
cmpsw | 66a7
cmpsd | a7
stosb | aa
stosw | 66ab
stosd | ab
lodsb | ac
lodsw | 66ad
lodsd | ad
scasb | ae
scasw | 66af
scasd | af
insb | 6c
insd | 6d
outsb | 6e
outsd | 6f
xlatb | d7
in al, 0x12 | e412
in ax, 0x12 | 66e512
in eax, 0x12 | e512
in al, dx | ec
in ax, dx | 66ed
in eax, dx | ed
out 0x12, al | e612
out 0x12, ax | 66e712
out 0x12, eax | e712
out dx, al | ee
out dx, ax | 66ef
out dx, eax | ef
jmp $+5 | eb03
jmp $+0x1000 | e9fb0f0000
jmp 0x61:0x12345678 | ea785634126100
jmp edx | ffe2
jmp dword [0x12345678] | ff2578563412
jmp dword [eax+ecx*4+0x1000] | ffa48800100000
jmp dword [ss:edi-2] | 36ff67fe
jmp dword [edx*8+4] | ff24d504000000
call $+0x1000 | e8fb0f0000
call 0x61:0x12345678 | 9a785634126100
call edx | ffd2
call dword [0x12345678] | ff1578563412
call dword [eax+ecx*4+0x1000] | ff948800100000
call dword [ss:edi-2] | 36ff57fe
call dword [edx*8+4] | ff14d504000000
ret | c3
ret 0x1234 | c23412
retf | cb
jecxz $+5 | e303
loop $+5 | e203
loope $+5 | e103
loopne $+5 | e003
enter 0x1234, 0x12 | c8341212
leave | c9
int3 | cc
int 0x12 | cd12
into | ce
bound ebx, [ecx] | 6219
bound esi, [ecx] | 6231
iret | cf
nop | 90
pause | f390
hlt | f4
wait | 9b
fwait | 9b
ud2 | 0f0b
cpuid | 0fa2
rdtsc | 0f31
rdmsr | 0f32
wrmsr | 0f30
rdpmc | 0f33
sysenter | 0f34
sysexit | 0f35
vmcall | 0f01c1
clts | 0f06
invd | 0f08
wbinvd | 0f09
invlpg [ecx] | 0f0139
sgdt [ecx] | 0f0101
sidt [ecx] | 0f0109
lgdt [ecx] | 0f0111
lidt [ecx] | 0f0119
smsw ebx | 0f01e3
smsw esi | 0f01e6
lmsw dx | 0f01f2
lmsw word [ebp] | 0f017500
lmsw word [esp+8] | 0f01742408
sldt ebx | 0f00c3
sldt esi | 0f00c6
str ebx | 0f00cb
str esi | 0f00ce
lldt dx | 0f00d2
lldt word [ebp] | 0f005500
lldt word [esp+8] | 0f00542408
ltr dx | 0f00da
ltr word [ebp] | 0f005d00
ltr word [esp+8] | 0f005c2408
verr dx | 0f00e2
verr word [ebp] | 0f006500
verr word [esp+8] | 0f00642408
verw dx | 0f00ea
verw word [ebp] | 0f006d00
verw word [esp+8] | 0f006c2408
lar ebx, dx | 0f02da
lar esi, word [ebp] | 0f027500
lar ebx, word [esp+8] | 0f025c2408
lar ebx, ebx | 0f02db
lar esi, esi | 0f02f6
lsl ebx, dx | 0f03da
lsl esi, word [ebp] | 0f037500
lsl ebx, word [esp+8] | 0f035c2408
lsl ebx, ebx | 0f03db
lsl esi, esi | 0f03f6
arpl dx, bx | 63da
arpl word [ebp], si | 637500
arpl word [esp+8], bx | 635c2408
lds ebx, [ecx] | c519
lds esi, [ecx] | c531
les ebx, [ecx] | c419
les esi, [ecx] | c431
lss ebx, [ecx] | 0fb219
lss esi, [ecx] | 0fb231
lfs ebx, [ecx] | 0fb419
lfs esi, [ecx] | 0fb431
lgs ebx, [ecx] | 0fb519
lgs esi, [ecx] | 0fb531
fld dword [ecx+0x80] | d98180000000
fld qword [eax+eax*2] | dd0440
fld tword [ebp-8] | db6df8
fld st3 | d9c3
fst dword [ecx+0x80] | d99180000000
fst qword [eax+eax*2] | dd1440
fst st3 | ddd3
fstp dword [ecx+0x80] | d99980000000
fstp qword [eax+eax*2] | dd1c40
fstp tword [ebp-8] | db7df8
fstp st3 | dddb
fild word [ecx] | df01
fild dword [ecx+0x80] | db8180000000
fild qword [eax+eax*2] | df2c40
fist word [ecx] | df11
fist dword [ecx+0x80] | db9180000000
fistp word [ecx] | df19
fistp dword [ecx+0x80] | db9980000000
fistp qword [eax+eax*2] | df3c40
fbld tword [ebp-8] | df65f8
fbstp tword [ebp-8] | df75f8
fxch st3 | d9cb
fxch | d9c9
fcomi st0, st3 | dbf3
fcomip st0, st3 | dff3
fucomi st0, st3 | dbeb
fucomip st0, st3 | dfeb
fcompp | ded9
fucompp | dae9
fchs | d9e0
fabs | d9e1
ftst | d9e4
fxam | d9e5
fld1 | d9e8
fldl2t | d9e9
fldl2e | d9ea
fldpi | d9eb
fldlg2 | d9ec
fldln2 | d9ed
fldz | d9ee
fsqrt | d9fa
frndint | d9fc
fscale | d9fd
fsin | d9fe
fcos | d9ff
fptan | d9f2
fpatan | d9f3
f2xm1 | d9f0
fyl2x | d9f1
fninit | dbe3
fnclex | dbe2
fnstcw word [ecx] | d939
fldcw word [ecx] | d929
fnstsw ax | dfe0
fnstsw word [ecx] | dd39
fnsave [ecx] | dd31
frstor [ecx] | dd21
fnstenv [ecx] | d931
fldenv [ecx] | d921
fxsave [ecx] | 0fae01
fxrstor [ecx] | 0fae09
ldmxcsr dword [ecx+0x80] | 0fae9180000000
stmxcsr dword [ecx+0x80] | 0fae9980000000
emms | 0f77
movd mm2, edx | 0f6ed2
movd mm2, dword [0x12345678] | 0f6e1578563412
movd mm2, dword [eax+ecx*4+0x1000] | 0f6e948800100000
movd mm2, dword [ss:edi-2] | 360f6e57fe
movd mm2, dword [edx*8+4] | 0f6e14d504000000
movd edx, mm2 | 0f7ed2
movd dword [0x12345678], mm2 | 0f7e1578563412
movd dword [eax+ecx*4+0x1000], mm2 | 0f7e948800100000
movd dword [ss:edi-2], mm2 | 360f7e57fe
movd dword [edx*8+4], mm2 | 0f7e14d504000000
movq mm2, mm5 | 0f6fd5
movq mm2, qword [ebx] | 0f6f13
movq qword [eax+eax*2], mm2 | 0f7f1440
paddb mm2, mm5 | 0ffcd5
paddb mm2, qword [ebx] | 0ffc13
paddd mm2, mm5 | 0ffed5
paddd mm2, qword [ebx] | 0ffe13
pxor mm2, mm5 | 0fefd5
pxor mm2, qword [ebx] | 0fef13
movaps xmm1, xmm6 | 0f28ce
movaps xmm1, oword [ebx] | 0f280b
movaps oword [ecx+16], xmm1 | 0f294910
movups xmm1, xmm6 | 0f10ce
movups xmm1, oword [ebx] | 0f100b
movups oword [ecx+16], xmm1 | 0f114910
xorps xmm1, xmm6 | 0f57ce
xorps xmm1, oword [ebx] | 0f570b
addps xmm1, xmm6 | 0f58ce
addps xmm1, oword [ebx] | 0f580b
sfence | 0faef8
lfence | 0faee8
mfence | 0faef0
add dl, bl | 00da
add byte [ebx], ch | 002b
add byte [esi+4], bl | 005e04
add edx, ebx | 01da
add dword [0x12345678], esi | 013578563412
add dword [eax+ecx*4+0x1000], ebx | 019c8800100000
add dword [ss:edi-2], esi | 360177fe
add dword [edx*8+4], ebx | 011cd504000000
add dx, bx | 6601da
add word [ebp], si | 66017500
add word [esp+8], bx | 66015c2408
add bl, dl | 00d3
add ch, byte [ebx] | 022b
add bl, byte [esi+4] | 025e04
add ebx, edx | 01d3
add esi, dword [0x12345678] | 033578563412
add ebx, dword [eax+ecx*4+0x1000] | 039c8800100000
add esi, dword [ss:edi-2] | 360377fe
add ebx, dword [edx*8+4] | 031cd504000000
add bx, dx | 6601d3
add si, word [ebp] | 66037500
add bx, word [esp+8] | 66035c2408
add al, 0x12 | 0412
add edx, 5 | 83c205
add dword [0x12345678], -3 | 830578563412fd
add dword [eax+ecx*4+0x1000], 5 | 8384880010000005
add dword [ss:edi-2], -3 | 368347fefd
add dword [edx*8+4], 5 | 8304d50400000005
add dx, 5 | 6683c205
add word [ebp], -3 | 66834500fd
add word [esp+8], 5 | 668344240805
add eax, 0x12345678 | 0578563412
add ax, 0x1234 | 66053412
add dl, 0x12 | 80c212
add byte [ebx], 0x12 | 800312
add byte [esi+4], 0x12 | 80460412
add edx, 0x12345678 | 81c278563412
add dword [0x12345678], 0x12345678 | 81057856341278563412
add dword [eax+ecx*4+0x1000], 0x12345678 | 8184880010000078563412
add dword [ss:edi-2], 0x12345678 | 368147fe78563412
add dword [edx*8+4], 0x12345678 | 8104d50400000078563412
add dx, 0x1234 | 6681c23412
add word [ebp], 0x1234 | 668145003412
add word [esp+8], 0x1234 | 66814424083412
or dl, bl | 08da
or byte [ebx], ch | 082b
or byte [esi+4], bl | 085e04
or edx, ebx | 09da
or dword [0x12345678], esi | 093578563412
or dword [eax+ecx*4+0x1000], ebx | 099c8800100000
or dword [ss:edi-2], esi | 360977fe
or dword [edx*8+4], ebx | 091cd504000000
or dx, bx | 6609da
or word [ebp], si | 66097500
or word [esp+8], bx | 66095c2408
or bl, dl | 08d3
or ch, byte [ebx] | 0a2b
or bl, byte [esi+4] | 0a5e04
or ebx, edx | 09d3
or esi, dword [0x12345678] | 0b3578563412
or ebx, dword [eax+ecx*4+0x1000] | 0b9c8800100000
or esi, dword [ss:edi-2] | 360b77fe
or ebx, dword [edx*8+4] | 0b1cd504000000
or bx, dx | 6609d3
or si, word [ebp] | 660b7500
or bx, word [esp+8] | 660b5c2408
or al, 0x12 | 0c12
or edx, 5 | 83ca05
or dword [0x12345678], -3 | 830d78563412fd
or dword [eax+ecx*4+0x1000], 5 | 838c880010000005
or dword [ss:edi-2], -3 | 36834ffefd
or dword [edx*8+4], 5 | 830cd50400000005
or dx, 5 | 6683ca05
or word [ebp], -3 | 66834d00fd
or word [esp+8], 5 | 66834c240805
or eax, 0x12345678 | 0d78563412
or ax, 0x1234 | 660d3412
or dl, 0x12 | 80ca12
or byte [ebx], 0x12 | 800b12
or byte [esi+4], 0x12 | 804e0412
or edx, 0x12345678 | 81ca78563412
or dword [0x12345678], 0x12345678 | 810d7856341278563412
or dword [eax+ecx*4+0x1000], 0x12345678 | 818c880010000078563412
or dword [ss:edi-2], 0x12345678 | 36814ffe78563412
or dword [edx*8+4], 0x12345678 | 810cd50400000078563412
or dx, 0x1234 | 6681ca3412
or word [ebp], 0x1234 | 66814d003412
or word [esp+8], 0x1234 | 66814c24083412
adc dl, bl | 10da
adc byte [ebx], ch | 102b
adc byte [esi+4], bl | 105e04
adc edx, ebx | 11da
adc dword [0x12345678], esi | 113578563412
adc dword [eax+ecx*4+0x1000], ebx | 119c8800100000
adc dword [ss:edi-2], esi | 361177fe
adc dword [edx*8+4], ebx | 111cd504000000
adc dx, bx | 6611da
adc word [ebp], si | 66117500
adc word [esp+8], bx | 66115c2408
adc bl, dl | 10d3
adc ch, byte [ebx] | 122b
adc bl, byte [esi+4] | 125e04
adc ebx, edx | 11d3
adc esi, dword [0x12345678] | 133578563412
adc ebx, dword [eax+ecx*4+0x1000] | 139c8800100000
adc esi, dword [ss:edi-2] | 361377fe
adc ebx, dword [edx*8+4] | 131cd504000000
adc bx, dx | 6611d3
adc si, word [ebp] | 66137500
adc bx, word [esp+8] | 66135c2408
adc al, 0x12 | 1412
adc edx, 5 | 83d205
adc dword [0x12345678], -3 | 831578563412fd
adc dword [eax+ecx*4+0x1000], 5 | 8394880010000005
adc dword [ss:edi-2], -3 | 368357fefd
adc dword [edx*8+4], 5 | 8314d50400000005
adc dx, 5 | 6683d205
adc word [ebp], -3 | 66835500fd
adc word [esp+8], 5 | 668354240805
adc eax, 0x12345678 | 1578563412
adc ax, 0x1234 | 66153412
adc dl, 0x12 | 80d212
adc byte [ebx], 0x12 | 801312
adc byte [esi+4], 0x12 | 80560412
adc edx, 0x12345678 | 81d278563412
adc dword [0x12345678], 0x12345678 | 81157856341278563412
adc dword [eax+ecx*4+0x1000], 0x12345678 | 8194880010000078563412
adc dword [ss:edi-2], 0x12345678 | 368157fe78563412
adc dword [edx*8+4], 0x12345678 | 8114d50400000078563412
adc dx, 0x1234 | 6681d23412
adc word [ebp], 0x1234 | 668155003412
adc word [esp+8], 0x1234 | 66815424083412
sbb dl, bl | 18da
sbb byte [ebx], ch | 182b
sbb byte [esi+4], bl | 185e04
sbb edx, ebx | 19da
sbb dword [0x12345678], esi | 193578563412
sbb dword [eax+ecx*4+0x1000], ebx | 199c8800100000
sbb dword [ss:edi-2], esi | 361977fe
sbb dword [edx*8+4], ebx | 191cd504000000
sbb dx, bx | 6619da
sbb word [ebp], si | 66197500
sbb word [esp+8], bx | 66195c2408
sbb bl, dl | 18d3
sbb ch, byte [ebx] | 1a2b
sbb bl, byte [esi+4] | 1a5e04
sbb ebx, edx | 19d3
sbb esi, dword [0x12345678] | 1b3578563412
sbb ebx, dword [eax+ecx*4+0x1000] | 1b9c8800100000
sbb esi, dword [ss:edi-2] | 361b77fe
sbb ebx, dword [edx*8+4] | 1b1cd504000000
sbb bx, dx | 6619d3
sbb si, word [ebp] | 661b7500
sbb bx, word [esp+8] | 661b5c2408
sbb al, 0x12 | 1c12
sbb edx, 5 | 83da05
sbb dword [0x12345678], -3 | 831d78563412fd
sbb dword [eax+ecx*4+0x1000], 5 | 839c880010000005
sbb dword [ss:edi-2], -3 | 36835ffefd
sbb dword [edx*8+4], 5 | 831cd50400000005
sbb dx, 5 | 6683da05
sbb word [ebp], -3 | 66835d00fd
sbb word [esp+8], 5 | 66835c240805
sbb eax, 0x12345678 | 1d78563412
sbb ax, 0x1234 | 661d3412
sbb dl, 0x12 | 80da12
sbb byte [ebx], 0x12 | 801b12
sbb byte [esi+4], 0x12 | 805e0412
sbb edx, 0x12345678 | 81da78563412
sbb dword [0x12345678], 0x12345678 | 811d7856341278563412
sbb dword [eax+ecx*4+0x1000], 0x12345678 | 819c880010000078563412
sbb dword [ss:edi-2], 0x12345678 | 36815ffe78563412
sbb dword [edx*8+4], 0x12345678 | 811cd50400000078563412
sbb dx, 0x1234 | 6681da3412
sbb word [ebp], 0x1234 | 66815d003412
sbb word [esp+8], 0x1234 | 66815c24083412
and dl, bl | 20da
and byte [ebx], ch | 202b
and byte [esi+4], bl | 205e04
and edx, ebx | 21da
and dword [0x12345678], esi | 213578563412
and dword [eax+ecx*4+0x1000], ebx | 219c8800100000
and dword [ss:edi-2], esi | 362177fe
and dword [edx*8+4], ebx | 211cd504000000
and dx, bx | 6621da
and word [ebp], si | 66217500
and word [esp+8], bx | 66215c2408
and bl, dl | 20d3
and ch, byte [ebx] | 222b
and bl, byte [esi+4] | 225e04
and ebx, edx | 21d3
and esi, dword [0x12345678] | 233578563412
and ebx, dword [eax+ecx*4+0x1000] | 239c8800100000
and esi, dword [ss:edi-2] | 362377fe
and ebx, dword [edx*8+4] | 231cd504000000
and bx, dx | 6621d3
and si, word [ebp] | 66237500
and bx, word [esp+8] | 66235c2408
and al, 0x12 | 2412
and edx, 5 | 83e205
and dword [0x12345678], -3 | 832578563412fd
and dword [eax+ecx*4+0x1000], 5 | 83a4880010000005
and dword [ss:edi-2], -3 | 368367fefd
and dword [edx*8+4], 5 | 8324d50400000005
and dx, 5 | 6683e205
and word [ebp], -3 | 66836500fd
and word [esp+8], 5 | 668364240805
and eax, 0x12345678 | 2578563412
and ax, 0x1234 | 66253412
and dl, 0x12 | 80e212
and byte [ebx], 0x12 | 802312
and byte [esi+4], 0x12 | 80660412
and edx, 0x12345678 | 81e278563412
and dword [0x12345678], 0x12345678 | 81257856341278563412
and dword [eax+ecx*4+0x1000], 0x12345678 | 81a4880010000078563412
and dword [ss:edi-2], 0x12345678 | 368167fe78563412
and dword [edx*8+4], 0x12345678 | 8124d50400000078563412
and dx, 0x1234 | 6681e23412
and word [ebp], 0x1234 | 668165003412
and word [esp+8], 0x1234 | 66816424083412
sub dl, bl | 28da
sub byte [ebx], ch | 282b
sub byte [esi+4], bl | 285e04
sub edx, ebx | 29da
sub dword [0x12345678], esi | 293578563412
sub dword [eax+ecx*4+0x1000], ebx | 299c8800100000
sub dword [ss:edi-2], esi | 362977fe
sub dword [edx*8+4], ebx | 291cd504000000
sub dx, bx | 6629da
sub word [ebp], si | 66297500
sub word [esp+8], bx | 66295c2408
sub bl, dl | 28d3
sub ch, byte [ebx] | 2a2b
sub bl, byte [esi+4] | 2a5e04
sub ebx, edx | 29d3
sub esi, dword [0x12345678] | 2b3578563412
sub ebx, dword [eax+ecx*4+0x1000] | 2b9c8800100000
sub esi, dword [ss:edi-2] | 362b77fe
sub ebx, dword [edx*8+4] | 2b1cd504000000
sub bx, dx | 6629d3
sub si, word [ebp] | 662b7500
sub bx, word [esp+8] | 662b5c2408
sub al, 0x12 | 2c12
sub edx, 5 | 83ea05
sub dword [0x12345678], -3 | 832d78563412fd
sub dword [eax+ecx*4+0x1000], 5 | 83ac880010000005
sub dword [ss:edi-2], -3 | 36836ffefd
sub dword [edx*8+4], 5 | 832cd50400000005
sub dx, 5 | 6683ea05
sub word [ebp], -3 | 66836d00fd
sub word [esp+8], 5 | 66836c240805
sub eax, 0x12345678 | 2d78563412
sub ax, 0x1234 | 662d3412
sub dl, 0x12 | 80ea12
sub byte [ebx], 0x12 | 802b12
sub byte [esi+4], 0x12 | 806e0412
sub edx, 0x12345678 | 81ea78563412
sub dword [0x12345678], 0x12345678 | 812d7856341278563412
sub dword [eax+ecx*4+0x1000], 0x12345678 | 81ac880010000078563412
sub dword [ss:edi-2], 0x12345678 | 36816ffe78563412
sub dword [edx*8+4], 0x12345678 | 812cd50400000078563412
sub dx, 0x1234 | 6681ea3412
sub word [ebp], 0x1234 | 66816d003412
sub word [esp+8], 0x1234 | 66816c24083412
xor dl, bl | 30da
xor byte [ebx], ch | 302b
xor byte [esi+4], bl | 305e04
xor edx, ebx | 31da
xor dword [0x12345678], esi | 313578563412
xor dword [eax+ecx*4+0x1000], ebx | 319c8800100000
xor dword [ss:edi-2], esi | 363177fe
xor dword [edx*8+4], ebx | 311cd504000000
xor dx, bx | 6631da
xor word [ebp], si | 66317500
xor word [esp+8], bx | 66315c2408
xor bl, dl | 30d3
xor ch, byte [ebx] | 322b
xor bl, byte [esi+4] | 325e04
xor ebx, edx | 31d3
xor esi, dword [0x12345678] | 333578563412
xor ebx, dword [eax+ecx*4+0x1000] | 339c8800100000
xor esi, dword [ss:edi-2] | 363377fe
xor ebx, dword [edx*8+4] | 331cd504000000
xor bx, dx | 6631d3
xor si, word [ebp] | 66337500
xor bx, word [esp+8] | 66335c2408
xor al, 0x12 | 3412
xor edx, 5 | 83f205
xor dword [0x12345678], -3 | 833578563412fd
xor dword [eax+ecx*4+0x1000], 5 | 83b4880010000005
xor dword [ss:edi-2], -3 | 368377fefd
xor dword [edx*8+4], 5 | 8334d50400000005
xor dx, 5 | 6683f205
xor word [ebp], -3 | 66837500fd
xor word [esp+8], 5 | 668374240805
xor eax, 0x12345678 | 3578563412
xor ax, 0x1234 | 66353412
xor dl, 0x12 | 80f212
xor byte [ebx], 0x12 | 803312
xor byte [esi+4], 0x12 | 80760412
xor edx, 0x12345678 | 81f278563412
xor dword [0x12345678], 0x12345678 | 81357856341278563412
xor dword [eax+ecx*4+0x1000], 0x12345678 | 81b4880010000078563412
xor dword [ss:edi-2], 0x12345678 | 368177fe78563412
xor dword [edx*8+4], 0x12345678 | 8134d50400000078563412
xor dx, 0x1234 | 6681f23412
xor word [ebp], 0x1234 | 668175003412
xor word [esp+8], 0x1234 | 66817424083412
cmp dl, bl | 38da
cmp byte [ebx], ch | 382b
cmp byte [esi+4], bl | 385e04
cmp edx, ebx | 39da
cmp dword [0x12345678], esi | 393578563412
cmp dword [eax+ecx*4+0x1000], ebx | 399c8800100000
cmp dword [ss:edi-2], esi | 363977fe
cmp dword [edx*8+4], ebx | 391cd504000000
cmp dx, bx | 6639da
cmp word [ebp], si | 66397500
cmp word [esp+8], bx | 66395c2408
cmp bl, dl | 38d3
cmp ch, byte [ebx] | 3a2b
cmp bl, byte [esi+4] | 3a5e04
cmp ebx, edx | 39d3
cmp esi, dword [0x12345678] | 3b3578563412
cmp ebx, dword [eax+ecx*4+0x1000] | 3b9c8800100000
cmp esi, dword [ss:edi-2] | 363b77fe
cmp ebx, dword [edx*8+4] | 3b1cd504000000
cmp bx, dx | 6639d3
cmp si, word [ebp] | 663b7500
cmp bx, word [esp+8] | 663b5c2408
cmp al, 0x12 | 3c12
cmp edx, 5 | 83fa05
cmp dword [0x12345678], -3 | 833d78563412fd
cmp dword [eax+ecx*4+0x1000], 5 | 83bc880010000005
cmp dword [ss:edi-2], -3 | 36837ffefd
cmp dword [edx*8+4], 5 | 833cd50400000005
cmp dx, 5 | 6683fa05
cmp word [ebp], -3 | 66837d00fd
cmp word [esp+8], 5 | 66837c240805
cmp eax, 0x12345678 | 3d78563412
cmp ax, 0x1234 | 663d3412
cmp dl, 0x12 | 80fa12
cmp byte [ebx], 0x12 | 803b12
cmp byte [esi+4], 0x12 | 807e0412
cmp edx, 0x12345678 | 81fa78563412
cmp dword [0x12345678], 0x12345678 | 813d7856341278563412
cmp dword [eax+ecx*4+0x1000], 0x12345678 | 81bc880010000078563412
cmp dword [ss:edi-2], 0x12345678 | 36817ffe78563412
cmp dword [edx*8+4], 0x12345678 | 813cd50400000078563412
cmp dx, 0x1234 | 6681fa3412
cmp word [ebp], 0x1234 | 66817d003412
cmp word [esp+8], 0x1234 | 66817c24083412
rol dl, 1 | d0c2
rol byte [ebx], 1 | d003
rol byte [esi+4], 1 | d04604
rol dl, cl | d2c2
rol byte [ebx], cl | d203
rol byte [esi+4], cl | d24604
rol dl, 0x12 | c0c212
rol byte [ebx], 0x12 | c00312
rol byte [esi+4], 0x12 | c0460412
rol edx, 1 | d1c2
rol dword [0x12345678], 1 | d10578563412
rol dword [eax+ecx*4+0x1000], 1 | d1848800100000
rol dword [ss:edi-2], 1 | 36d147fe
rol dword [edx*8+4], 1 | d104d504000000
rol dx, 1 | 66d1c2
rol word [ebp], 1 | 66d14500
rol word [esp+8], 1 | 66d1442408
rol edx, cl | d3c2
rol dword [0x12345678], cl | d30578563412
rol dword [eax+ecx*4+0x1000], cl | d3848800100000
rol dword [ss:edi-2], cl | 36d347fe
rol dword [edx*8+4], cl | d304d504000000
rol dx, cl | 66d3c2
rol word [ebp], cl | 66d34500
rol word [esp+8], cl | 66d3442408
rol edx, 0x12 | c1c212
rol dword [0x12345678], 0x12 | c1057856341212
rol dword [eax+ecx*4+0x1000], 0x12 | c184880010000012
rol dword [ss:edi-2], 0x12 | 36c147fe12
rol dword [edx*8+4], 0x12 | c104d50400000012
rol dx, 0x12 | 66c1c212
rol word [ebp], 0x12 | 66c1450012
rol word [esp+8], 0x12 | 66c144240812
ror dl, 1 | d0ca
ror byte [ebx], 1 | d00b
ror byte [esi+4], 1 | d04e04
ror dl, cl | d2ca
ror byte [ebx], cl | d20b
ror byte [esi+4], cl | d24e04
ror dl, 0x12 | c0ca12
ror byte [ebx], 0x12 | c00b12
ror byte [esi+4], 0x12 | c04e0412
ror edx, 1 | d1ca
ror dword [0x12345678], 1 | d10d78563412
ror dword [eax+ecx*4+0x1000], 1 | d18c8800100000
ror dword [ss:edi-2], 1 | 36d14ffe
ror dword [edx*8+4], 1 | d10cd504000000
ror dx, 1 | 66d1ca
ror word [ebp], 1 | 66d14d00
ror word [esp+8], 1 | 66d14c2408
ror edx, cl | d3ca
ror dword [0x12345678], cl | d30d78563412
ror dword [eax+ecx*4+0x1000], cl | d38c8800100000
ror dword [ss:edi-2], cl | 36d34ffe
ror dword [edx*8+4], cl | d30cd504000000
ror dx, cl | 66d3ca
ror word [ebp], cl | 66d34d00
ror word [esp+8], cl | 66d34c2408
ror edx, 0x12 | c1ca12
ror dword [0x12345678], 0x12 | c10d7856341212
ror dword [eax+ecx*4+0x1000], 0x12 | c18c880010000012
ror dword [ss:edi-2], 0x12 | 36c14ffe12
ror dword [edx*8+4], 0x12 | c10cd50400000012
ror dx, 0x12 | 66c1ca12
ror word [ebp], 0x12 | 66c14d0012
ror word [esp+8], 0x12 | 66c14c240812
rcl dl, 1 | d0d2
rcl byte [ebx], 1 | d013
rcl byte [esi+4], 1 | d05604
rcl dl, cl | d2d2
rcl byte [ebx], cl | d213
rcl byte [esi+4], cl | d25604
rcl dl, 0x12 | c0d212
rcl byte [ebx], 0x12 | c01312
rcl byte [esi+4], 0x12 | c0560412
rcl edx, 1 | d1d2
rcl dword [0x12345678], 1 | d11578563412
rcl dword [eax+ecx*4+0x1000], 1 | d1948800100000
rcl dword [ss:edi-2], 1 | 36d157fe
rcl dword [edx*8+4], 1 | d114d504000000
rcl dx, 1 | 66d1d2
rcl word [ebp], 1 | 66d15500
rcl word [esp+8], 1 | 66d1542408
rcl edx, cl | d3d2
rcl dword [0x12345678], cl | d31578563412
rcl dword [eax+ecx*4+0x1000], cl | d3948800100000
rcl dword [ss:edi-2], cl | 36d357fe
rcl dword [edx*8+4], cl | d314d504000000
rcl dx, cl | 66d3d2
rcl word [ebp], cl | 66d35500
rcl word [esp+8], cl | 66d3542408
rcl edx, 0x12 | c1d212
rcl dword [0x12345678], 0x12 | c1157856341212
rcl dword [eax+ecx*4+0x1000], 0x12 | c194880010000012
rcl dword [ss:edi-2], 0x12 | 36c157fe12
rcl dword [edx*8+4], 0x12 | c114d50400000012
rcl dx, 0x12 | 66c1d212
rcl word [ebp], 0x12 | 66c1550012
rcl word [esp+8], 0x12 | 66c154240812
rcr dl, 1 | d0da
rcr byte [ebx], 1 | d01b
rcr byte [esi+4], 1 | d05e04
rcr dl, cl | d2da
rcr byte [ebx], cl | d21b
rcr byte [esi+4], cl | d25e04
rcr dl, 0x12 | c0da12
rcr byte [ebx], 0x12 | c01b12
rcr byte [esi+4], 0x12 | c05e0412
rcr edx, 1 | d1da
rcr dword [0x12345678], 1 | d11d78563412
rcr dword [eax+ecx*4+0x1000], 1 | d19c8800100000
rcr dword [ss:edi-2], 1 | 36d15ffe
rcr dword [edx*8+4], 1 | d11cd504000000
rcr dx, 1 | 66d1da
rcr word [ebp], 1 | 66d15d00
rcr word [esp+8], 1 | 66d15c2408
rcr edx, cl | d3da
rcr dword [0x12345678], cl | d31d78563412
rcr dword [eax+ecx*4+0x1000], cl | d39c8800100000
rcr dword [ss:edi-2], cl | 36d35ffe
rcr dword [edx*8+4], cl | d31cd504000000
rcr dx, cl | 66d3da
rcr word [ebp], cl | 66d35d00
rcr word [esp+8], cl | 66d35c2408
rcr edx, 0x12 | c1da12
rcr dword [0x12345678], 0x12 | c11d7856341212
rcr dword [eax+ecx*4+0x1000], 0x12 | c19c880010000012
rcr dword [ss:edi-2], 0x12 | 36c15ffe12
rcr dword [edx*8+4], 0x12 | c11cd50400000012
rcr dx, 0x12 | 66c1da12
rcr word [ebp], 0x12 | 66c15d0012
rcr word [esp+8], 0x12 | 66c15c240812
shl dl, 1 | d0e2
shl byte [ebx], 1 | d023
shl byte [esi+4], 1 | d06604
shl dl, cl | d2e2
shl byte [ebx], cl | d223
shl byte [esi+4], cl | d26604
shl dl, 0x12 | c0e212
shl byte [ebx], 0x12 | c02312
shl byte [esi+4], 0x12 | c0660412
shl edx, 1 | d1e2
shl dword [0x12345678], 1 | d12578563412
shl dword [eax+ecx*4+0x1000], 1 | d1a48800100000
shl dword [ss:edi-2], 1 | 36d167fe
shl dword [edx*8+4], 1 | d124d504000000
shl dx, 1 | 66d1e2
shl word [ebp], 1 | 66d16500
shl word [esp+8], 1 | 66d1642408
shl edx, cl | d3e2
shl dword [0x12345678], cl | d32578563412
shl dword [eax+ecx*4+0x1000], cl | d3a48800100000
shl dword [ss:edi-2], cl | 36d367fe
shl dword [edx*8+4], cl | d324d504000000
shl dx, cl | 66d3e2
shl word [ebp], cl | 66d36500
shl word [esp+8], cl | 66d3642408
shl edx, 0x12 | c1e212
shl dword [0x12345678], 0x12 | c1257856341212
shl dword [eax+ecx*4+0x1000], 0x12 | c1a4880010000012
shl dword [ss:edi-2], 0x12 | 36c167fe12
shl dword [edx*8+4], 0x12 | c124d50400000012
shl dx, 0x12 | 66c1e212
shl word [ebp], 0x12 | 66c1650012
shl word [esp+8], 0x12 | 66c164240812
shr dl, 1 | d0ea
shr byte [ebx], 1 | d02b
shr byte [esi+4], 1 | d06e04
shr dl, cl | d2ea
shr byte [ebx], cl | d22b
shr byte [esi+4], cl | d26e04
shr dl, 0x12 | c0ea12
shr byte [ebx], 0x12 | c02b12
shr byte [esi+4], 0x12 | c06e0412
shr edx, 1 | d1ea
shr dword [0x12345678], 1 | d12d78563412
shr dword [eax+ecx*4+0x1000], 1 | d1ac8800100000
shr dword [ss:edi-2], 1 | 36d16ffe
shr dword [edx*8+4], 1 | d12cd504000000
shr dx, 1 | 66d1ea
shr word [ebp], 1 | 66d16d00
shr word [esp+8], 1 | 66d16c2408
shr edx, cl | d3ea
shr dword [0x12345678], cl | d32d78563412
shr dword [eax+ecx*4+0x1000], cl | d3ac8800100000
shr dword [ss:edi-2], cl | 36d36ffe
shr dword [edx*8+4], cl | d32cd504000000
shr dx, cl | 66d3ea
shr word [ebp], cl | 66d36d00
shr word [esp+8], cl | 66d36c2408
shr edx, 0x12 | c1ea12
shr dword [0x12345678], 0x12 | c12d7856341212
shr dword [eax+ecx*4+0x1000], 0x12 | c1ac880010000012
shr dword [ss:edi-2], 0x12 | 36c16ffe12
shr dword [edx*8+4], 0x12 | c12cd50400000012
shr dx, 0x12 | 66c1ea12
shr word [ebp], 0x12 | 66c16d0012
shr word [esp+8], 0x12 | 66c16c240812
sar dl, 1 | d0fa
sar byte [ebx], 1 | d03b
sar byte [esi+4], 1 | d07e04
sar dl, cl | d2fa
sar byte [ebx], cl | d23b
sar byte [esi+4], cl | d27e04
sar dl, 0x12 | c0fa12
sar byte [ebx], 0x12 | c03b12
sar byte [esi+4], 0x12 | c07e0412
sar edx, 1 | d1fa
sar dword [0x12345678], 1 | d13d78563412
sar dword [eax+ecx*4+0x1000], 1 | d1bc8800100000
sar dword [ss:edi-2], 1 | 36d17ffe
sar dword [edx*8+4], 1 | d13cd504000000
sar dx, 1 | 66d1fa
sar word [ebp], 1 | 66d17d00
sar word [esp+8], 1 | 66d17c2408
sar edx, cl | d3fa
sar dword [0x12345678], cl | d33d78563412
sar dword [eax+ecx*4+0x1000], cl | d3bc8800100000
sar dword [ss:edi-2], cl | 36d37ffe
sar dword [edx*8+4], cl | d33cd504000000
sar dx, cl | 66d3fa
sar word [ebp], cl | 66d37d00
sar word [esp+8], cl | 66d37c2408
sar edx, 0x12 | c1fa12
sar dword [0x12345678], 0x12 | c13d7856341212
sar dword [eax+ecx*4+0x1000], 0x12 | c1bc880010000012
sar dword [ss:edi-2], 0x12 | 36c17ffe12
sar dword [edx*8+4], 0x12 | c13cd50400000012
sar dx, 0x12 | 66c1fa12
sar word [ebp], 0x12 | 66c17d0012
sar word [esp+8], 0x12 | 66c17c240812
jo $+5 | 7003
jo $+0x1000 | 0f80fa0f0000
seto dl | 0f90c2
cmovo ebx, edx | 0f40da
cmovo esi, dword [0x12345678] | 0f403578563412
cmovo ebx, dword [eax+ecx*4+0x1000] | 0f409c8800100000
cmovo esi, dword [ss:edi-2] | 360f4077fe
cmovo ebx, dword [edx*8+4] | 0f401cd504000000
cmovo bx, dx | 660f40da
cmovo si, word [ebp] | 660f407500
cmovo bx, word [esp+8] | 660f405c2408
jno $+5 | 7103
jno $+0x1000 | 0f81fa0f0000
setno dl | 0f91c2
cmovno ebx, edx | 0f41da
cmovno esi, dword [0x12345678] | 0f413578563412
cmovno ebx, dword [eax+ecx*4+0x1000] | 0f419c8800100000
cmovno esi, dword [ss:edi-2] | 360f4177fe
cmovno ebx, dword [edx*8+4] | 0f411cd504000000
cmovno bx, dx | 660f41da
cmovno si, word [ebp] | 660f417500
cmovno bx, word [esp+8] | 660f415c2408
jb $+5 | 7203
jb $+0x1000 | 0f82fa0f0000
setb dl | 0f92c2
cmovb ebx, edx | 0f42da
cmovb esi, dword [0x12345678] | 0f423578563412
cmovb ebx, dword [eax+ecx*4+0x1000] | 0f429c8800100000
cmovb esi, dword [ss:edi-2] | 360f4277fe
cmovb ebx, dword [edx*8+4] | 0f421cd504000000
cmovb bx, dx | 660f42da
cmovb si, word [ebp] | 660f427500
cmovb bx, word [esp+8] | 660f425c2408
jc $+5 | 7203
setc dl | 0f92c2
jnae $+5 | 7203
setnae dl | 0f92c2
jae $+5 | 7303
jae $+0x1000 | 0f83fa0f0000
setae dl | 0f93c2
cmovae ebx, edx | 0f43da
cmovae esi, dword [0x12345678] | 0f433578563412
cmovae ebx, dword [eax+ecx*4+0x1000] | 0f439c8800100000
cmovae esi, dword [ss:edi-2] | 360f4377fe
cmovae ebx, dword [edx*8+4] | 0f431cd504000000
cmovae bx, dx | 660f43da
cmovae si, word [ebp] | 660f437500
cmovae bx, word [esp+8] | 660f435c2408
jnb $+5 | 7303
setnb dl | 0f93c2
jnc $+5 | 7303
setnc dl | 0f93c2
je $+5 | 7403
je $+0x1000 | 0f84fa0f0000
sete dl | 0f94c2
cmove ebx, edx | 0f44da
cmove esi, dword [0x12345678] | 0f443578563412
cmove ebx, dword [eax+ecx*4+0x1000] | 0f449c8800100000
cmove esi, dword [ss:edi-2] | 360f4477fe
cmove ebx, dword [edx*8+4] | 0f441cd504000000
cmove bx, dx | 660f44da
cmove si, word [ebp] | 660f447500
cmove bx, word [esp+8] | 660f445c2408
jz $+5 | 7403
setz dl | 0f94c2
jne $+5 | 7503
jne $+0x1000 | 0f85fa0f0000
setne dl | 0f95c2
cmovne ebx, edx | 0f45da
cmovne esi, dword [0x12345678] | 0f453578563412
cmovne ebx, dword [eax+ecx*4+0x1000] | 0f459c8800100000
cmovne esi, dword [ss:edi-2] | 360f4577fe
cmovne ebx, dword [edx*8+4] | 0f451cd504000000
cmovne bx, dx | 660f45da
cmovne si, word [ebp] | 660f457500
cmovne bx, word [esp+8] | 660f455c2408
jnz $+5 | 7503
setnz dl | 0f95c2
jbe $+5 | 7603
jbe $+0x1000 | 0f86fa0f0000
setbe dl | 0f96c2
cmovbe ebx, edx | 0f46da
cmovbe esi, dword [0x12345678] | 0f463578563412
cmovbe ebx, dword [eax+ecx*4+0x1000] | 0f469c8800100000
cmovbe esi, dword [ss:edi-2] | 360f4677fe
cmovbe ebx, dword [edx*8+4] | 0f461cd504000000
cmovbe bx, dx | 660f46da
cmovbe si, word [ebp] | 660f467500
cmovbe bx, word [esp+8] | 660f465c2408
jna $+5 | 7603
setna dl | 0f96c2
ja $+5 | 7703
ja $+0x1000 | 0f87fa0f0000
seta dl | 0f97c2
cmova ebx, edx | 0f47da
cmova esi, dword [0x12345678] | 0f473578563412
cmova ebx, dword [eax+ecx*4+0x1000] | 0f479c8800100000
cmova esi, dword [ss:edi-2] | 360f4777fe
cmova ebx, dword [edx*8+4] | 0f471cd504000000
cmova bx, dx | 660f47da
cmova si, word [ebp] | 660f477500
cmova bx, word [esp+8] | 660f475c2408
jnbe $+5 | 7703
setnbe dl | 0f97c2
js $+5 | 7803
js $+0x1000 | 0f88fa0f0000
sets dl | 0f98c2
cmovs ebx, edx | 0f48da
cmovs esi, dword [0x12345678] | 0f483578563412
cmovs ebx, dword [eax+ecx*4+0x1000] | 0f489c8800100000
cmovs esi, dword [ss:edi-2] | 360f4877fe
cmovs ebx, dword [edx*8+4] | 0f481cd504000000
cmovs bx, dx | 660f48da
cmovs si, word [ebp] | 660f487500
cmovs bx, word [esp+8] | 660f485c2408
jns $+5 | 7903
jns $+0x1000 | 0f89fa0f0000
setns dl | 0f99c2
cmovns ebx, edx | 0f49da
cmovns esi, dword [0x12345678] | 0f493578563412
cmovns ebx, dword [eax+ecx*4+0x1000] | 0f499c8800100000
cmovns esi, dword [ss:edi-2] | 360f4977fe
cmovns ebx, dword [edx*8+4] | 0f491cd504000000
cmovns bx, dx | 660f49da
cmovns si, word [ebp] | 660f497500
cmovns bx, word [esp+8] | 660f495c2408
jp $+5 | 7a03
jp $+0x1000 | 0f8afa0f0000
setp dl | 0f9ac2
cmovp ebx, edx | 0f4ada
cmovp esi, dword [0x12345678] | 0f4a3578563412
cmovp ebx, dword [eax+ecx*4+0x1000] | 0f4a9c8800100000
cmovp esi, dword [ss:edi-2] | 360f4a77fe
cmovp ebx, dword [edx*8+4] | 0f4a1cd504000000
cmovp bx, dx | 660f4ada
cmovp si, word [ebp] | 660f4a7500
cmovp bx, word [esp+8] | 660f4a5c2408
jpe $+5 | 7a03
setpe dl | 0f9ac2
jnp $+5 | 7b03
jnp $+0x1000 | 0f8bfa0f0000
setnp dl | 0f9bc2
cmovnp ebx, edx | 0f4bda
cmovnp esi, dword [0x12345678] | 0f4b3578563412
cmovnp ebx, dword [eax+ecx*4+0x1000] | 0f4b9c8800100000
cmovnp esi, dword [ss:edi-2] | 360f4b77fe
cmovnp ebx, dword [edx*8+4] | 0f4b1cd504000000
cmovnp bx, dx | 660f4bda
cmovnp si, word [ebp] | 660f4b7500
cmovnp bx, word [esp+8] | 660f4b5c2408
jpo $+5 | 7b03
setpo dl | 0f9bc2
jl $+5 | 7c03
jl $+0x1000 | 0f8cfa0f0000
setl dl | 0f9cc2
cmovl ebx, edx | 0f4cda
cmovl esi, dword [0x12345678] | 0f4c3578563412
cmovl ebx, dword [eax+ecx*4+0x1000] | 0f4c9c8800100000
cmovl esi, dword [ss:edi-2] | 360f4c77fe
cmovl ebx, dword [edx*8+4] | 0f4c1cd504000000
cmovl bx, dx | 660f4cda
cmovl si, word [ebp] | 660f4c7500
cmovl bx, word [esp+8] | 660f4c5c2408
jnge $+5 | 7c03
setnge dl | 0f9cc2
jge $+5 | 7d03
jge $+0x1000 | 0f8dfa0f0000
setge dl | 0f9dc2
cmovge ebx, edx | 0f4dda
cmovge esi, dword [0x12345678] | 0f4d3578563412
cmovge ebx, dword [eax+ecx*4+0x1000] | 0f4d9c8800100000
cmovge esi, dword [ss:edi-2] | 360f4d77fe
cmovge ebx, dword [edx*8+4] | 0f4d1cd504000000
cmovge bx, dx | 660f4dda
cmovge si, word [ebp] | 660f4d7500
cmovge bx, word [esp+8] | 660f4d5c2408
jnl $+5 | 7d03
setnl dl | 0f9dc2
jle $+5 | 7e03
jle $+0x1000 | 0f8efa0f0000
setle dl | 0f9ec2
cmovle ebx, edx | 0f4eda
cmovle esi, dword [0x12345678] | 0f4e3578563412
cmovle ebx, dword [eax+ecx*4+0x1000] | 0f4e9c8800100000
cmovle esi, dword [ss:edi-2] | 360f4e77fe
cmovle ebx, dword [edx*8+4] | 0f4e1cd504000000
cmovle bx, dx | 660f4eda
cmovle si, word [ebp] | 660f4e7500
cmovle bx, word [esp+8] | 660f4e5c2408
jng $+5 | 7e03
setng dl | 0f9ec2
jg $+5 | 7f03
jg $+0x1000 | 0f8ffa0f0000
setg dl | 0f9fc2
cmovg ebx, edx | 0f4fda
cmovg esi, dword [0x12345678] | 0f4f3578563412
cmovg ebx, dword [eax+ecx*4+0x1000] | 0f4f9c8800100000
cmovg esi, dword [ss:edi-2] | 360f4f77fe
cmovg ebx, dword [edx*8+4] | 0f4f1cd504000000
cmovg bx, dx | 660f4fda
cmovg si, word [ebp] | 660f4f7500
cmovg bx, word [esp+8] | 660f4f5c2408
jnle $+5 | 7f03
setnle dl | 0f9fc2
fadd dword [ecx+0x80] | d88180000000
fadd qword [eax+eax*2] | dc0440
fadd st0, st3 | d8c3
fadd st3, st0 | dcc3
fiadd word [ecx] | de01
fiadd dword [ecx+0x80] | da8180000000
faddp st3, st0 | dec3
fmul dword [ecx+0x80] | d88980000000
fmul qword [eax+eax*2] | dc0c40
fmul st0, st3 | d8cb
fmul st3, st0 | dccb
fimul word [ecx] | de09
fimul dword [ecx+0x80] | da8980000000
fmulp st3, st0 | decb
fcom dword [ecx+0x80] | d89180000000
fcom qword [eax+eax*2] | dc1440
fcom st0, st3 | d8d3
ficom word [ecx] | de11
ficom dword [ecx+0x80] | da9180000000
fcomp dword [ecx+0x80] | d89980000000
fcomp qword [eax+eax*2] | dc1c40
fcomp st0, st3 | d8db
ficomp word [ecx] | de19
ficomp dword [ecx+0x80] | da9980000000
fsub dword [ecx+0x80] | d8a180000000
fsub qword [eax+eax*2] | dc2440
fsub st0, st3 | d8e3
fsub st3, st0 | dceb
fisub word [ecx] | de21
fisub dword [ecx+0x80] | daa180000000
fsubp st3, st0 | deeb
fsubr dword [ecx+0x80] | d8a980000000
fsubr qword [eax+eax*2] | dc2c40
fsubr st0, st3 | d8eb
fsubr st3, st0 | dce3
fisubr word [ecx] | de29
fisubr dword [ecx+0x80] | daa980000000
fsubrp st3, st0 | dee3
fdiv dword [ecx+0x80] | d8b180000000
fdiv qword [eax+eax*2] | dc3440
fdiv st0, st3 | d8f3
fdiv st3, st0 | dcfb
fidiv word [ecx] | de31
fidiv dword [ecx+0x80] | dab180000000
fdivp st3, st0 | defb
fdivr dword [ecx+0x80] | d8b980000000
fdivr qword [eax+eax*2] | dc3c40
fdivr st0, st3 | d8fb
fdivr st3, st0 | dcf3
fidivr word [ecx] | de39
fidivr dword [ecx+0x80] | dab980000000
fdivrp st3, st0 | def3
`;
