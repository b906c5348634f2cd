CREATE TABLE contacts (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL,
    friend INTEGER REFERENCES contacts (id), initial AS (substr(name, 1, 1)));
CREATE TABLE "all values" (x);
CREATE TABLE pairs (a TEXT COLLATE NOCASE, b ANY, PRIMARY KEY (b DESC, a)) STRICT, WITHOUT ROWID;
CREATE TABLE orphans (contact INTEGER REFERENCES contacts (id));
CREATE INDEX by_name ON contacts (name COLLATE NOCASE DESC) WHERE friend IS NOT NULL;
CREATE VIEW friends AS SELECT a.name, b.name AS friend FROM contacts AS a JOIN contacts AS b
    ON b.id = a.friend;
CREATE VIRTUAL TABLE search USING fts5(name, content='contacts', content_rowid='id');
CREATE TRIGGER found AFTER INSERT ON contacts BEGIN
    INSERT INTO search (rowid, name) VALUES (new.id, new.name); END;
CREATE TRIGGER orphaned AFTER INSERT ON contacts BEGIN INSERT INTO orphans VALUES (new.id); END;
