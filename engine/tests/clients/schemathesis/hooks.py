"""What is asked of every answer, and what is never asked for: the hooks of Schemathesis."""

import schemathesis

# Camunda answers 500 to what its engine refuses: these types, with a code.
ENGINES = {
    "InvalidRequestException",
    "NullValueException",
    "OptimisticLockingException",
    "ProcessEngineException",
    "RestException",
    "ScriptEvaluationException",
    "TaskAlreadyClaimedException",
}


@schemathesis.check
def errors_are_documented(ctx, response, case):
    if response.status_code < 400:
        return
    where = f"{case.method} {case.path}: {response.status_code} {response.text[:300]}"
    kind = response.headers.get("content-type", [""])
    assert kind == ["application/json"] or kind == "application/json", f"an error is not JSON: {where} {kind}"
    error = response.json()
    assert {"type", "message", "code"} <= error.keys(), f"an error has other fields: {where}"
    if response.status_code == 500:
        # The retries of a job: refusals of Camunda's REST itself, which have no code.
        bare = error["type"] == "InvalidRequestException"
        assert error["type"] in ENGINES and (error["code"] is not None or bare), f"not an engine's own error: {where}"
    else:
        assert response.status_code < 500, f"no refusal of what was sent: {where}"


@schemathesis.hook
def before_call(context, case, kwargs):
    # A long poll would wait for its whole time.
    if isinstance(case.body, dict) and "asyncResponseTimeout" in case.body:
        case.body["asyncResponseTimeout"] = 0
