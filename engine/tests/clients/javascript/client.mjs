// The official JavaScript client, unchanged: does with each task what its variable `do` says, until so many are done.
import { Client, Variables } from "camunda-external-task-client-js";

const [url, count] = process.argv.slice(2);
let left = Number(count);
const unlocked = new Set();
const client = new Client({ baseUrl: url, workerId: "javascript", asyncResponseTimeout: 2000, interval: 20, maxTasks: 10 });

const must = (right, what) => {
  if (!right) {
    console.error(`wrong: ${what}`);
    process.exit(1);
  }
};

const complete = async (task, service) => {
  const { variables } = task;
  must(variables.get("int") === 42, "int");
  must(variables.get("text") === "é漢", "text");
  must(variables.get("flag") === true, "flag");
  must(variables.get("double") === 1.5, "double");
  must(variables.get("json").a[1] === 2, "json");
  must(variables.get("date").getTime() === 1769847330123, "date");
  const out = new Variables();
  out.set("outInt", 43);
  out.set("outText", "ü");
  out.set("outFlag", false);
  out.set("outDouble", 2.5);
  out.setTyped("outJson", { type: "json", value: { b: 1 }, valueInfo: {} });
  out.setTyped("outDate", { type: "date", value: new Date(1769847330123), valueInfo: {} });
  const local = new Variables();
  local.set("local", 1);
  await service.complete(task, out, local);
};

client.subscribe("official", { lockDuration: 60000 }, async ({ task, taskService: service }) => {
  const what = task.variables.get("do");
  if (what === "complete") await complete(task, service);
  else if (what === "fail")
    await service.handleFailure(task, { errorMessage: "no", errorDetails: "why", retries: 3, retryTimeout: 600000 });
  else if (what === "error") await service.handleBpmnError(task, "oops", "why", new Variables().set("outText", "ü"));
  else if (what === "extend") await service.extendLock(task, 1200000);
  else if (what === "unlock" && !unlocked.has(task.id)) {
    unlocked.add(task.id);
    await service.unlock(task);
    return;
  } else await service.complete(task);
  left -= 1;
  if (left === 0) {
    client.stop();
    process.exit(0);
  }
});
