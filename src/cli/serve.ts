import type { Command } from "./command.ts";
import { findConfigFile } from "./package-files.ts";

export const CONFIG_OPTION = {
  config: {
    type: "string",
    placeholder: "FILE",
    description: "configuration (default config/hub.yaml here, else the one that the package ships)",
  },
} as const;

export const SERVE: Command = {
  name: "serve",
  summary: "Runs the hub until Ctrl-C.",
  positionals: [],
  options: CONFIG_OPTION,
  example: "serve --config config/hub.yaml",
  run: ({ io, options }) =>
    io.serve({ configFile: findConfigFile(io, options.text("config")), debug: options.flag("debug") }),
};
