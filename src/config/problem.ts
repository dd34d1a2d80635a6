/** One mistake, or one warning, and where it stands. `message` never holds a value of the file, so no secret either. */
export interface Problem {
  readonly file: string;
  /** Both count from 1. */
  readonly line: number;
  readonly column: number;
  /** "radsec[0].limits.links"; empty when the file as a whole is meant. */
  readonly key: string;
  readonly message: string;
}

export type KeyPath = readonly (string | number)[];

/** What a rule calls with each mistake that it finds; `path` starts at the value that the rule was given. */
export type Report = (path: KeyPath, message: string) => void;

/** "config/hub.yaml:8:5: clients[1].match.network: is not a network", the form that editors make a link of. */
export function problemText(problem: Problem): string {
  const place = `${problem.file}:${problem.line}:${problem.column}`;
  return problem.key === "" ? `${place}: ${problem.message}` : `${place}: ${problem.key}: ${problem.message}`;
}

/** ["dynauth", "select", 0, "match", "cert.san.dns"] -> `dynauth.select[0].match["cert.san.dns"]`. */
export function keyText(path: KeyPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[\w-]+$/.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return text;
}
