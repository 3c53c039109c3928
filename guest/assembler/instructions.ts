/**
 * The instructions the assembler knows, one form per row: mnemonic, operands, encoding (SDM vol. 2).
 *
 * Operands
 *   r8 r16 r32 rv      general register (v: 16 or 32 bits, the row stands for both)
 *   rm8 … rmv          register or memory;  m m8 m16 m32 m64 m80: memory only
 *   al ax eax av cl dx that very register;  one: the constant 1
 *   imm8 imm16 imm32 immv, simm8 (a constant that fits a sign-extended byte)
 *   rel8 rel32 (jump targets), far (selector:offset), mo moffs (memory without registers)
 *   sreg cr dr st0 sti mm xmm; mm/m64 xmm/m128 xmm/m32
 * Encoding
 *   hex bytes; +r adds the register number to the last one; /r /0…/7: ModRM byte follows;
 *   ib iw id iv: immediate; jb jd: relative jump; ao: 32-bit offset; pt: far pointer
 *
 * Earlier rows win, so the short form of an instruction stands before its long form.
 */

const ROWS = `
mov al,mo : A0 ao
mov av,mo : A1 ao
mov mo,al : A2 ao
mov mo,av : A3 ao
mov rm8,r8 : 88 /r
mov rmv,rv : 89 /r
mov r8,rm8 : 8A /r
mov rv,rmv : 8B /r
mov r8,imm8 : B0 +r ib
mov rv,immv : B8 +r iv
mov rm8,imm8 : C6 /0 ib
mov rmv,immv : C7 /0 iv
mov m16,sreg : 8C /r
mov r32,sreg : 8C /r
mov r16,sreg : 66 8C /r
mov sreg,rm16 : 8E /r
mov sreg,r32 : 8E /r
mov r32,cr : 0F 20 /r
mov cr,r32 : 0F 22 /r
mov r32,dr : 0F 21 /r
mov dr,r32 : 0F 23 /r
movzx rv,rm8 : 0F B6 /r
movzx r32,rm16 : 0F B7 /r
movsx rv,rm8 : 0F BE /r
movsx r32,rm16 : 0F BF /r
lea rv,m : 8D /r
xchg av,rv : 90 +r
xchg rv,av : 90 +r
xchg rm8,r8 : 86 /r
xchg r8,rm8 : 86 /r
xchg rmv,rv : 87 /r
xchg rv,rmv : 87 /r
push r16 : 66 50 +r
push r32 : 50 +r
push simm8 : 6A ib
push imm32 : 68 id
push m16 : 66 FF /6
push m32 : FF /6
push sreg : push
pop r16 : 66 58 +r
pop r32 : 58 +r
pop m16 : 66 8F /0
pop m32 : 8F /0
pop sreg : pop
pusha : 60
popa : 61
pushf : 9C
popf : 9D
lahf : 9F
sahf : 9E
cmc : F5
clc : F8
stc : F9
cli : FA
sti : FB
cld : FC
std : FD
inc r16 : 66 40 +r
inc r32 : 40 +r
inc rm8 : FE /0
inc rmv : FF /0
dec r16 : 66 48 +r
dec r32 : 48 +r
dec rm8 : FE /1
dec rmv : FF /1
not rm8 : F6 /2
not rmv : F7 /2
neg rm8 : F6 /3
neg rmv : F7 /3
mul rm8 : F6 /4
mul rmv : F7 /4
imul rm8 : F6 /5
imul rmv : F7 /5
imul rv,rmv : 0F AF /r
imul rv,rmv,simm8 : 6B /r ib
imul rv,rmv,immv : 69 /r iv
div rm8 : F6 /6
div rmv : F7 /6
idiv rm8 : F6 /7
idiv rmv : F7 /7
test rm8,r8 : 84 /r
test rmv,rv : 85 /r
test r8,m8 : 84 /r
test rv,rmv : 85 /r
test al,imm8 : A8 ib
test av,immv : A9 iv
test rm8,imm8 : F6 /0 ib
test rmv,immv : F7 /0 iv
cbw : 66 98
cwde : 98
cwd : 66 99
cdq : 99
daa : 27
das : 2F
aaa : 37
aas : 3F
aam : D4 0A
aad : D5 0A
bsf rv,rmv : 0F BC /r
bsr rv,rmv : 0F BD /r
bt rmv,rv : 0F A3 /r
bts rmv,rv : 0F AB /r
btr rmv,rv : 0F B3 /r
btc rmv,rv : 0F BB /r
bt rmv,imm8 : 0F BA /4 ib
bts rmv,imm8 : 0F BA /5 ib
btr rmv,imm8 : 0F BA /6 ib
btc rmv,imm8 : 0F BA /7 ib
shld rmv,rv,imm8 : 0F A4 /r ib
shld rmv,rv,cl : 0F A5 /r
shrd rmv,rv,imm8 : 0F AC /r ib
shrd rmv,rv,cl : 0F AD /r
cmpxchg rm8,r8 : 0F B0 /r
cmpxchg rmv,rv : 0F B1 /r
cmpxchg8b m64 : 0F C7 /1
xadd rm8,r8 : 0F C0 /r
xadd rmv,rv : 0F C1 /r
bswap r32 : 0F C8 +r
movsb : A4
movsw : 66 A5
movsd : A5
cmpsb : A6
cmpsw : 66 A7
cmpsd : A7
stosb : AA
stosw : 66 AB
stosd : AB
lodsb : AC
lodsw : 66 AD
lodsd : AD
scasb : AE
scasw : 66 AF
scasd : AF
insb : 6C
insd : 6D
outsb : 6E
outsd : 6F
xlatb : D7
in al,imm8 : E4 ib
in ax,imm8 : 66 E5 ib
in eax,imm8 : E5 ib
in al,dx : EC
in ax,dx : 66 ED
in eax,dx : ED
out imm8,al : E6 ib
out imm8,ax : 66 E7 ib
out imm8,eax : E7 ib
out dx,al : EE
out dx,ax : 66 EF
out dx,eax : EF
jmp rel8 : EB jb
jmp rel32 : E9 jd
jmp far : EA pt
jmp rm32 : FF /4
call rel32 : E8 jd
call far : 9A pt
call rm32 : FF /2
ret : C3
ret imm16 : C2 iw
retf : CB
jecxz rel8 : E3 jb
loop rel8 : E2 jb
loope rel8 : E1 jb
loopne rel8 : E0 jb
enter imm16,imm8 : C8 iw ib
leave : C9
int3 : CC
int imm8 : CD ib
into : CE
bound r32,m : 62 /r
iret : CF
nop : 90
pause : F3 90
hlt : F4
wait : 9B
fwait : 9B
ud2 : 0F 0B
cpuid : 0F A2
rdtsc : 0F 31
rdmsr : 0F 32
wrmsr : 0F 30
rdpmc : 0F 33
sysenter : 0F 34
sysexit : 0F 35
vmcall : 0F 01 C1
clts : 0F 06
invd : 0F 08
wbinvd : 0F 09
invlpg m : 0F 01 /7
sgdt m : 0F 01 /0
sidt m : 0F 01 /1
lgdt m : 0F 01 /2
lidt m : 0F 01 /3
smsw r32 : 0F 01 /4
lmsw rm16 : 0F 01 /6
sldt r32 : 0F 00 /0
str r32 : 0F 00 /1
lldt rm16 : 0F 00 /2
ltr rm16 : 0F 00 /3
verr rm16 : 0F 00 /4
verw rm16 : 0F 00 /5
lar r32,rm16 : 0F 02 /r
lar r32,r32 : 0F 02 /r
lsl r32,rm16 : 0F 03 /r
lsl r32,r32 : 0F 03 /r
arpl rm16,r16 : 63 /r
lds r32,m : C5 /r
les r32,m : C4 /r
lss r32,m : 0F B2 /r
lfs r32,m : 0F B4 /r
lgs r32,m : 0F B5 /r
fld m32 : D9 /0
fld m64 : DD /0
fld m80 : DB /5
fld sti : D9 C0 +r
fst m32 : D9 /2
fst m64 : DD /2
fst sti : DD D0 +r
fstp m32 : D9 /3
fstp m64 : DD /3
fstp m80 : DB /7
fstp sti : DD D8 +r
fild m16 : DF /0
fild m32 : DB /0
fild m64 : DF /5
fist m16 : DF /2
fist m32 : DB /2
fistp m16 : DF /3
fistp m32 : DB /3
fistp m64 : DF /7
fbld m80 : DF /4
fbstp m80 : DF /6
fxch sti : D9 C8 +r
fxch : D9 C9
fcomi st0,sti : DB F0 +r
fcomip st0,sti : DF F0 +r
fucomi st0,sti : DB E8 +r
fucomip st0,sti : DF E8 +r
fcompp : DE D9
fucompp : DA E9
fchs : D9 E0
fabs : D9 E1
ftst : D9 E4
fxam : D9 E5
fld1 : D9 E8
fldl2t : D9 E9
fldl2e : D9 EA
fldpi : D9 EB
fldlg2 : D9 EC
fldln2 : D9 ED
fldz : D9 EE
fsqrt : D9 FA
frndint : D9 FC
fscale : D9 FD
fsin : D9 FE
fcos : D9 FF
fptan : D9 F2
fpatan : D9 F3
f2xm1 : D9 F0
fyl2x : D9 F1
fninit : DB E3
fnclex : DB E2
fnstcw m16 : D9 /7
fldcw m16 : D9 /5
fnstsw ax : DF E0
fnstsw m16 : DD /7
fnsave m : DD /6
frstor m : DD /4
fnstenv m : D9 /6
fldenv m : D9 /4
fxsave m : 0F AE /0
fxrstor m : 0F AE /1
ldmxcsr m32 : 0F AE /2
stmxcsr m32 : 0F AE /3
emms : 0F 77
movd mm,rm32 : 0F 6E /r
movd rm32,mm : 0F 7E /r
movq mm,mm/m64 : 0F 6F /r
movq m64,mm : 0F 7F /r
paddb mm,mm/m64 : 0F FC /r
paddd mm,mm/m64 : 0F FE /r
pxor mm,mm/m64 : 0F EF /r
movaps xmm,xmm/m128 : 0F 28 /r
movaps m128,xmm : 0F 29 /r
movups xmm,xmm/m128 : 0F 10 /r
movups m128,xmm : 0F 11 /r
xorps xmm,xmm/m128 : 0F 57 /r
addps xmm,xmm/m128 : 0F 58 /r
sfence : 0F AE F8
lfence : 0F AE E8
mfence : 0F AE F0
`;

/** Condition codes of jcc, setcc, cmovcc in encoding order; several names may mean the same. */
const CONDITIONS = 'o no b,c,nae ae,nb,nc e,z ne,nz be,na a,nbe s ns p,pe np,po l,nge ge,nl le,ng g,nle';

/** push and pop of a segment register: encoding by register number es cs ss ds fs gs. */
const SEGMENT_PUSH = ['06', '0E', '16', '1E', '0F A0', '0F A8'];
const SEGMENT_POP = ['07', '', '17', '1F', '0F A1', '0F A9'];

/** One way to encode a mnemonic. */
export interface Form {
  operands: readonly string[];
  /** Everything before the ModRM byte, operand-size prefix first. */
  opcode: readonly number[];
  /** Register number goes into the last opcode byte. */
  plusRegister: boolean;
  /** −1 no ModRM, 0–7 an opcode extension, 8 the register operand. */
  modrm: number;
  /** What follows: ib iw id jb cd ao pt. */
  tail: readonly string[];
  /** Operand width where the form has one (sign-extended immediates need it). */
  width: number;
}

/** All forms of every mnemonic. */
export function buildInstructionTable(): ReadonlyMap<string, readonly Form[]> {
  const table = new Map<string, Form[]>();
  for (const row of allRows()) {
    const [left, encoding] = row.split(' : ') as [string, string];
    const [mnemonic, operands] = left.split(' ') as [string, string | undefined];
    const kinds = operands === undefined ? [] : operands.split(',');
    const wide = kinds.some((kind) => /v$/.test(kind)) ? [4, 2] : [0];
    const forms = table.get(mnemonic) ?? [];
    table.set(mnemonic, forms);
    for (const width of wide) forms.push(readForm(kinds, encoding.split(' '), width));
  }
  return table;
}

function allRows(): string[] {
  const rows = ROWS.split('\n').filter((row) => row !== '' && !/sreg : (push|pop)$/.test(row));
  'add or adc sbb and sub xor cmp'.split(' ').forEach((name, n) => {
    const base = (byte: number) => (n * 8 + byte).toString(16).padStart(2, '0');
    rows.push(
      `${name} rm8,r8 : ${base(0)} /r`,
      `${name} rmv,rv : ${base(1)} /r`,
      `${name} r8,rm8 : ${base(2)} /r`,
      `${name} rv,rmv : ${base(3)} /r`,
      `${name} al,imm8 : ${base(4)} ib`,
      `${name} rmv,simm8 : 83 /${n} ib`,
      `${name} av,immv : ${base(5)} iv`,
      `${name} rm8,imm8 : 80 /${n} ib`,
      `${name} rmv,immv : 81 /${n} iv`,
    );
  });
  'rol ror rcl rcr shl shr - sar'.split(' ').forEach((name, n) => {
    if (name === '-') return;
    for (const [size, odd] of [
      ['8', 0],
      ['v', 1],
    ] as const) {
      const byte = (b: number) => (b + odd).toString(16);
      rows.push(
        `${name} rm${size},one : ${byte(0xd0)} /${n}`,
        `${name} rm${size},cl : ${byte(0xd2)} /${n}`,
        `${name} rm${size},imm8 : ${byte(0xc0)} /${n} ib`,
      );
    }
  });
  CONDITIONS.split(' ').forEach((names, n) => {
    for (const name of names.split(',')) {
      const digit = n.toString(16);
      rows.push(
        `j${name} rel8 : 7${digit} jb`,
        `j${name} rel32 : 0F 8${digit} jd`,
        `set${name} rm8 : 0F 9${digit} /0`,
        `cmov${name} rv,rmv : 0F 4${digit} /r`,
      );
    }
  });
  'fadd fmul fcom fcomp fsub fsubr fdiv fdivr'.split(' ').forEach((name, n) => {
    rows.push(`${name} m32 : D8 /${n}`, `${name} m64 : DC /${n}`);
    rows.push(`${name} st0,sti : D8 ${(0xc0 + n * 8).toString(16)} +r`);
    rows.push(`fi${name.slice(1)} m16 : DE /${n}`, `fi${name.slice(1)} m32 : DA /${n}`);
    // Written to st(i) the two directions of subtraction and division change places.
    const back = (0xc0 + (n >= 4 ? n ^ 1 : n) * 8).toString(16);
    if (n !== 2 && n !== 3) rows.push(`${name} sti,st0 : DC ${back} +r`, `${name}p sti,st0 : DE ${back} +r`);
  });
  SEGMENT_PUSH.forEach((bytes, n) => {
    rows.push(`push sreg${n} : ${bytes}`);
  });
  SEGMENT_POP.forEach((bytes, n) => {
    if (bytes !== '') rows.push(`pop sreg${n} : ${bytes}`);
  });
  return rows;
}

function readForm(kinds: readonly string[], encoding: readonly string[], width: number): Form {
  const opcode: number[] = width === 2 ? [0x66] : [];
  const tail: string[] = [];
  let plusRegister = false;
  let modrm = -1;
  for (const part of encoding) {
    if (part === '+r') plusRegister = true;
    else if (part === '/r') modrm = 8;
    else if (/^\/\d$/.test(part)) modrm = Number(part[1]);
    else if (part === 'iv') tail.push(width === 2 ? 'iw' : 'id');
    else if (/^[0-9A-Fa-f]{2}$/.test(part)) opcode.push(Number.parseInt(part, 16));
    else tail.push(part);
  }
  const sized = kinds.map((kind) =>
    kind.replace(/v$/, width === 2 ? '16' : '32').replace(/^a(16|32)$/, (_, w) => (w === '16' ? 'ax' : 'eax')),
  );
  return { operands: sized, opcode, plusRegister, modrm, tail, width };
}
