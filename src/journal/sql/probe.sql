INSERT INTO probe (id, written, filler) VALUES (1, 1, randomblob(?1))
ON CONFLICT (id) DO UPDATE SET written = written + 1, filler = randomblob(?1)
