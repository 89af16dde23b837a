// The lock file must serve any registry: versions and checksums, no addresses.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { here } from './browser.mjs';

test('the lock file names no address', async () => {
  const lock = await readFile(path.join(here, '..', 'package-lock.json'), 'utf8');
  assert.doesNotMatch(lock, /https?:/);
  for (const [name, entry] of Object.entries(JSON.parse(lock).packages)) {
    if (name) assert.ok(entry.integrity, `${name} has no checksum`);
  }
});
