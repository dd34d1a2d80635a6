import type { Collection, Filter } from "mongodb";
import type { Random } from "../../clock.ts";

interface Due {
  readonly _id: string;
  readonly dueAtMs: number;
  readonly lease?: string;
}

/** Takes documents that are due, the longest due first, and makes them due again at `leaseUntilMs`. Each goes to exactly one of
 *  those who ask at a moment: a document is only moved while it is due, and says who moved it. */
export async function takeDue<Document extends Due>(
  collection: Collection<Document>,
  due: { readonly filter: object; readonly nowMs: number; readonly leaseUntilMs: number; readonly limit: number },
  random: Random,
): Promise<Document[]> {
  const documents = collection as unknown as Collection<Due>;
  const lease = random.bytes(12).toString("hex");
  const filter = { ...due.filter, dueAtMs: { $lte: due.nowMs } } as Filter<Due>;
  const taken: Due[] = [];
  while (taken.length < due.limit) {
    const sort = { dueAtMs: 1, _id: 1 } as const;
    const found = await documents.find(filter, { sort, limit: due.limit - taken.length }).toArray();
    if (found.length === 0) break;
    const ids = { _id: { $in: found.map(({ _id }) => _id) } };
    await documents.updateMany({ ...filter, ...ids }, { $set: { dueAtMs: due.leaseUntilMs, lease } });
    const mine = await documents.find({ ...ids, lease }, { projection: { _id: 1 } }).toArray();
    const keys = new Set(mine.map(({ _id }) => _id));
    taken.push(...found.filter(({ _id }) => keys.has(_id)));
    if (due.leaseUntilMs <= due.nowMs) break;
  }
  return taken.map((document) => ({ ...document, dueAtMs: due.leaseUntilMs })) as unknown as Document[];
}
