import type { z } from "zod";
import { listenerRules } from "./listener-rules.ts";
import type { Report } from "./problem.ts";
import { pskRules } from "./psk-rules.ts";
import { referenceRules } from "./reference-rules.ts";
import { section } from "./section.ts";
import { accountingSection } from "./sections/accounting.ts";
import { bindingsSection } from "./sections/bindings.ts";
import { clientsSection } from "./sections/clients.ts";
import { dynauthSection } from "./sections/dynauth.ts";
import { heartbeatSection } from "./sections/heartbeat.ts";
import { httpSection } from "./sections/http.ts";
import { logSection } from "./sections/log.ts";
import { modulesSection } from "./sections/modules.ts";
import { nodeSection } from "./sections/node.ts";
import { pkiSection } from "./sections/pki.ts";
import { quotaSection } from "./sections/quota.ts";
import { radsecSection } from "./sections/radsec.ts";
import { realmsSection } from "./sections/realms.ts";
import { statusSection } from "./sections/status.ts";
import { storeSection } from "./sections/store.ts";
import { tcpSection } from "./sections/tcp.ts";
import { udpSection } from "./sections/udp.ts";
import { udpRoutersSection } from "./sections/udp-routers.ts";
import { upstreamsSection } from "./sections/upstreams.ts";
import { usersSection } from "./sections/users.ts";
import { webhooksSection } from "./sections/webhooks.ts";

/** The whole of hub.yaml. A new section: its file in sections/, a line here, its part of Config in config.ts, a row in
 *  LIVE_KEYS, its keys in config/hub.yaml, `npm run schema`. */
export const hubSchema = section(
  {
    node: nodeSection.prefault({}).meta({ description: "This process." }),
    radsec: radsecSection,
    udp: udpSection,
    udpRouters: udpRoutersSection
      .prefault({})
      .meta({ description: "Routers over RADIUS/UDP, on all listeners together." }),
    tcp: tcpSection,
    clients: clientsSection,
    bindings: bindingsSection.prefault({}).meta({ description: "Which NAS-Identifier belongs to which peer." }),
    dynauth: dynauthSection.prefault({}).meta({ description: "Disconnect- and CoA-Requests." }),
    upstreams: upstreamsSection.prefault({}).meta({ description: "RADIUS servers that requests are passed on to." }),
    realms: realmsSection,
    heartbeat: heartbeatSection.prefault({}).meta({ description: "Requests by which the hub watches itself." }),
    store: storeSection.prefault({}),
    accounting: accountingSection
      .prefault({})
      .meta({ description: "Accounting-Requests and the acct sessions they tell of." }),
    quota: quotaSection.prefault({}).meta({ description: "What users may use, and what happens when they have." }),
    users: usersSection.prefault({}).meta({ description: "Users and plans of the store." }),
    webhooks: webhooksSection,
    modules: modulesSection
      .prefault({})
      .meta({ description: "Modules that requests come to: who is let in, and what is stored." }),
    status: statusSection.prefault({}).meta({ description: "Status-Server, the watchdog of routers." }),
    http: httpSection.prefault({}).meta({ description: "The HTTP API." }),
    pki: pkiSection.prefault({}).meta({ description: "The development PKI." }),
    log: logSection.prefault({}).meta({ description: "The log." }),
  },
  rulesAcrossSections,
);

export type HubValues = z.output<typeof hubSchema>;

function rulesAcrossSections(values: unknown, report: Report): void {
  listenerRules(values, report);
  referenceRules(values, report);
  pskRules(values, report);
}
