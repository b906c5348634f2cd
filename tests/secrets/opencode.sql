CREATE TABLE account (id text PRIMARY KEY, email text NOT NULL, url text NOT NULL,
    access_token text NOT NULL, refresh_token text NOT NULL, token_expiry integer);
INSERT INTO account VALUES ('1', 'CLEAR', 'http://CLEAR', 'S3CRET 1', 'S3CRET 2', 1);
CREATE TABLE control_account (email text NOT NULL, url text NOT NULL, access_token text NOT NULL,
    refresh_token text NOT NULL, CONSTRAINT control_account_pk PRIMARY KEY (email, url));
INSERT INTO control_account VALUES ('CLEAR', 'http://CLEAR', 'S3CRET 1', 'S3CRET 2');
CREATE TABLE credential (id text PRIMARY KEY, integration_id text, label text NOT NULL,
    value text NOT NULL);
INSERT INTO credential VALUES ('1', 'i', 'CLEAR', '{"type":"oauth","access":"S3CRET 1"}');
CREATE TABLE session (id text PRIMARY KEY, title text NOT NULL);
INSERT INTO session VALUES ('1', 'CLEAR');
CREATE TABLE session_share (session_id text PRIMARY KEY, id text NOT NULL, secret text NOT NULL,
    url text NOT NULL, CONSTRAINT fk_session_share_session_id_session_id_fk
    FOREIGN KEY (session_id) REFERENCES session (id) ON DELETE CASCADE);
INSERT INTO session_share VALUES ('1', 'i', 'S3CRET 1', 'http://CLEAR');
