class Account:
    def __init__(self, number):
        self.number = number
        self.balance = 0

    def pay(self, amount):
        if amount > self.balance + 1000:
            raise ValueError(amount)
        self.balance -= amount


accounts = {f'a{i}': Account(i) for i in range(2000)}
seed = 1
refused = 0
for _ in range(60000):
    seed = seed * 1103515245 + 12345 & 0x7FFFFFFF
    name = f'a{(seed >> 8) % 2000}'
    try:
        accounts[name].pay((seed >> 4) % 2000 - 700)
    except ValueError:
        refused += 1
ordered = sorted(accounts.values(), key=lambda account: (account.balance, account.number))
print(refused, ordered[0].number, ordered[1000].balance, sum(account.balance for account in ordered))
