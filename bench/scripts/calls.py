def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def primes(limit):
    marks = bytearray([1]) * limit
    for i in range(2, limit):
        if marks[i]:
            yield i
            for j in range(i * i, limit, i):
                marks[j] = 0


print(fib(23), sum(primes(200000)), sum(x * y % 7 for x in range(300) for y in range(300)))
