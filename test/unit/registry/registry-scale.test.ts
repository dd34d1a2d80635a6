import { describe, expect, it } from "vitest";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { inPreferenceOrder } from "../../../src/registry/preference.ts";
import { compileSelection } from "../../../src/registry/selection.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ids, nasName, packet, startRegistry } from "./harness.ts";

const LINKS = 100_000;

let visits = 0;

/** Counts how often anybody looks at what a link says of itself. */
function countVisits(link: FakeLink): void {
  for (const name of ["open", "peer", "linkId"] as const) {
    const value = link[name];
    Object.defineProperty(link, name, {
      get: () => {
        visits += 1;
        return value;
      },
    });
  }
}

function visited(action: () => void): number {
  visits = 0;
  action();
  return visits;
}

describe("Registry with 100,000 links", () => {
  it("looks at no link but those it finds, whatever their number", () => {
    const { registry } = startRegistry({ bindingsMax: LINKS });
    const links: FakeLink[] = [];
    for (let n = 0; n < LINKS; n++) {
      const link = new FakeLink({ linkId: `l${n}`, peerKey: `p${n >> 1}` }); // two links for each peer
      registry.opened(link);
      registry.learnStatus(link, packet(12, nasName(`nas-${n >> 1}`)));
      // One in a hundred counts: a look at every link would show as a thousand visits.
      if (n % 100 === 0) countVisits(link);
      links.push(link);
    }
    const dictionary = Dictionary.load("config/dictionaries");
    const selection = compileSelection(
      [
        {
          match: { server: "radsec", nasIdentifier: "%{request.NAS-Identifier}", "cert.subject.cn": "/^n/" },
          mode: "least-busy",
        },
      ],
      { registry, dictionary },
    );

    const lookUp = visited(() => {
      expect(inPreferenceOrder(registry.byNasIdentifier("nas-40000"), "least-busy")).toHaveLength(2);
    });
    const selected = visited(() => {
      expect(selection.candidates({ attributes: [nasName("nas-40000")] })).toHaveLength(2);
    });
    const learnt = visited(() => {
      registry.learnRequest(links[80_000] as FakeLink, packet(4, nasName("nas-40000")));
    });
    const closing = visited(() => registry.closed(links[80_000] as FakeLink));
    expect(lookUp).toBeLessThan(10);
    expect(selected).toBeLessThan(20);
    expect(learnt).toBeLessThan(10);
    expect(closing).toBeLessThan(40);

    expect(ids(registry.byNasIdentifier("nas-40000"))).toEqual(["l80001"]);
    for (const link of links) registry.closed(link);
    expect(registry.size).toBe(0);
    expect(registry.count("listener", "radsec")).toBe(0);
  }, 60_000);
});
