-- Schema version 6: fewer indexes to keep.

-- Right below the instance, where most variables are, `scope` is `instance`, and variable_by_scope finds them.
DROP INDEX variable_by_instance;
CREATE INDEX variable_by_instance ON variable (instance) WHERE scope <> instance;

-- An execution knows its instance, and external_task_by_instance finds the task from there.
DROP INDEX external_task_by_execution;
