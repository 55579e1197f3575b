import { describe, expect, test } from "vitest";
import { apiQuery, listQuery } from "./filters";

describe("the table asks", () => {
  test.each([
    ["status=failure&columns=time", "status=failure"],
    ["at=2026-11-24T03:12:00Z", "to=2026-11-24T03%3A12%3A01.000Z"],
    ["at=2026-11-24T03:12:00Z&to=2026-11-20T00:00:00Z", "to=2026-11-20T00%3A00%3A00Z"],
    ["at=2026-11-24T03:12:00Z&to=2026-11-30T00:00:00Z", "to=2026-11-24T03%3A12%3A01.000Z"],
    ["at=nonsense&to=nonsense", "to=nonsense"],
  ])("for %s by %s", (address, asked) => {
    expect(listQuery(new URLSearchParams(address)).toString()).toBe(asked);
  });

  test("and the histogram goes on over all of the time", () => {
    expect(apiQuery(new URLSearchParams("at=2026-11-24T03:12:00Z&user=asha")).toString()).toBe("user=asha");
  });
});
