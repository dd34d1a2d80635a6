import type { ErrorCode, YAMLError } from "yaml";

// In our own words, because some messages of the parser quote the text around the mistake, which may be a secret.
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  BAD_ALIAS: "an alias (*name) has no name",
  BAD_DQ_ESCAPE: "a double-quoted text has an unknown \\ escape; use single quotes for a plain backslash",
  BAD_INDENT: "the indentation fits no level above, or a [ or { is not closed",
  BAD_SCALAR_START: "a value that starts with this character needs quotes",
  BLOCK_AS_IMPLICIT_KEY: "a second key stands on one line; a value that holds ': ' needs quotes",
  BLOCK_IN_FLOW: "a [ or { is not closed",
  MISSING_CHAR: "a quote, comma, colon or bracket is missing",
  MULTILINE_IMPLICIT_KEY: "this line is no 'key: value'",
  MULTIPLE_DOCS: "the file holds more than one document (a line '---')",
  TAB_AS_INDENT: "tabs can not indent YAML; use spaces",
  TAG_RESOLVE_FAILED: "tags (!name) are not used here; a value that starts with ! needs quotes",
  UNEXPECTED_TOKEN: "this does not fit here; is the indentation right?",
};

/** What is wrong with the syntax, without any text of the file. */
export function yamlMistake(error: YAMLError): string {
  return `YAML: ${MESSAGES[error.code] ?? `syntax error ${error.code}`}`;
}
