"""operaton-tasks, unchanged: does with each task what its variable `do` says."""

import asyncio
import os
import sys

os.environ["ENGINE_REST_BASE_URL"] = sys.argv[1]
os.environ["ENGINE_REST_POLL_TTL_SECONDS"] = "2"

from operaton.tasks import external_task_worker, handlers, task  # noqa: E402
from operaton.tasks.types import (  # noqa: E402
    CompleteExternalTaskDto,
    ExternalTaskBpmnError,
    ExternalTaskComplete,
    LockedExternalTaskDto,
    VariableValueDto,
    VariableValueType,
)

left = int(sys.argv[2])
finished = asyncio.Event()


def out():
    kinds = {"outInt": (43, "Integer"), "outText": ("ü", "String"), "outFlag": (False, "Boolean"), "outDouble": (2.5, "Double")}
    return {name: VariableValueDto(value=value, type=VariableValueType(kind)) for name, (value, kind) in kinds.items()}


@task("official", localVariables=False)
async def handle(locked: LockedExternalTaskDto) -> ExternalTaskComplete:
    global left
    variables = {name: variable.value for name, variable in (locked.variables or {}).items()}
    left -= 1
    if left == 0:
        finished.set()
    if variables["do"] == "complete":
        seen = {name: variables[name] for name in ("int", "text", "flag", "double")}
        if seen != {"int": 42, "text": "é漢", "flag": True, "double": 1.5}:
            print("wrong:", seen, file=sys.stderr)
            os._exit(1)
        response = CompleteExternalTaskDto(workerId=locked.workerId, variables=out())
    elif variables["do"] == "error":
        response = ExternalTaskBpmnError(workerId=locked.workerId, errorCode="oops", errorMessage="why", variables=out())
    else:
        raise RuntimeError("no")
    return ExternalTaskComplete(task=locked, response=response)


async def main():
    worker = asyncio.create_task(external_task_worker(handlers))
    await asyncio.wait_for(finished.wait(), 40)
    # What was returned last is still to be reported.
    await asyncio.sleep(1)
    worker.cancel()


asyncio.run(main())
