seed = 7
words = []
for _ in range(40000):
    seed = seed * 1103515245 + 12345 & 0x7FFFFFFF
    words.append('%x' % (seed >> 10))
text = ' '.join(words)
counts = {}
for word in text.split():
    counts[word[:2]] = counts.get(word[:2], 0) + 1
best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:3]
replaced = text.replace('ab', 'XY').upper()
total = 0
for character in replaced[::3]:
    total = (total * 31 + ord(character)) % 1000000007
print(len(text), best, total, 3 ** 4000 % 10 ** 20)
