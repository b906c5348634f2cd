CREATE TABLE config (key TEXT PRIMARY KEY, value JSON, updated_at BIGINT);
INSERT INTO config (key, value) VALUES
    ('a.api_key', '"S3CRET 1"'), ('web.sougou_api_sk', '"S3CRET 1"'), ('x.api_token', '"S3CRET 1"'),
    ('ldap.app_password', '"S3CRET 1"'), ('oauth.client_secret', '"S3CRET 1"'),
    ('image.api_auth', '"S3CRET 1"'), ('openai.api_keys', '["S3CRET 1", "S3CRET 2"]'),
    ('openai.api_configs', '{"0":{"key":"S3CRET 1","headers":{"X":"S3CRET 2"},"tags":["CLEAR"]}}'),
    ('tool_server.connections', '[{"url":"CLEAR","key":"S3CRET 1","headers":{"X":"S3CRET 2"},
        "info":{"id":"CLEAR","oauth_client_info":"S3CRET 3","oauth_client_secret":"S3CRET 4"}}]'),
    ('rag.external_document_loader_headers', '{"X":"S3CRET 1"}'),
    ('webhook_url', '"https://hook/S3CRET"'), ('ui.default_models', '"CLEAR"');
CREATE TABLE config_old (id INTEGER PRIMARY KEY, data JSON NOT NULL, version INTEGER NOT NULL);
INSERT INTO config_old VALUES (1, '{"google_drive":{"api_key":"S3CRET 1"},
    "rag":{"brave_key":"S3CRET 1","ollama":{"key":"S3CRET 1"},"openai":{"api_key":"S3CRET 1"},
        "web":{"search":{"tavily_api_key":"S3CRET 1","sougou_api_sk":"S3CRET 2",
            "yacy_password":"S3CRET 3"}},"tika_token":"S3CRET 1",
        "external_document_loader_headers":{"X":"S3CRET 1"}},
    "code":{"jupyter":{"auth_token":"S3CRET 1","auth_password":"S3CRET 2"}},
    "oauth":{"client_secret":"S3CRET 1","google":{"client_secret":"S3CRET 2"}},
    "image":{"auto":{"api_auth":"S3CRET 1"}},
    "openai":{"api_keys":["S3CRET 1"],
        "api_configs":{"0":{"key":"S3CRET 1","headers":{"X":"S3CRET 2"}}}},
    "tool_server":{"connections":[{"key":"S3CRET 1","headers":{"X":"S3CRET 2"},
        "info":{"oauth_client_info":"S3CRET 3","oauth_client_secret":"S3CRET 4"}}]},
    "webhook_url":"https://hook/S3CRET","ui":{"default_models":"CLEAR"}}', 0);
CREATE TABLE app (id TEXT PRIMARY KEY NOT NULL, name TEXT NOT NULL, data JSON NOT NULL,
    api_key TEXT);
INSERT INTO app VALUES ('1', 'CLEAR', '{"connection_token":"S3CRET 1","url":"CLEAR"}', 'S3CRET 2');
CREATE TABLE auth (id VARCHAR PRIMARY KEY NOT NULL UNIQUE, email VARCHAR, password TEXT,
    active BOOLEAN, mfa JSON, session_stamp TEXT);
INSERT INTO auth VALUES ('1', 'CLEAR', 'S3CRET 1', 1, '{"revision":"CLEAR","secret":"S3CRET 2",
    "recovery_hashes":["S3CRET 3","S3CRET 4"],"limits":{},
    "login_challenge":{"type":"enroll","token_hash":"S3CRET 5","secret":"S3CRET 6"},
    "manage_challenge":null,"reset_ticket":{"token_hash":"S3CRET 7","expires_at":1}}', NULL);
CREATE TABLE channel_webhook (id TEXT PRIMARY KEY NOT NULL UNIQUE, name TEXT NOT NULL,
    token TEXT NOT NULL);
INSERT INTO channel_webhook VALUES ('1', 'CLEAR', 'S3CRET 1');
CREATE TABLE api_key (id TEXT PRIMARY KEY NOT NULL UNIQUE, user_id TEXT NOT NULL,
    key TEXT NOT NULL UNIQUE);
INSERT INTO api_key VALUES ('1', 'CLEAR', 'S3CRET 1'), ('2', 'b', 'S3CRET 2');
CREATE TABLE oauth_session (id TEXT PRIMARY KEY NOT NULL UNIQUE, provider TEXT NOT NULL,
    token TEXT NOT NULL);
INSERT INTO oauth_session VALUES ('1', 'CLEAR', 'S3CRET 1');
CREATE TABLE tool (id VARCHAR PRIMARY KEY NOT NULL UNIQUE, name TEXT, valves TEXT);
INSERT INTO tool VALUES ('1', 'CLEAR', '{"api_key":"S3CRET 1","hosts":["S3CRET 2"],"on":true}'),
    ('2', 'encrypted', '"S3CRET 1"'), ('3', 'none', NULL);
CREATE TABLE function (id VARCHAR PRIMARY KEY NOT NULL UNIQUE, name TEXT NOT NULL, valves TEXT);
INSERT INTO function VALUES ('1', 'CLEAR', '{"pin":424242,"key":"S3CRET 1"}'), ('2', 'b', 'null');
CREATE TABLE user (id VARCHAR PRIMARY KEY NOT NULL UNIQUE, name VARCHAR NOT NULL, settings JSON);
INSERT INTO user VALUES ('1', 'CLEAR', '{"tools":{"valves":{"weather":{"key":"S3CRET 1"}}},
    "functions":{"valves":{"f":"S3CRET 2"}},"ui":{"theme":"CLEAR",
        "directConnections":{"OPENAI_API_BASE_URLS":["CLEAR"],"OPENAI_API_KEYS":["S3CRET 3"],
            "OPENAI_API_CONFIGS":{"0":{"key":"S3CRET 4","headers":{"X":"S3CRET 5"}}}},
        "toolServers":[{"url":"CLEAR","key":"S3CRET 6","headers":{"X":"S3CRET 7"}}],
        "terminalServers":[{"url":"CLEAR","key":"S3CRET 8"}],
        "notifications":{"webhook_url":"https://hook/S3CRET"}},
    "notifications":{"webhook_url":"https://hook/S3CRET",
        "targets":[{"id":"CLEAR","type":"webhook","config":{"url":"https://hook/S3CRET"}}]}}');
