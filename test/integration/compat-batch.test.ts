import { inflateSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CompatHub, DJANGO_TOKEN } from "../support/compat-hub.ts";
import { userRecord } from "../support/user-records.ts";

interface Batch {
  readonly id: string;
  readonly pdf: string;
  readonly users: readonly { readonly username: string }[];
  readonly user_credentials: readonly (readonly [string, string])[];
}

/** The texts that a PDF shows: pdfkit writes them as hex in deflated streams. */
function textsOf(pdf: Buffer): string[] {
  const latin1 = pdf.toString("latin1");
  const streams = [...latin1.matchAll(/stream\r?\n/g)].flatMap(({ index, 0: head }) => {
    const end = latin1.indexOf("endstream", index);
    try {
      return [inflateSync(pdf.subarray(index + head.length, end)).toString("latin1")];
    } catch {
      return [];
    }
  });
  return [...streams.join("\n").matchAll(/\[(.*?)\] TJ/g)].map(([, pieces = ""]) =>
    [...pieces.matchAll(/<([0-9a-f]*)>/gi)].map(([, hex = ""]) => Buffer.from(hex, "hex").toString("latin1")).join(""),
  );
}

async function fetched(url: string): Promise<Buffer> {
  const response = await fetch(url, { headers: { Authorization: `Bearer ${DJANGO_TOKEN}` } });
  expect(response.status).toBe(200);
  return Buffer.from(await response.arrayBuffer());
}

function csvForm(name: string, csv: string): FormData {
  const form = new FormData();
  form.set("name", name);
  form.set("strategy", "csv");
  form.set("csvfile", new Blob([csv], { type: "text/csv" }), "users.csv");
  return form;
}

describe("POST batch/ of django-freeradius", () => {
  it("makes users from a prefix with passwords that work, until the expiration date; as PDF and CSV", async () => {
    const hub = await CompatHub.start();
    await hub.running.hub.store?.users.put(userRecord("guest2"));
    const wanted = {
      name: "hotel",
      strategy: "prefix",
      prefix: "guest",
      number_of_users: 12,
      expiration_date: "2099-12-31",
    };
    const { status, text } = await hub.django("batch/", wanted);
    expect(status).toBe(201);
    const batch = JSON.parse(text) as Batch;
    expect(batch).toMatchObject({
      name: "hotel",
      strategy: "prefix",
      prefix: "guest",
      csvfile: null,
      expiration_date: "2099-12-31",
    });
    const names = batch.users.map(({ username }) => username);
    expect(names).toEqual([1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((number) => `guest${number}`));
    const [first] = batch.user_credentials;
    const answer = await hub.django("authorize/", { username: first?.[0], password: first?.[1] });
    expect(answer.text).toBe('{"control:Auth-Type":"Accept"}');
    const user = await hub.running.hub.store?.users.one("guest1");
    expect(user).toMatchObject({ validUntilMs: Date.parse("2100-01-01T00:00:00Z"), password: { kind: "hashed" } });
    const printed = textsOf(await fetched(batch.pdf));
    for (const [username, password] of batch.user_credentials) {
      expect(printed).toContain(username);
      expect(printed).toContain(password);
    }
    const csv = (await fetched(batch.pdf.replace("pdf", "csv"))).toString();
    expect(csv.trim().split("\r\n")).toEqual([
      "username,password",
      ...batch.user_credentials.map((each) => each.join(",")),
    ]);
    const open = await hub.call(`/api/v1/batch/${batch.id}/pdf/`);
    expect(open.status).toBe(403);
    expect((await hub.django("batch/1/pdf/")).status).toBe(404);
  });

  it("makes users from a CSV file, with passwords in clear text or made here", async () => {
    const hub = await CompatHub.start();
    const csv = `rohith,cleartext$pass123,rohith@example.org,Rohith,ASRK\n,,nemo@example.org,Captain,Nemo\n`;
    const { status, text } = await hub.django("batch/", csvForm("import", csv));
    expect(status).toBe(201);
    const batch = JSON.parse(text) as Batch;
    expect(batch).toMatchObject({
      strategy: "csv",
      csvfile: "users.csv",
      prefix: null,
      users: [{ username: "rohith" }, { username: "nemo" }],
    });
    for (const [username, password] of batch.user_credentials) {
      expect((await hub.django("authorize/", { username, password })).text, username).toContain("Accept");
    }
    expect(batch.user_credentials[0]).toEqual(["rohith", "pass123"]);
    expect(await hub.running.hub.store?.users.one("nemo")).toMatchObject({ note: "Captain Nemo <nemo@example.org>" });
  });

  it("imports nothing of a CSV with a bad line, and names each", async () => {
    const hub = await CompatHub.start();
    const csv =
      "good,cleartext$x,a@example.org,A,B\nshort,cleartext$x\n,,,,\ngood,,,,\nold,pbkdf2_sha256$1,b@example.org,B,C\n";
    const { status, text } = await hub.django("batch/", csvForm("import", csv));
    expect(status).toBe(400);
    const { csvfile } = JSON.parse(text) as { csvfile: string[] };
    expect(csvfile.map((line) => /^line \d+/.exec(line)?.[0])).toEqual(["line 2", "line 3", "line 4", "line 5"]);
    expect(await hub.running.hub.store?.users.one("good")).toBeUndefined();
    expect(text).not.toContain("pbkdf2");
  });

  it("reports what is missing or wrong, and a name that is taken", async () => {
    const hub = await CompatHub.start();
    const table: readonly (readonly [object, object])[] = [
      [
        { name: "a", strategy: "prefix", prefix: "p" },
        { number_of_users: "The field number_of_users cannot be empty" },
      ],
      [{ name: "a", strategy: "prefix", number_of_users: 1 }, { prefix: "The field prefix cannot be empty" }],
      [{ name: "a", strategy: "csv" }, { csvfile: "The field csvfile cannot be empty" }],
      [{ strategy: "guess" }, { name: ["This field is required."], strategy: ['"guess" is not a valid choice.'] }],
      [
        { name: "a", strategy: "prefix", prefix: "p", number_of_users: 1_001 },
        { number_of_users: ["Ensure this value is less than or equal to 1000."] },
      ],
      [
        { name: "a", strategy: "prefix", prefix: "p", number_of_users: 1, expiration_date: "soon" },
        { expiration_date: ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."] },
      ],
    ];
    for (const [body, errors] of table) {
      const { status, text } = await hub.django("batch/", body);
      expect([status, JSON.parse(text)], JSON.stringify(body)).toEqual([400, errors]);
    }
    const once = { name: "a", strategy: "prefix", prefix: "p", number_of_users: 1 };
    expect((await hub.django("batch/", once)).status).toBe(201);
    const again = await hub.django("batch/", once);
    expect(again).toMatchObject({ status: 400, text: '{"name":["radius batch with this name already exists."]}' });
  });
});
