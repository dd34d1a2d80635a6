import { type Config, type ConfigSource, type LoadedConfig, loadConfig, type Problem } from "../../../src/config.ts";

/** Files that exist while a test reads a configuration. */
export const FILES: Readonly<Record<string, string>> = {
  "hub.pem": "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
  "hub.key": "-----BEGIN EC PRIVATE KEY-----\nMA==\n-----END EC PRIVATE KEY-----\n",
  "ca.pem": "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n",
  "ca.crl": "-----BEGIN X509 CRL-----\nMA==\n-----END X509 CRL-----\n",
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
