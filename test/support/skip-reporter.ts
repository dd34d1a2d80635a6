import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

interface Skipped {
  readonly where: string;
  readonly reason: string;
}

// A default export because that is what `reporters` in vitest.config.ts loads.
/** Says aloud which tests did not run and why, and ends with the line `N passed, N failed, N skipped`. With CI=true a skip
 *  fails the run, and so does a run in which no test ran: a peer that was never asked has proven nothing. */
export default class SkipReporter implements Reporter {
  #namePattern: RegExp | undefined;

  onInit(vitest: Vitest): void {
    this.#namePattern = vitest.config.testNamePattern;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const skipped: Skipped[] = [];
    let passed = 0;
    let failed = unhandledErrors.length;
    for (const module of modules) {
      failed += brokenOutsideTests(module);
      for (const test of module.children.allTests()) {
        if (this.#deselected(test)) continue;
        const result = test.result();
        if (result.state === "passed") passed += 1;
        else if (result.state === "failed") failed += 1;
        else skipped.push({ where: `${module.relativeModuleId} > ${test.fullName}`, reason: reasonOf(test) });
      }
    }
    const inCi = process.env["CI"] === "true";
    print(skippedLines(skipped, inCi));
    if (passed + failed === 0) print(["No test ran."]);
    print(["", `${passed} passed, ${failed} failed, ${skipped.length} skipped`]);
    if (inCi && (skipped.length > 0 || passed + failed === 0)) process.exitCode = 1;
  }

  /** True for what `-t PATTERN` left out: the user did not want it, so it is no skip. */
  #deselected(test: TestCase): boolean {
    if (this.#namePattern === undefined || test.result().state !== "skipped") return false;
    return !this.#namePattern.test(test.fullName.replaceAll(" > ", " "));
  }
}

/** A file that does not load and a beforeAll() that throws have no failed test to show for it: each counts as one failure. */
function brokenOutsideTests(module: TestModule): number {
  let broken = module.errors().length > 0 ? 1 : 0;
  for (const suite of module.children.allSuites()) if (suite.errors().length > 0) broken += 1;
  return broken;
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  if (result.state === "skipped" && result.note !== undefined) return result.note;
  if (result.state === "pending") return "never started";
  if (test.options.mode === "todo") return "todo";
  return "skipped in the file; give the reason with context.skip(reason)";
}

function skippedLines(skipped: readonly Skipped[], inCi: boolean): string[] {
  if (skipped.length === 0) return [];
  const count = skipped.length === 1 ? "1 test was" : `${skipped.length} tests were`;
  const verdict = inCi ? " (a failure, because CI=true)" : "";
  return ["", `${count} SKIPPED${verdict}:`, ...skipped.map(({ where, reason }) => `  ${where}: ${reason}`)];
}

function print(lines: readonly string[]): void {
  if (lines.length > 0) process.stdout.write(`${lines.join("\n")}\n`);
}
