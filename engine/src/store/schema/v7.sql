-- Schema version 7: the first value of a variable is kept once, with the variable, until it gets another one.

-- The id of the detail that tells of the first value, right behind the variable's own, and whether the instance was started
-- with it. Null: historic_detail has it, or nothing does.
ALTER TABLE historic_variable ADD COLUMN first_detail INTEGER;
ALTER TABLE historic_variable ADD COLUMN first_initial INTEGER;

-- All details, wherever they are. `holder` is the id of the row that holds one; it orders them as `id` does, by a key.
-- Columns of both halves have the same affinity: otherwise SQLite makes all rows before it takes the first.
CREATE VIEW historic_details AS
SELECT id, kind, instance, root, definition, definition_key, scope, scope_activity, task, variable, name, value_type,
       value, value_meta, revision, time, initial, tenant, removal_time, id AS holder
FROM historic_detail
UNION ALL
SELECT first_detail, CAST(0 AS INTEGER), instance, root, definition, definition_key, scope, scope_activity,
       CAST(NULL AS INTEGER), id, name, value_type, value, value_meta, CAST(0 AS INTEGER), created,
       first_initial, tenant, removal_time, id
FROM historic_variable WHERE first_detail IS NOT NULL;
