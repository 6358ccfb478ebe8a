import { describe, expect, it } from "vitest";
import { renewal } from "../../core/renewal.ts";

const DAY = 86_400_000;
const authority = { fromMillis: 0, toMillis: 3_650 * DAY };
const server = { fromMillis: 0, toMillis: 90 * DAY };

describe("what is made anew", () => {
  it.each([
    { day: 0, what: "nothing" },
    { day: 59, what: "nothing" },
    { day: 60, what: "server" },
    { day: 91, what: "server" },
    { day: 3_650, what: "all" },
  ])("on day $day after a start, with nothing made since, is $what", ({ day, what }) => {
    expect(renewal(authority, server, day * DAY)).toBe(what);
  });

  it("is everything where there is nothing", () => {
    expect(renewal(undefined, undefined, 0)).toBe("all");
  });

  it("is the server's where only that is missing", () => {
    expect(renewal(authority, undefined, 0)).toBe("server");
  });

  it("is the authority first where both are due, so that it is known before it signs", () => {
    expect(renewal(authority, server, 3_000 * DAY)).toBe("authority");
  });
});
