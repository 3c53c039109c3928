local parts = {}
for i = 1, 30000 do parts[#parts + 1] = string.format('%05d:%s', i, string.rep(string.char(97 + i % 26), i % 9)) end
local text = table.concat(parts, ',')
local digits, words = 0, 0
for number, word in text:gmatch('(%d+):(%a*)') do
  digits = digits + tonumber(number)
  words = words + #word
end
local changed, times = text:gsub('[aeiou]', string.upper)
local sum = 0
for i = 1, #changed, 3 do sum = (sum * 31 + changed:byte(i)) % 1000000007 end
print(#text, digits, words, times, sum)
