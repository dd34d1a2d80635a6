import { section, valueAt } from "../section.ts";
import { duration } from "../values.ts";

/** UL-18; dep07 Section 8.3: 1 to 10 s. */
export const rejectDelaySection = section(
  {
    min: duration("Least delay.", { min: "1s", max: "10s" }).prefault("1s"),
    max: duration("Longest delay.", { min: "1s", max: "10s" }).prefault("2s"),
  },
  (values, report) => {
    const [min, max] = [valueAt(values, "min"), valueAt(values, "max")];
    if (typeof min === "number" && typeof max === "number" && min > max) report(["min"], "must not be longer than max");
  },
).meta({ description: "Delay of an Access-Reject of the hub's own, at random between the two." });
