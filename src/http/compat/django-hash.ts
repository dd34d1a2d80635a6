import { parsePhc } from "../../aaa/users/phc.ts";

const PBKDF2 = /^pbkdf2_(sha256|sha1)\$(\d{1,9})\$([^$]+)\$([A-Za-z0-9+/]+={0,2})$/;
const SCRYPT = /^scrypt\$(\d{1,7})\$([^$]+)\$(\d{1,3})\$(\d{1,3})\$([A-Za-z0-9+/]+={0,2})$/;

/** A hashed password as Django writes it, or in PHC string format, as PHC text; undefined for anything else, and for one that
 *  would cost more than a login may. Django's salts are text, and hashed as that. */
export function phcOfDjango(text: string): string | undefined {
  const phc = translated(text);
  return parsePhc(phc) === undefined ? undefined : phc;
}

function translated(text: string): string {
  const [, digest, iterations, salt = "", hash = ""] = PBKDF2.exec(text) ?? [];
  if (digest !== undefined) return `$pbkdf2-${digest}$i=${Number(iterations)}$${base64(salt)}$${unpadded(hash)}`;
  const [, cost, scryptSalt = "", blockSize, parallelism, scryptHash = ""] = SCRYPT.exec(text) ?? [];
  if (cost !== undefined) {
    const logN = Math.log2(Number(cost));
    const parameters = `ln=${logN},r=${Number(blockSize)},p=${Number(parallelism)}`;
    return `$scrypt$${parameters}$${base64(scryptSalt)}$${unpadded(scryptHash)}`;
  }
  // Django's own prefix before what is PHC text already.
  return text.startsWith("argon2$argon2id$") ? text.slice("argon2".length) : text;
}

function base64(text: string): string {
  return unpadded(Buffer.from(text).toString("base64"));
}

function unpadded(base64Text: string): string {
  return base64Text.replaceAll("=", "");
}
