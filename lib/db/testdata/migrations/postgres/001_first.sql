CREATE TABLE example (id BIGINT PRIMARY KEY, note TEXT NOT NULL DEFAULT 'a"b\c;d[e]${f}??/');
INSERT INTO example (id) VALUES (1);
