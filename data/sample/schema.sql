-- The sample database: a personal CRM in the shape of Software of You.
-- Every date is given by the rows; the defaults are for whoever adds to it.

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    email TEXT,
    phone TEXT,
    type TEXT NOT NULL DEFAULT 'individual' CHECK (type IN ('individual', 'company')),
    company_id INTEGER REFERENCES contacts(id) ON DELETE SET NULL,
    role TEXT,
    status TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive', 'archived')),
    avatar BLOB,
    created_at TEXT NOT NULL DEFAULT (datetime('now')),
    updated_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE UNIQUE INDEX idx_contacts_email ON contacts(email) WHERE email <> '';
CREATE INDEX idx_contacts_name ON contacts(lower(name));
CREATE INDEX idx_contacts_company ON contacts(company_id);

CREATE TABLE tags (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    color TEXT DEFAULT '#808080',
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);

CREATE TABLE entity_tags (
    entity_type TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    tag_id INTEGER NOT NULL REFERENCES tags(id) ON DELETE CASCADE,
    created_at TEXT NOT NULL DEFAULT (datetime('now')),
    PRIMARY KEY (entity_type, entity_id, tag_id)
);
CREATE INDEX idx_entity_tags_tag ON entity_tags(tag_id);

CREATE TABLE notes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_type TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    content TEXT NOT NULL,
    created_at TEXT NOT NULL DEFAULT (datetime('now')),
    updated_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX idx_notes_entity ON notes(entity_type, entity_id);

CREATE TABLE activity_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    entity_type TEXT NOT NULL,
    entity_id INTEGER NOT NULL,
    action TEXT NOT NULL,
    details TEXT,
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX idx_activity_log_created ON activity_log(created_at DESC);

CREATE TABLE modules (
    name TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    installed_at TEXT NOT NULL DEFAULT (datetime('now'))
);

CREATE TABLE contact_interactions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact_id INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    type TEXT NOT NULL CHECK (type IN ('email', 'call', 'meeting', 'message', 'other')),
    direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    subject TEXT,
    summary TEXT,
    occurred_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX idx_interactions_contact ON contact_interactions(contact_id, occurred_at);

CREATE TABLE contact_relationships (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact_id INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    related_contact_id INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    relationship_type TEXT NOT NULL,
    notes TEXT,
    created_at TEXT NOT NULL DEFAULT (datetime('now')),
    UNIQUE (contact_id, related_contact_id)
);

CREATE TABLE follow_ups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact_id INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    due_date TEXT NOT NULL,
    reason TEXT,
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'completed', 'skipped')),
    completed_at TEXT,
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX idx_follow_ups_pending ON follow_ups(due_date) WHERE status = 'pending';

CREATE TABLE projects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    description TEXT,
    client_id INTEGER REFERENCES contacts(id) ON DELETE SET NULL,
    status TEXT NOT NULL DEFAULT 'planning',
    priority TEXT NOT NULL DEFAULT 'medium',
    budget REAL,
    start_date TEXT,
    target_date TEXT,
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);

CREATE TABLE tasks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    parent_id INTEGER REFERENCES tasks(id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL DEFAULT 'todo',
    assigned_to INTEGER REFERENCES contacts(id) ON DELETE SET NULL,
    estimate_hours REAL,
    due_date TEXT,
    completed_at TEXT,
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);
CREATE INDEX idx_tasks_project ON tasks(project_id, status);
CREATE INDEX idx_tasks_parent ON tasks(parent_id);

CREATE TABLE milestones (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES projects(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    target_date TEXT,
    completed_date TEXT,
    status TEXT NOT NULL DEFAULT 'pending'
);

CREATE TABLE emails (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    gmail_id TEXT NOT NULL UNIQUE,
    thread_id TEXT NOT NULL,
    fingerprint INTEGER NOT NULL, -- 64 bits of a hash, signed
    contact_id INTEGER REFERENCES contacts(id) ON DELETE SET NULL,
    project_id INTEGER REFERENCES projects(id) ON DELETE SET NULL,
    direction TEXT NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    from_address TEXT,
    to_addresses TEXT, -- JSON
    subject TEXT,
    snippet TEXT,
    labels TEXT, -- JSON
    is_read INTEGER NOT NULL DEFAULT 0,
    received_at TEXT NOT NULL
);
CREATE INDEX idx_emails_contact ON emails(contact_id);
CREATE INDEX idx_emails_thread ON emails(thread_id);
CREATE INDEX idx_emails_unread ON emails(received_at) WHERE is_read = 0;

CREATE TABLE calendar_events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    google_event_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    description TEXT,
    location TEXT,
    start_time TEXT NOT NULL,
    end_time TEXT,
    all_day INTEGER NOT NULL DEFAULT 0,
    attendees TEXT, -- JSON
    project_id INTEGER REFERENCES projects(id) ON DELETE SET NULL
);
CREATE INDEX idx_calendar_events_start ON calendar_events(start_time);

CREATE TABLE transcripts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL,
    raw_text TEXT NOT NULL,
    summary TEXT,
    duration_minutes REAL,
    source_email_id INTEGER REFERENCES emails(id),
    source_calendar_event_id INTEGER REFERENCES calendar_events(id),
    occurred_at TEXT NOT NULL
);

CREATE TABLE transcript_participants (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    transcript_id INTEGER NOT NULL REFERENCES transcripts(id) ON DELETE CASCADE,
    contact_id INTEGER REFERENCES contacts(id) ON DELETE SET NULL,
    speaker_label TEXT NOT NULL,
    is_user INTEGER NOT NULL DEFAULT 0,
    UNIQUE (transcript_id, speaker_label)
);

CREATE TABLE commitments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    transcript_id INTEGER NOT NULL REFERENCES transcripts(id) ON DELETE CASCADE,
    owner_contact_id INTEGER REFERENCES contacts(id) ON DELETE SET NULL,
    description TEXT NOT NULL,
    deadline_date TEXT,
    status TEXT NOT NULL DEFAULT 'open',
    linked_task_id INTEGER REFERENCES tasks(id) ON DELETE SET NULL
);

CREATE TABLE conversation_metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    transcript_id INTEGER NOT NULL REFERENCES transcripts(id) ON DELETE CASCADE,
    contact_id INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    talk_ratio REAL,
    word_count INTEGER,
    question_count INTEGER
);

CREATE TABLE communication_insights (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    transcript_id INTEGER REFERENCES transcripts(id) ON DELETE CASCADE,
    contact_id INTEGER REFERENCES contacts(id) ON DELETE CASCADE,
    insight_type TEXT NOT NULL,
    content TEXT NOT NULL,
    data_points TEXT, -- JSON
    sentiment REAL
);

CREATE TABLE relationship_scores (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    contact_id INTEGER NOT NULL REFERENCES contacts(id) ON DELETE CASCADE,
    score_date TEXT NOT NULL,
    score REAL NOT NULL,
    trajectory TEXT,
    UNIQUE (contact_id, score_date)
);

CREATE TABLE generated_views (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    view_type TEXT NOT NULL,
    entity_type TEXT,
    entity_id INTEGER,
    filename TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL DEFAULT (datetime('now'))
);

CREATE TABLE soy_meta (
    key TEXT PRIMARY KEY,
    value TEXT,
    updated_at TEXT NOT NULL DEFAULT (datetime('now'))
);

CREATE VIEW v_contact_summary AS
SELECT contacts.id, contacts.name, company.name AS company,
    (SELECT count(*) FROM emails WHERE emails.contact_id = contacts.id) AS emails,
    (SELECT max(occurred_at) FROM contact_interactions
        WHERE contact_interactions.contact_id = contacts.id) AS last_interaction
FROM contacts LEFT JOIN contacts AS company ON company.id = contacts.company_id;

CREATE VIEW v_project_progress AS
SELECT projects.id, projects.name, count(tasks.id) AS tasks,
    coalesce(sum(tasks.status = 'done'), 0) AS done
FROM projects LEFT JOIN tasks ON tasks.project_id = projects.id
GROUP BY projects.id;

-- Contacts and notes that came later are deleted: their ids must not be given again.
INSERT INTO sqlite_sequence (name, seq) VALUES ('contacts', 230), ('notes', 305);
