-- What people have done to tasks, and what hangs on them.

-- Nothing has been written to it before. A task that is in no process has no instance.
DROP TABLE identity_link_log;
CREATE TABLE identity_link_log (
    id             INTEGER PRIMARY KEY,
    time           INTEGER NOT NULL,
    kind           TEXT NOT NULL,
    user           TEXT,
    group_id       TEXT,
    task           INTEGER NOT NULL,
    instance       INTEGER,
    root           INTEGER,
    definition     INTEGER,
    definition_key TEXT,
    added          INTEGER NOT NULL,
    assigner       TEXT,
    tenant         TEXT,
    removal_time   INTEGER
) STRICT;
CREATE INDEX identity_link_log_by_instance ON identity_link_log (instance) WHERE instance IS NOT NULL;
CREATE INDEX identity_link_log_by_task ON identity_link_log (task);

-- Operations outlive the history of their instance that is deleted by hand: then they have its removal time.
CREATE INDEX user_operation_by_operation ON user_operation (operation);
CREATE INDEX user_operation_by_time ON user_operation (time);
CREATE INDEX user_operation_removal ON user_operation (removal_time) WHERE removal_time IS NOT NULL;

-- Goes with the history of its task's instance (root), or by hand, as a comment does.
CREATE TABLE attachment (
    id          INTEGER PRIMARY KEY,
    task        INTEGER NOT NULL,
    instance    INTEGER,
    root        INTEGER,
    user_id     TEXT,
    time        INTEGER NOT NULL,
    name        TEXT,
    description TEXT,
    kind        TEXT,
    url         TEXT
) STRICT;
CREATE INDEX attachment_by_task ON attachment (task);
CREATE INDEX attachment_by_root ON attachment (root) WHERE root IS NOT NULL;

-- What was uploaded, by the attachment's id: apart, so that a list of attachments reads none of it.
CREATE TABLE attachment_content (
    id    INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
) STRICT;
