import { describe, expect, it } from "vitest";
import { attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { inPreferenceOrder, type SelectMode } from "../../../src/registry/preference.ts";
import { compileSelection, type SelectionDeps, type SelectMatch } from "../../../src/registry/selection.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { certificatePeer, FakeLink } from "../../support/fake-link.ts";
import { ids, nasIp, nasName, startRegistry } from "./harness.ts";

const dictionary = Dictionary.load("config/dictionaries");
const nothing = { attributes: [] };

/** Two routers that differ in everything a rule can look at. */
function twoRouters() {
  const hub = startRegistry();
  const edge = hub.open({
    linkId: "edge",
    listener: "RADSEC_SERVER",
    address: "10.9.0.1",
    client: clientEntry({ name: "edges" }),
    peer: certificatePeer({
      commonName: "testUser",
      fingerprint256: "0A:0B",
      issuer: "CN=Field CA, O=Example",
      san: {
        dns: ["testUser.nas.example"],
        ip: ["10.1.2.3"],
        uri: ["https://testUser.nas.example"],
        email: ["testUser@nas.example", "otherUser@nas.example"],
      },
    }),
  });
  hub.status(
    edge,
    nasName("radiator-nas-simulator"),
    textAttribute(87, "ether1"),
    attribute(5, Buffer.from([0, 0, 0, 7])),
    nasIp(192, 168, 88, 1),
    attribute(26, Buffer.from("00003a8c0808726174652d31", "hex")),
  );
  const other = hub.open({
    linkId: "other",
    listener: "OTHER",
    address: "2001:db8::1",
    client: clientEntry({ name: "others" }),
    peer: { kind: "psk", identity: "psk-2" },
  });
  hub.status(other, nasName("other"), attribute(95, Buffer.from("20010db8".padEnd(32, "0"), "hex")));
  return hub;
}

function select(match: SelectMatch, request: Parameters<ReturnType<typeof compileSelection>["select"]>[0] = nothing) {
  const { registry } = twoRouters();
  return ids(compileSelection([{ match, mode: "first" }], { registry, dictionary }).candidates(request));
}

describe("compileSelection() matches everything that seed 003 can match", () => {
  it.each<[string, SelectMatch, string[]]>([
    ["listener", { server: "RADSEC_SERVER" }, ["edge"]],
    ["link id", { linkId: "other" }, ["other"]],
    ["NAS-Identifier", { nasIdentifier: "radiator-nas-simulator" }, ["edge"]],
    ["NAS-Identifier in another case (IDX-05)", { nasIdentifier: "Radiator-NAS-Simulator" }, []],
    ["NAS-Identifier by regex", { nasIdentifier: "/SIMULATOR/i" }, ["edge"]],
    ["NAS-Identifier by regex, case counts", { nasIdentifier: "/SIMULATOR/" }, []],
    ["NAS-IP-Address", { nasIpAddress: "192.168.88.1" }, ["edge"]],
    ["NAS-IP-Address by network", { nasIpAddress: "192.168.0.0/16" }, ["edge"]],
    ["NAS-IPv6-Address in another notation", { nasIpv6Address: "2001:DB8:0::0" }, ["other"]],
    ["status text", { "status.NAS-Identifier": "radiator-nas-simulator" }, ["edge"]],
    ["status regex", { "status.NAS-Port-Id": "/^ether\\d$/" }, ["edge"]],
    ["status number", { "status.NAS-Port": "7" }, ["edge"]],
    ["status vendor attribute", { "status.Mikrotik-Rate-Limit": "rate-1" }, ["edge"]],
    ["status vendor attribute by number", { "status.26.14988.8": "rate-1" }, ["edge"]],
    ["status vendor attribute, not its neighbour", { "status.26.14988.9": "rate-1" }, []],
    ["status attribute that nobody sent", { "status.Attr-200": "x" }, []],
    ["peer address", { peerAddress: "10.9.0.1" }, ["edge"]],
    ["peer address mapped into IPv6", { peerAddress: "::ffff:10.9.0.1" }, ["edge"]],
    ["peer network", { peerAddress: "10.9.0.0/16" }, ["edge"]],
    ["peer network of IPv6", { peerAddress: "2001:db8::/32" }, ["other"]],
    ["every IPv4 network", { peerAddress: "0.0.0.0/0" }, ["edge"]],
    ["common name", { "cert.subject.cn": "testUser" }, ["edge"]],
    ["common name by regex", { "cert.subject.cn": "/^testuser$/i" }, ["edge"]],
    ["dns name", { "cert.san.dns": "testuser.NAS.example" }, ["edge"]],
    ["dns wildcard (TLS-15)", { "cert.san.dns": "*.nas.example" }, ["edge"]],
    ["dns wildcard for two labels", { "cert.san.dns": "*.example" }, []],
    ["ip name", { "cert.san.ip": "10.1.2.3" }, ["edge"]],
    ["uri name", { "cert.san.uri": "https://testUser.nas.example" }, ["edge"]],
    ["any email", { "cert.san.email": "otherUser@nas.example" }, ["edge"]],
    ["second email", { "cert.san.email[1]": "otherUser@nas.example" }, ["edge"]],
    ["second email, not the first", { "cert.san.email[0]": "otherUser@nas.example" }, []],
    ["fingerprint in lower case", { "cert.fingerprint": "0a:0b" }, ["edge"]],
    ["issuer", { "cert.issuer": "CN=Field CA, O=Example" }, ["edge"]],
    ["psk identity", { psk: "psk-2" }, ["other"]],
    ["client entry", { client: "edges" }, ["edge"]],
    ["one of several values", { client: ["others", "edges"] }, ["edge", "other"]],
    ["a literal or a regex", { client: ["others", "/^ed/"] }, ["edge", "other"]],
    ["all keys must hold", { server: "RADSEC_SERVER", client: "others" }, []],
    ["indexed and scanned keys together", { server: "RADSEC_SERVER", "status.NAS-Port-Id": "ether1" }, ["edge"]],
  ])("%s", (_, match, found) => {
    expect(select(match)).toEqual(found);
  });

  it("fills in attributes of the request", () => {
    const match = { nasIdentifier: "%{request.NAS-Identifier}" };
    expect(select(match, { attributes: [nasName("other")] })).toEqual(["other"]);
    expect(select(match, { attributes: [nasName("nobody")] })).toEqual([]);
    expect(select(match, nothing)).toEqual([]);
    expect(
      select({ "cert.san.dns": "%{request.User-Name}.nas.example" }, { attributes: [textAttribute(1, "testUser")] }),
    ).toEqual(["edge"]);
    expect(
      select({ "status.Mikrotik-Rate-Limit": "%{request.Filter-Id}" }, { attributes: [textAttribute(11, "rate-1")] }),
    ).toEqual(["edge"]);
  });

  it("takes the NAS that the caller named apart from the attributes for an attribute that is missing", () => {
    const match = { nasIdentifier: "%{request.NAS-Identifier}" };
    expect(select(match, { attributes: [], target: { nasIdentifier: "other" } })).toEqual(["other"]);
    expect(
      select({ nasIpAddress: "%{request.NAS-IP-Address}" }, { attributes: [], target: { nasAddress: "192.168.88.1" } }),
    ).toEqual(["edge"]);
    expect(select(match, { attributes: [nasName("nobody")], target: { nasIdentifier: "other" } })).toEqual([]);
  });

  it("IDX-05 compares NAS-Identifiers of any octets", () => {
    const { registry, open, status } = startRegistry();
    const octets = Buffer.from([0xff, 0x00, 0x80]);
    status(open({ linkId: "raw" }), attribute(32, octets));
    status(open({ linkId: "utf8" }), nasName("Zürich"));
    const byRequest = compileSelection([{ match: { nasIdentifier: "%{request.NAS-Identifier}" }, mode: "first" }], {
      registry,
      dictionary,
    });
    expect(ids(byRequest.candidates({ attributes: [attribute(32, octets)] }))).toEqual(["raw"]);
    expect(ids(byRequest.candidates({ attributes: [], target: { nasIdentifier: "\xff\x00\x80" } }))).toEqual(["raw"]);
    expect(ids(byRequest.candidates({ attributes: [nasName("Zürich")] }))).toEqual(["utf8"]);
    const literal = compileSelection([{ match: { nasIdentifier: ["Zürich", "/^Zü/"] }, mode: "first" }], {
      registry,
      dictionary,
    });
    expect(ids(literal.candidates(nothing))).toEqual(["utf8"]);
  });

  it("linkId: current is the link that the request came on", () => {
    expect(select({ linkId: "current" }, { attributes: [], currentLinkId: "other" })).toEqual(["other"]);
    expect(select({ linkId: "current" }, nothing)).toEqual([]);
  });

  it("takes the first rule with a match, and says which and how", () => {
    const { registry } = twoRouters();
    const selection = compileSelection(
      [
        { match: { nasIdentifier: "nobody" }, mode: "first" },
        { match: { client: ["edges", "others"] }, mode: "least-busy" },
        { match: { client: "others" }, mode: "first" },
      ],
      { registry, dictionary },
    );
    expect(selection.select(nothing)).toMatchObject({ mode: "least-busy", rule: 1 });
    for (const { link } of registry.records()) (link as FakeLink).open = false;
    expect(selection.select(nothing)).toBeUndefined();
    expect(selection.candidates(nothing)).toEqual([]);
  });
});

describe("compileSelection() costs no more than it must", () => {
  /** The registry with a note of what is read from it. */
  function watched() {
    const { registry } = twoRouters();
    const reads: string[] = [];
    const watching: SelectionDeps["registry"] = {
      count: (key, value) => registry.count(key, value),
      find: (key, value) => {
        reads.push(key);
        return registry.find(key, value);
      },
      records: () => {
        reads.push("every link");
        return registry.records();
      },
    };
    const readsOf = (match: SelectMatch) => {
      reads.length = 0;
      compileSelection([{ match, mode: "first" }], { registry: watching, dictionary }).select(nothing);
      return reads;
    };
    return { readsOf };
  }

  it("starts from the indexed key with the fewest links, in whatever order the keys stand", () => {
    const { readsOf } = watched();
    const both = ["edges", "others"];
    expect(readsOf({ client: both, nasIdentifier: "other" })).toEqual(["nasIdentifier"]);
    expect(readsOf({ nasIdentifier: "other", client: both })).toEqual(["nasIdentifier"]);
    expect(readsOf({ "status.NAS-Port": "7", client: "edges", peerAddress: "10.0.0.0/8" })).toEqual(["client"]);
  });

  it("looks at every link only where no key is indexed, and at none where a value is missing", () => {
    const { readsOf } = watched();
    expect(readsOf({ "status.NAS-Port": "7" })).toEqual(["every link"]);
    expect(readsOf({ client: ["edges", "/^oth/"] })).toEqual(["every link"]);
    expect(readsOf({ "status.NAS-Port": "%{request.NAS-Port}" })).toEqual([]);
    expect(readsOf({ client: "nobody", "status.NAS-Port": "7" })).toEqual([]);
  });
});

describe("compileSelection() refuses", () => {
  it.each<[string, SelectMatch, string]>([
    ["an unknown key", { "cert.subject.ou": "x" }, "cert.subject.ou"],
    ["an unknown attribute", { "status.No-Such": "x" }, "status.No-Such"],
    ["an unknown attribute of the request", { client: "%{request.No-Such}" }, "client"],
    ["a secret of the request", { client: "%{request.User-Password}" }, "client"],
    ["another variable", { client: "%{http.user}" }, "client"],
    ["a variable in a regex", { client: "/%{request.User-Name}/" }, "client"],
    ["a broken regex", { client: "/(/" }, "client"],
    ["a stateful flag", { client: "/a/g" }, "client"],
    ["a catastrophic regex", { client: "/(a+)+$/" }, "client"],
    ["a broken network", { peerAddress: "10.0.0.0/33" }, "peerAddress"],
    ["no address", { peerAddress: "edge" }, "peerAddress"],
    ["half an address", { peerAddress: "10.1" }, "peerAddress"],
    ["an empty list", { client: [] }, "client"],
  ])("%s, and names the key", (_, match, key) => {
    const path = `dynauth.select[0].match.${key}`;
    expect(() => select(match)).toThrow(
      expect.objectContaining({
        code: "ERR_CONFIG",
        message: expect.stringContaining(path),
        details: expect.objectContaining({ key: path }),
      }),
    );
  });

  it("a rule without a key, which would match every link", () => {
    expect(() => select({})).toThrow(expect.objectContaining({ code: "ERR_CONFIG" }));
  });
});

describe("inPreferenceOrder()", () => {
  /** Three links of one peer, opened in order, all of which have spoken since. */
  function threeLinks() {
    const hub = startRegistry();
    const links = ["one", "two", "three"].map((linkId) => hub.open({ linkId, peerKey: "a" })) as [
      FakeLink,
      FakeLink,
      FakeLink,
    ];
    for (const link of links) hub.status(link, nasName("edge-1"));
    const order = (mode: SelectMode) => ids(inPreferenceOrder(hub.registry.byNasIdentifier("edge-1"), mode));
    return { ...hub, links, order };
  }

  it("first: the link that was opened first", () => {
    expect(threeLinks().order("first")).toEqual(["one", "two", "three"]);
  });

  it("least-busy: in flight and queued together, then the one seen last", () => {
    const { links, order, status } = threeLinks();
    expect(order("least-busy")).toEqual(["three", "two", "one"]);
    [links[0].inFlight, links[1].queued, links[2].inFlight, links[2].queued] = [1, 3, 2, 2];
    expect(order("least-busy")).toEqual(["one", "two", "three"]);
    [links[0].inFlight, links[1].queued, links[2].queued] = [2, 2, 0];
    status(links[0]);
    expect(order("least-busy")).toEqual(["one", "three", "two"]);
  });

  it("round-robin: each link in turn", () => {
    const { registry, order } = threeLinks();
    const turns: string[] = [];
    for (let turn = 0; turn < 6; turn++) {
      const [next = ""] = order("round-robin");
      const record = registry.record(next);
      if (record !== undefined) registry.chosen(record);
      turns.push(next);
    }
    expect(turns).toEqual(["three", "two", "one", "three", "two", "one"]);
  });

  it.each<SelectMode>(["first", "round-robin", "least-busy"])(
    "IDX-06 %s: a half-open old link does not shadow the new one, until it speaks again",
    (mode) => {
      const { registry, open, status } = startRegistry();
      const old = open({ linkId: "old", peerKey: "a", connectedAtMs: 0 });
      status(old, nasName("edge-1"));
      const fresh = open({ linkId: "new", peerKey: "a", connectedAtMs: 60_000 });
      status(fresh, nasName("edge-1"));
      const record = registry.record("new");
      if (record !== undefined) registry.chosen(record);
      fresh.inFlight = 5;
      const order = () => ids(inPreferenceOrder(registry.byNasIdentifier("edge-1"), mode));
      expect(order()).toEqual(["new", "old"]);
      status(old);
      expect(order()).toEqual(["old", "new"]);
    },
  );

  it("IDX-06 links that a router opens together are siblings: none of them waits for its next watchdog", () => {
    const { registry, open, status } = startRegistry();
    for (const [linkId, connectedAtMs] of [
      ["one", 0],
      ["two", 4_000],
    ] as const) {
      status(open({ linkId, peerKey: "a", connectedAtMs }), nasName("edge-1"));
    }
    const busy = registry.record("two")?.link as unknown as { inFlight: number };
    busy.inFlight = 1;
    expect(ids(inPreferenceOrder(registry.byNasIdentifier("edge-1"), "least-busy"))).toEqual(["one", "two"]);
  });

  it("the links of one peer say nothing of another's", () => {
    const { registry, open, status } = startRegistry();
    for (const linkId of ["one", "two"]) status(open({ linkId }), nasIp(192, 168, 88, 1));
    expect(ids(inPreferenceOrder(registry.byNasAddress("192.168.88.1"), "first"))).toEqual(["one", "two"]);
  });

  it("leaves out links that are closing, and the caller's array alone", () => {
    const { registry, links, order } = threeLinks();
    const given = registry.byNasIdentifier("edge-1");
    links[0].open = false;
    expect(order("first")).toEqual(["two", "three"]);
    expect(ids(inPreferenceOrder(given, "least-busy"))).toEqual(["three", "two"]);
    expect(ids(given)).toEqual(["one", "two", "three"]);
  });
});
