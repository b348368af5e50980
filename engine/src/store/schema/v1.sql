-- Schema version 1: one table for each row of handoff-machine's row.rs, with the same names.
--
-- Every `id` is the integer key of a row outside known by its UUID (Id and Node); ids grow with time, so that ascending
-- ids are the order of creation. Instants are milliseconds since 1970. Booleans are 0 and 1. Enumerations are the small
-- integers of store/code.rs.
--
-- A process variable's value is three columns (store/value.rs):
--   value_type  0 Null, 1 Boolean, 2 Short, 3 Integer, 4 Long, 5 Double, 6 String, 7 Date, 8 Bytes, 9 Json, 10 Xml,
--               11 Object, 12 File
--   value       the scalar as SQLite has it: integer for Boolean, Short, Integer, Long and Date (milliseconds), real
--               for Double (NULL is NaN), text for String, Json, Xml and an Object's serialised form, blob for Bytes
--               and a File's content. Columns of type ANY are stored as bound, so equality needs no conversion, but
--               compare `value_type` too.
--   value_meta  JSON of what else an Object (["typeName","format"]) or a File (["name","mimetype","encoding"]) has.
--
-- Partial indexes serve a query only if its WHERE says the same condition.

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value ANY  NOT NULL
) STRICT, WITHOUT ROWID;

-- Deployments and definitions ----------------------------------------------------------------------------------------

CREATE TABLE deployment (
    id     INTEGER PRIMARY KEY,
    name   TEXT,
    source TEXT,
    tenant TEXT,
    time   INTEGER NOT NULL
) STRICT;
CREATE INDEX deployment_by_name ON deployment (name, tenant, id);

CREATE TABLE resource (
    id         INTEGER PRIMARY KEY,
    deployment INTEGER NOT NULL,
    name       TEXT NOT NULL,
    bytes      BLOB NOT NULL
) STRICT;
CREATE INDEX resource_by_deployment ON resource (deployment, name);

CREATE TABLE definition (
    id                    INTEGER PRIMARY KEY,
    key                   TEXT NOT NULL,
    version               INTEGER NOT NULL,
    name                  TEXT,
    category              TEXT,
    description           TEXT,
    deployment            INTEGER NOT NULL,
    resource              TEXT NOT NULL,
    tenant                TEXT,
    version_tag           TEXT,
    history_time_to_live  INTEGER,
    suspended             INTEGER NOT NULL,
    startable_in_tasklist INTEGER NOT NULL
) STRICT;
CREATE INDEX definition_by_key ON definition (key, tenant, version);
CREATE INDEX definition_by_deployment ON definition (deployment);

-- definition: NULL for the jobs of batches.
CREATE TABLE job_definition (
    id             INTEGER PRIMARY KEY,
    definition     INTEGER,
    definition_key TEXT,
    deployment     INTEGER,
    activity       TEXT,
    job_type       TEXT NOT NULL,
    configuration  TEXT,
    suspended      INTEGER NOT NULL,
    priority       INTEGER,
    tenant         TEXT
) STRICT;
CREATE INDEX job_definition_by_definition ON job_definition (definition) WHERE definition IS NOT NULL;

-- What runs ----------------------------------------------------------------------------------------------------------

CREATE TABLE process_instance (
    id              INTEGER PRIMARY KEY,
    definition      INTEGER NOT NULL,
    business_key    TEXT,
    tenant          TEXT,
    root            INTEGER NOT NULL,
    super_instance  INTEGER,
    super_execution INTEGER,
    start_time      INTEGER NOT NULL,
    suspended       INTEGER NOT NULL
) STRICT;
CREATE INDEX process_instance_by_definition ON process_instance (definition);
CREATE INDEX process_instance_by_business_key ON process_instance (business_key) WHERE business_key IS NOT NULL;
CREATE INDEX process_instance_by_super_execution ON process_instance (super_execution)
    WHERE super_execution IS NOT NULL;
CREATE INDEX process_instance_by_super_instance ON process_instance (super_instance) WHERE super_instance IS NOT NULL;

-- state: 0 AsyncBefore, 1 Active, 2 AsyncAfter (flows: JSON array), 3 Joining (flows: the flow's id), 4 Ended.
CREATE TABLE execution (
    id         INTEGER PRIMARY KEY,
    instance   INTEGER NOT NULL,
    definition INTEGER NOT NULL,
    parent     INTEGER NOT NULL,
    activity   TEXT NOT NULL,
    state      INTEGER NOT NULL,
    flows      TEXT,
    start_time INTEGER NOT NULL,
    suspended  INTEGER NOT NULL
) STRICT;
CREATE INDEX execution_by_instance ON execution (instance, parent);
-- Only what is below another execution: right below the instance, `parent` is `instance`.
CREATE INDEX execution_by_parent ON execution (parent) WHERE parent <> instance;

-- scope: the execution that has it, or the instance.
CREATE TABLE variable (
    id         INTEGER PRIMARY KEY,
    instance   INTEGER NOT NULL,
    scope      INTEGER NOT NULL,
    name       TEXT NOT NULL,
    value_type INTEGER NOT NULL,
    value      ANY,
    value_meta TEXT,
    revision   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX variable_by_scope ON variable (scope, name);
CREATE INDEX variable_by_instance ON variable (instance);

-- May be fetched at a time: suspended = 0 AND (retries IS NULL OR retries > 0)
--                           AND (lock_expiration IS NULL OR lock_expiration <= that time).
CREATE TABLE external_task (
    id              INTEGER PRIMARY KEY,
    instance        INTEGER NOT NULL,
    execution       INTEGER NOT NULL,
    definition      INTEGER NOT NULL,
    definition_key  TEXT NOT NULL,
    activity        TEXT NOT NULL,
    topic           TEXT NOT NULL,
    priority        INTEGER NOT NULL,
    retries         INTEGER,
    worker          TEXT,
    lock_expiration INTEGER,
    created         INTEGER NOT NULL,
    error_message   TEXT,
    error_details   TEXT,
    suspended       INTEGER NOT NULL,
    tenant          TEXT,
    business_key    TEXT
) STRICT;
CREATE INDEX external_task_by_instance ON external_task (instance);
CREATE INDEX external_task_by_execution ON external_task (execution);
CREATE INDEX external_task_by_worker ON external_task (worker) WHERE worker IS NOT NULL;
-- The queue of what was never locked or was unlocked. A tenant, version tag or key of definitions is a set of
-- definitions, so that every filter of a fetch but the business key's and the variables' is served by this one.
CREATE INDEX external_task_free ON external_task (topic, definition, id)
    WHERE lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0);
-- Locked until, or to be offered again at, a time.
CREATE INDEX external_task_locked ON external_task (topic, lock_expiration)
    WHERE lock_expiration IS NOT NULL AND suspended = 0 AND (retries IS NULL OR retries > 0);
-- Most tasks have priority 0 and are not in here.
CREATE INDEX external_task_prioritised ON external_task (topic, priority DESC, id)
    WHERE priority <> 0 AND lock_expiration IS NULL AND suspended = 0 AND (retries IS NULL OR retries > 0);

-- kind: 0 AsyncContinuation, 1 Timer, 2 TimerStart, 3 Event, 4 Timed, 5 BatchSeed, 6 Batch, 7 TaskTimeout.
-- repeat: the rest of a timer's cycle, the subscription of an event, the work of a timed job, the first item of a batch's job,
-- the timeout listener and the rest of its cycle (JSON).
CREATE TABLE job (
    id                   INTEGER PRIMARY KEY,
    kind                 INTEGER NOT NULL,
    repeat               TEXT,
    batch                INTEGER,
    definition           INTEGER,
    definition_key       TEXT,
    job_definition       INTEGER,
    instance             INTEGER,
    execution            INTEGER,
    activity             TEXT NOT NULL,
    created              INTEGER NOT NULL,
    due                  INTEGER,
    retries              INTEGER NOT NULL,
    failures             INTEGER NOT NULL,
    exclusive            INTEGER NOT NULL,
    priority             INTEGER NOT NULL,
    suspended            INTEGER NOT NULL,
    tenant               TEXT,
    exception_message    TEXT,
    exception_stacktrace TEXT,
    failed_activity      TEXT,
    -- How often the job was about to call a delegate. Counted before the call, so that a call is known whose commit
    -- was lost; no change of the machine touches it.
    attempts             INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX job_by_instance ON job (instance) WHERE instance IS NOT NULL;
CREATE INDEX job_by_execution ON job (execution) WHERE execution IS NOT NULL;
CREATE INDEX job_of_definition ON job (definition) WHERE instance IS NULL;
CREATE INDEX job_by_job_definition ON job (job_definition) WHERE job_definition IS NOT NULL;
CREATE INDEX job_of_batch ON job (batch) WHERE batch IS NOT NULL;
-- What the job executor runs, in its order.
CREATE INDEX job_due ON job (ifnull(due, 0), id) WHERE retries > 0 AND suspended = 0;

-- kind: 0 Message, 1 Signal, 2 Conditional, 3 Compensate. instance and execution: NULL for start events.
CREATE TABLE event_subscription (
    id            INTEGER PRIMARY KEY,
    kind          INTEGER NOT NULL,
    name          TEXT NOT NULL,
    instance      INTEGER,
    execution     INTEGER,
    definition    INTEGER NOT NULL,
    activity      TEXT NOT NULL,
    created       INTEGER NOT NULL,
    tenant        TEXT,
    business_key  TEXT,
    configuration TEXT
) STRICT;
CREATE INDEX event_subscription_by_execution ON event_subscription (execution) WHERE execution IS NOT NULL;
CREATE INDEX event_subscription_by_instance ON event_subscription (instance) WHERE instance IS NOT NULL;
CREATE INDEX event_subscription_waiting ON event_subscription (name, kind, business_key, id)
    WHERE instance IS NOT NULL;
CREATE INDEX event_subscription_start ON event_subscription (name, kind) WHERE instance IS NULL;
CREATE INDEX event_subscription_of_definition ON event_subscription (definition) WHERE instance IS NULL;

-- instance, execution, definition and activity: NULL for a task that is in no process. delegation: 0 Pending, 1 Resolved.
CREATE TABLE task (
    id          INTEGER PRIMARY KEY,
    instance    INTEGER,
    execution   INTEGER,
    definition  INTEGER,
    activity    TEXT,
    name        TEXT,
    description TEXT,
    assignee    TEXT,
    owner       TEXT,
    delegation  INTEGER,
    parent      INTEGER,
    priority    INTEGER NOT NULL,
    created     INTEGER NOT NULL,
    updated     INTEGER,
    due         INTEGER,
    follow_up   INTEGER,
    form_key    TEXT,
    suspended   INTEGER NOT NULL,
    tenant      TEXT
) STRICT;
CREATE INDEX task_by_instance ON task (instance) WHERE instance IS NOT NULL;
CREATE INDEX task_by_execution ON task (execution) WHERE execution IS NOT NULL;
CREATE INDEX task_by_assignee ON task (assignee) WHERE assignee IS NOT NULL;
CREATE INDEX task_by_parent ON task (parent) WHERE parent IS NOT NULL;

CREATE TABLE identity_link (
    id       INTEGER PRIMARY KEY,
    task     INTEGER NOT NULL,
    user_id  TEXT,
    group_id TEXT,
    kind     TEXT NOT NULL
) STRICT;
CREATE INDEX identity_link_by_task ON identity_link (task);
CREATE INDEX identity_link_by_user ON identity_link (user_id, task) WHERE user_id IS NOT NULL;
CREATE INDEX identity_link_by_group ON identity_link (group_id, task) WHERE group_id IS NOT NULL;

-- Goes with the history of its task's instance (root), or by hand.
CREATE TABLE comment (
    id       INTEGER PRIMARY KEY,
    task     INTEGER,
    instance INTEGER,
    root     INTEGER,
    user_id  TEXT,
    time     INTEGER NOT NULL,
    message  TEXT NOT NULL
) STRICT;
CREATE INDEX comment_by_task ON comment (task) WHERE task IS NOT NULL;
CREATE INDEX comment_by_instance ON comment (instance) WHERE instance IS NOT NULL;
CREATE INDEX comment_by_root ON comment (root) WHERE root IS NOT NULL;

CREATE TABLE incident (
    id              INTEGER PRIMARY KEY,
    kind            TEXT NOT NULL,
    time            INTEGER NOT NULL,
    instance        INTEGER,
    execution       INTEGER,
    definition      INTEGER,
    activity        TEXT NOT NULL,
    failed_activity TEXT,
    cause           INTEGER NOT NULL,
    root_cause      INTEGER NOT NULL,
    configuration   INTEGER NOT NULL,
    custom          TEXT,
    message         TEXT,
    annotation      TEXT,
    tenant          TEXT
) STRICT;
CREATE INDEX incident_by_configuration ON incident (configuration);
CREATE INDEX incident_by_instance ON incident (instance) WHERE instance IS NOT NULL;
CREATE INDEX incident_by_execution ON incident (execution) WHERE execution IS NOT NULL;
CREATE INDEX incident_by_definition ON incident (definition);

-- work: what is done, as JSON.
CREATE TABLE batch (
    id                  INTEGER PRIMARY KEY,
    kind                TEXT NOT NULL,
    work                TEXT NOT NULL,
    total_jobs          INTEGER NOT NULL,
    jobs_created        INTEGER NOT NULL,
    jobs_per_seed       INTEGER NOT NULL,
    invocations_per_job INTEGER NOT NULL,
    seed_definition     INTEGER NOT NULL,
    monitor_definition  INTEGER NOT NULL,
    job_definition      INTEGER NOT NULL,
    suspended           INTEGER NOT NULL,
    tenant              TEXT,
    start_time          INTEGER NOT NULL,
    execution_start     INTEGER,
    user                TEXT
) STRICT;

-- What a batch is about, in its order: ids of instances, jobs or external tasks.
CREATE TABLE batch_item (
    batch    INTEGER NOT NULL,
    position INTEGER NOT NULL,
    item     INTEGER NOT NULL,
    PRIMARY KEY (batch, position)
) STRICT, WITHOUT ROWID;

-- A key by which an instance was started. Kept past the instance's end, until removal_time (NULL: for ever).
CREATE TABLE dedupe_key (
    key          TEXT NOT NULL,
    tenant       TEXT,
    instance     INTEGER NOT NULL,
    definition   INTEGER NOT NULL,
    business_key TEXT,
    created      INTEGER NOT NULL,
    removal_time INTEGER
) STRICT;
CREATE INDEX dedupe_key_by_key ON dedupe_key (key, tenant);
CREATE INDEX dedupe_key_by_instance ON dedupe_key (instance);
CREATE INDEX dedupe_key_removal ON dedupe_key (removal_time) WHERE removal_time IS NOT NULL;

-- History ------------------------------------------------------------------------------------------------------------
--
-- The removal time of a row below is its own or, where that is NULL, its instance's: the end of an instance writes one
-- row and not all of them.

-- state: 0 Active, 1 Suspended, 2 Completed, 3 ExternallyTerminated, 4 InternallyTerminated.
CREATE TABLE historic_instance (
    id             INTEGER PRIMARY KEY,
    definition     INTEGER NOT NULL,
    definition_key TEXT NOT NULL,
    business_key   TEXT,
    tenant         TEXT,
    root           INTEGER NOT NULL,
    super_instance INTEGER,
    start_time     INTEGER NOT NULL,
    start_activity TEXT,
    end_time       INTEGER,
    end_activity   TEXT,
    delete_reason  TEXT,
    state          INTEGER NOT NULL,
    start_user     TEXT,
    restarted      INTEGER,
    removal_time   INTEGER
) STRICT;
CREATE INDEX historic_instance_by_root ON historic_instance (root) WHERE root <> id;
CREATE INDEX historic_instance_by_definition ON historic_instance (definition);
CREATE INDEX historic_instance_by_business_key ON historic_instance (business_key) WHERE business_key IS NOT NULL;
CREATE INDEX historic_instance_by_super ON historic_instance (super_instance) WHERE super_instance IS NOT NULL;
CREATE INDEX historic_instance_removal ON historic_instance (removal_time) WHERE removal_time IS NOT NULL;

CREATE TABLE historic_activity (
    id              INTEGER PRIMARY KEY,
    parent          INTEGER NOT NULL,
    parent_activity TEXT,
    instance        INTEGER NOT NULL,
    root            INTEGER NOT NULL,
    definition      INTEGER NOT NULL,
    definition_key  TEXT NOT NULL,
    activity        TEXT NOT NULL,
    activity_name   TEXT,
    activity_type   TEXT NOT NULL,
    task            INTEGER,
    assignee        TEXT,
    called_instance INTEGER,
    start_time      INTEGER NOT NULL,
    end_time        INTEGER,
    canceled        INTEGER NOT NULL,
    complete_scope  INTEGER NOT NULL,
    tenant          TEXT,
    removal_time    INTEGER
) STRICT;
CREATE INDEX historic_activity_by_instance ON historic_activity (instance);

CREATE TABLE historic_variable (
    id             INTEGER PRIMARY KEY,
    instance       INTEGER NOT NULL,
    root           INTEGER NOT NULL,
    definition     INTEGER NOT NULL,
    definition_key TEXT NOT NULL,
    scope          INTEGER NOT NULL,
    scope_activity TEXT,
    name           TEXT NOT NULL,
    value_type     INTEGER NOT NULL,
    value          ANY,
    value_meta     TEXT,
    created        INTEGER NOT NULL,
    deleted        INTEGER NOT NULL,
    revision       INTEGER NOT NULL,
    tenant         TEXT,
    removal_time   INTEGER
) STRICT;
CREATE INDEX historic_variable_by_instance ON historic_variable (instance);

-- The columns of task, and those of its history.
CREATE TABLE historic_task (
    id             INTEGER PRIMARY KEY,
    instance       INTEGER,
    execution      INTEGER,
    definition     INTEGER,
    activity       TEXT,
    name           TEXT,
    description    TEXT,
    assignee       TEXT,
    owner          TEXT,
    delegation     INTEGER,
    parent         INTEGER,
    priority       INTEGER NOT NULL,
    created        INTEGER NOT NULL,
    updated        INTEGER,
    due            INTEGER,
    follow_up      INTEGER,
    form_key       TEXT,
    suspended      INTEGER NOT NULL,
    tenant         TEXT,
    root           INTEGER,
    definition_key TEXT,
    end_time       INTEGER,
    delete_reason  TEXT,
    removal_time   INTEGER
) STRICT;
CREATE INDEX historic_task_by_instance ON historic_task (instance) WHERE instance IS NOT NULL;

-- The columns of incident, and those of its history.
CREATE TABLE historic_incident (
    id              INTEGER PRIMARY KEY,
    kind            TEXT NOT NULL,
    time            INTEGER NOT NULL,
    instance        INTEGER,
    execution       INTEGER,
    definition      INTEGER,
    activity        TEXT NOT NULL,
    failed_activity TEXT,
    cause           INTEGER NOT NULL,
    root_cause      INTEGER NOT NULL,
    configuration   INTEGER NOT NULL,
    custom          TEXT,
    message         TEXT,
    annotation      TEXT,
    tenant          TEXT,
    root            INTEGER,
    definition_key  TEXT,
    end_time        INTEGER,
    deleted         INTEGER NOT NULL,
    resolved        INTEGER NOT NULL,
    removal_time    INTEGER
) STRICT;
CREATE INDEX historic_incident_by_instance ON historic_incident (instance) WHERE instance IS NOT NULL;
CREATE INDEX historic_incident_by_definition ON historic_incident (definition);

-- The external task as it was: the columns of external_task with its id as `task`.
-- log_state: 0 Created, 1 Failed, 2 Successful, 3 Deleted.
CREATE TABLE external_task_log (
    id              INTEGER PRIMARY KEY,
    time            INTEGER NOT NULL,
    root            INTEGER NOT NULL,
    log_state       INTEGER NOT NULL,
    removal_time    INTEGER,
    task            INTEGER NOT NULL,
    instance        INTEGER NOT NULL,
    execution       INTEGER NOT NULL,
    definition      INTEGER NOT NULL,
    definition_key  TEXT NOT NULL,
    activity        TEXT NOT NULL,
    topic           TEXT NOT NULL,
    priority        INTEGER NOT NULL,
    retries         INTEGER,
    worker          TEXT,
    lock_expiration INTEGER,
    created         INTEGER NOT NULL,
    error_message   TEXT,
    error_details   TEXT,
    suspended       INTEGER NOT NULL,
    tenant          TEXT,
    business_key    TEXT
) STRICT;
CREATE INDEX external_task_log_by_instance ON external_task_log (instance);

-- The job as it was: the columns of job with its id as `job`. log_state as above.
CREATE TABLE job_log (
    id                   INTEGER PRIMARY KEY,
    time                 INTEGER NOT NULL,
    root                 INTEGER,
    deployment           INTEGER,
    log_state            INTEGER NOT NULL,
    removal_time         INTEGER,
    job                  INTEGER NOT NULL,
    kind                 INTEGER NOT NULL,
    repeat               TEXT,
    batch                INTEGER,
    definition           INTEGER,
    definition_key       TEXT,
    job_definition       INTEGER,
    instance             INTEGER,
    execution            INTEGER,
    activity             TEXT NOT NULL,
    created              INTEGER NOT NULL,
    due                  INTEGER,
    retries              INTEGER NOT NULL,
    failures             INTEGER NOT NULL,
    exclusive            INTEGER NOT NULL,
    priority             INTEGER NOT NULL,
    suspended            INTEGER NOT NULL,
    tenant               TEXT,
    exception_message    TEXT,
    exception_stacktrace TEXT,
    failed_activity      TEXT
) STRICT;
CREATE INDEX job_log_by_instance ON job_log (instance) WHERE instance IS NOT NULL;
CREATE INDEX job_log_of_definition ON job_log (definition) WHERE instance IS NULL;
CREATE INDEX job_log_of_batch ON job_log (batch) WHERE batch IS NOT NULL;

-- kind: 0 VariableUpdate, 1 FormField.
CREATE TABLE historic_detail (
    id             INTEGER PRIMARY KEY,
    kind           INTEGER NOT NULL,
    instance       INTEGER NOT NULL,
    root           INTEGER NOT NULL,
    definition     INTEGER NOT NULL,
    definition_key TEXT NOT NULL,
    scope          INTEGER NOT NULL,
    scope_activity TEXT,
    task           INTEGER,
    variable       INTEGER,
    name           TEXT NOT NULL,
    value_type     INTEGER NOT NULL,
    value          ANY,
    value_meta     TEXT,
    revision       INTEGER NOT NULL,
    time           INTEGER NOT NULL,
    initial        INTEGER NOT NULL,
    tenant         TEXT,
    removal_time   INTEGER
) STRICT;
CREATE INDEX historic_detail_by_instance ON historic_detail (instance);

CREATE TABLE user_operation (
    id             INTEGER PRIMARY KEY,
    operation      INTEGER NOT NULL,
    time           INTEGER NOT NULL,
    user           TEXT,
    operation_type TEXT NOT NULL,
    entity_type    TEXT NOT NULL,
    category       TEXT NOT NULL,
    property       TEXT,
    old_value      TEXT,
    new_value      TEXT,
    definition     INTEGER,
    definition_key TEXT,
    deployment     INTEGER,
    instance       INTEGER,
    root           INTEGER,
    execution      INTEGER,
    task           INTEGER,
    job            INTEGER,
    job_definition INTEGER,
    external_task  INTEGER,
    batch          INTEGER,
    annotation     TEXT,
    tenant         TEXT,
    removal_time   INTEGER
) STRICT;
CREATE INDEX user_operation_by_instance ON user_operation (instance) WHERE instance IS NOT NULL;

CREATE TABLE identity_link_log (
    id             INTEGER PRIMARY KEY,
    time           INTEGER NOT NULL,
    kind           TEXT NOT NULL,
    user           TEXT,
    group_id       TEXT,
    task           INTEGER NOT NULL,
    instance       INTEGER NOT NULL,
    root           INTEGER NOT NULL,
    definition     INTEGER NOT NULL,
    definition_key TEXT NOT NULL,
    added          INTEGER NOT NULL,
    assigner       TEXT,
    tenant         TEXT,
    removal_time   INTEGER
) STRICT;
CREATE INDEX identity_link_log_by_instance ON identity_link_log (instance);

-- The columns of batch, and those of its history.
CREATE TABLE historic_batch (
    id                  INTEGER PRIMARY KEY,
    kind                TEXT NOT NULL,
    work                TEXT NOT NULL,
    total_jobs          INTEGER NOT NULL,
    jobs_created        INTEGER NOT NULL,
    jobs_per_seed       INTEGER NOT NULL,
    invocations_per_job INTEGER NOT NULL,
    seed_definition     INTEGER NOT NULL,
    monitor_definition  INTEGER NOT NULL,
    job_definition      INTEGER NOT NULL,
    suspended           INTEGER NOT NULL,
    tenant              TEXT,
    start_time          INTEGER NOT NULL,
    execution_start     INTEGER,
    user                TEXT,
    end_time            INTEGER,
    removal_time        INTEGER
) STRICT;
CREATE INDEX historic_batch_removal ON historic_batch (removal_time) WHERE removal_time IS NOT NULL;
