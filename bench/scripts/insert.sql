CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, kind INTEGER);
BEGIN;
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 60000)
INSERT INTO items SELECT n, 'item ' || (n * 7919 % 60000), n % 977 * 0.25, n % 13 FROM numbers;
COMMIT;
CREATE INDEX by_name ON items(name);
UPDATE items SET price = price + 1 WHERE kind = 5;
DELETE FROM items WHERE id % 10 = 3;
SELECT count(*), sum(price), max(name) FROM items;
