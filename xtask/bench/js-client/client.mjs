// The official JavaScript client, doing what workers/echo does: `node client.mjs URL`. It runs until it is killed.
// It asks again at once, for as many tasks as the host has slots, rather than at its default of 10 every 300 ms.
import { Client, Variables } from "camunda-external-task-client-js";

const client = new Client({
  baseUrl: process.argv[2],
  workerId: "js-client",
  maxTasks: 64,
  maxParallelExecutions: 64,
  interval: 0,
  asyncResponseTimeout: 10_000,
});

client.subscribe("c7bench", async ({ task, taskService }) => {
  const variables = new Variables();
  variables.set("done", true);
  variables.set("orderId", task.variables.get("orderId"));
  await taskService.complete(task, variables);
});
