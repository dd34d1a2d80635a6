import { z } from "zod";
import { codeName, parseCode } from "../radius/codes.ts";
import { refuse } from "./values.ts";

const REPLY_CODES: ReadonlySet<number> = new Set([2, 3, 5, 11, 41, 42, 44, 45, 52]);

/** The code of a request, by name or number. */
export const requestCode = z
  .union([z.int(), z.string()], "must be the name or number of a RADIUS code")
  .transform((value, context) => {
    const code = parseCode(String(value));
    if (code === undefined) return refuse(context, "must be the name or number (1 to 255) of a RADIUS code");
    if (REPLY_CODES.has(code)) return refuse(context, `${codeName(code)} is a reply; list codes of requests`);
    return code;
  })
  .meta({ description: "A RADIUS code." });
