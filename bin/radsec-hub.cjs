#!/usr/bin/env node
"use strict";
// A checkout runs the sources; the installed package, where Node strips no types, what the build made of them.
var fs = require("fs");
var path = require("path");

var root = path.dirname(__dirname);
var source = path.join(root, "src", "main.ts");
require("./node24.cjs").run(
  fs.existsSync(source) ? source : path.join(root, "dist", "src", "main.js"),
  process.argv.slice(2),
);
