// Checks the one JSON object that `cargo xtask demo --json` prints, from standard input.
import { readFileSync } from "node:fs";

const positive = (value) => typeof value === "number" && Number.isFinite(value) && value > 0;
const count = (value) => Number.isInteger(value) && value > 0;
// A guess is right one time in ten; a network that learns is far from that after a few dozens of steps.
const learned = (value) => positive(value) && value > 0.5 && value <= 1;

// What the contracts took: every segment, each within the gas that a segment may cost.
const settled = (chain) => chain?.accepted === 4 && count(chain.gas) && chain.gas <= 800_000 && count(chain.deployment_gas);

// What the processes of the network did: two were killed and went on, every segment was paid, and everybody has what the terms say, to the
// unit. Amounts are tokens with all their digits.
const units = (tokens) => BigInt(tokens.replace(".", ""));
const token = 10n ** 18n;
const parties = ["requester", "data-owner", "lead", "member", "validator-1", "validator-2", "validator-3"];
const gains = (job, expected) =>
  job.balances.length === parties.length &&
  job.balances.every(({ party, before, after }, at) => {
    const gain = units(after) - units(before);
    return party === parties[at] && gain === (expected[party] ?? 0n);
  });
const ended = (job, segments, proven) =>
  job.state === "Completed" &&
  job.segments === segments &&
  job.opened === 2 &&
  job.proofs.lead + job.proofs.member === proven;
const ofTeam = (job, pay) => {
  const price = units(job.price) * 6n;
  const paid = pay * BigInt(job.proofs.member);
  return (
    ended(job, 6, 6) &&
    job.proofs.lead > 0 &&
    job.proofs.member > 0 &&
    gains(job, { requester: -price, lead: price - paid, member: paid })
  );
};
const onLicensedSet = (job, [fee, royalty]) => {
  const price = units(job.price) * 4n;
  const owner = fee + royalty * 4n;
  return (
    ended(job, 4, 2) &&
    job.proofs.member === 0 &&
    royalty * 20n === units(job.price) &&
    gains(job, { requester: -price - fee, "data-owner": owner, lead: price - royalty * 4n })
  );
};
const traded = (network) =>
  network?.jobs.length === 2 &&
  units(network.pay) === 40n * token &&
  units(network.licence[0]) === 10n * token &&
  network.consented === 3 &&
  units(network.backing) === 500n * token &&
  network.killed.map(({ party }) => party).join() === "member,lead" &&
  ofTeam(network.jobs[0], units(network.pay)) &&
  onLicensedSet(network.jobs[1], network.licence.map(units)) &&
  network.jobs[0].balances.every(({ after }, at) => after === network.jobs[1].balances[at].before);

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
  network: traded,
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
