/** How long and how much is measured. */
export interface Plan {
  /** Links, and exchanges in flight over all of them. */
  readonly exchanges: readonly (readonly [links: number, inFlight: number])[];
  /** Connections of HTTP callers. */
  readonly http: readonly number[];
  /** Idle links, ascending. */
  readonly idle: readonly number[];
  /** In flight on the one busy link beside them. */
  readonly besideIdle: readonly number[];
  /** Disconnects over UDP: NASes, in flight over all of them, exchanges in a round. */
  readonly udp: readonly (readonly [nases: number, inFlight: number, count: number])[];
  /** Exchanges over UDP before the first load of a process. */
  readonly udpHeat: number;
  /** How many ways for accounting are measured, in the order of accounting.ts. */
  readonly accountingWays: number;
  /** Accounting records before the first load of a process, and in a round. */
  readonly accountingHeat: number;
  readonly accountingRecords: number;
  /** Logins: in flight on one link, logins in a round. */
  readonly aaa: readonly (readonly [inFlight: number, count: number])[];
  readonly aaaUsers: number;
  /** Logins before the first load of a process, and as many Status-Servers. */
  readonly aaaHeat: number;
  /** Logins through an HTTP API, accounting beside them, and for how long in a round. */
  readonly aaaRest: { readonly restPerSecond: number; readonly accountingPerSecond: number; readonly seconds: number };
  /** In the index that look-ups are made in. */
  readonly acctSessions: number;
  /** Hub and floor take turns this often; what is shown is the median. */
  readonly rounds: number;
  /** Before the first load of a process, and before every load. */
  readonly heatMs: number;
  readonly warmUpMs: number;
  readonly forMs: number;
  /** No further idle link is opened after this time: where the machine is slow, fewer are measured. */
  readonly openForMs: number;
  readonly certificates: number;
}

/** Under four minutes on two cores. */
export const FULL: Plan = {
  exchanges: [
    [1, 1],
    [1, 32],
    [1, 128],
    [1, 255],
    [100, 128],
    [100, 1_000],
  ],
  http: [1, 64],
  idle: [1_000, 10_000],
  besideIdle: [1, 32],
  udp: [
    [1, 1, 8_000],
    [1, 32, 40_000],
    [1, 128, 60_000],
    [10, 1_000, 60_000],
  ],
  udpHeat: 60_000,
  accountingWays: 5,
  accountingHeat: 50_000,
  accountingRecords: 50_000,
  aaa: [
    [1, 4_000],
    [128, 40_000],
  ],
  aaaUsers: 50,
  aaaHeat: 40_000,
  aaaRest: { restPerSecond: 2_000, accountingPerSecond: 2_000, seconds: 4 },
  acctSessions: 1_000_000,
  rounds: 3,
  heatMs: 2_500,
  warmUpMs: 250,
  forMs: 1_000,
  openForMs: 45_000,
  certificates: 16,
};

/** Shows that everything runs; its figures mean little. */
export const QUICK: Plan = {
  exchanges: [
    [1, 1],
    [1, 128],
  ],
  http: [8],
  idle: [20, 60],
  besideIdle: [1],
  udp: [
    [1, 1, 200],
    [1, 128, 1_000],
    [10, 1_000, 2_000],
  ],
  udpHeat: 500,
  accountingWays: 3,
  accountingHeat: 500,
  accountingRecords: 1_000,
  aaa: [
    [1, 100],
    [128, 500],
  ],
  aaaUsers: 3,
  aaaHeat: 500,
  aaaRest: { restPerSecond: 200, accountingPerSecond: 200, seconds: 1 },
  acctSessions: 10_000,
  rounds: 1,
  heatMs: 150,
  warmUpMs: 50,
  forMs: 250,
  openForMs: 8_000,
  certificates: 2,
};

/** The first targets of the project. */
export const TARGETS = {
  /** Hub CPU of one exchange with 128 in flight on one link, the load driver included. */
  exchangeCpuUsMax: 40,
  /** Memory of an idle link against that of a bare node:tls connection. */
  idleMemoryRatioMax: 1.25,
  /** p50 with the most idle links against p50 with one link. */
  idleLatencyRatioMax: 1.2,
  /** Disconnect over UDP to one NAS with 128 in flight: exchanges a second against those of a bare relay. */
  udpThroughputRatioMin: 0.5,
  /** The same with 1 in flight: p50 against that of the relay. */
  udpLatencyRatioMax: 1.5,
  /** The same with 128 in flight: hub CPU of one exchange. */
  udpCpuUsMax: 40,
  /** 1,000 in flight over 10 NASes. */
  udpLostMax: 0,
  /** Accounting with 128 in flight: records a second against bare batched upserts into the same schema. */
  accountingRatioMin: 0.5,
  /** What FreeRADIUS answers while it stores nothing. */
  accountingPerSecondMin: 15_000,
  accountingLoopDelayMsMax: 10,
  /** Access-Request PAP from the store against Status-Server on the same link. */
  loginRatioMin: 0.5,
  loginP99MsMax: 20,
  /** Logins through an HTTP API that answers after 5 ms. */
  restPerSecondMin: 2_000,
  /** Accounting beside them: the share of its pace that it keeps, and how much later its p99 may be. */
  accountingPaceMin: 0.99,
  accountingBesideMsMax: 10,
  /** Acct sessions of a user among a million. */
  lookUpP50MsMax: 1,
} as const;
