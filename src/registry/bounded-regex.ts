import { HubError } from "../errors.ts";

/** A longer text never matches: attribute values have at most 253 octets, certificate names seldom more. */
export const SUBJECT_LENGTH_MAX = 512;
/** `*`, `+` and `{n,}` in one pattern. Work grows with the length of the subject to about this power. */
const REPEATS_MAX = 3;
/** `?` in one pattern. Work grows with two to this power. */
const OPTIONALS_MAX = 8;

interface Group {
  /** Whether something inside has a quantifier or there is an alternative: repeating that may take exponential time. */
  varies: boolean;
}

/** Compiles a regular expression into a test whose time is bounded although the subject comes from a peer (invariant 9).
 *  Node has only a backtracking engine, so what can make it explode is refused: a repeated group with a quantifier or an
 *  alternative inside, back-references, many quantifiers.
 *  @throws {HubError} ERR_CONFIG */
export function compileBoundedRegex(pattern: string, flags: string): (subject: string) => boolean {
  if (!/^[isu]*$/.test(flags)) throw refused(`flags "${flags}" are not supported, only i, s and u`);
  const regex = parse(pattern, flags);
  assertBounded(pattern);
  return (subject) => subject.length <= SUBJECT_LENGTH_MAX && regex.test(subject);
}

function parse(pattern: string, flags: string): RegExp {
  try {
    return new RegExp(pattern, flags);
  } catch (cause) {
    throw new HubError("ERR_CONFIG", `/${pattern}/ is not a regular expression`, { pattern }, { cause });
  }
}

/** The pattern is known to be valid here, so every bracket has its partner. */
function assertBounded(pattern: string): void {
  const token =
    /\\(?<back>[1-9]|k<)|\\.|\[(?:\\.|[^\]\\])*\]|(?<open>\((?:\?(?:[:=!]|<[=!]|<\w+>))?)|(?<close>\))|(?<either>\|)|(?<quantifier>[*+?]|\{\d+(?:,\d*)?\})\??/gs;
  const outer: Group[] = [];
  let group: Group = { varies: false };
  let closed: { readonly end: number; readonly group: Group } | undefined;
  let repeats = 0;
  let optionals = 0;
  for (const { groups, 0: text, index } of pattern.matchAll(token)) {
    if (groups?.["back"] !== undefined) throw refused("a back-reference may take exponential time");
    if (groups?.["open"] !== undefined) {
      outer.push(group);
      group = { varies: false };
    } else if (groups?.["close"] !== undefined) {
      closed = { end: index + text.length, group };
      const inner = group;
      group = outer.pop() ?? { varies: false };
      group.varies ||= inner.varies;
    } else if (groups?.["either"] !== undefined) {
      group.varies = true;
    } else if (groups?.["quantifier"] !== undefined) {
      const optional = groups["quantifier"] === "?";
      if (!optional && closed?.end === index && closed.group.varies) {
        throw refused("a repeated group with a quantifier or an alternative inside may take exponential time");
      }
      if (/^\{\d+\}$/.test(groups["quantifier"])) continue; // an exact count leaves nothing to try
      group.varies = true;
      if (optional) optionals += 1;
      else repeats += 1;
    }
  }
  if (repeats > REPEATS_MAX) throw refused(`more than ${REPEATS_MAX} quantifiers take too long on some names`);
  if (optionals > OPTIONALS_MAX) throw refused(`more than ${OPTIONALS_MAX} optional parts take too long on some names`);
}

function refused(why: string): HubError {
  return new HubError("ERR_CONFIG", `regular expression refused: ${why}`);
}
