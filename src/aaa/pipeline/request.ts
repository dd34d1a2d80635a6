import { ATTRIBUTE, type Attribute, firstValue } from "../../radius/attribute.ts";
import { decodePlaced } from "../../radius/attribute-place.ts";
import type { DecodedAttribute, Dictionary } from "../../radius/dictionary.ts";
import { revealUserPassword } from "../../radius/hidden.ts";
import type { Packet } from "../../radius/packet.ts";
import { VENDOR_FORMAT_DEFAULT } from "../../radius/vendor.ts";
import { octetText } from "../../store/octet-text.ts";
import type { Link, RequestContext, ToldByApi } from "../../transport/link.ts";
import { CODE } from "../../radius/codes.ts";
import { ReplyAttributes } from "./reply-list.ts";
import type { AaaRequest, Control } from "./types.ts";

/** Why a user is let in by nobody although the password was right. */
export interface Refusal {
  readonly reason: string;
  readonly message: string | undefined;
}

/** What modules see of one packet. What costs something is made when it is asked for. */
export class PipelineRequest implements AaaRequest {
  readonly context: RequestContext;
  readonly control: Control;
  readonly reply: ReplyAttributes;
  /** Clock.now() by which the call under way has to end. */
  deadline = Number.POSITIVE_INFINITY;
  refusal: Refusal | undefined;
  /** By ifRejected(). */
  rejection: ((message: string | undefined) => readonly Attribute[]) | undefined;
  readonly #dictionary: Dictionary;
  #decoded: readonly DecodedAttribute[] | undefined;
  /** Of the call under way, where it asked for one. */
  #controller: AbortController | undefined;
  #userName: string | undefined;
  #onward: ReplyAttributes | undefined;
  /** Runs what the call under way leaves for later. */
  #afterwards: (action: () => void) => void = (action) => action();

  constructor(context: RequestContext, dictionary: Dictionary, before?: PipelineRequest) {
    this.context = context;
    this.#dictionary = dictionary;
    this.reply = before?.reply.copy() ?? new ReplyAttributes(dictionary);
    this.control = before === undefined ? newControl() : { ...before.control, items: new Map(before.control.items) };
    this.refusal = before?.refusal;
    this.rejection = before?.rejection;
    this.#onward = before === undefined ? undefined : before.#onward?.copy();
  }

  get packet(): Packet {
    return this.context.packet;
  }

  get link(): Link {
    return this.context.link;
  }

  get listener(): string | undefined {
    return this.context.listener;
  }

  get onward(): ReplyAttributes {
    this.#onward ??= new ReplyAttributes(this.#dictionary, this.packet.attributes);
    return this.#onward;
  }

  /** What is passed on: the request as it came, or as preproxy has changed it. */
  get onwardContext(): RequestContext {
    const { context, packet } = this;
    if (this.#onward === undefined || this.#onward.attributes === packet.attributes) return context;
    // RFC 2865 Section 5.33: whatever a module does, the Proxy-States of those before us come back to them.
    const attributes = [
      ...this.#onward.attributes.filter(({ type }) => type !== ATTRIBUTE.proxyState),
      ...packet.attributes.filter(({ type }) => type === ATTRIBUTE.proxyState),
    ];
    return {
      link: context.link,
      listener: context.listener,
      signal: context.signal,
      byApi: context.byApi,
      ...(context.heartbeat === true && { heartbeat: true as const }),
      packet: { ...packet, attributes },
      afterReply: (action) => context.afterReply(action),
    };
  }

  get kind(): "auth" | "acct" {
    return this.packet.code === CODE.accessRequest ? "auth" : "acct";
  }

  get byApi(): ToldByApi | undefined {
    return this.context.byApi;
  }

  get heartbeat(): boolean {
    return this.context.heartbeat === true;
  }

  get username(): string | undefined {
    if (this.control.username !== undefined) return this.control.username;
    if (this.#userName === undefined) {
      const value = firstValue(this.packet.attributes, ATTRIBUTE.userName);
      if (value === undefined || value.length === 0) return undefined;
      this.#userName = octetText(value);
    }
    return this.#userName;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#boundController();
    return this.#controller.signal;
  }

  /** A call begins. */
  begin(deadline: number, afterwards: (action: () => void) => void): void {
    this.deadline = deadline;
    this.#afterwards = afterwards;
    this.#controller = undefined;
  }

  /** The call under way is given up. @returns the request for those that follow, with what is in it now */
  giveUp(): PipelineRequest {
    const next = new PipelineRequest(this.context, this.#dictionary, this);
    // One that asks for its signal only later has been given up too.
    this.#controller ??= new AbortController();
    this.#controller.abort();
    return next;
  }

  value(name: string): string | number | undefined {
    return this.values(name)[0];
  }

  text(name: string): string | undefined {
    const value = this.value(name);
    return value === undefined ? undefined : String(value);
  }

  values(name: string): readonly (string | number)[] {
    this.#decoded ??= this.#dictionary.decode(this.packet.attributes);
    const known = this.#dictionary.find(name)?.name ?? name;
    return this.#decoded.filter((each) => each.name === known).map(({ value }) => value);
  }

  octets(type: number, vendor?: number, vendorType?: number): Buffer | undefined {
    const { attributes } = this.packet;
    if (vendor === undefined) return firstValue(attributes, type);
    return decodePlaced(attributes, () => VENDOR_FORMAT_DEFAULT).find(
      ({ place }) => place.type === type && place.vendor === vendor && place.vendorType === vendorType,
    )?.value;
  }

  password(): Buffer | undefined {
    const value = firstValue(this.packet.attributes, ATTRIBUTE.userPassword);
    if (value === undefined) return undefined;
    return revealUserPassword(value, this.link.client.secret, this.packet.authenticator);
  }

  afterReply(action: () => void): void {
    const afterwards = this.#afterwards;
    this.context.afterReply(() => afterwards(action));
  }

  refuse(reason: string, message?: string): void {
    this.refusal ??= { reason, message };
  }

  ifRejected(attributes: (message: string | undefined) => readonly Attribute[]): void {
    this.rejection = attributes;
  }

  /** By hand: what AbortSignal.any() ties together goes with a major collection only. */
  #boundController(): AbortController {
    const controller = new AbortController();
    const { signal } = this.context;
    if (signal.aborted) controller.abort();
    else signal.addEventListener("abort", () => controller.abort(), { once: true });
    return controller;
  }
}

function newControl(): Control {
  return {
    authType: undefined,
    username: undefined,
    user: undefined,
    userKnown: false,
    password: undefined,
    proxyTo: undefined,
    simultaneousUse: undefined,
    secondsLeft: undefined,
    rejectReason: undefined,
    items: new Map(),
  };
}
