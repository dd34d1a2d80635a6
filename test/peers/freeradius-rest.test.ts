import { beforeEach, describe, expect, it } from "vitest";
import { withPassword } from "../support/aaa-hub.ts";
import { CompatHub, DJANGO_TOKEN, ORGANIZATION, ROUTER_SECRET, routerEntry } from "../support/compat-hub.ts";
import { needs } from "../support/freeradius.ts";
import { needsRlmRest, REST_SECRET, type RestFreeradius, startRestFreeradius } from "../support/freeradius-rest.ts";
import { radclient } from "../support/radclient.ts";
import { planRecord } from "../support/user-records.ts";
import { UdpRouter } from "../support/udp-router.ts";

const STATIONS = ['Called-Station-Id = "00-27-22-F3-FA-F1:hotspot"', 'Calling-Station-Id = "5c:7d:c1:72:a7:3b"'];
const SESSION = [
  'User-Name = "alice"',
  'Acct-Session-Id = "35000006"',
  "NAS-IP-Address = 127.0.0.2",
  "NAS-Port = 1",
  ...STATIONS,
];
/** What is left of it is in openwisp-radius's answer, under a name that FreeRADIUS may not know. */
const QUOTA = `
quota:
  rules:
    - { name: cap, counts: both, period: day, amount: 3GB, thresholds: [{ percent: 100, action: disconnect }] }
`;
const QUICK = { timeoutS: 8 };

const APIS = [
  { api: "django-freeradius", base: "/api/v1", bearer: DJANGO_TOKEN, authorize: "" },
  {
    api: "openwisp-radius",
    base: "/api/v1/freeradius",
    bearer: `${ORGANIZATION.uuid} ${ORGANIZATION.token}`,
    authorize: ', "called_station_id": "%{Called-Station-ID}", "calling_station_id": "%{Calling-Station-ID}"',
  },
] as const;

/** A router behind FreeRADIUS behind the hub. */
async function chain(
  api: (typeof APIS)[number],
): Promise<{ hub: CompatHub; router: UdpRouter; freeradius: RestFreeradius }> {
  const router = await UdpRouter.open(ROUTER_SECRET, "127.0.0.2");
  const hub = await CompatHub.start({
    clients: routerEntry("127.0.0.2", router.port),
    compat: "replyAttributes: true",
    yaml: QUOTA,
    users: [withPassword("alice", "wonderland", { plan: "day" })],
  });
  await hub.running.hub.store?.plans.put(planRecord("day", { values: { sessionTimeoutSeconds: 7_200 } }));
  const freeradius = await startRestFreeradius({ url: hub.running.api, ...api });
  return { hub, router, freeradius };
}

function login({ auth }: RestFreeradius, password: string) {
  const attributes = [
    'User-Name = "alice"',
    `User-Password = "${password}"`,
    "NAS-IP-Address = 127.0.0.2",
    ...STATIONS,
  ];
  return radclient(auth, "auth", REST_SECRET, attributes, QUICK);
}

function account({ acct }: RestFreeradius, status: string, ...more: readonly string[]) {
  return radclient(acct, "acct", REST_SECRET, [`Acct-Status-Type = ${status}`, ...SESSION, ...more], QUICK);
}

describe.each(APIS)("FreeRADIUS with rlm_rest as $api documents it, in front of the hub", (api) => {
  beforeEach((context) => {
    needs(context, "freeradius", "radclient");
    needsRlmRest(context);
  });

  it("accepts and rejects as the hub says, with the user's plan, and the hub keeps how each login ended", async () => {
    const { hub, freeradius } = await chain(api);
    const accepted = await login(freeradius, "wonderland");
    expect(accepted.reply).toBe("Access-Accept");
    expect(accepted.output).toMatch(/Session-Timeout = 7200/);
    expect((await login(freeradius, "wrong")).reply).toBe("Access-Reject");
    const kept = await hub.running.hub.store?.apiRecords.list("post-auth", { limit: 9 });
    const told = kept?.items.map(({ value }) => JSON.parse(value) as { api: string; reply: string; username: string });
    expect(told).toMatchObject([
      { api: api.api, username: "alice", reply: "Access-Reject", callingStationId: "5c:7d:c1:72:a7:3b" },
      { api: api.api, username: "alice", reply: "Access-Accept" },
    ]);
    expect(JSON.stringify(kept)).not.toContain("wrong");
  });

  it("accounts, and POST /disconnect reaches the user at the router behind FreeRADIUS", async () => {
    const { hub, router, freeradius } = await chain(api);
    expect((await account(freeradius, "Start")).reply).toBe("Accounting-Response");
    const counted = ["Acct-Session-Time = 60", "Acct-Input-Octets = 1000", "Acct-Output-Octets = 5000"];
    expect((await account(freeradius, "Interim-Update", ...counted)).reply).toBe("Accounting-Response");
    const sessions = await fetch(`${hub.running.api}/v1/sessions?username=alice`);
    expect(await sessions.json()).toMatchObject({ sessions: [{ session_id: "35000006", open: true }] });
    const response = await fetch(`${hub.running.api}/disconnect?calling_station_id=5C-7D-C1-72-A7-3B`, {
      method: "POST",
    });
    expect(response.status).toBe(200);
    const [request] = router.received;
    const texts = request?.attributes
      .filter(({ type }) => type === 1 || type === 31 || type === 44)
      .map(({ value }) => String(value));
    expect(texts?.toSorted()).toEqual(["35000006", "5c:7d:c1:72:a7:3b", "alice"]);
    const ended = ["Acct-Session-Time = 61", "Acct-Terminate-Cause = Admin-Reset"];
    expect((await account(freeradius, "Stop", ...ended)).reply).toBe("Accounting-Response");
    expect((await fetch(`${hub.running.api}/disconnect?username=alice`, { method: "POST" })).status).toBe(404);
  });
});
