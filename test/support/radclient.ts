import { findProgram, runToEnd } from "./program.ts";

const RADCLIENT = findProgram("radclient") ?? "radclient";

export interface Asked {
  /** Everything that radclient said. */
  readonly output: string;
  /** Name of the reply's code, or undefined for none that verified. */
  readonly reply: string | undefined;
}

/** Asks by radclient, once if `tries` does not say otherwise; it says nothing of replies whose authenticators are wrong.
 *  @param where "127.0.0.1:1812", "[::1]:1812"
 *  @param attributes one a line, as radclient reads them */
export async function radclient(
  where: string,
  what: "auth" | "acct" | "coa" | "disconnect" | "status",
  secret: string,
  attributes: readonly string[],
  { timeoutS = 4, tries = 1 }: { readonly timeoutS?: number; readonly tries?: number } = {},
): Promise<Asked> {
  const words = ["-x", "-t", String(timeoutS), "-r", String(tries), where, what, secret];
  const { output } = await runToEnd(RADCLIENT, words, `${attributes.join("\n")}\n`);
  return { output, reply: /^Received (\S+) Id/m.exec(output)?.[1] };
}
