import { describe, expect, test } from "vitest";
import { ago, exactMoment, fromInput, moment, toInput } from "./times";

describe("a time", () => {
  test("is shown in UTC to the second, or with all that was recorded", () => {
    expect(moment("2026-11-24T10:00:00.123456Z", "utc")).toBe("2026-11-24 10:00:00");
    expect(exactMoment("2026-11-24T10:00:00.123456Z", "utc")).toBe("2026-11-24 10:00:00.123456");
  });

  test("goes into a field and comes back", () => {
    for (const clock of ["utc", "local"] as const) {
      expect(fromInput(toInput("2026-11-24T10:00:05Z", clock), clock)).toBe("2026-11-24T10:00:05.000Z");
    }
  });

  test("that is none stays as it was written", () => {
    expect(moment("nonsense", "utc")).toBe("nonsense");
    expect(toInput("nonsense", "utc")).toBe("");
  });

  test.each([
    [-90, "1 minute ago"],
    [7200, "in 2 hours"],
    [-3, "3 seconds ago"],
  ])("%d seconds from now is %s", (seconds, words) => {
    const now = Date.parse("2026-11-24T10:00:00Z");
    expect(ago(new Date(now + seconds * 1000).toISOString(), now)).toBe(words);
  });
});
