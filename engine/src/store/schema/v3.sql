-- Schema version 3: decisions.

CREATE TABLE decision (
    id                   INTEGER PRIMARY KEY,
    key                  TEXT NOT NULL,
    version              INTEGER NOT NULL,
    name                 TEXT,
    category             TEXT,
    deployment           INTEGER NOT NULL,
    resource             TEXT NOT NULL,
    tenant               TEXT,
    version_tag          TEXT,
    history_time_to_live INTEGER,
    requirements         INTEGER,
    requirements_key     TEXT
) STRICT;
CREATE INDEX decision_by_key ON decision (key, tenant, version);
CREATE INDEX decision_by_deployment ON decision (deployment, key);
CREATE INDEX decision_by_requirements ON decision (requirements) WHERE requirements IS NOT NULL;

-- Of files with several decisions.
CREATE TABLE requirements (
    id         INTEGER PRIMARY KEY,
    key        TEXT NOT NULL,
    version    INTEGER NOT NULL,
    name       TEXT,
    category   TEXT,
    deployment INTEGER NOT NULL,
    resource   TEXT NOT NULL,
    tenant     TEXT
) STRICT;
CREATE INDEX requirements_by_key ON requirements (key, tenant, version);
CREATE INDEX requirements_by_deployment ON requirements (deployment);

-- One evaluation of a decision. instance to activity: NULL where it was asked for from outside. inputs, outputs: JSON
-- (HistoricDecisionInput and HistoricDecisionOutput of row.rs), which no query looks into.
CREATE TABLE historic_decision (
    id               INTEGER PRIMARY KEY,
    decision         INTEGER NOT NULL,
    decision_key     TEXT NOT NULL,
    decision_name    TEXT,
    requirements     INTEGER,
    requirements_key TEXT,
    time             INTEGER NOT NULL,
    instance         INTEGER,
    root             INTEGER,
    definition       INTEGER,
    definition_key   TEXT,
    execution        INTEGER,
    activity         TEXT,
    root_decision    INTEGER,
    collected        REAL,
    inputs           TEXT NOT NULL,
    outputs          TEXT NOT NULL,
    user             TEXT,
    tenant           TEXT,
    removal_time     INTEGER
) STRICT;
CREATE INDEX historic_decision_by_instance ON historic_decision (instance) WHERE instance IS NOT NULL;
CREATE INDEX historic_decision_by_decision ON historic_decision (decision);
CREATE INDEX historic_decision_by_root ON historic_decision (root_decision) WHERE root_decision IS NOT NULL;
-- Those of an instance go with it.
CREATE INDEX historic_decision_removal ON historic_decision (removal_time)
    WHERE removal_time IS NOT NULL AND instance IS NULL;
