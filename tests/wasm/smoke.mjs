// node smoke.mjs MODULE.wasm CERT.der: the module needs nothing of its host, digests like node, and makes signed
// attributes that bind the document's digest and the certificate's.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

const [module, certificate] = await Promise.all(process.argv.slice(2, 4).map((path) => readFile(path)));
const { instance, module: compiled } = await WebAssembly.instantiate(module);
assert.deepEqual(WebAssembly.Module.imports(compiled), [], 'no imports: no clock, no chance, no socket');
const { memory, input, output, digest, attributes } = instance.exports;

function call(operation, bytes) {
  // Any call may grow the memory, which detaches the buffer of before.
  const at = input(bytes.length);
  new Uint8Array(memory.buffer, at, bytes.length).set(bytes);
  const length = operation();
  return Buffer.from(new Uint8Array(memory.buffer, output(), length));
}

const text = Buffer.from('Cộng hòa xã hội chủ nghĩa Việt Nam');
const sha256 = createHash('sha256').update(text).digest();
assert.deepEqual(call(digest, text), sha256);
const set = call(attributes, Buffer.concat([sha256, certificate]));
assert.equal(set[0], 0x31, 'SET OF Attribute');
assert.equal(set.length, 2 + set[1] + (set[1] > 0x80 ? set[2] - set[1] + 1 : 0), 'nothing behind it');
assert.ok(set.includes(sha256), 'message-digest');
assert.ok(set.includes(createHash('sha256').update(certificate).digest()), 'signing-certificate-v2');
assert.equal(call(attributes, Buffer.concat([sha256, Buffer.from('no certificate')])).length, 0);
console.log('3 passed, 0 failed');
