-- Schema version 6: fewer indexes to keep.

-- Right below the instance, where most variables are, `scope` is `instance`, and variable_by_scope finds them.
DROP INDEX variable_by_instance;
CREATE INDEX variable_by_instance ON variable (instance) WHERE scope <> instance;

-- One for both: an execution knows its instance.
DROP INDEX external_task_by_instance;
DROP INDEX external_task_by_execution;
CREATE INDEX external_task_by_execution ON external_task (instance, execution);
