// The demo under test: one for each specification file, with a data folder and ports of its own.

import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { after, before } from 'node:test';
import { promisify } from 'node:util';

import { launchChromium } from './chromium.mjs';

const READY_MS_MAX = 15_000;
const STOP_MS_MAX = 5_000;
const MESSAGE_MS_MAX = 5_000;
const POLL_MS = 25;
const ONE_TIME_CODE = /(?<!\d)\d{6}(?!\d)/;

/** The demo's command line: everything in `folder`, ports of its own choice. */
function demoArguments(folder) {
  return ['demo', '--data-dir', folder, '--port', '0'];
}

/**
 * A demo and a browser for the tests of this file: started before the first, stopped after the last.
 * `portal`, `console`, ... are the addresses that the demo prints.
 */
export function useDemo() {
  const demo = new Demo();
  before(() => demo.start());
  after(() => demo.stop());
  return demo;
}

class Demo {
  browser;
  #addresses = new Map();
  #process;
  #folder;
  #output = [];
  #read = new Set();

  get portal() {
    return this.address('portal');
  }

  get console() {
    return this.address('console');
  }

  get sandbox() {
    return this.address('sandbox');
  }

  get inbox() {
    return this.address('inbox');
  }

  /** The address that the demo printed under `name`. */
  address(name) {
    const address = this.#addresses.get(name);
    assert.ok(address, `the demo printed no address called ${name}:\n${this.#output.join('\n')}`);
    return address;
  }

  /** The account on the console that the demo printed: name, password, authenticator secret. */
  get staff() {
    const printed = /^Console: name (\S+), password (\S+), authenticator secret (\S+)/;
    const found = this.#output.map((line) => printed.exec(line)).find(Boolean);
    assert.ok(found, `the demo printed no account of staff:\n${this.#output.join('\n')}`);
    return { name: found[1], password: found[2], secret: found[3] };
  }

  /**
   * Runs another command of the program over this demo's store, as its operator would beside a running
   * server. Gives back what it printed; fails when the command does.
   */
  async command(...words) {
    const config = path.join(this.#folder, 'simurgh.toml');
    const key = await readFile(path.join(this.#folder, 'master.key'));
    const settings = [
      `master_key = "${key.toString('hex')}"`,
      `store.url = "sqlite:${path.join(this.#folder, 'simurgh.db')}"`,
      `portal.url = "${this.portal}"`,
    ];
    await writeFile(config, settings.join('\n'));
    const run = promisify(execFile);
    // The program reads settings from the environment too, and refuses those it does not know.
    const own = Object.entries(process.env).filter(([name]) => !name.startsWith('SIMURGH_'));
    const env = Object.fromEntries(own);
    const { stdout } = await run(process.env.SIMURGH_BIN, [...words, '--config', config], { env });
    return stdout;
  }

  /** A file of the demo's data folder with this content; gives back its path. */
  async file(name, content) {
    const file = path.join(this.#folder, name);
    await writeFile(file, content);
    return file;
  }

  async start() {
    const program = process.env.SIMURGH_BIN;
    assert.ok(program, 'SIMURGH_BIN names no program; use `cargo xtask e2e`');
    this.#folder = await mkdtemp(path.join(os.tmpdir(), 'simurgh-demo-'));
    this.#process = spawn(program, demoArguments(this.#folder), {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      readline.createInterface({ input: stream }).on('line', (line) => this.#hear(line));
    }
    [this.browser] = await Promise.all([launchChromium(), this.#ready()]);
  }

  async stop() {
    await this.browser?.close();
    await this.#end();
    if (this.#folder) {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }

  /**
   * The messages the demo "sent", newest first: `{ id, channel, to, subject, text, at_micros }`, where
   * the channel is `sms` or `email`.
   */
  async messages() {
    const response = await fetch(`${this.inbox}.json`);
    assert.equal(response.status, 200, `${response.url} answered ${response.status}`);
    return response.json();
  }

  /**
   * The newest message to `recipient` that no earlier call returned, among those that `isWanted`
   * accepts. Waits for it: messages leave by the outbox, after the page has answered.
   */
  async message(recipient, isWanted = () => true) {
    const end = performance.now() + MESSAGE_MS_MAX;
    for (;;) {
      const messages = await this.messages();
      const isNew = ({ id, to }) => to === recipient && !this.#read.has(id);
      const wanted = messages.find((message) => isNew(message) && isWanted(message));
      if (wanted) {
        this.#read.add(wanted.id);
        return wanted;
      }
      assert.ok(
        performance.now() < end,
        `no such message to ${recipient} among ${JSON.stringify(messages, null, 1)}`,
      );
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** The one-time code in the next message to `recipient`. */
  async code(recipient) {
    const message = await this.message(recipient, ({ text }) => ONE_TIME_CODE.test(text));
    return ONE_TIME_CODE.exec(message.text)[0];
  }

  #hear(line) {
    this.#output.push(line);
    const found = addressIn(line);
    if (found) {
      this.#addresses.set(found.name, found.address);
    }
  }

  /** Resolves once the portal answers. */
  async #ready() {
    const end = performance.now() + READY_MS_MAX;
    let hasEnded = false;
    this.#process.once('error', (error) => this.#output.push(String(error)));
    this.#process.once('close', () => {
      hasEnded = true;
    });
    while (!(this.#addresses.has('portal') && (await answers(this.portal)))) {
      const state = hasEnded ? 'ended' : 'is not ready';
      assert.ok(
        !hasEnded && performance.now() < end,
        `the demo ${state}:\n${this.#output.join('\n')}`,
      );
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #end() {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const ended = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX);
    await ended;
    clearTimeout(force);
  }
}

/** `portal   http://127.0.0.1:8080` has a name and an address; `null` for other lines. */
export function addressIn(line) {
  const found = /^\s*(\p{L}+)\b.*?(https?:\/\/(?:127\.0\.0\.1|localhost):\d+\S*)/u.exec(line);
  return found && { name: found[1].toLowerCase(), address: found[2].replace(/\/$/, '') };
}

async function answers(address) {
  try {
    await fetch(address, { redirect: 'manual' });
    return true;
  } catch {
    return false;
  }
}
