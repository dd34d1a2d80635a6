// A module of your own: one file in the folder that hub.yaml names (`modules.folder`). This one lets users in during opening
// hours only, and not beyond them. It imports nothing but "radsec-hub/module", which the hub provides wherever the folder is.
import { defineModule, z } from "radsec-hub/module";

const TIME = /^([01]\d|2[0-3]):([0-5]\d)$/;
const DAY_MINUTES = 24 * 60;

export const module = defineModule({
  name: "opening-hours",
  // What `settings` in hub.yaml must be. A mistake is told with file and line, and the hub goes on as it was.
  settings: z.strictObject({
    from: z.string().regex(TIME, 'must be a time such as "09:00"'),
    until: z.string().regex(TIME, 'must be a time such as "18:30"'),
    timeZone: z.string().default("UTC"),
    message: z.string().default("We are closed"),
  }),
  // Once for each instance, at the start and after a reload. What it throws keeps the modules that are in use.
  instantiate({ from, until, timeZone, message }, { clock, log }) {
    const clockText = new Intl.DateTimeFormat("en-GB", { timeZone, hour: "2-digit", minute: "2-digit", hour12: false });
    const opens = minutesOf(from);
    const openMinutes = (minutesOf(until) - opens + DAY_MINUTES) % DAY_MINUTES;

    function minutesLeft(): number {
      const now = minutesOf(clockText.format(clock.wallMs()));
      return openMinutes - ((now - opens + DAY_MINUTES) % DAY_MINUTES);
    }

    return {
      authorize(request) {
        if (minutesLeft() > 0) return "noop";
        log.info({ username: request.username }, "closed");
        // Who does not know the password hears nothing of opening hours.
        request.refuse("closed", message);
        return "ok";
      },
      postauth({ reply }) {
        if (!reply.has("Session-Timeout")) reply.add("Session-Timeout", minutesLeft() * 60);
        return "updated";
      },
    };
  },
});

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}
