import { describe, expect, test } from "vitest";
import { toHex, utf8 } from "./bytes";
import { leafHash, personalDigest } from "./merkle";
import { type Evidence, verifyEvent } from "./verify";

const PERSONAL = '{"fields":{"/actor/full_name":"Asha Rao"},"salt":"00112233445566778899aabbccddeeff"}';

async function evidence(change: Partial<Evidence> = {}): Promise<Evidence> {
  const digest = toHex(await personalDigest(utf8(PERSONAL)));
  const record = `{"actor":{"id":"u-1"},"personal":"${digest}","schema_version":1}`;
  return {
    event: { actor: { id: "u-1", full_name: "Asha Rao" }, schema_version: 1, description: "Asha Rao did it" },
    record,
    personal: PERSONAL,
    leaf_hash: toHex(await leafHash(utf8(record))),
    ...change,
  };
}

async function firstThatFails(change: Partial<Evidence>): Promise<string | undefined> {
  const proof = { index: 0, size: 1, path: [], checkpoint: "" };
  const steps = await verifyEvent(await evidence(change), proof, []);
  return steps.find((step) => !step.holds)?.title;
}

describe("an event's proof fails at the step that", () => {
  test("compares what is shown", async () => {
    const event = { actor: { id: "u-2", full_name: "Asha Rao" }, schema_version: 1 };
    expect(await firstThatFails({ event })).toBe("What is shown is what the record says");
  });

  test("digests the personal data", async () => {
    const personal = PERSONAL.replace("ff", "fe");
    expect(await firstThatFails({ personal })).toBe("The personal data are those that the record stands for");
  });

  test("hashes the record", async () => {
    expect(await firstThatFails({ leaf_hash: "00".repeat(32) })).toBe("The record gives the leaf hash");
  });

  test("opens the checkpoint", async () => {
    expect(await firstThatFails({})).toBe("The proof cannot be followed");
  });
});
