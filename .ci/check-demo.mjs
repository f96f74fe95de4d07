// Checks the one JSON object that `cargo xtask demo --json` prints, from standard input.
import { readFileSync } from "node:fs";

const positive = (value) => typeof value === "number" && Number.isFinite(value) && value > 0;
const count = (value) => Number.isInteger(value) && value > 0;
// A guess is right one time in ten; a network that learns is far from that after a few dozens of steps.
const learned = (value) => positive(value) && value > 0.5 && value <= 1;

// What the contracts took: every segment, each within the gas that a segment may cost.
const settled = (chain) => chain?.accepted === 4 && count(chain.gas) && chain.gas <= 800_000 && count(chain.deployment_gas);

// Every field that must be there, and when it is right. What is proved must be said as it is: these proofs are
// zero-knowledge, and their set-up is one that anyone can forge with.
const fields = {
  accepted: (value) => value === true,
  steps: count,
  accuracy: learned,
  float_accuracy: learned,
  prove_secs_per_step: positive,
  proof_bytes: count,
  verify_ms: positive,
  chain: settled,
  zero_knowledge: (value) => value === true,
  insecure_setup: (value) => value === true,
};

const text = readFileSync(0, "utf8");
let result;
try {
  result = JSON.parse(text);
} catch (error) {
  console.error(`the demonstration printed no JSON (${error.message}):\n${text}`);
  process.exit(1);
}
const wrong = Object.entries(fields).filter(([name, right]) => !right(result?.[name]));
for (const [name] of wrong) {
  console.error(`${name} is ${JSON.stringify(result?.[name])}, expected ${String(fields[name]).replace("(value) => ", "")}`);
}
// Integers instead of floating point must not cost more than this.
const loss = result?.float_accuracy - result?.accuracy;
if (loss > 0.05) {
  console.error(`integers lose ${loss} of accuracy against floating point`);
}
if (wrong.length > 0 || loss > 0.05) process.exit(1);
console.log("The demonstration's measurements are complete and right:");
console.log(text.trim());
