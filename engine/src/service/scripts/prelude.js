// What a script sees: `execution`, `task`, `S(…)`, `JSON`, `BpmnError`, and every visible variable by its name. It is
// evaluated to a function that takes the call as JSON and answers an object with `finish` and `failed`.
(function (input) {
  "use strict";
  const given = JSON.parse(input);
  const stringify = JSON.stringify, parse = JSON.parse, integer = Number.isInteger;
  const log = [];

  class BpmnError extends Error {
    constructor(code, message) {
      super(message === undefined || message === null ? "" : String(message));
      this.errorCode = code instanceof Error ? code.message : String(code);
      this.plain = message === undefined || message === null;
    }
    getErrorCode() { return this.errorCode; }
    getMessage() { return this.message; }
  }

  // JSON as Camunda Spin has it.
  class SpinJson {
    constructor(value) { this.json = value; }
    prop(name, value) {
      if (arguments.length > 1) {
        this.json[name] = value instanceof SpinJson ? value.json : value;
        return this;
      }
      if (this.json === null || typeof this.json !== "object" || !(name in this.json)) {
        throw new Error("Unable to find '" + name + "'");
      }
      return new SpinJson(this.json[name]);
    }
    hasProp(name) { return this.json !== null && typeof this.json === "object" && name in this.json; }
    deleteProp(name) { delete this.json[name]; return this; }
    elements() { return this.list().map((item) => new SpinJson(item)); }
    list() {
      if (!Array.isArray(this.json)) throw new Error("it is not an array: " + this);
      return this.json;
    }
    append(value) { this.list().push(value instanceof SpinJson ? value.json : value); return this; }
    remove(value) {
      const at = this.list().indexOf(value);
      if (at >= 0) this.json.splice(at, 1);
      return this;
    }
    fieldNames() { return Object.keys(this.json); }
    size() { return Array.isArray(this.json) ? this.json.length : Object.keys(this.json).length; }
    numberValue() { return this.of("number"); }
    stringValue() { return this.of("string"); }
    boolValue() { return this.of("boolean"); }
    value() {
      if (this.json !== null && typeof this.json === "object") throw new Error("it is not a plain value: " + this);
      return this.json;
    }
    of(type) {
      if (typeof this.json !== type) throw new Error("it is not a " + type + ": " + this);
      return this.json;
    }
    isObject() { return this.json !== null && typeof this.json === "object" && !Array.isArray(this.json); }
    isArray() { return Array.isArray(this.json); }
    isNumber() { return typeof this.json === "number"; }
    isString() { return typeof this.json === "string"; }
    isBoolean() { return typeof this.json === "boolean"; }
    isNull() { return this.json === null; }
    isValue() { return this.json === null || typeof this.json !== "object"; }
    unwrap() { return this.json; }
    toString() { return stringify(this.json); }
    toJSON() { return this.json; }
  }

  // A value that a script can only pass on.
  class Opaque {
    constructor(index, type) { this.index = index; this.type = type; Object.freeze(this); }
    toString() { return "[" + this.type + "]"; }
  }

  function S(value) {
    if (value instanceof SpinJson) return value;
    if (value === null || value === undefined) throw new Error("Unable to read JSON: the input is null");
    return new SpinJson(typeof value === "string" ? parse(value) : parse(stringify(value)));
  }

  function decode([tag, value]) {
    switch (tag) {
      case "null": return null;
      case "date": return new Date(value);
      case "json": return new SpinJson(parse(value));
      case "object": return parse(value);
      case "opaque": return new Opaque(value[0], value[1]);
      default: return value;
    }
  }

  function encode(value) {
    if (value === null || value === undefined) return ["null"];
    switch (typeof value) {
      case "boolean": return ["boolean", value];
      case "string": return ["text", value];
      case "bigint": return ["long", value.toString()];
      case "number":
        if (integer(value) && !Object.is(value, -0)) {
          if (value >= -2147483648 && value <= 2147483647) return ["integer", value];
          if (Number.isSafeInteger(value)) return ["long", value.toString()];
        }
        return Number.isFinite(value) ? ["double", value] : ["double", String(value)];
      case "object":
        if (value instanceof Date) return ["date", value.getTime()];
        if (value instanceof SpinJson) return ["json", stringify(value.json)];
        if (value instanceof Opaque) return ["opaque", value.index];
        if (value instanceof String || value instanceof Number || value instanceof Boolean) return encode(value.valueOf());
        return ["object", stringify(value), Array.isArray(value) ? "java.util.ArrayList" : "java.util.LinkedHashMap"];
      default: throw new TypeError("a " + typeof value + " cannot be a variable");
    }
  }

  const visible = new Map(), local = new Map();
  for (const [name, value] of given.variables) visible.set(name, decode(value));
  for (const [name, value] of given.local) local.set(name, decode(value));
  const changes = new Map(), localChanges = new Map(), removed = new Set(), taskChanges = new Map();
  const known = (name) => {
    if (typeof name !== "string" || name === "") throw new TypeError("a variable needs a name");
    return name;
  };

  const scope = {
    getVariable: (name) => (visible.has(name) ? visible.get(name) : null),
    getVariableLocal: (name) => (local.has(name) ? local.get(name) : null),
    hasVariable: (name) => visible.has(name),
    hasVariableLocal: (name) => local.has(name),
    hasVariables: () => visible.size > 0,
    getVariables: () => Object.fromEntries(visible),
    getVariablesLocal: () => Object.fromEntries(local),
    getVariableNames: () => [...visible.keys()],
    getVariableNamesLocal: () => [...local.keys()],
    setVariable: (name, value) => {
      changes.set(known(name), encode(value));
      removed.delete(name);
      visible.set(name, value);
      if (local.has(name)) local.set(name, value);
    },
    setVariableLocal: (name, value) => {
      localChanges.set(known(name), encode(value));
      local.set(name, value);
      visible.set(name, value);
    },
    setVariables: (map) => { for (const name of Object.keys(map)) scope.setVariable(name, map[name]); },
    setVariablesLocal: (map) => { for (const name of Object.keys(map)) scope.setVariableLocal(name, map[name]); },
    removeVariable: (name) => {
      changes.delete(known(name));
      localChanges.delete(name);
      removed.add(name);
      visible.delete(name);
      local.delete(name);
    },
  };

  function withFacts(facts, settable) {
    const object = Object.create(null);
    const values = {};
    for (const [name, value] of facts) {
      values[name] = decode(value);
      const capital = name[0].toUpperCase() + name.slice(1);
      Object.defineProperty(object, name, { get: () => values[name], enumerable: true });
      object["get" + capital] = () => values[name];
      if (settable.includes(name)) {
        object["set" + capital] = (value) => {
          taskChanges.set(name, encode(value));
          values[name] = value === undefined ? null : value;
        };
      }
    }
    return Object.assign(object, scope);
  }

  const execution = withFacts(given.execution, []);
  const task = given.task &&
    withFacts(given.task, ["name", "description", "assignee", "owner", "priority", "dueDate", "followUpDate"]);
  if (task) {
    task.getExecution = () => execution;
    Object.defineProperty(task, "execution", { get: () => execution });
  }

  const write = (...words) => { if (log.length < 20) log.push(words.map(String).join(" ").slice(0, 1000)); };
  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  for (const [name, value] of visible) define(name, value);
  define("execution", execution);
  if (task) define("task", task);
  define("S", S);
  define("BpmnError", BpmnError);
  define("print", write);
  define("console", { log: write, info: write, warn: write, error: write, debug: write });
  define("org", { camunda: { bpm: { engine: { delegate: { BpmnError } } } } });
  define("java", { util: { Date, ArrayList: Array }, lang: { System: { out: { println: write } } } });

  const pairs = (map) => [...map].map(([name, value]) => [name, value]);
  const report = (fields) => stringify({
    variables: pairs(changes),
    local: pairs(localChanges),
    removed: [...removed],
    task: pairs(taskChanges),
    log,
    ...fields,
  });
  return {
    finish: (result) => report({ result: encode(result) }),
    failed: (error) => {
      if (error instanceof BpmnError) {
        return report({ bpmn: [error.errorCode, error.plain ? null : error.message] });
      }
      const place = error instanceof Error && error.stack ? String(error.stack).trim().split("\n")[0].trim() : "";
      return report({ error: String(error) + (place ? " (" + place + ")" : "") });
    },
  };
})
