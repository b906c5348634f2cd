CREATE TABLE agents (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL,
    tool_configs TEXT);
INSERT INTO agents VALUES (1, 'CLEAR', '{"a":{"api_key":"S3CRET 1","host":"CLEAR"},
    "b":{"aws_secret_access_key":"S3CRET 2"},"c":{"password":"S3CRET 3"},"d":{"secret":"S3CRET 4"},
    "e":{"token":"S3CRET 5"}}');
CREATE TABLE tools (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL,
    configuration TEXT);
INSERT INTO tools VALUES (1, 'CLEAR', '{"api_key":"S3CRET 1","aws_secret_access_key":"S3CRET 2",
    "password":"S3CRET 3","secret":"S3CRET 4","token":"S3CRET 5","port":25}');
