import { describe, expect, test } from "vitest";
import { canonical, parseExact, putBack, sameJson } from "./facts";

describe("JSON is the same", () => {
  test.each([
    [{ a: [1, { b: null }] }, { a: [1, { b: null }] }, true],
    [{ a: 1 }, { a: 1, b: undefined }, false],
    [[1, 2], { 0: 1, 1: 2 }, false],
    [{ a: "1" }, { a: 1 }, false],
    [null, {}, false],
  ])("%j and %j: %s", (one, other, same) => {
    expect(sameJson(one, other)).toBe(same);
  });
});

describe("canonical JSON", () => {
  test.each([
    ['{"b":1.0,"a":[1e16,-0.5,true,null,""]}', '{"a":[1e16,-0.5,true,null,""],"b":1.0}'],
    ['{"\\ud83d\\ude00":1,"\\uffee":2,"Z":3,"":4,"ab":5,"a":6}', '{"":4,"Z":3,"a":6,"ab":5,"\uffee":2,"\ud83d\ude00":1}'],
    ['"\\u001f\\n\\u007f\\/"', '"\\u001f\\n\u007f/"'],
  ])("of %s", (text, expected) => {
    expect(canonical(parseExact(text))).toBe(expected);
  });
});

describe("personal data", () => {
  test("come to their places", () => {
    const facts = { actor: {}, changes: [{ path: "/a" }] };
    putBack(facts, { "/actor/full_name": "Asha", "/changes/0/old": 1, "/actor/a~1b": 2 });
    expect(facts).toEqual({ actor: { full_name: "Asha", "a/b": 2 }, changes: [{ path: "/a", old: 1 }] });
  });

  test.each(["/nowhere/name", "/__proto__/polluted", "/actor/constructor/prototype/polluted"])("have no place %s", (path) => {
    expect(() => putBack({ actor: {} }, { [path]: 1 })).toThrow("no place");
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
