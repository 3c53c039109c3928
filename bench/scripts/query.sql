CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER, amount INTEGER);
CREATE TABLE customers (id INTEGER PRIMARY KEY, city TEXT);
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500)
INSERT INTO customers SELECT n, 'city ' || (n % 23) FROM numbers;
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
INSERT INTO orders SELECT n, n * 7919 % 500 + 1, n * 104729 % 1000 FROM numbers;
SELECT city, count(*), sum(amount), max(amount) FROM orders JOIN customers ON customers.id = customer GROUP BY city ORDER BY 3 DESC LIMIT 3;
SELECT count(*) FROM orders a WHERE id % 200 = 0 AND amount > (SELECT avg(amount) FROM orders b WHERE b.customer = 1 + a.id % 20);
SELECT sum(length(city || amount)) FROM orders, customers WHERE customers.id BETWEEN 1 AND 10 AND amount LIKE '%7%';
SELECT count(DISTINCT amount % 100 || '-' || customer) FROM orders;
