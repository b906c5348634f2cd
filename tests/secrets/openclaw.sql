CREATE TABLE apns_registrations (node_id TEXT NOT NULL PRIMARY KEY, transport TEXT NOT NULL,
    token TEXT, relay_handle TEXT, send_grant TEXT) STRICT;
INSERT INTO apns_registrations VALUES ('1', 'CLEAR', 'S3CRET 1', 'S3CRET 2', 'S3CRET 3');
CREATE TABLE audit_identity_keys (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    key_id TEXT NOT NULL, key BLOB NOT NULL) STRICT;
INSERT INTO audit_identity_keys VALUES (1, 'k', x'533343524554');
CREATE TABLE channel_ingress_events (queue_name TEXT NOT NULL, event_id TEXT NOT NULL,
    payload_json TEXT NOT NULL, PRIMARY KEY (queue_name, event_id)) STRICT;
INSERT INTO channel_ingress_events VALUES ('CLEAR', '1', '{"update":{"text":"S3CRET 1"}}');
CREATE TABLE channel_pairing_requests (channel_key TEXT NOT NULL, account_id TEXT NOT NULL,
    request_id TEXT NOT NULL, code TEXT NOT NULL,
    PRIMARY KEY (channel_key, account_id, request_id)) STRICT;
INSERT INTO channel_pairing_requests VALUES ('CLEAR', 'a', 'r', 'S3CRET 1');
CREATE TABLE clawhub_promotion_claims (slug TEXT NOT NULL PRIMARY KEY,
    model_keys_json TEXT NOT NULL) STRICT;
INSERT INTO clawhub_promotion_claims VALUES ('CLEAR', '["S3CRET 1"]');
CREATE TABLE config_machine_state (state_key TEXT NOT NULL PRIMARY KEY, value_json TEXT NOT NULL,
    updated_at_ms INTEGER NOT NULL) STRICT;
INSERT INTO config_machine_state VALUES
    ('authProfiles.store', '{"profiles":{"CLEAR":{"key":"S3CRET 1","access":"S3CRET 2"}}}', 1),
    ('nodeHost.config', '{"token":"S3CRET 1","gateway":{"cloudflareAccess":{"id":"S3CRET"}}}', 1),
    ('webPush.vapidKeys', '{"publicKey":"CLEAR","privateKey":"S3CRET 1"}', 1),
    ('tts.prefsPath', '"CLEAR"', 1);
CREATE TABLE config_revision_keys (id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    hmac_key BLOB NOT NULL CHECK (length(hmac_key) = 32)) STRICT;
INSERT INTO config_revision_keys VALUES (1, CAST('S3CRET 1' || hex(zeroblob(12)) AS BLOB));
CREATE TABLE device_auth_tokens (device_id TEXT NOT NULL, role TEXT NOT NULL, token TEXT NOT NULL,
    PRIMARY KEY (device_id, role)) STRICT;
INSERT INTO device_auth_tokens VALUES ('1', 'CLEAR', 'S3CRET 1');
CREATE TABLE device_bootstrap_tokens (token_key TEXT NOT NULL PRIMARY KEY, token TEXT NOT NULL)
    STRICT;
INSERT INTO device_bootstrap_tokens VALUES ('S3CRET 1', 'S3CRET 1');
CREATE TABLE device_identities (identity_key TEXT NOT NULL PRIMARY KEY,
    public_key_pem TEXT NOT NULL, private_key_pem TEXT NOT NULL) STRICT;
INSERT INTO device_identities VALUES ('1', 'CLEAR', 'S3CRET 1');
CREATE TABLE device_pairing_join_codes (shortcode TEXT, payload_json TEXT, created_at_ms INTEGER,
    expires_at_ms INTEGER) STRICT;
INSERT INTO device_pairing_join_codes VALUES ('S3CRET 1', '{"token":"S3CRET 2"}', 1, 2);
CREATE TABLE device_pairing_paired (device_id TEXT NOT NULL PRIMARY KEY, public_key TEXT NOT NULL,
    tokens_json TEXT) STRICT;
INSERT INTO device_pairing_paired VALUES ('1', 'CLEAR',
    '{"operator":{"token":"S3CRET 1","role":"CLEAR"}}');
CREATE TABLE exec_approvals_config (config_key TEXT NOT NULL PRIMARY KEY, raw_json TEXT NOT NULL)
    STRICT;
INSERT INTO exec_approvals_config VALUES ('1', '{"socket":{"path":"CLEAR","token":"S3CRET 1"}}');
CREATE TABLE gateway_origin_device_tokens (gateway_scope TEXT NOT NULL, device_id TEXT NOT NULL,
    token TEXT NOT NULL, PRIMARY KEY (gateway_scope, device_id)) STRICT;
INSERT INTO gateway_origin_device_tokens VALUES ('CLEAR', '1', 'S3CRET 1');
CREATE TABLE mcp_oauth_pending_authorizations (state TEXT NOT NULL PRIMARY KEY,
    store_key TEXT NOT NULL) STRICT;
INSERT INTO mcp_oauth_pending_authorizations VALUES ('S3CRET 1', '1');
CREATE TABLE mcp_oauth_stores (store_key TEXT NOT NULL PRIMARY KEY,
    format_version INTEGER NOT NULL CHECK (format_version = 1), store_json TEXT NOT NULL) STRICT;
INSERT INTO mcp_oauth_stores VALUES ('1', 1, '{"tokens":{"access_token":"S3CRET 1",
    "refresh_token":"S3CRET 2","id_token":"S3CRET 3","token_type":"CLEAR"},"clientInformation":
    {"client_id":"CLEAR","client_secret":"S3CRET 4","registration_access_token":"S3CRET 5"},
    "codeVerifier":"S3CRET 6","lastAuthorizationUrl":"https://id/?state=S3CRET"}');
CREATE TABLE native_hook_relay_bridges (relay_id TEXT NOT NULL PRIMARY KEY, hostname TEXT NOT NULL,
    token TEXT NOT NULL) STRICT;
INSERT INTO native_hook_relay_bridges VALUES ('1', 'CLEAR', 'S3CRET 1');
CREATE TABLE secret_store_entries (
    scope_kind TEXT NOT NULL CHECK (scope_kind IN ('team', 'identity')), scope_id TEXT NOT NULL,
    name TEXT NOT NULL, value TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('secret', 'env')), PRIMARY KEY (scope_kind, scope_id, name))
    STRICT;
INSERT INTO secret_store_entries VALUES
    ('team', '', 'a', 'S3CRET 1', 'secret'), ('team', '', 'b', 'CLEAR', 'env');
CREATE TABLE web_push_subscriptions (endpoint_hash TEXT NOT NULL PRIMARY KEY,
    endpoint TEXT NOT NULL, p256dh TEXT NOT NULL, auth TEXT NOT NULL) STRICT;
INSERT INTO web_push_subscriptions VALUES ('1', 'https://push/S3CRET', 'CLEAR', 'S3CRET 1');
CREATE TABLE worker_environment_credentials (environment_id TEXT NOT NULL PRIMARY KEY,
    credential_hash TEXT NOT NULL UNIQUE, bundle_hash TEXT NOT NULL) STRICT;
INSERT INTO worker_environment_credentials VALUES ('1', 'S3CRET 1', 'CLEAR');
