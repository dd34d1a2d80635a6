import { describe, expect, it } from "vitest";
import { answerUnserved } from "../../../src/aaa/unserved.ts";
import { encodeResponse, RADSEC_SECRET } from "../../../src/radius/authenticator.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import type { Reply, RequestContext } from "../../../src/transport/link.ts";

const C12 =
  "0409003e00ced824c8f26d56ab6c0471eafd79db2806000000012c0a39303233343536" +
  "3720146e61732d30372e6578616d706c652e6e657437066553f100";
const C13 = "34090033ef8f90be50894a731a4e78065ea2ff14501206780d0af0a0fdd7d9b618f5292b9a9ff1070400000004650600000196";

async function answer(octets: Buffer, kind: "tls" | "udp" = "tls"): Promise<Reply> {
  return answerUnserved({ packet: decodePacket(octets), link: { kind } } as RequestContext);
}

describe("answerUnserved()", () => {
  it("PE-01 PE-02 CRY-10 an Accounting-Request gets the Protocol-Error of vector C13, octet for octet", async () => {
    const packet = decodePacket(Buffer.from(C12, "hex"));
    const reply = await answer(packet.octets);
    if (reply.kind !== "reply") throw new Error("no reply");
    expect(encodeResponse(packet, reply.code, reply.attributes, RADSEC_SECRET).toString("hex")).toBe(C13);
  });

  it("PE-06 UL-10 over UDP an Accounting-Request that nobody stores gets nothing", async () => {
    expect(await answer(Buffer.from(C12, "hex"), "udp")).toEqual({ kind: "discard", reason: "not-served" });
  });

  it("UL-04 an Access-Request gets Access-Reject", async () => {
    const request = Buffer.alloc(20);
    request[0] = 1;
    request[3] = 20;
    expect(await answer(request)).toEqual({ kind: "reply", code: 3, attributes: [] });
  });

  it.each([40, 43])("PE-05 code %i that a peer sends gets Protocol-Error 406", async (code) => {
    const request = Buffer.alloc(20);
    request[0] = code;
    request[3] = 20;
    const reply = await answer(request);
    expect(reply).toMatchObject({ kind: "reply", code: 52 });
    if (reply.kind === "reply") expect(reply.attributes[0]?.value).toEqual(Buffer.from([4, 0, 0, 0, code]));
  });
});
