import { expect, it } from "vitest";
import { Contention } from "../../cluster/contention.ts";
import { addressFrom } from "../core/builders.ts";

const even = addressFrom("10.0.0.2");
const odd = addressFrom("10.0.0.3");

/** A process whose chance is always this, and its clock. */
function processOf(chance = 0): { readonly contention: Contention; readonly clock: { millis: number } } {
  const clock = { millis: 1_000 };
  return {
    clock,
    contention: new Contention(
      () => clock.millis,
      () => chance,
    ),
  };
}

it("keeps to no lane while it loses no race", () => {
  const { contention } = processOf();
  contention.begun();
  contention.begun();
  expect(contention.lane()).toBeUndefined();
});

it("keeps to no lane while its requests come one after the other, also where it loses races", () => {
  const { contention } = processOf();
  for (const address of [even, odd]) {
    contention.lost(address, contention.begun());
    contention.ended();
    expect(contention.lane()).toBeUndefined();
  }
});

it("keeps to the lane that the winner does not, until a quarter of a second has passed without two at once", () => {
  const { contention, clock } = processOf();
  contention.begun();
  contention.lost(even, contention.begun());
  expect(contention.lane()).toBe(1n);
  clock.millis += 200;
  contention.begun();
  clock.millis += 200;
  expect(contention.lane()).toBe(1n);
  clock.millis += 51;
  expect(contention.lane()).toBeUndefined();
});

it.each([
  { chance: 0.4, lane: 0n },
  { chance: 0.6, lane: 1n },
])("leaves a lane on which it loses by chance alone: $chance", ({ chance, lane }) => {
  const { contention } = processOf(chance);
  contention.begun();
  contention.lost(even, contention.begun());
  contention.lost(odd, contention.begun());
  expect(contention.lane()).toBe(lane);
});

it("learns nothing from what was begun before it chose, nor from the lane that it left alone", () => {
  const { contention } = processOf(0);
  const early = contention.begun();
  contention.lost(even, contention.begun());
  contention.lost(odd, early);
  contention.lost(even, contention.begun());
  expect(contention.lane()).toBe(1n);
});
