export { nasName, parseNasName, parseOctets, utf8 } from "../registry/nas-name.ts";
