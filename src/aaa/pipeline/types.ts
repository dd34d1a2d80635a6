import type { z } from "zod";
import type { Clock, Random } from "../../clock.ts";
import type { Dynauth } from "../../dynauth/dynauth.ts";
import type { Attribute } from "../../radius/attribute.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { AttributeInput } from "../../radius/values.ts";
import type { Store } from "../../store/types.ts";
import type { Reply, RequestContext } from "../../transport/link.ts";
import type { Standing } from "../quota/rules.ts";
import type { BackEnds } from "./back-ends.ts";
import type { GuessLimits, KnownUser, PasswordCheck, PlanRenderer, UserDirectory } from "../users/types.ts";

/** What a component answers; the meaning is FreeRADIUS's.
 *
 *  reject: the request is refused. fail: the module could not work. ok: it did. handled: the answer is made, nothing else is to
 *  be done. invalid: the request makes no sense. userlock: the user is locked out. notfound: nothing is known of the user.
 *  noop: nothing to do. updated: ok, and something was added. */
export const RETURN_CODES = [
  "reject",
  "fail",
  "ok",
  "handled",
  "invalid",
  "userlock",
  "notfound",
  "noop",
  "updated",
] as const;
export type ReturnCode = (typeof RETURN_CODES)[number];

/** The stages of a request at which a module can act. */
export const COMPONENTS = [
  "authorize",
  "authenticate",
  "preacct",
  "accounting",
  "checksimul",
  "postauth",
  "preproxy",
  "postproxy",
] as const;
export type Component = (typeof COMPONENTS)[number];

/** One call of a module. It may answer at once or later; a rejection or a throw is `fail` for this packet and no other. */
export type ComponentCall = (request: AaaRequest) => ReturnCode | Promise<ReturnCode>;

/** What a module is: one thing done when a packet comes. It opens no listener and works only when it is called.
 *
 *  init() once --instantiate() per named instance--> instances in use --detach() each--> destroy() once */
export interface ModuleDefinition<Schema extends z.ZodType = z.ZodType> {
  /** As `modules.instances[].module` names it; also the name of an instance that has none of its own. */
  readonly name: string;
  /** What `settings` of an instance must be. A module without settings has `z.strictObject({})`. */
  readonly settings: Schema;
  /** Mistakes in settings that the schema can not see: told with file and line when hub.yaml is read. */
  mistakes?(settings: z.output<Schema>, known: KnownNames): readonly SettingMistake[];
  /** The components that an instance with these settings has. Without it a section that names another one is found out only when
   *  the hub starts. */
  components?(settings: z.output<Schema>): readonly Component[];
  /** An ok or updated of its accounting component means that the record is stored durably: only then it is acknowledged
   *  (invariant 6), and only such a module is called for accounting that is proxied. */
  readonly stores?: boolean;
  /** Before the first instance. */
  init?(): void | Promise<void>;
  /** Makes one instance. A throw keeps the set of modules that is in use. */
  instantiate(settings: z.output<Schema>, services: ModuleServices): ModuleInstance | Promise<ModuleInstance>;
  /** After the last instance. */
  destroy?(): void | Promise<void>;
}

/** What settings can refer to. */
export interface KnownNames {
  readonly dictionary: Dictionary;
  /** Names of `upstreams.pools`. */
  readonly pools: ReadonlySet<string>;
}

export interface SettingMistake {
  /** From `settings` on. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** One configured module: the components that it has, and its end. */
export type ModuleInstance = { readonly [Stage in Component]?: ComponentCall } & {
  /** When the last packet that may call it has ended. */
  detach?(): void | Promise<void>;
};

/** Types the settings of a module for instantiate(); does nothing else. */
export function defineModule<Schema extends z.ZodType>(definition: ModuleDefinition<Schema>): ModuleDefinition<Schema> {
  return definition;
}

/** An Access-Request or Accounting-Request on its way through the sections. */
export interface AaaRequest extends Pick<RequestContext, "packet" | "link" | "listener" | "byApi"> {
  readonly kind: "auth" | "acct";
  /** User-Name as octetText(), control.username if a module changed it; undefined without one. */
  readonly username: string | undefined;
  /** The hub's own heartbeat: leave no trace of it. */
  readonly heartbeat: boolean;
  /** Clock.now() after which the present call is given up, with `fail`. */
  readonly deadline: number;
  /** Fires when the present call is given up, and when nobody can receive the reply any more. */
  readonly signal: AbortSignal;
  /** The first value of an attribute by dictionary name: text, number (or its name), "0x…"; a secret one is never shown. */
  value(name: string): string | number | undefined;
  /** As value(), as text. */
  text(name: string): string | undefined;
  /** Every value of an attribute. */
  values(name: string): readonly (string | number)[];
  /** The octets of the first attribute of a plain type, or of a vendor's: octets(26, 311, 25). A view: copy before keeping. */
  octets(type: number, vendor?: number, vendorType?: number): Buffer | undefined;
  /** The octets of User-Password, unhidden; undefined without one, or when it is malformed. Never log it. */
  password(): Buffer | undefined;
  /** What modules tell each other, and the pipeline. */
  readonly control: Control;
  /** What goes back to the NAS. */
  readonly reply: ReplyList;
  /** For preproxy: what is passed on, at first the attributes of the request. Hidden values and Proxy-State are the pipeline's. What is
   *  stored and what modules see is the request as it came. */
  readonly onward: AttributeList;
  /** Once the reply was sent: what need not delay it. */
  afterReply(action: () => void): void;
  /** Refuses the user for a reason other than the password, but only after that was right: who does not know the password does
   *  not learn that the user exists. The first refusal counts.
   *  @param message Reply-Message for the user */
  refuse(reason: string, message?: string): void;
  /** What an Access-Reject says should it come to one although the password was right: what a method of authentication needs to
   *  end in order.
   *  @param attributes from the Reply-Message for the user */
  ifRejected(attributes: (message: string | undefined) => readonly Attribute[]): void;
}

/** What modules tell each other and the pipeline. */
export interface Control {
  /** Name of the `authenticate` list to run, any case. "Accept": let in without a password. "Reject". */
  authType: string | undefined;
  /** Replaces User-Name for the modules that follow; what is forwarded keeps the original. */
  username: string | undefined;
  /** Whom `users` has found. */
  user: KnownUser | undefined;
  /** The user was looked up: with `user` undefined there is none of this name. */
  userKnown: boolean;
  /** Passwords that another source than `users` knows; pap, chap and mschap take them before those of `user`. */
  password: KnownPassword | undefined;
  /** Name of the pool (`upstreams.pools`) that the request is passed on to. */
  proxyTo: string | undefined;
  /** Most acct sessions at once; undefined: what the user's plan says. */
  simultaneousUse: number | undefined;
  /** Seconds that a time quota leaves: Session-Timeout is not beyond it. */
  secondsLeft: number | undefined;
  /** Why the request is refused: for logs, never for the NAS. */
  rejectReason: string | undefined;
  /** Anything else, by names of the modules' choice. */
  readonly items: Map<string, unknown>;
}

/** A password that is known in a form to compare with. */
export type KnownPassword =
  | { readonly kind: "clear-text"; readonly octets: Buffer }
  /** MD4 over the password in UTF-16LE: 16 octets. */
  | { readonly kind: "nt-hash"; readonly octets: Buffer };

/** The attributes of the reply. */
export interface ReplyList extends AttributeList {
  /** After `handled`: the code of the answer, e.g. 11 Access-Challenge; undefined: no answer at all. */
  code: number | undefined;
}

/** Attributes that modules change. Values are encoded by the dictionary; wrong ones throw HubError ERR_DICTIONARY or
 *  ERR_RADIUS_VALUE, which the pipeline takes for `fail`. */
export interface AttributeList {
  /** Wire form, in order. */
  readonly attributes: readonly Attribute[];
  /** One more value. */
  add(name: string, value: AttributeInput): void;
  /** The only value: others of that name go. */
  set(name: string, value: AttributeInput): void;
  /** @returns whether there was one */
  remove(name: string): boolean;
  has(name: string): boolean;
  /** Takes out all but these; Proxy-State stays. @returns whether there were others */
  keepOnly(names: readonly string[]): boolean;
  /** Attributes in wire form, behind what is there. */
  push(attributes: readonly Attribute[]): void;
  /** As push(), and others of the same attributes go. */
  supersede(attributes: readonly Attribute[]): void;
  /** Replaces the whole list. */
  replace(attributes: readonly Attribute[]): void;
}

/** What an instance may use. Whatever it starts here ends with its call or in detach(). */
export interface ModuleServices {
  /** Name of the instance. */
  readonly instance: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Each line carries the name of the instance. No secrets, no passwords. */
  readonly log: ModuleLog;
  readonly dictionary: Dictionary;
  /** Undefined where accounting, and with it the store, is switched off; so are all that follow down to `quota`. */
  readonly store: Pick<Store, "users" | "plans" | "acctSessions" | "usage" | "quota"> | undefined;
  readonly users: UserServices | undefined;
  readonly quota: QuotaServices | undefined;
  /** Stores the Accounting-Request; the promise never rejects. */
  readonly record: ((request: AaaRequest) => Promise<Stored>) | undefined;
  readonly upstreams: UpstreamServices;
  /** The reverse path: Disconnect- and CoA-Requests. */
  readonly dynauth: Pick<Dynauth, "exchange">;
  readonly fetch: typeof globalThis.fetch;
  /** Shows the figures of a system that the instance asks among the metrics. */
  readonly backEnds: Pick<BackEnds, "show">;
}

export interface ModuleLog {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}

export interface UserServices {
  readonly directory: UserDirectory;
  readonly passwords: PasswordCheck;
  readonly guesses: GuessLimits;
  readonly plans: PlanRenderer;
}

export interface QuotaServices {
  /** Whether any rule is configured. */
  readonly hasRules: boolean;
  /** Where a user stands with each rule that holds on this router. @throws {HubError} ERR_STORE */
  standingsOn(username: string, nasIdentifier: string | undefined): Promise<readonly Standing[]>;
  /** The attributes of a throttle; undefined for a rule or percentage that is not configured. */
  throttle(rule: string, percent: number): readonly Attribute[] | undefined;
}

/** stored: durably. not-stored: it can not be now, the NAS has to send it again. invalid: it is no record. */
export type Stored = "stored" | "not-stored" | "invalid";

export interface UpstreamServices {
  /** The pool that `realms` of hub.yaml names for a request. */
  poolFor(request: AaaRequest): string | undefined;
  has(pool: string): boolean;
  /** Passes the request on while a module waits; to let the pipeline do it, set control.proxyTo. What the reply hides is
   *  hidden for the NAS already. */
  forward(request: AaaRequest, pool: string): Promise<Reply>;
}
