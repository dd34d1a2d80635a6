import { expect, it } from "vitest";
import { startHub } from "../support/accounting-router.ts";
import { CompatHub } from "../support/compat-hub.ts";

async function post(api: string, text: string) {
  const headers = { "content-type": "text/csv" };
  const response = await fetch(`${api}/v1/users`, { method: "POST", headers, body: text });
  return { status: response.status, json: (await response.json()) as { errors: { line: number; field: string }[] } };
}

const IMPORTS = [
  ["a byte order mark and CRLF", '\uFEFFusername,note\r\nalice,"x\r\ny"\r\nbob\r\n', "4 "],
  [
    "empty lines and quoted line ends before it",
    'username,note\r\n\r\nalice,"x\r\ny\nz"\r\n\r\nbob\r\ncarol,"\r\n',
    "7 ",
  ],
  ["a quotation mark that is not closed", 'username,note\nalice,x\nbob,"y\ncarol,z\n', "3 "],
  ["a quotation mark within", 'username,note\nal"ice,x\nbob,y\n', "2 "],
  ["a name twice", "username\nalice\nbob\nalice\n", "4 "],
  ["a control character in a name", "username\nalice\nb\u0007b\n", "3 username"],
  ["a NUL in a name", "username\nalice\nb\u0000b\n", "3 username"],
  ["a name that no login writes so", "username\nalice\n0xFF\n", "3 username"],
  ["UTF-16 without a byte order mark", Buffer.from("username\nalice\n", "utf16le").toString(), "1 username"],
] as const;

it("an import of users names its bad lines, and imports nothing", async () => {
  const { api } = await startHub("accounting: {}");
  for (const [what, text, place] of IMPORTS) {
    const { status, json } = await post(api, text);
    expect(status, what).toBe(422);
    expect(
      json.errors.map(({ line, field }) => `${line} ${field}`),
      what,
    ).toContain(place);
    expect(await (await fetch(`${api}/v1/users`)).json(), what).toMatchObject({ users: [] });
  }
});

const NAMES = [
  ["a control character", "a%07b", 422],
  ["a line break", "a%0Ab", 422],
  ["octets in upper case", "0xFF", 422],
  ["text as octets", "0x616c696365", 422],
  ["octets that are no text", "0xff", 201],
  ["letters of any language", "Zo%C3%AB%20%E5%BA%97", 201],
] as const;

it("the name of a user is taken only as a login writes it", async () => {
  const { api } = await startHub("accounting: {}");
  for (const [what, name, expected] of NAMES) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${api}/v1/users/${name}`, { method: "PUT", headers, body: "{}" });
    expect(response.status, what).toBe(expected);
    if (expected === 201) expect(response.headers.get("location")).toBe(`/v1/users/${name}`);
    expect((await fetch(`${api}/v1/users/${name}`)).status, what).toBe(expected === 201 ? 200 : 404);
  }
});

it("a batch of django-freeradius names its bad lines too, without what is in them", async () => {
  const hub = await CompatHub.start();
  const rows = [
    'alice,cleartext$one,,"A\r\nB",C',
    'bob,cleart"ext$a-secret,,A,B',
    "carol,cleartext$three",
    "d\u0007d,,,A,B",
    'erin,"cleartext$a-secret,,A,B',
  ];
  for (const [text, lines] of [
    [rows.slice(1, 2), [1]],
    [rows.slice(4), [1]],
    [
      [rows[0], rows[2], rows[3]],
      [3, 4],
    ],
  ] as const) {
    const form = new FormData();
    form.set("name", "bad");
    form.set("strategy", "csv");
    form.set("csvfile", new File([`${text.join("\r\n")}\r\n`], "users.csv"));
    const { status, text: answer } = await hub.django("batch/", form);
    expect(status, answer).toBe(400);
    const { csvfile } = JSON.parse(answer) as { csvfile: readonly string[] };
    expect(csvfile.map((each) => Number(/^line (\d+): /.exec(each)?.[1]))).toEqual(lines);
    expect(answer).not.toContain("secret");
  }
});
