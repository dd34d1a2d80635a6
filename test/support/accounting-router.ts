import { expect } from "vitest";
import { ATTRIBUTE, type Attribute, firstValue, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { Logger } from "../../src/log.ts";
import { RawNas } from "./raw-nas.ts";
import { RunningHub } from "./running-hub.ts";

/** Acct-Status-Type. */
export const START = 1;
export const INTERIM = 3;

/** A hub whose store is up: until then it answers no accounting. */
export async function startHub(yaml: string, log?: Logger): Promise<RunningHub> {
  const running = await RunningHub.start({ yaml, ...(log && { log }) });
  await running.hub.store?.ready(10_000);
  return running;
}

/** A router that dials out to the hub and tells of its users. */
export class AccountingRouter {
  readonly name: string;
  readonly nas: RawNas;

  constructor(name: string, nas: RawNas) {
    this.name = name;
    this.nas = nas;
  }

  static async of(running: RunningHub, name: string): Promise<AccountingRouter> {
    const nas = await RawNas.dial(running.radsecPort, await running.credentials(name));
    await nas.register(name);
    return new AccountingRouter(name, nas);
  }

  /** Resolves once the record is stored. */
  async account(status: number, username: string, acctSessionId: string, more: readonly Attribute[] = []) {
    const index = this.nas.received.length;
    this.nas.request(CODE.accountingRequest, [
      integerAttribute(ATTRIBUTE.acctStatusType, status),
      textAttribute(ATTRIBUTE.acctSessionId, acctSessionId),
      textAttribute(ATTRIBUTE.userName, username),
      textAttribute(ATTRIBUTE.nasIdentifier, this.name),
      ...more,
    ]);
    expect((await this.nas.packet(index)).code).toBe(CODE.accountingResponse);
  }

  /** Answers the next request of the hub. */
  async answerNext(
    positive: boolean,
    attributes: readonly Attribute[] = [],
  ): Promise<Readonly<Record<string, string | undefined>>> {
    const request = await this.nas.packet(this.nas.received.length);
    this.nas.answer(request, request.code + (positive ? 1 : 2), attributes);
    const text = (type: number) => firstValue(request.attributes, type)?.toString();
    return {
      username: text(ATTRIBUTE.userName),
      sessionId: text(ATTRIBUTE.acctSessionId),
      callingStationId: text(ATTRIBUTE.callingStationId),
      nasIdentifier: text(ATTRIBUTE.nasIdentifier),
    };
  }
}
