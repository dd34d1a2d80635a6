/** What a webhook can tell of. */
export const WEBHOOK_TOPICS = [
  "session.started",
  "session.updated",
  "session.ended",
  "quota.reached",
  "quota.acted",
  "exchange.ended",
  "heartbeat.failed",
  "heartbeat.recovered",
] as const;
export type WebhookTopic = (typeof WEBHOOK_TOPICS)[number];

/** Where webhooks go, as config.ts makes it. Plain data; durations in milliseconds. */
export interface WebhooksOptions {
  readonly targets: readonly WebhookTarget[];
}

export interface WebhookTarget {
  /** Unique. */
  readonly name: string;
  /** http: or https:; redirects are refused. */
  readonly url: string;
  /** Key of the signature: its octets in UTF-8, or what follows "whsec_" in base64. Never empty. */
  readonly secret: string;
  /** At least one. */
  readonly topics: ReadonlySet<WebhookTopic>;
  /** Until its answer; 10,000 as shipped. */
  readonly timeoutMs: number;
  /** Deliveries at once; 4 as shipped. */
  readonly concurrency: number;
  readonly retry: {
    /** Before the second attempt (1,000 as shipped); doubled for each, up to `capMs` (3,600,000). */
    readonly floorMs: number;
    readonly capMs: number;
    /** Attempts in all, then it is a dead letter; 12 as shipped. */
    readonly attemptsMax: number;
  };
}
