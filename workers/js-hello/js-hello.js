// A first worker in plain JavaScript: greets whoever the task names. The imports and the export are the contract's, in
// the names that componentize-js gives them; there is no SDK.
import * as config from "handoff:worker/config@0.1.0";
import { log } from "handoff:worker/logging@0.1.0";

export const handler = {
  handle(task) {
    const name = task.variables.find((variable) => variable.name === "name")?.value;
    if (name?.tag !== "text") {
      return failure("there is no text variable `name`");
    }
    const salutation = config.get("salutation") ?? "Hello";
    log("info", "greeting", [["name", name.val]]);
    return complete([text("greeting", `${salutation}, ${name.val}!`)]);
  },
};

function text(name, value) {
  return { name, value: { tag: "text", val: value }, transient: false };
}

function complete(variables) {
  return { tag: "complete", val: { variables, localVariables: [] } };
}

function failure(message) {
  return { tag: "failure", val: { message, variables: [], localVariables: [] } };
}
