//! JUEL, the expression language of BPMN models.
