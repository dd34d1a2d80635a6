import { type Config, type ConfigSource, type LoadedConfig, loadConfig, type Problem } from "../../../src/config.ts";
import { SERVER_AUTH, TestCa } from "../../support/test-pki.ts";

const ca = await TestCa.create();
const hub = await ca.issue({ subject: "CN=hub", usage: [SERVER_AUTH] });

/** Files that exist while a test reads a configuration. */
export const FILES: Readonly<Record<string, string>> = {
  "hub.pem": hub.certificate,
  "hub.key": hub.key,
  "ca.pem": ca.certificate,
  "ca.crl": await ca.revoke([]),
};

export function load(
  yaml: string,
  env: ConfigSource["env"] = {},
  files: Readonly<Record<string, string>> = FILES,
  more: Partial<ConfigSource> = {},
): LoadedConfig {
  const readFile = (path: string) => {
    const text = files[path];
    if (text === undefined) throw Object.assign(new Error(`ENOENT: ${path}`), { code: "ENOENT" });
    return text;
  };
  return loadConfig(yaml, { file: "hub.yaml", env, readFile, ...more });
}

export function configOf(yaml: string, env: ConfigSource["env"] = {}, files = FILES): Config {
  const loaded = load(yaml, env, files);
  if (!loaded.ok) throw new Error(loaded.problems.map((problem) => JSON.stringify(problem)).join("\n"));
  return loaded.config;
}

export function problemsOf(yaml: string, env: ConfigSource["env"] = {}, files = FILES): readonly Problem[] {
  const loaded = load(yaml, env, files);
  return loaded.ok ? [] : loaded.problems;
}
