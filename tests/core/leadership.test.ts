import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leadsForMillis, writesInMillis, type Standing } from "../../core/leadership.ts";

const standing = (parts: Partial<Standing>): Standing => ({
  identity: "a",
  holder: undefined,
  seenMillis: 10_000,
  heldMillis: undefined,
  ...parts,
});

describe("a watcher", () => {
  test.each([
    ["whom nobody holds back writes at once", {}, 10_000, 0],
    ["waits 7 s from the last change by another", { holder: "b" }, 10_000, 7_000],
    ["takes over when these are past", { holder: "b" }, 17_001, -1],
    [
      "that leads writes again after 2 s, counted from before its write",
      { holder: "a", heldMillis: 9_000 },
      10_000,
      1_000,
    ],
    ["that is named by a write it doesn't know of writes at once", { holder: "a" }, 10_000, 0],
  ])("%s", (_, parts, now, millis) => {
    expect(writesInMillis(standing(parts), now)).toBe(millis);
  });

  test.each([
    ["leads for 6 s from before its write", { holder: "a", heldMillis: 10_000 }, 10_500, 5_500],
    ["leads no longer when these are past", { holder: "a", heldMillis: 10_000 }, 16_000, 0],
    ["does not lead where another is named", { holder: "b", heldMillis: 10_000 }, 10_500, 0],
    ["does not lead by a name it has not written", { holder: "a" }, 10_500, 0],
  ])("%s", (_, parts, now, millis) => {
    expect(leadsForMillis(standing(parts), now)).toBe(millis);
  });

  test("has stopped before another may take over, whenever its write is seen", () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(3_000), fc.nat(10_000), (began, delay, later) => {
        const leader = standing({ holder: "a", heldMillis: began });
        const other = standing({ identity: "b", holder: "a", seenMillis: began + delay });
        const now = began + delay + later;
        expect(leadsForMillis(leader, now) > 0 && writesInMillis(other, now) <= 0).toBe(false);
      }),
    );
  });
});
