import { describe, expect, it } from "vitest";
import { configOf, problemsOf } from "./load.ts";

const nodeName = (yaml: string, env = {}) => configOf(`node: { name: ${yaml} }`, env).node.name;
const logFile = (yaml: string, env = {}, files = {}) => configOf(`log: { file: ${yaml} }`, env, files).log.file;

describe("substitute()", () => {
  it.each([
    ["'${env:A}'", { A: "x" }, "x"],
    ["'a-${env:A}-${env:B}'", { A: "x", B: "y" }, "a-x-y"],
    ["'${env:A:-z}'", {}, "z"],
    ["'${env:A:-z}'", { A: "" }, "z"],
    ["'${env:A:-z}'", { A: "x" }, "x"],
  ])("reads %s", (yaml, env, expected) => {
    expect(nodeName(yaml, env)).toBe(expected);
  });

  it("reads a file without its last line end", () => {
    const files = { "/run/secrets/x": "one\ntwo\r\n" };
    expect(logFile("'${file:/run/secrets/x}'", {}, files)).toBe("one\ntwo");
  });

  it("leaves $${ as a plain ${ and a lone $ alone", () => {
    expect(logFile("'$${env:A} $1 $'", { A: "x" })).toBe("${env:A} $1 $");
  });

  it("looks at nothing twice", () => {
    expect(logFile("'${env:A}'", { A: "${env:B}", B: "x" })).toBe("${env:B}");
  });

  it("can not change the structure of the file", () => {
    expect(logFile("'${env:A}'", { A: "x }\nhttp: { enabled: false" })).toBe("x }\nhttp: { enabled: false");
  });

  it("takes numbers and booleans where they are wanted, and keeps digits as text elsewhere", () => {
    const env = { PORT: "4001", ON: "false", SECRET: "007000000000000", LINKS: "7" };
    const config = configOf(
      "http: { port: '${env:PORT}' }\nstatus: { enabled: '${env:ON}' }\nradsec: [{ secret: '${env:SECRET}', limits: { links: '${env:LINKS}' } }]\nclients: [{ name: a, match: { commonName: b } }]",
      env,
    );
    expect(config.http?.port).toBe(4001);
    expect(config.status.enabled).toBe(false);
    expect(config.radsec[0]?.limits.links).toBe(7);
    expect(config.clients[0]?.secret.octets.toString()).toBe("007000000000000");
  });

  it.each([
    ["http: { port: '${env:A}' }", "http.port", "port number"],
    ["status: { enabled: '${env:A}' }", "status.enabled", "true or false"],
  ])("refuses other text in %s", (yaml, key, message) => {
    expect(problemsOf(yaml, { A: "1x" })).toMatchObject([{ key, message: expect.stringContaining(message) as string }]);
  });

  it("reports other mistakes beside a number from the environment", () => {
    const problems = problemsOf("http: { port: '${env:A}' }\nlog: { level: loud }", { A: "4001" });
    expect(problems.map(({ key }) => key)).toEqual(["log.level"]);
  });

  it("does not find names of Object.prototype in the environment", () => {
    expect(problemsOf("log: { file: '${env:toString}' }")).toMatchObject([
      { message: expect.stringContaining("not set") as string },
    ]);
  });
});
