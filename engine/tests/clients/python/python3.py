"""camunda-external-task-client-python3, unchanged: does with each task what its variable `do` says."""

import os
import sys
import threading

from camunda.external_task.external_task_worker import ExternalTaskWorker

url, left = sys.argv[1], int(sys.argv[2])
lock = threading.Lock()


def handled():
    global left
    with lock:
        left -= 1
        return left == 0


def handle(task):
    what = task.get_variable("do")
    if what == "complete":
        seen = {name: task.get_variable(name) for name in ("int", "text", "flag", "double")}
        if seen != {"int": 42, "text": "é漢", "flag": True, "double": 1.5}:
            print("wrong:", seen, file=sys.stderr)
            os._exit(1)
        return task.complete({"outInt": 43, "outText": "ü", "outFlag": False, "outDouble": 2.5}, {"local": 1})
    if what == "fail":
        return task.failure("no", "why", 3, 600000)
    return task.bpmn_error("oops", "why", {"outText": "ü"})


worker = ExternalTaskWorker(
    worker_id="python3",
    base_url=url,
    config={"maxTasks": 1, "lockDuration": 60000, "asyncResponseTimeout": 2000, "sleepSeconds": 0, "retries": 3, "retryTimeout": 5000},
)
for _ in range(20):
    before = left

    def act(task):
        result = handle(task)
        handled()
        return result

    worker.fetch_and_execute("official", act)
    if left == 0:
        sys.exit(0)
sys.exit(f"{left} tasks never came")
