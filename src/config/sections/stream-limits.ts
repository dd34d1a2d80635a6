import { count, duration, flag, size } from "../values.ts";

/** Limits of every listener whose links are TCP connections. */
export const STREAM_LIMITS = {
  links: count("Links of the listener in all; more are refused.", 1, 1_000_000).default(20_000),
  linksPerPeer: count("Links of one peer; beyond it the oldest of them makes room.", 1, 100_000).default(64),
  // As many as links: thousands of routers may share one address behind the NAT of a carrier.
  linksPerAddress: count("Links from one address; more are refused.", 1, 1_000_000).default(20_000),
  newPerSecondPerAddress: count(
    "New connections a second from one IPv4 address or one IPv6 /64; more are refused.",
    1,
    100_000,
  ).default(200),
  writeBacklog: size("Octets that wait for a peer that does not read; beyond it the link is closed.", {
    min: "4KiB",
    max: "1GiB",
  }).prefault("1MiB"),
  requestsInHandler: count("Requests of one link that are worked on at once; more are dropped.", 1, 100_000).default(
    256,
  ),
};

/** What such a listener asks of TCP. */
export const STREAM_SOCKET = {
  // CON-20: a declared deviation.
  noDelay: flag("TCP_NODELAY; false restores the Nagle algorithm.").default(true),
  keepAlive: duration("Idle time before TCP keepalive probes; 0s is off (CON-21).", { max: "24h" }).prefault("60s"),
};
