"""A first worker in plain Python: greets whoever the task names.

`wit_world` is what componentize-py generates from the contract; there is no SDK.
"""

import wit_world.exports
from wit_world.imports import config, logging
from wit_world.imports.logging import Level
from wit_world.imports.types import (
    Completion,
    Failure,
    Outcome,
    Outcome_Complete,
    Outcome_Failure,
    Task,
    Value_Text,
    Variable,
)


class Handler(wit_world.exports.Handler):
    def handle(self, task: Task) -> Outcome:
        name = next((variable.value for variable in task.variables if variable.name == "name"), None)
        if not isinstance(name, Value_Text):
            return failure("there is no text variable `name`")
        salutation = config.get("salutation") or "Hello"
        logging.log(Level.INFO, "greeting", [("name", name.value)])
        greeting = Value_Text(f"{salutation}, {name.value}!")
        return Outcome_Complete(Completion([Variable("greeting", greeting, False)], []))


def failure(message: str) -> Outcome:
    return Outcome_Failure(Failure(message, None, None, None, [], []))
