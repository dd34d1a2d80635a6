import { expect } from "vitest";
import { problemsOf } from "./load.ts";

/** A text with exactly one mistake, and what the operator must be told of it. */
export interface Mistake {
  readonly name: string;
  readonly yaml: string;
  readonly line: number;
  readonly key: string;
  /** Part of the message. */
  readonly message: string;
}

export function expectMistake({ yaml, line, key, message }: Mistake): void {
  const problems = problemsOf(yaml);
  expect(problems, "exactly the one mistake").toHaveLength(1);
  expect(problems[0]).toMatchObject({ file: "hub.yaml", line, key });
  expect(problems[0]?.message).toContain(message);
}
