// Canonical bytes of the graphs in graph.json, from the graphs as they are written, and keccak256 of these bytes.
//
//     npm install --no-save js-sha3@0.9.3 && node graph.mjs > graph-keccak.json
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import sha3 from "js-sha3";

const number = (size) => (value) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const [byte, short, word] = [1, 2, 4].map(number);
const list = (entries, encode) => Buffer.concat([byte(entries.length), ...entries.map(encode)]);
const letters = (name) => list([...Buffer.from(name)], byte);
const sorted = (object, key) => Object.entries(object ?? {}).sort(([a], [b]) => (key(a) < key(b) ? -1 : 1));
const source = (from) => short(from === "input" ? 0 : from === "labels" ? 1 : 2 + from.node);

const node = ({ operator, settings, inputs, scales, rate_factor }) =>
  Buffer.concat([
    letters(operator),
    list(sorted(settings, String), ([name, value]) => Buffer.concat([letters(name), word(value)])),
    list(inputs, source),
    list(sorted(scales, Number), ([role, bits]) => Buffer.concat([byte(Number(role)), byte(bits)])),
    word(rate_factor ?? 1),
  ]);

const canonical = ({ inputs, labels, precision, losses, momentum, base, nodes }) =>
  Buffer.concat([
    short(1),
    word(inputs),
    word(labels),
    ...["activation_bits", "gradient_bits", "rate_bits", "exponential_bits"].map((name) => byte(precision[name])),
    list(losses ?? [], ([at, weight]) => Buffer.concat([short(at), word(weight)])),
    list(momentum ?? [], word),
    Buffer.from(base ?? new Array(32).fill(0)),
    list(nodes, node),
  ]);

const require = createRequire(import.meta.url);
const { name, version } = JSON.parse(readFileSync(join(dirname(require.resolve("js-sha3")), "..", "package.json")));
const vectors = JSON.parse(readFileSync(new URL("graph.json", import.meta.url)));
const graphs = vectors.map(({ graph }) => {
  const bytes = canonical(graph);
  return { bytes: `0x${bytes.toString("hex")}`, keccak256: `0x${sha3.keccak256(bytes)}` };
});
const command = `npm install --no-save ${name}@${version} && node graph.mjs > graph-keccak.json`;
console.log(JSON.stringify({ source: `${name} ${version}, keccak256`, command, graphs }, null, 2));
