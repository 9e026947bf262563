// Starts the real server on an empty data directory and a free port, and asks its API.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const BINARY = process.env.TEST_SERVER;
assert.ok(BINARY, "TEST_SERVER names the server; `make test` sets it");

export const ACCOUNT = { email: "jane@example.com", password: "correct horse battery" };

/** How long something may take that the product promises within a second, on a busy machine. */
const PATIENCE_MS = 20_000;

export class Server {
  static async start({ account = true } = {}) {
    const server = new Server();
    server.data = mkdtempSync(join(tmpdir(), "nuthatch-e2e-"));
    if (account) {
      const init = spawnSync(
        BINARY,
        ["init", "--json", "--data", server.data, "--email", ACCOUNT.email, "--password-stdin"],
        { input: ACCOUNT.password, encoding: "utf8" },
      );
      assert.equal(init.status, 0, init.stderr);
      Object.assign(server, JSON.parse(init.stdout));
    }
    await server.run();
    return server;
  }

  /** Starts the process on the data directory. */
  async run() {
    this.process = spawn(BINARY, ["serve", "--json", "--data", this.data, "--listen", "127.0.0.1:0"], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NUTHATCH_TELEMETRY__LOG: "warn" },
    });
    this.exited = new Promise((resolve) => this.process.once("exit", (code, signal) => resolve({ code, signal })));
    const lines = createInterface({ input: this.process.stdout });
    const line = await Promise.race([
      new Promise((resolve) => lines.once("line", resolve)),
      this.exited.then((ended) => assert.fail(`the server ended: ${JSON.stringify(ended)}`)),
    ]);
    Object.assign(this, JSON.parse(line));
  }

  async stop(signal = "SIGTERM") {
    this.process.kill(signal);
    return this.exited;
  }

  async remove() {
    await this.stop();
    rmSync(this.data, { recursive: true });
  }

  /** Asks the API; fails unless it succeeds. */
  async api(path, { method = "GET", body } = {}) {
    const response = await fetch(`${this.url}/api/0${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await response.text();
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  /** Asks the API until the answer is what is waited for. */
  async until(path, wanted) {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const answer = await this.api(path);
      if (wanted(answer)) return answer;
      assert.ok(Date.now() < deadline, `${path} did not become what was waited for: ${JSON.stringify(answer).slice(0, 800)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  issues(wanted, query = "") {
    const path = `/organizations/${this.organization}/issues/?query=${encodeURIComponent(query)}&limit=100`;
    return this.until(path, wanted);
  }

  event(id) {
    return this.until(`/organizations/${this.organization}/eventids/${id}/`, () => true);
  }
}

/** Runs a program to its end; returns what it printed, line by line. */
export async function run(command, args, env) {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (data) => { out += data; });
  child.stderr.on("data", (data) => { err += data; });
  const status = await new Promise((resolve) => child.once("close", resolve));
  return { status, lines: out.trim().split("\n").filter(Boolean), err };
}
