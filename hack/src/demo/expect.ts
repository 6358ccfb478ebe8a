/** What a step of the demo saw, held against what it should be. */

/** Rejects the step with a sentence unless the claim holds. */
export function expect(claim: boolean, otherwise: string): asserts claim {
  if (!claim) throw new Error(otherwise);
}

/** Rejects the step unless the text has the part in it. */
export function expectPart(text: string, part: string): void {
  expect(text.includes(part), `expected ${JSON.stringify(part)} in: ${text.trim()}`);
}
