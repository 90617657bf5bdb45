// Verifies every message of a file with the published library, and prints how many there were.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [, , folder, file] = process.argv;
const { Webhook } = createRequire(`${folder}/`)("standardwebhooks");
const { secret, messages } = JSON.parse(readFileSync(file, "utf8"));
const verifier = new Webhook(secret);
for (const { headers, body } of messages) {
  verifier.verify(body, headers);
}
console.log(messages.length);
