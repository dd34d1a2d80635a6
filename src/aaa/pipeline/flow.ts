import type { Random } from "../../clock.ts";
import { ATTRIBUTE, firstValue } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { Reply, RequestContext } from "../../transport/link.ts";
import { answerUnserved } from "../unserved.ts";
import { EMPTY_RESULT } from "./actions.ts";
import { type Item, runList } from "./list.ts";
import type { Pass } from "./pass.ts";
import { rejectAttributes } from "./reject-attributes.ts";
import type { PipelineRequest } from "./request.ts";
import type { Component, ReturnCode } from "./types.ts";

/** The compiled sections. */
export interface Sections extends Readonly<Record<Exclude<Component, "authenticate">, readonly Item[]>> {
  /** By Auth-Type, lower case. */
  readonly authenticate: ReadonlyMap<string, readonly Item[]>;
  readonly postauthReject: readonly Item[];
  /** What of `accounting` runs for a record that is proxied: the modules that store. */
  readonly accountingProxied: readonly Item[];
}

export interface FlowDeps {
  readonly random: Random;
  /** Passes a request on to a pool. */
  readonly forward: (context: RequestContext, pool: string) => Promise<Reply>;
}

/** Takes one packet through the sections, in the order of the seed: authorize, authenticate, postauth; preacct, accounting; and
 *  what is proxied through preproxy and postproxy. Never throws for what a module does. */
export class Flow {
  readonly #sections: Sections;
  readonly #deps: FlowDeps;

  constructor(sections: Sections, deps: FlowDeps) {
    this.#sections = sections;
    this.#deps = deps;
  }

  /** At once where every module answers at once: a login that is remembered costs no promise. */
  access(pass: Pass): Reply | Promise<Reply> {
    return next(this.#run("authorize", pass), (code) => this.#authorized(pass, code));
  }

  #authorized(pass: Pass, code: ReturnCode): Reply | Promise<Reply> {
    if (code === "handled") return handled(pass.request);
    if (!PROCEEDS.has(code)) return this.#reject(pass, code);
    const { control } = pass.request;
    const authType = control.authType?.toLowerCase();
    if (control.proxyTo !== undefined && authType !== "accept" && authType !== "reject") {
      return this.#proxied(pass, control.proxyTo);
    }
    return next(this.#authenticate(pass, authType), (verdict) => this.#authenticated(pass, verdict));
  }

  #authenticated(pass: Pass, verdict: ReturnCode): Reply | Promise<Reply> {
    if (verdict === "handled") return handled(pass.request);
    if (verdict !== "ok") return this.#reject(pass, verdict);
    return this.#proven(pass);
  }

  /** The password was right, whoever says so. */
  #proven(pass: Pass): Reply | Promise<Reply> {
    const { refusal } = pass.request;
    if (refusal !== undefined) return this.#reject(pass, refusal.reason, refusal.message);
    return next(this.#run("checksimul", pass), (code) => {
      if (code === "handled") return handled(pass.request);
      return PROCEEDS.has(code) ? this.#accept(pass) : this.#reject(pass, "too many acct sessions");
    });
  }

  async accounting(pass: Pass): Promise<Reply> {
    const code = await this.#run("preacct", pass);
    if (code === "handled") return handledAccounting(pass);
    // RFC 2866 has no refusal: what is not accepted is not answered.
    if (!PREACCT_PROCEEDS.has(code)) return discard(`preacct-${code}`);
    const { proxyTo } = pass.request.control;
    if (proxyTo !== undefined) return this.#accountingProxied(pass, proxyTo);
    const result = await this.#run("accounting", pass);
    if (pass.stored && ACKNOWLEDGES.has(result)) return accountingResponse(pass.request);
    if (result === "handled") return handledAccounting(pass);
    // Nobody serves accounting here: a router behind TLS hears so.
    return result === "noop" ? answerUnserved(pass.request.context) : discard(`accounting-${result}`);
  }

  /** The lists of the sections by name of the component. */
  #run(component: Exclude<Component, "authenticate">, pass: Pass): ReturnCode | Promise<ReturnCode> {
    return this.#list(this.#sections[component], pass, EMPTY_RESULT[component]);
  }

  #list(items: readonly Item[], pass: Pass, empty: ReturnCode): ReturnCode | Promise<ReturnCode> {
    return items.length === 0 ? empty : runList(items, pass, empty, this.#deps.random);
  }

  /** As in FreeRADIUS only ok lets in; everything that is not expected is a refusal. */
  #authenticate(pass: Pass, authType: string | undefined): ReturnCode | Promise<ReturnCode> {
    if (authType === "accept") return "ok";
    const items = authType === undefined ? undefined : this.#sections.authenticate.get(authType);
    if (items !== undefined) return this.#list(items, pass, EMPTY_RESULT.authenticate);
    pass.request.control.rejectReason ??= authType === undefined ? "no Auth-Type" : `no list for Auth-Type ${authType}`;
    return "reject";
  }

  #accept(pass: Pass): Reply | Promise<Reply> {
    return next(this.#run("postauth", pass), (code) => {
      if (code === "handled") return handled(pass.request);
      if (!PROCEEDS.has(code)) return this.#reject(pass, code);
      return { kind: "reply", code: CODE.accessAccept, attributes: pass.request.reply.attributes };
    });
  }

  async #reject(pass: Pass, reason: string, message?: string): Promise<Reply> {
    const { request } = pass;
    request.control.rejectReason ??= reason;
    request.reply.replace(rejectAttributes(request.reply.attributes));
    request.reply.code = CODE.accessReject;
    if (message !== undefined) request.reply.set("Reply-Message", message);
    const told = firstValue(request.reply.attributes, ATTRIBUTE.replyMessage)?.toString();
    request.reply.push(request.rejection?.(told) ?? []);
    // Its code changes nothing: the verdict stands.
    const code = await this.#list(this.#sections.postauthReject, pass, EMPTY_RESULT.postauth);
    if (code === "handled") return handled(pass.request);
    return { kind: "reply", code: CODE.accessReject, attributes: rejectAttributes(pass.request.reply.attributes) };
  }

  async #proxied(pass: Pass, pool: string): Promise<Reply> {
    const before = await this.#run("preproxy", pass);
    if (before === "handled") return handled(pass.request);
    if (!PREPROXY_PROCEEDS.has(before)) return this.#reject(pass, before);
    const answer = await this.#deps.forward(pass.request.onwardContext, pool);
    if (answer.kind !== "reply") return answer;
    const { reply } = pass.request;
    reply.replace(answer.attributes);
    reply.code = answer.code;
    const after = await this.#run("postproxy", pass);
    if (after === "fail") return discard("postproxy-fail");
    if (after === "handled") return handled(pass.request);
    if (REFUSES.has(after)) return this.#reject(pass, after);
    if (answer.code === CODE.accessAccept) {
      reply.code = undefined; // as without an upstream: it is not settled yet, and `handled` is no answer
      return this.#proven(pass);
    }
    if (answer.code === CODE.accessReject) {
      const code = await this.#list(this.#sections.postauthReject, pass, EMPTY_RESULT.postauth);
      if (code === "handled") return handled(pass.request);
    }
    return { ...answer, attributes: pass.request.reply.attributes };
  }

  /** Both must have happened before the router hears of it: the upstream has answered, and what stores has stored. */
  async #accountingProxied(pass: Pass, pool: string): Promise<Reply> {
    const before = await this.#run("preproxy", pass);
    if (before === "handled") return handledAccounting(pass);
    if (!PREPROXY_PROCEEDS.has(before)) return discard(`preproxy-${before}`);
    const [stored, answer] = await Promise.all([
      this.#list(this.#sections.accountingProxied, pass, EMPTY_RESULT.accounting),
      this.#deps.forward(pass.request.onwardContext, pool),
    ]);
    // noop: nobody stores here, and the upstream's word counts alone.
    if (stored !== "noop" && !(pass.stored && ACKNOWLEDGES.has(stored))) return discard(`accounting-${stored}`);
    if (answer.kind !== "reply") return answer;
    pass.request.reply.replace(answer.attributes);
    const after = await this.#run("postproxy", pass);
    if (!PROCEEDS.has(after)) return discard(`postproxy-${after}`);
    return { ...answer, attributes: pass.request.reply.attributes };
  }
}

/** Goes on with a code, now where it is there. */
function next(
  code: ReturnCode | Promise<ReturnCode>,
  then: (code: ReturnCode) => Reply | Promise<Reply>,
): Reply | Promise<Reply> {
  return typeof code === "string" ? then(code) : code.then(then);
}

// What FreeRADIUS does with the code of a whole section.
const PROCEEDS: ReadonlySet<ReturnCode> = new Set(["ok", "updated", "noop", "notfound"]);
const PREACCT_PROCEEDS: ReadonlySet<ReturnCode> = new Set(["ok", "updated", "noop"]);
const PREPROXY_PROCEEDS: ReadonlySet<ReturnCode> = new Set(["ok", "updated", "noop"]);
const REFUSES: ReadonlySet<ReturnCode> = new Set(["reject", "invalid", "userlock"]);
const ACKNOWLEDGES: ReadonlySet<ReturnCode> = new Set(["ok", "updated"]);

/** The module has made the answer, or wants none. */
function handled({ reply }: PipelineRequest): Reply {
  if (reply.code === undefined) return discard("handled");
  return { kind: "reply", code: reply.code, attributes: reply.attributes };
}

/** Also who handles a record by itself must have stored it before it is acknowledged (invariant 6). */
function handledAccounting({ request, stored }: Pass): Reply {
  return stored && request.reply.code === CODE.accountingResponse ? accountingResponse(request) : discard("handled");
}

/** UL-14: nothing but the Proxy-States, which the responder adds. */
function accountingResponse({ reply }: PipelineRequest): Reply {
  return { kind: "reply", code: CODE.accountingResponse, attributes: reply.attributes };
}

function discard(reason: string): Reply {
  return { kind: "discard", reason };
}
