import { inflateSync } from "node:zlib";
import { describe, expect, it, vi } from "vitest";
import { CompatHub, DJANGO_TOKEN } from "../support/compat-hub.ts";
import { ACCT_START } from "../support/compat-records.ts";
import { hashedPassword } from "../support/hashed-passwords.ts";
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

  it("takes the hashes that Django makes: who knows the password gets in, and from then on it is hashed as the hub does", async () => {
    const hub = await CompatHub.start();
    const hashes = {
      documented: ["myPassword123", "pbkdf2_sha256$100000$cKdP39chT3pW$2EtVk4Hhm1V65GNfYAA5AHj0uyD60f2CmqumqiB/gRk="],
      sha1: ["wonderland", "pbkdf2_sha1$1000$salt12chars!$zd829r51KWmOfVnXHQTSuWp2CEE="],
      scrypt: [
        "wonderland",
        "scrypt$1024$saltysaltysalt$8$1$8uCcSQB/OQQUMRra4suPWFXlN1X95Vy45ChxJmGgGL0lpLYfo5aRK4va+j5QsUe+7BhIlir4GTY5xVecIU6Kaw==",
      ],
      argon2: ["wonderland", `argon2${(await hashedPassword("wonderland")).secret}`],
    } as const;
    const csv = Object.entries(hashes).map(([name, [, hash]]) => `${name},"${hash}",${name}@example.org,A,B\n`);
    const { status, text } = await hub.django("batch/", csvForm("hashed", csv.join("")));
    expect([status, (JSON.parse(text) as Batch).user_credentials]).toEqual([201, []]);
    for (const [username, [password]] of Object.entries(hashes)) {
      expect((await hub.django("authorize/", { username, password: `${password}!` })).text, username).toBe("");
      expect((await hub.django("authorize/", { username, password })).text, username).toContain("Accept");
    }
    const { users } = hub.running.hub.store ?? {};
    await vi.waitFor(
      async () => {
        for (const name of ["documented", "sha1"]) {
          expect((await users?.one(name))?.password?.secret).toMatch(/^\$argon2id\$/);
        }
      },
      { timeout: 10_000 },
    );
    expect((await hub.django("authorize/", { username: "sha1", password: "wonderland" })).text).toContain("Accept");
  });

  it("links to the vouchers as callers reach the hub: behind a proxy that ends TLS, at publicUrl", async () => {
    const hub = await CompatHub.start({ http: "publicUrl: https://hub.example.net/radius/" });
    const one = { name: "a", strategy: "prefix", prefix: "p", number_of_users: 2 };
    const batch = JSON.parse((await hub.django("batch/", one)).text) as Batch;
    expect(batch.pdf).toBe(`https://hub.example.net/radius/api/v1/batch/${batch.id}/pdf/`);
    expect(batch.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    for (const unique_id of ["u1", "u2"]) await hub.django("accounting/", { ...ACCT_START, unique_id });
    const link = (await hub.django("accounting/?page_size=1")).headers.get("Link");
    const page = "https://hub.example.net/radius/api/v1/accounting/?page=2&page_size=1";
    expect(link).toBe(`<${page}>; rel="next", <${page}>; rel="last"`);
  });

  it("imports nothing of a CSV with a bad line, and names each", async () => {
    const hub = await CompatHub.start();
    const csv =
      "good,cleartext$x,a@example.org,A,B\nshort,cleartext$x\n,,,,\ngood,,,,\nold,pbkdf2_sha256$1,b@example.org,B,C\nbad,,no address,B,C\nslow,pbkdf2_sha256$9000000$salt$2EtVk4Hhm1V65GNfYAA5AHj0uyD60f2CmqumqiB/gRk=,,,\n";
    const { status, text } = await hub.django("batch/", csvForm("import", csv));
    expect(status).toBe(400);
    const { csvfile } = JSON.parse(text) as { csvfile: string[] };
    expect(csvfile.map((line) => /^line \d+/.exec(line)?.[0])).toEqual(
      [2, 3, 4, 5, 6, 7].map((line) => `line ${line}`),
    );
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
        { name: "", strategy: "prefix", number_of_users: -1, prefix: "" },
        {
          name: ["This field may not be blank."],
          prefix: ["This field may not be blank."],
          number_of_users: ["Ensure this value is greater than or equal to 1."],
        },
      ],
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
