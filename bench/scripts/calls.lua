local function fib(n)
  if n < 2 then return n end
  return fib(n - 1) + fib(n - 2)
end
local function counter()
  local n = 0
  return function(step) n = n + step return n end
end
local next, sum = counter(), 0
for i = 1, 500000 do sum = sum + next(i % 7) end
print(fib(27), sum)
