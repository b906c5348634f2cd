CREATE TABLE auth_profile_store (store_key TEXT NOT NULL PRIMARY KEY, store_json TEXT NOT NULL,
    updated_at INTEGER NOT NULL) STRICT;
INSERT INTO auth_profile_store VALUES
    ('CLEAR', '{"profiles":{"CLEAR":{"key":"S3CRET 1","refresh":"S3CRET 2"}}}', 1);
CREATE TABLE auth_profile_state (state_key TEXT NOT NULL PRIMARY KEY, state_json TEXT NOT NULL,
    updated_at INTEGER NOT NULL) STRICT;
INSERT INTO auth_profile_state VALUES ('CLEAR', '{"lastGood":{"CLEAR":"S3CRET 1"}}', 1);
CREATE TABLE session_suggestions (id TEXT NOT NULL PRIMARY KEY, text TEXT, dispatch_token TEXT)
    STRICT;
INSERT INTO session_suggestions VALUES ('1', 'CLEAR', 'S3CRET 1');
