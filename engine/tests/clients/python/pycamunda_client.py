"""pycamunda, unchanged: does with each task what its variable `do` says."""

import sys

import pycamunda.externaltask as external

url, left = sys.argv[1], int(sys.argv[2])
unlocked = set()

while left:
    fetch = external.FetchAndLock(url, worker_id="pycamunda", max_tasks=10)
    fetch.add_topic(name="official", lock_duration=60000)
    for task in fetch():
        variables = {name: variable.value for name, variable in task.variables.items()}
        what = variables["do"]
        if what == "complete":
            seen = {name: variables[name] for name in ("int", "text", "flag", "double")}
            if seen != {"int": 42, "text": "é漢", "flag": True, "double": 1.5}:
                sys.exit(f"wrong: {seen}")
            complete = external.Complete(url, id_=task.id_, worker_id="pycamunda")
            complete.add_variable(name="outInt", value=43, type_="Integer")
            complete.add_variable(name="outText", value="ü", type_="String")
            complete.add_variable(name="outFlag", value=False, type_="Boolean")
            complete.add_variable(name="outDouble", value=2.5, type_="Double")
            complete.add_local_variable(name="local", value=1, type_="Integer")
            complete()
        elif what == "fail":
            external.HandleFailure(
                url, id_=task.id_, worker_id="pycamunda", error_message="no", error_details="why", retries=3, retry_timeout=600000
            )()
        elif what == "error":
            error = external.HandleBPMNError(url, id_=task.id_, worker_id="pycamunda", error_code="oops", error_message="why")
            error.add_variable(name="outText", value="ü", type_="String")
            error()
        elif what == "extend":
            external.ExtendLock(url, id_=task.id_, new_duration=1200000, worker_id="pycamunda")()
        elif what == "unlock" and task.id_ not in unlocked:
            unlocked.add(task.id_)
            external.Unlock(url, id_=task.id_)()
            continue
        else:
            external.Complete(url, id_=task.id_, worker_id="pycamunda")()
        left -= 1
