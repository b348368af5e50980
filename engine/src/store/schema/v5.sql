-- Schema version 5: what a task's form is called is evaluated when somebody asks, and is not kept.

ALTER TABLE task DROP COLUMN form_key;
ALTER TABLE historic_task DROP COLUMN form_key;
