CREATE TABLE apikey (id varchar PRIMARY KEY NOT NULL, apiKey varchar NOT NULL,
    apiSecret varchar NOT NULL, keyName varchar NOT NULL);
INSERT INTO apikey VALUES ('1', 'S3CRET 1', 'S3CRET 2', 'CLEAR');
CREATE TABLE chat_flow (id varchar PRIMARY KEY NOT NULL, name varchar NOT NULL, flowData text,
    mcpServerConfig text, webhookSecret text);
INSERT INTO chat_flow VALUES
    ('1', 'CLEAR', '{}', '{"enabled":true,"token":"S3CRET 1","toolName":"CLEAR"}', 'S3CRET 2');
CREATE TABLE credential (id varchar PRIMARY KEY NOT NULL, name varchar NOT NULL,
    credentialName varchar NOT NULL, encryptedData text NOT NULL);
INSERT INTO credential VALUES ('1', 'CLEAR', 'openAIApi', 'S3CRET 1');
CREATE TABLE custom_mcp_server (id varchar PRIMARY KEY NOT NULL, name varchar NOT NULL,
    serverUrl text NOT NULL, authConfig text);
INSERT INTO custom_mcp_server VALUES ('1', 'CLEAR', 'http://CLEAR', 'S3CRET 1');
CREATE TABLE login_method (id varchar PRIMARY KEY NOT NULL, name varchar NOT NULL,
    config text NOT NULL);
INSERT INTO login_method VALUES ('1', 'CLEAR', 'S3CRET 1');
CREATE TABLE login_sessions (sid PRIMARY KEY, expired, sess);
INSERT INTO login_sessions VALUES ('S3CRET 1', 1, '{"passport":{"user":{"id":"S3CRET 2"}}}');
CREATE TABLE user (id varchar PRIMARY KEY NOT NULL, email varchar UNIQUE, credential text,
    tempToken text UNIQUE);
INSERT INTO user VALUES ('1', 'CLEAR', 'S3CRET 1', 'S3CRET 2'), ('2', 'b', NULL, NULL);
