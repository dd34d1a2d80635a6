import { once } from "node:events";
import { setImmediate as nextTurn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import PDFDocument from "pdfkit";
import { csvLines } from "../csv.ts";
import type { BatchUser } from "./batch-users.ts";

const COLUMNS = 2;
const ROWS = 5;
const MARGIN = 36;
const GAP = 12;
const INSET = 14;
/** Points from the top of a voucher. */
const PLACES = { name: 12, usernameLabel: 30, username: 42, passwordLabel: 82, password: 94 } as const;
/** Height for what the user types in: long texts are smaller and take several lines. */
const VALUE_HEIGHT = 38;
const VALUE_SIZES = [14, 12, 10, 8, 7, 6, 5, 4] as const;
const NAME_HEIGHT = 11;

/** What every reader of PDFs has knows these alone, and costs nothing. */
const LATIN = /^[ -~¡-ÿ]*$/;
const OWN_FONTS = { plain: "Helvetica", typed: "Courier-Bold" } as const;
/** Embedded, with Latin, Greek and Cyrillic letters. */
const EMBEDDED_FONTS = { plain: fontFile("DejaVuSans.ttf"), typed: fontFile("DejaVuSansMono-Bold.ttf") } as const;
/** In place of text that has a letter which is in no font: no voucher shows another password than the right one. */
const NOT_PRINTABLE = "see the CSV file";

/** One voucher a cell, ten on a sheet of A4: what the user types in at the portal. Only who has a password gets one. */
export async function voucherPdf(name: string, users: readonly BatchUser[]): Promise<Buffer> {
  const sheet = new PDFDocument({ size: "A4", margin: MARGIN, autoFirstPage: false, info: { Title: name } });
  const chunks: Buffer[] = [];
  sheet.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = once(sheet, "end");
  const printed = users.filter(({ password }) => password !== undefined);
  const isLatin = [name, ...printed.flatMap((user) => [user.username, user.password ?? ""])].every((text) =>
    LATIN.test(text),
  );
  const fonts = isLatin ? OWN_FONTS : EMBEDDED_FONTS;
  sheet.registerFont("plain", fonts.plain).registerFont("typed", fonts.typed);
  for (const [index, user] of printed.entries()) {
    const place = index % (COLUMNS * ROWS);
    if (place === 0) {
      await nextTurn();
      sheet.addPage();
    }
    drawVoucher(sheet, name, user, place);
  }
  if (printed.length === 0) sheet.addPage();
  sheet.end();
  await ended;
  return Buffer.concat(chunks);
}

function drawVoucher(
  sheet: PDFKit.PDFDocument,
  name: string,
  { username, password = "" }: BatchUser,
  place: number,
): void {
  const width = (sheet.page.width - 2 * MARGIN - GAP) / COLUMNS;
  const height = (sheet.page.height - 2 * MARGIN - (ROWS - 1) * GAP) / ROWS;
  const left = MARGIN + (place % COLUMNS) * (width + GAP);
  const top = MARGIN + Math.floor(place / COLUMNS) * (height + GAP);
  const inner = { width: width - 2 * INSET };
  sheet.roundedRect(left, top, width, height, 6).lineWidth(0.5).stroke("#888888");
  const at = (y: number) => [left + INSET, top + y] as const;
  sheet.fillColor("#555555").font("plain").fontSize(8);
  sheet.text(printable(sheet, name), ...at(PLACES.name), { ...inner, height: NAME_HEIGHT, ellipsis: true });
  for (const [label, labelY, text, y] of [
    ["User name", PLACES.usernameLabel, username, PLACES.username],
    ["Password", PLACES.passwordLabel, password, PLACES.password],
  ] as const) {
    sheet.fillColor("#555555").font("plain").fontSize(8);
    sheet
      .text(label, ...at(labelY), inner)
      .fillColor("#000000")
      .font("typed");
    const shown = printable(sheet, text);
    const size = VALUE_SIZES.find((each) => sheet.fontSize(each).heightOfString(shown, inner) <= VALUE_HEIGHT);
    sheet.fontSize(size ?? (VALUE_SIZES.at(-1) as number)).text(shown, ...at(y), inner);
  }
}

/** The text, if the font at hand has each of its letters. */
function printable(sheet: PDFKit.PDFDocument, text: string): string {
  if (LATIN.test(text)) return text;
  const { font } = (sheet as unknown as CurrentFont)._font;
  const isKnown = Array.from(text).every((letter) => font.hasGlyphForCodePoint(letter.codePointAt(0) as number));
  return isKnown ? text : NOT_PRINTABLE;
}

/** pdfkit says nowhere else which letters a font has. */
interface CurrentFont {
  readonly _font: { readonly font: { hasGlyphForCodePoint(codePoint: number): boolean } };
}

function fontFile(name: string): string {
  return fileURLToPath(import.meta.resolve(`dejavu-fonts-ttf/ttf/${name}`));
}

export function voucherCsv(users: readonly BatchUser[]): string {
  const rows = users.flatMap(({ username, password }) => (password === undefined ? [] : [[username, password]]));
  return csvLines([["username", "password"], ...rows]);
}
