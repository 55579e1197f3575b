import { expect, test } from "vitest";
import { told } from "./relations";

const authority = { type: "certificate_authority", id: "ca-1" };
const request = { type: "certificate_request", id: "r-1" };

test("each relation is told once, with all that stand in it", () => {
  const approvers = [
    { relation: "approvers", type: "user", id: "u-1" },
    { relation: "approvers", type: "user", id: "u-2" },
  ];
  expect(told(approvers)).toEqual([["approvers", approvers]]);
});

test("what has a better name is not told as affected, and what has none comes last", () => {
  const relations = [
    { relation: "affected", ...authority },
    { relation: "affected", ...request },
    { relation: "issuer", ...authority },
  ];
  expect(told(relations).map(([relation, others]) => [relation, others.map(({ id }) => id)])).toEqual([
    ["issuer", ["ca-1"]],
    ["affected", ["r-1"]],
  ]);
});
