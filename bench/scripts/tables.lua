local seed = 42
local function random(limit)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % limit
end
local list = {}
for i = 1, 60000 do list[i] = random(32768) end
table.sort(list)
local counts, sum = {}, 0
for _, value in ipairs(list) do
  local key = 'k' .. value % 1000
  counts[key] = (counts[key] or 0) + 1
end
for _, count in pairs(counts) do sum = sum + count * count end
local grid = {}
for y = 1, 150 do
  grid[y] = {}
  for x = 1, 150 do grid[y][x] = (x * y) % 10 end
end
for _ = 1, 6 do
  for y = 2, 149 do
    for x = 2, 149 do grid[y][x] = (grid[y - 1][x] + grid[y][x - 1] + grid[y + 1][x] + grid[y][x + 1]) % 10 end
  end
end
print(list[1], list[30000], list[60000], sum, grid[75][75])
