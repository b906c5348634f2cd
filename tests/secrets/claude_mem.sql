CREATE TABLE api_keys (id TEXT PRIMARY KEY, name TEXT NOT NULL, key_hash TEXT NOT NULL UNIQUE,
    prefix TEXT, status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')));
INSERT INTO api_keys VALUES ('1', 'CLEAR', 'S3CRET 1', 'cm_', 'active'),
    ('2', 'b', 'S3CRET 2', 'cm_', 'revoked');
