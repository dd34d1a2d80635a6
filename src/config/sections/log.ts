import type { z } from "zod";
import { section } from "../section.ts";
import { choice, text } from "../values.ts";

export const logSection = section({
  level: choice("Least level that is written.", ["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default(
    "info",
  ),
  format: choice("json: one object a line. pretty: for people.", ["json", "pretty"]).default("json"),
  file: text("File to append to; without it the log goes to standard output.").optional(),
});

export interface LogConfig {
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  readonly format: "json" | "pretty";
  readonly file: string | undefined;
}

export function logConfig(values: z.output<typeof logSection>): LogConfig {
  return { level: values.level, format: values.format, file: values.file };
}
