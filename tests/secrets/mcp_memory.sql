CREATE TABLE oauth_clients (client_id TEXT PRIMARY KEY, client_secret TEXT NOT NULL,
    client_name TEXT, redirect_uris TEXT NOT NULL);
INSERT INTO oauth_clients VALUES ('c', 'S3CRET 1', 'CLEAR', '[]');
CREATE TABLE oauth_authorization_codes (code TEXT PRIMARY KEY, client_id TEXT NOT NULL,
    FOREIGN KEY (client_id) REFERENCES oauth_clients (client_id) ON DELETE CASCADE);
INSERT INTO oauth_authorization_codes VALUES ('S3CRET 1', 'c');
CREATE TABLE oauth_access_tokens (token TEXT PRIMARY KEY, client_id TEXT NOT NULL, scope TEXT,
    FOREIGN KEY (client_id) REFERENCES oauth_clients (client_id) ON DELETE CASCADE);
INSERT INTO oauth_access_tokens VALUES ('S3CRET 1', 'c', 's');
CREATE TABLE oauth_refresh_tokens (token TEXT PRIMARY KEY, client_id TEXT NOT NULL,
    parent_token TEXT,
    FOREIGN KEY (client_id) REFERENCES oauth_clients (client_id) ON DELETE CASCADE);
INSERT INTO oauth_refresh_tokens VALUES ('S3CRET 1', 'c', NULL), ('S3CRET 2', 'c', 'S3CRET 1');
CREATE INDEX idx_refresh_tokens_parent ON oauth_refresh_tokens (parent_token);
