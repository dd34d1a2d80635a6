/** Where `${env:NAME}` and `${file:/path}` come from. Only main.ts knows the real ones. */
export interface ValueSource {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file; throws what node:fs throws. */
  readonly readFile: (path: string) => string;
}

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const ENV = /^env:([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;
const FILE = /^file:(.+)$/s;

/** Replaces every `${env:NAME}`, `${env:NAME:-default}` and `${file:/path}`; `$${` stands for a plain `${`.
 *  What comes in is not looked at again, so a variable can not name another one.
 *  @param fail called with each reference that has no value; the message never holds one */
export function substitute(text: string, source: ValueSource, fail: (message: string) => void): string {
  return text.replace(REFERENCE, (whole, inner: string | undefined) => {
    if (inner === undefined) return "${";
    const [, variable, fallback] = ENV.exec(inner) ?? [];
    const [, path] = FILE.exec(inner) ?? [];
    if (!whole.endsWith("}") || (variable === undefined && path === undefined)) {
      fail("has a ${...} that is none of ${env:NAME}, ${env:NAME:-default}, ${file:/path}; write $${ for a plain ${");
      return "";
    }
    return path === undefined ? variableText(variable as string, fallback, source, fail) : fileText(path, source, fail);
  });
}

/** As in a shell, ":-" stands in for a variable that is unset or empty. */
function variableText(
  name: string,
  fallback: string | undefined,
  source: ValueSource,
  fail: (message: string) => void,
): string {
  const value = Object.hasOwn(source.env, name) ? source.env[name] : undefined;
  if (fallback !== undefined) return value === undefined || value === "" ? fallback : value;
  if (value === undefined) fail(`environment variable ${name} is not set`);
  return value ?? "";
}

/** Without its last line end, which editors and `echo` add to a secret. */
function fileText(path: string, source: ValueSource, fail: (message: string) => void): string {
  try {
    return source.readFile(path).replace(/\r?\n$/, "");
  } catch (error) {
    fail(`file ${path} can not be read (${readErrorCode(error)})`);
    return "";
  }
}

/** "ENOENT" and the like; other messages might quote the file. */
export function readErrorCode(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "error";
}
