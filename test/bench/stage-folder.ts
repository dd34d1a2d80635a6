import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeThrowAwayPki, type ThrowAwayPki } from "../../pki/throw-away.ts";

/** Keys of a hub, and the files of its processes; all of it is gone after the run. */
export class StageFolder implements Disposable {
  readonly path: string;
  readonly pki: ThrowAwayPki;
  /** The `radsec` section of a hub that shows those keys, as YAML; more may follow, indented by four. */
  readonly radsec: string;

  private constructor(path: string, pki: ThrowAwayPki) {
    this.path = path;
    this.pki = pki;
    this.write("ca.pem", pki.ca.certificatePem);
    this.write("hub.pem", pki.hub.certificatePem);
    this.write("hub.key", pki.hub.keyPem);
    this.radsec = `
radsec:
  - address: 127.0.0.1
    port: 0
    tls: { certificateFile: ${this.file("hub.pem")}, keyFile: ${this.file("hub.key")}, caFiles: [${this.file("ca.pem")}] }`;
  }

  static async make(): Promise<StageFolder> {
    return new StageFolder(mkdtempSync(join(tmpdir(), "radsec-hub-bench-")), await makeThrowAwayPki());
  }

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.file(name), text, { mode: 0o600 });
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
