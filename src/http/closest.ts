/** The known word that was probably meant: the same but for case and punctuation, with
 *  something before or behind it, or at most a third of its letters away. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const plain = bare(word.slice(0, 64));
  let best: string | undefined;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const target = bare(candidate);
    const longer = plain.startsWith(target) || plain.endsWith(target);
    const distance = Math.min(editDistance(plain, target), longer ? 1 : Number.POSITIVE_INFINITY);
    if (distance < bestDistance && distance <= Math.max(1, target.length / 3)) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function bare(word: string): string {
  return word.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Levenshtein distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= right.length; column += 1) {
      const substitution = (above[column - 1] as number) + (left[row - 1] === right[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (above[column] as number) + 1, (current[column - 1] as number) + 1));
    }
    above = current;
  }
  return above[right.length] as number;
}
