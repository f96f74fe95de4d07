// Known answers of the Poseidon permutation, width 5, from an independent implementation.
//
//     npm install --no-save poseidon-lite@0.3.0 && node poseidon.mjs > poseidon.json
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { poseidon4 } from "poseidon-lite";

const entry = createRequire(import.meta.url).resolve("poseidon-lite");
const { name, version } = JSON.parse(readFileSync(join(dirname(entry), "package.json")));
const p = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const inputs = [
  [0n, 0n, 0n, 0n],
  [1n, 1n, 1n, 1n],
  [p - 1n, p - 1n, p - 1n, p - 1n],
  [1n, 2n, 3n, 4n],
  [4n, 3n, 2n, 1n],
  [p - 1n, 0n, 1n, 2n ** 253n],
  [2n ** 64n, 2n ** 128n, 2n ** 192n, 2n ** 252n],
  [0n, 0n, 0n, 1n],
  [1n, 0n, 0n, 0n],
  [(p - 1n) / 2n, (p + 1n) / 2n, p - 2n, 2n],
];
const vectors = inputs.map((input) => ({ input: input.map(String), output: String(poseidon4(input)) }));
const source = `${name} ${version}, poseidon4`;
const command = `npm install --no-save ${name}@${version} && node poseidon.mjs > poseidon.json`;
console.log(JSON.stringify({ source, command, vectors }, null, 2));
