/**
 * Instrumented modules that are kept from one run to the next: a large one takes seconds to make.
 *
 * A file is known by what it was made of, begins with the hash of what it holds, and comes into its
 * place in one piece: readers see all of it or nothing, whoever else writes. Whatever goes wrong, the
 * module is made anew.
 */

import { createHash, randomUUID } from "node:crypto";
import {
  existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Made } from "../tracer/instrument.js";

/** Milliseconds below which making a module is no trouble, so that it is not kept. */
const QUICK = 100;
/** Bytes of all that is kept; what was not used for the longest time goes first. */
const ROOM = 512 << 20;
/** Milliseconds after which what was not finished never will be. */
const ABANDONED = 3600e3;
const KEPT = ".wasm";
const UNFINISHED = ".part";
/** Bytes of a hash. */
const HASH = 32;

/**
 * What `make` makes of `source`, or what it made before with the same `options` by the same `maker`.
 * It is kept in `folder`; without one, in the project's or the user's, and only if it takes long.
 */
export function kept(
  source: Uint8Array,
  options: object,
  maker: URL,
  folder: string | undefined,
  make: () => Made,
): Uint8Array<ArrayBuffer> {
  let place: { folder: string; file: string } | undefined;
  try {
    const where = folder ?? ofProject() ?? ofUser();
    place = { folder: where, file: join(where, keyOf(source, options, maker) + KEPT) };
    const found = read(place.file);
    if (found !== undefined) return found;
  } catch {
    // No folder to write to, or bytes that cannot be hashed.
  }
  const begun = performance.now();
  const { wasm, isFinal } = make();
  if (place !== undefined && isFinal && (folder !== undefined || performance.now() - begun > QUICK)) {
    try {
      write(place.folder, place.file, wasm);
    } catch {
      // A full disk, another user's files: then it is made once more.
    }
  }
  return wasm;
}

function keyOf(source: Uint8Array, options: object, maker: URL): string {
  const { size, mtimeMs } = statSync(maker);
  // Engines differ in what they take.
  const made = JSON.stringify([size, mtimeMs, process.version, options]);
  return createHash("sha256").update(`${made.length}:${made}`).update(source).digest("hex");
}

function read(file: string): Uint8Array<ArrayBuffer> | undefined {
  if (!existsSync(file)) return undefined;
  const bytes = new Uint8Array(readFileSync(file));
  const content = bytes.subarray(HASH);
  if (!hashOf(content).equals(bytes.subarray(0, HASH))) {
    rmSync(file, { force: true });
    return undefined;
  }
  const now = new Date();
  utimesSync(file, now, now);
  return content;
}

function write(folder: string, file: string, content: Uint8Array): void {
  mkdirSync(folder, { recursive: true });
  const part = join(folder, randomUUID() + UNFINISHED);
  try {
    writeFileSync(part, Buffer.concat([hashOf(content), content]), { mode: 0o600 });
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  makeRoom(folder);
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest();
}

function makeRoom(folder: string): void {
  const now = Date.now();
  const files = readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? [] : [{ path, size: found.size, age: now - found.mtimeMs }];
  });
  files.sort((a, b) => a.age - b.age);
  let size = 0;
  for (const file of files) {
    const isOurs = file.path.endsWith(KEPT);
    if (isOurs) size += file.size;
    const isAbandoned = file.path.endsWith(UNFINISHED) && file.age > ABANDONED;
    if ((isOurs && size > ROOM) || isAbandoned) rmSync(file.path, { force: true });
  }
}

/** Where tools keep such things in a project. */
function ofProject(): string | undefined {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const modules = join(folder, "node_modules");
    if (existsSync(modules)) return join(modules, ".cache", "seepage");
    if (dirname(folder) === folder) return undefined;
  }
}

/** Elsewhere; others may write beside it, and what is in it will be run. */
function ofUser(): string {
  const user = process.getuid?.();
  const folder = join(tmpdir(), user === undefined ? "seepage" : `seepage-${user}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(folder);
  if (user !== undefined && (uid !== user || (mode & 0o077) !== 0)) throw new Error("it is not only ours");
  return folder;
}
