import { z } from "zod";
import { RETURN_CODES } from "../../pipeline/types.ts";

const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** "500ms", "10s" -> milliseconds; both bounds are inclusive. */
function duration(preset: string, min: string, max: string) {
  const parse = (text: string): number => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
    return unit === undefined ? NaN : Math.round(Number(amount) * UNITS_MS[unit as keyof typeof UNITS_MS]);
  };
  const expected = `must be a duration from ${min} to ${max}, such as "${preset}"`;
  return z
    .string(expected)
    .default(preset)
    .transform((text, context) => {
      const ms = parse(text);
      if (ms >= parse(min) && ms <= parse(max)) return ms;
      context.addIssue({ code: "custom", message: expected });
      return z.NEVER;
    });
}

const number = (preset: number, min: number, max: number) => z.int().min(min).max(max).default(preset);
const texts = z.record(z.string().min(1), z.string());

export const WHEN_DOWN = ["fail", "reject", "silent", "ignore", "last-known"] as const;
export type WhenDown = (typeof WHEN_DOWN)[number];

const call = z.strictObject({
  method: z.enum(["get", "post", "put", "patch", "delete"]).default("post"),
  uri: z.string().startsWith("/", 'must begin with "/": it is put behind `url`'),
  body: z.enum(["none", "json", "post"]).default("none"),
  data: z.union([z.string(), z.record(z.string(), z.json())]).optional(),
  headers: texts.default({}),
  reply: texts.optional(),
  control: texts.optional(),
  rejectReply: texts.optional(),
  forceTo: z.enum(["json", "post"]).optional(),
  status: z
    .record(z.string(), z.enum(RETURN_CODES))
    .superRefine((codes, context) => {
      for (const status of Object.keys(codes).filter((each) => !/^[1-5](\d\d|xx)$/.test(each)))
        context.addIssue({
          code: "custom",
          path: [status],
          message: "is no status such as 402, nor a class such as 5xx",
        });
    })
    .default({}),
  idempotent: z.boolean().optional(),
  wait: z.boolean().default(true),
  whenDown: z.enum(WHEN_DOWN).optional(),
});

/** Settings of an instance of `rest`; config/hub.yaml says what each is for. */
export const restSettings = z.strictObject({
  url: z.string().refine(isOrigin, "must be http:// or https:// with a host, without user, password, query and #"),
  headers: texts.default({}),
  basic: z.strictObject({ username: z.string().min(1), password: z.string() }).optional(),
  tls: z
    .strictObject({
      caFiles: z.array(z.string().min(1)).min(1).optional(),
      certificateFile: z.string().min(1).optional(),
      keyFile: z.string().min(1).optional(),
      serverName: z.string().min(1).optional(),
    })
    .default({}),
  connectTimeout: duration("1s", "10ms", "30s"),
  timeout: duration("3s", "10ms", "30s"),
  retries: number(1, 0, 5),
  connections: number(32, 1, 256),
  waiting: number(1_024, 0, 10_000),
  keepAlive: duration("4s", "100ms", "10m"),
  answerBytes: number(65_536, 64, 1_048_576),
  breaker: z
    .strictObject({
      failures: number(5, 0, 10_000),
      ratio: z.number().min(0).max(1).default(0.5),
      window: duration("10s", "100ms", "10m"),
      openFor: duration("5s", "100ms", "10m"),
      probes: number(1, 1, 100),
    })
    .prefault({}),
  cache: z
    .strictObject({
      ttl: duration("0s", "0s", "1d"),
      rejectTtl: duration("0s", "0s", "1h"),
      entries: number(10_000, 1, 1_000_000),
      key: z.string().min(1).optional(),
    })
    .prefault({}),
  whenDown: z.enum(WHEN_DOWN).default("fail"),
  lastKnownFor: duration("1d", "1s", "30d"),
  authorize: call.optional(),
  authenticate: call.optional(),
  accounting: call.optional(),
  postauth: call.optional(),
});

export type RestSettings = z.output<typeof restSettings>;
export type CallSettings = z.output<typeof call>;

export const CALLS = ["authorize", "authenticate", "accounting", "postauth"] as const;
export type CallName = (typeof CALLS)[number];

/** Whether the verdict on a user is asked for, and not only something told. */
export function asksForVerdict(name: CallName): boolean {
  return name === "authorize" || name === "authenticate";
}

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return /^https?:$/.test(protocol) && [username, password, search, hash].every((each) => each === "");
}
