-- What a C string must be careful with: "quotes", \backslashes\, ??/ trigraphs; semicolons, [brackets] and ${variables}.
CREATE TABLE example (id INTEGER PRIMARY KEY, note TEXT NOT NULL DEFAULT 'a"b\c;d[e]${f}??/');
INSERT INTO example (id) VALUES (1);
