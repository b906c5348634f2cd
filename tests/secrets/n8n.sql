CREATE TABLE credentials_entity (id varchar(36) PRIMARY KEY NOT NULL, name varchar(128) NOT NULL,
    data text NOT NULL, type varchar(32) NOT NULL);
INSERT INTO credentials_entity VALUES ('1', 'CLEAR', 'S3CRET 1', 'slackApi');
CREATE TABLE user (id varchar PRIMARY KEY, email varchar(255) UNIQUE, password varchar,
    mfaEnabled boolean NOT NULL DEFAULT FALSE, mfaSecret text, mfaRecoveryCodes text);
INSERT INTO user VALUES ('1', 'CLEAR', 'S3CRET 1', 1, 'S3CRET 2', 'S3CRET 3,S3CRET 4');
CREATE TABLE user_api_keys (id varchar(36) PRIMARY KEY NOT NULL,
    userId varchar NOT NULL REFERENCES user (id) ON DELETE CASCADE, label varchar(100) NOT NULL,
    apiKey varchar NOT NULL);
CREATE UNIQUE INDEX IDX_user_api_keys ON user_api_keys (apiKey);
INSERT INTO user_api_keys VALUES ('1', '1', 'CLEAR', 'S3CRET 1'), ('2', '1', 'b', 'S3CRET 2');
CREATE TABLE deployment_key (id varchar(36) PRIMARY KEY NOT NULL, type varchar(64) NOT NULL,
    value text NOT NULL, algorithm varchar(20), status varchar(20) NOT NULL);
INSERT INTO deployment_key VALUES ('1', 'CLEAR', 'S3CRET 1', NULL, 'active');
CREATE TABLE dynamic_credential_resolver (id varchar(16) PRIMARY KEY NOT NULL,
    name varchar(128) NOT NULL, config text NOT NULL);
INSERT INTO dynamic_credential_resolver VALUES ('1', 'CLEAR', 'S3CRET 1');
CREATE TABLE dynamic_credential_entry (credential_id varchar(16) NOT NULL,
    subject_id varchar(16) NOT NULL, resolver_id varchar(16) NOT NULL, data text NOT NULL,
    PRIMARY KEY (credential_id, subject_id, resolver_id));
INSERT INTO dynamic_credential_entry VALUES ('1', '1', '1', 'S3CRET 1');
CREATE TABLE dynamic_credential_user_entry (credentialId varchar(16) NOT NULL,
    userId varchar NOT NULL, resolverId varchar(16) NOT NULL, data text NOT NULL,
    PRIMARY KEY (credentialId, userId, resolverId));
INSERT INTO dynamic_credential_user_entry VALUES ('1', '1', '1', 'S3CRET 1');
CREATE TABLE event_destinations (id varchar(36) PRIMARY KEY NOT NULL, destination text NOT NULL);
INSERT INTO event_destinations VALUES
    ('1', '{"__type":"CLEAR","dsn":"https://S3CRET@sentry"}'),
    ('2', '{"url":"https://hook/S3CRET","method":"POST","headerParameters":{"parameters":
        [{"name":"Authorization","value":"S3CRET 1"}]},"queryParameters":{"parameters":
        [{"name":"key","value":"S3CRET 2"}]}}');
CREATE TABLE oauth_clients (id varchar PRIMARY KEY NOT NULL, name varchar(255) NOT NULL,
    clientSecret varchar(255));
INSERT INTO oauth_clients VALUES ('c', 'CLEAR', 'S3CRET 1'), ('d', 'public', NULL);
CREATE TABLE oauth_authorization_codes (code varchar(255) PRIMARY KEY NOT NULL,
    clientId varchar NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE);
INSERT INTO oauth_authorization_codes VALUES ('S3CRET 1', 'c');
CREATE TABLE oauth_access_tokens (token varchar PRIMARY KEY NOT NULL,
    clientId varchar NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE);
INSERT INTO oauth_access_tokens VALUES ('S3CRET 1', 'c');
CREATE TABLE oauth_refresh_tokens (token varchar(255) PRIMARY KEY NOT NULL,
    clientId varchar NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE);
INSERT INTO oauth_refresh_tokens VALUES ('S3CRET 1', 'c');
CREATE TABLE promotion_provider (id varchar(36) PRIMARY KEY, name varchar(128) NOT NULL,
    config text NOT NULL, auth text NOT NULL);
INSERT INTO promotion_provider VALUES ('1', 'CLEAR', '{}', 'S3CRET 1');
CREATE TABLE secrets_provider_connection (id INTEGER PRIMARY KEY AUTOINCREMENT,
    providerKey varchar(128) NOT NULL, encryptedSettings text NOT NULL);
INSERT INTO secrets_provider_connection VALUES (1, 'CLEAR', 'S3CRET 1');
CREATE TABLE settings (key TEXT NOT NULL, value TEXT NOT NULL DEFAULT '',
    loadOnStartup boolean NOT NULL DEFAULT FALSE, PRIMARY KEY (key));
INSERT INTO settings (key, value) VALUES
    ('features.ldap', '{"bindingAdminDn":"CLEAR","bindingAdminPassword":"S3CRET 1"}'),
    ('features.oidc', '{"clientId":"CLEAR","clientSecret":"S3CRET 1"}'),
    ('features.otel', '{"exporterEndpoint":"CLEAR","exporterHeaders":"Authorization=S3CRET 1"}'),
    ('features.saml', '{"metadata":"CLEAR","signingPrivateKey":"S3CRET 1"}'),
    ('features.sourceControl.sshKeys', '{"encryptedPrivateKey":"S3CRET 1","publicKey":"CLEAR"}'),
    ('features.sourceControl.httpsCredentials',
        '{"encryptedUsername":"S3CRET 1","encryptedPassword":"S3CRET 2"}'),
    ('feature.externalSecrets', 'S3CRET 1'), ('credentialsOverwrite', 'S3CRET 1'),
    ('license.cert', 'S3CRET 1'), ('ui.banners.dismissed', '["CLEAR"]');
