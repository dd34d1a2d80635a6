import { HubError } from "../../errors.ts";
import { identityFault, PskKey } from "../../transport/psk.ts";
import { section } from "../section.ts";
import { choice, refuse, text } from "../values.ts";

/** One identity and its key: `match.psk` of an entry. */
export const pskSection = section({
  identity: text("PSK identity: UTF-8 text of at most 256 octets; some routers can have no more than 128.").superRefine(
    (identity, context) => {
      const fault = identityFault(identity); // PSK-06
      if (fault !== undefined && identity !== "") refuse(context, fault);
    },
  ),
  key: pskKey('The key, 16 to 512 octets: "hex:..." or "base64:...", anything else is text. It is no RADIUS secret.'),
  // PSK-02
  tls: choice("The one version of TLS that the key is for.", ["TLSv1.3", "TLSv1.2"]).default("TLSv1.3"),
});

const FORMS = {
  hex: { pattern: /^([0-9a-f]{2})+$/i, expected: "must have an even number of hexadecimal digits after hex:" },
  base64: {
    pattern: /^([0-9a-z+/]{4})*([0-9a-z+/]{2}==|[0-9a-z+/]{3}=)?$/i,
    expected: "must have base64 with its padding after base64:",
  },
} as const;

/** PSK-03: any octets can be written. */
function pskKey(description: string) {
  return text(description).transform((value, context) => {
    const [, form, written = ""] = /^(hex|base64):(.*)$/s.exec(value) ?? [];
    if (form === "hex" || form === "base64") {
      const { pattern, expected } = FORMS[form];
      return pattern.test(written) ? keyOf(Buffer.from(written, form), context) : refuse(context, expected);
    }
    if (/^[0-9a-f]{32,}$/i.test(value)) {
      return refuse(context, "has nothing but hexadecimal digits: write hex: in front if they stand for octets");
    }
    return keyOf(Buffer.from(value), context);
  });
}

function keyOf(octets: Buffer, context: Parameters<typeof refuse>[0]): PskKey {
  try {
    return new PskKey(octets);
  } catch (error) {
    return refuse(context, error instanceof HubError ? error.message : "can not be used as a key");
  }
}
