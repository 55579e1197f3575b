import { describe, expect, test } from "vitest";
import { addressOf, parse } from "./address";
import { apiQuery, termsOf, withTerm, withValues, withoutTerm } from "./explore/filters";

describe("an address", () => {
  test("keeps what is in it, whatever the names hold", () => {
    const address = addressOf("entity", ["certificate", "a/b?c=d e%"], new URLSearchParams({ at: "2026-01-01T00:00:00Z" }));
    const { view, rest, query } = parse(address);
    expect([view, ...rest]).toEqual(["entity", "certificate", "a/b?c=d e%"]);
    expect(query.get("at")).toBe("2026-01-01T00:00:00Z");
  });

  test("without a view is that of Explore", () => {
    expect(parse("/").view).toBe("explore");
  });
});

describe("filters in an address", () => {
  const query = new URLSearchParams("user=a&user=b&columns=time&from=2026-01-01T00:00:00Z&at=x");

  test("are what the API is asked, and nothing else is", () => {
    expect(apiQuery(query).toString()).toBe(new URLSearchParams("user=a&user=b&from=2026-01-01T00:00:00Z").toString());
  });

  test("are added once and taken away one by one", () => {
    const term = { name: "user", value: "b" } as const;
    expect(withTerm(query, term).getAll("user")).toEqual(["a", "b"]);
    expect(termsOf(withoutTerm(query, term))).toEqual([{ name: "user", value: "a" }]);
  });

  test("are set and unset by name", () => {
    expect(withValues(query, { from: null, to: "t" }).toString()).toBe("user=a&user=b&columns=time&at=x&to=t");
  });
});

test("what is no encoded text stays as it is", () => {
  expect(parse("/event/%E0%A4%A")).toMatchObject({ view: "event", rest: ["%E0%A4%A"] });
});
