// The worker echo in JavaScript, for the benchmark: completes at once with `done = true` and a copy of the variable
// `orderId`.
export const handler = {
  handle(task) {
    const variables = [{ name: "done", value: { tag: "boolean", val: true }, transient: false }];
    const orderId = task.variables.find((variable) => variable.name === "orderId");
    if (orderId) {
      variables.push(orderId);
    }
    return { tag: "complete", val: { variables, localVariables: [] } };
  },
};
