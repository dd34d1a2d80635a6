import { once } from "node:events";
import PDFDocument from "pdfkit";
import { csvLines } from "../csv.ts";
import type { BatchUser } from "./batch-users.ts";

const COLUMNS = 2;
const ROWS = 5;
const MARGIN = 36;
const GAP = 12;
const INSET = 14;

/** One voucher a cell, ten on a sheet of A4: what the user types in at the portal. Only who has a password gets one. */
export async function voucherPdf(name: string, users: readonly BatchUser[]): Promise<Buffer> {
  const sheet = new PDFDocument({ size: "A4", margin: MARGIN, autoFirstPage: false, info: { Title: name } });
  const chunks: Buffer[] = [];
  sheet.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended = once(sheet, "end");
  const printed = users.filter(({ password }) => password !== undefined);
  for (const [index, { username, password }] of printed.entries()) {
    const place = index % (COLUMNS * ROWS);
    if (place === 0) sheet.addPage();
    const width = (sheet.page.width - 2 * MARGIN - GAP) / COLUMNS;
    const height = (sheet.page.height - 2 * MARGIN - (ROWS - 1) * GAP) / ROWS;
    const left = MARGIN + (place % COLUMNS) * (width + GAP);
    const top = MARGIN + Math.floor(place / COLUMNS) * (height + GAP);
    sheet.roundedRect(left, top, width, height, 6).lineWidth(0.5).stroke("#888888");
    const lines = { width: width - 2 * INSET, lineBreak: false, ellipsis: true } as const;
    sheet
      .fillColor("#555555")
      .font("Helvetica")
      .fontSize(9)
      .text(name, left + INSET, top + INSET, lines);
    sheet.text("User name", left + INSET, top + 40, lines).text("Password", left + INSET, top + 82, lines);
    sheet.fillColor("#000000").font("Courier-Bold").fontSize(14);
    sheet.text(username, left + INSET, top + 53, lines).text(password ?? "", left + INSET, top + 95, lines);
  }
  if (printed.length === 0) sheet.addPage();
  sheet.end();
  await ended;
  return Buffer.concat(chunks);
}

export function voucherCsv(users: readonly BatchUser[]): string {
  const rows = users.flatMap(({ username, password }) => (password === undefined ? [] : [[username, password]]));
  return csvLines([["username", "password"], ...rows]);
}
