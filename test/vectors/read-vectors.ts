import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SharedSecret } from "../../src/radius/authenticator.ts";

/** One golden example. Which fields it has tells what it proves; see the text files beside this one. */
export interface Vector {
  readonly name: string;
  /** The document and section it comes from, or the rule it was computed for. */
  readonly source: string;
  readonly octets: Buffer;
  /** Given for RADIUS/1.0 packets only. */
  readonly secret: SharedSecret | undefined;
  /** The request that a response answers. */
  readonly answers: Vector | undefined;
  readonly verdict: string | undefined;
  /** The code of the HubError that decoding ends with. */
  readonly error: string | undefined;
  readonly code: string | undefined;
  readonly token: string | undefined;
  /** What User-Password hides. */
  readonly password: string | undefined;
  /** What CHAP-Password was made from. */
  readonly chap: string | undefined;
  /** "Name = value", in the order of the packet. */
  readonly values: readonly string[];
}

/** Every vector of this folder: blocks of "field  text" lines with blank lines between them, "#" begins a comment. */
export function readVectors(): Vector[] {
  const vectors: Vector[] = [];
  for (const file of readdirSync(import.meta.dirname).filter((name) => name.endsWith(".txt"))) {
    const lines = readFileSync(join(import.meta.dirname, file), "utf8").replaceAll(/^#.*$/gm, "");
    for (const block of lines.split(/\n\s*\n/).filter((text) => text.trim() !== "")) {
      vectors.push(readVector(block, vectors));
    }
  }
  return vectors;
}

function readVector(block: string, before: readonly Vector[]): Vector {
  const fields = new Map<string, string[]>();
  for (const line of block.trim().split("\n")) {
    const [, field = "", text = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    fields.set(field, [...(fields.get(field) ?? []), text]);
  }
  const only = (field: string) => fields.get(field)?.[0];
  const secret = only("secret");
  const answers = only("answers");
  return {
    name: only("vector") ?? "",
    source: only("source") ?? "",
    octets: Buffer.from((fields.get("octets") ?? []).join(""), "hex"),
    secret: secret === undefined ? undefined : new SharedSecret(secret),
    answers: answers === undefined ? undefined : before.find((each) => each.name === answers),
    verdict: only("verdict"),
    error: only("error"),
    code: only("code"),
    token: only("token"),
    password: only("password"),
    chap: only("chap"),
    values: fields.get("value") ?? [],
  };
}
