"""The worker echo in Python, for the benchmark.

Completes at once with `done = true` and a copy of the variable `orderId`.
"""

import wit_world.exports
from wit_world.imports.types import Completion, Outcome, Outcome_Complete, Task, Value_Boolean, Variable


class Handler(wit_world.exports.Handler):
    def handle(self, task: Task) -> Outcome:
        variables = [Variable("done", Value_Boolean(True), False)]
        variables += [variable for variable in task.variables if variable.name == "orderId"]
        return Outcome_Complete(Completion(variables, []))
