// keccak256 of the statements in statement.json, by an independent implementation.
//
//     npm install --no-save js-sha3@0.9.3 && node statement.mjs > statement-keccak.json
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import sha3 from "js-sha3";

const require = createRequire(import.meta.url);
const { name, version } = JSON.parse(readFileSync(join(dirname(require.resolve("js-sha3")), "..", "package.json")));
const vectors = JSON.parse(readFileSync(new URL("statement.json", import.meta.url)));
const digests = vectors.map(({ bytes }) => sha3.keccak256(Buffer.from(bytes, "hex")));
const source = `${name} ${version}, keccak256`;
const command = `npm install --no-save ${name}@${version} && node statement.mjs > statement-keccak.json`;
console.log(JSON.stringify({ source, command, digests }, null, 2));
