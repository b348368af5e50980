-- What the id of an activity instance begins with, where migration has given it another activity; else NULL.
ALTER TABLE execution ADD COLUMN entered_as TEXT;
ALTER TABLE external_task ADD COLUMN entered_as TEXT;
ALTER TABLE task ADD COLUMN entered_as TEXT;
ALTER TABLE historic_activity ADD COLUMN entered_as TEXT;
ALTER TABLE historic_task ADD COLUMN entered_as TEXT;
ALTER TABLE external_task_log ADD COLUMN entered_as TEXT;
