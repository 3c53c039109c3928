/**
 * Small guest programs for `npm run bench:interpreter`. Each ends in INT 0x80 with a result in EAX.
 */
export interface Program {
  readonly name: string;
  readonly code: readonly number[];
  /** Expected EAX. */
  readonly result: number;
}

const le = (n: number): number[] => [n & 255, (n >> 8) & 255, (n >> 16) & 255, (n >>> 24) & 255];

/** Registers only: xorshift. mov eax,1; mov ecx,n; L: mov edx,eax; shl edx,13; xor eax,edx; mov edx,eax; shr edx,17; xor eax,edx; mov edx,eax; shl edx,5; xor eax,edx; dec ecx; jnz L */
function xorshift(rounds: number): Program {
  let x = 1;
  for (let i = 0; i < rounds; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
  }
  const body = [
    0x89, 0xc2, 0xc1, 0xe2, 13, 0x31, 0xd0, 0x89, 0xc2, 0xc1, 0xea, 17, 0x31, 0xd0, 0x89, 0xc2, 0xc1, 0xe2, 5, 0x31,
    0xd0, 0x49,
  ];
  const code = [0xb8, ...le(1), 0xb9, ...le(rounds), ...body, 0x75, -(body.length + 2) & 255, 0xcd, 0x80];
  return { name: 'xorshift (registers)', code, result: x >>> 0 };
}

/** Memory: sieve of Eratosthenes over bytes at 0x10000, counting primes below n. */
function sieve(n: number): Program {
  const flags = new Uint8Array(n);
  let count = 0;
  for (let i = 2; i < n; i++) {
    if (flags[i]) continue;
    count++;
    for (let j = 2 * i; j < n; j += i) flags[j] = 1;
  }
  const code = [
    0x31,
    0xc0, // xor eax,eax (count)
    0xbe,
    2,
    0,
    0,
    0, // mov esi,2
    0x80,
    0xbe,
    ...le(0x10000),
    0, // outer: cmp byte [esi+0x10000],0
    0x75,
    0x15, // jne next
    0x40, // inc eax
    0x8d,
    0x3c,
    0x36, // lea edi,[esi+esi]
    0xeb,
    0x09, // jmp test
    0xc6,
    0x87,
    ...le(0x10000),
    1, // inner: mov byte [edi+0x10000],1
    0x01,
    0xf7, // add edi,esi
    0x81,
    0xff,
    ...le(n), // test: cmp edi,n
    0x72,
    0xef, // jb inner
    0x46, // next: inc esi
    0x81,
    0xfe,
    ...le(n), // cmp esi,n
    0x72,
    0xd7, // jb outer
    0xcd,
    0x80,
  ];
  return { name: 'sieve (memory)', code, result: count };
}

/** Calls: recursive Fibonacci. */
function fibonacci(n: number): Program {
  const fib = (k: number): number => (k < 2 ? k : fib(k - 1) + fib(k - 2));
  const code = [
    0x68,
    ...le(n), // push n
    0xe8,
    2,
    0,
    0,
    0, // call fib
    0xcd,
    0x80,
    0x55,
    0x89,
    0xe5,
    0x53, // push ebp; mov ebp,esp; push ebx
    0x8b,
    0x45,
    8, // mov eax,[ebp+8]
    0x83,
    0xf8,
    2, // cmp eax,2
    0x72,
    0x19, // jb done
    0x48,
    0x50, // dec eax; push eax
    0xe8,
    ...le(-19), // call fib
    0x59,
    0x89,
    0xc3, // pop ecx; mov ebx,eax
    0x8b,
    0x45,
    8,
    0x83,
    0xe8,
    2,
    0x50, // mov eax,[ebp+8]; sub eax,2; push eax
    0xe8,
    ...le(-34), // call fib
    0x59,
    0x01,
    0xd8, // pop ecx; add eax,ebx
    0x5b,
    0x5d,
    0xc3, // done: pop ebx; pop ebp; ret
  ];
  return { name: 'fibonacci (calls)', code, result: fib(n) };
}

export const PROGRAMS: readonly Program[] = [xorshift(20_000_000), sieve(800_000), fibonacci(30)];
