import { Counter, Gauge, type Registry as MetricRegistry } from "prom-client";
import type { UdpFigures } from "../transport/udp-listener.ts";

/** Figures of the UDP listeners: they are named by the configuration, so their number is bounded. */
export function addUdpMetrics(registry: MetricRegistry, listeners: () => readonly UdpFigures[]): void {
  const registers = [registry];
  const labelNames = ["listener"];
  new Gauge({
    name: "radsec_hub_udp_replies_kept",
    help: "Replies that are kept for requests that come again",
    labelNames,
    registers,
    collect() {
      for (const { name, repliesKept } of listeners()) this.set({ listener: name }, repliesKept);
    },
  });
  const totals = [
    {
      name: "radsec_hub_udp_replies_pushed_out_total",
      help: "Replies that were forgotten before their time, because udp.duplicates bounds them",
      read: ({ repliesPushedOut }: UdpFigures) => repliesPushedOut,
    },
    {
      name: "radsec_hub_udp_receive_drops_total",
      help: "Datagrams that the kernel threw away before the hub saw them, because udp.receiveBuffer was full",
      read: ({ receiveDrops }: UdpFigures) => receiveDrops,
    },
  ];
  for (const { read, ...facts } of totals) {
    new Counter({
      ...facts,
      labelNames,
      registers,
      collect() {
        this.reset();
        for (const figures of listeners()) {
          const value = read(figures);
          if (value !== undefined) this.inc({ listener: figures.name }, value);
        }
      },
    });
  }
}
