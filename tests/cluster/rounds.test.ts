import { expect, it } from "vitest";
import { Rounds } from "../../cluster/rounds.ts";

/** Questions that are answered when the test says so, with their number. */
function questions(): { readonly ask: () => Promise<number>; readonly answers: PromiseWithResolvers<number>[] } {
  const answers: PromiseWithResolvers<number>[] = [];
  const ask = (): Promise<number> => {
    const answer = Promise.withResolvers<number>();
    answers.push(answer);
    return answer.promise;
  };
  return { ask, answers };
}

const rest = () => new Promise((resolve) => setImmediate(resolve));

it("those who ask while a question is under way share the answer to the next, which is asked once that has ended", async () => {
  const rounds = new Rounds<number>();
  const { ask, answers } = questions();
  const first = rounds.join(ask);
  const others = [rounds.join(ask), rounds.join(ask)];
  await rest();
  expect(answers).toHaveLength(1);
  answers[0]!.resolve(1);
  expect(await first).toBe(1);
  await rest();
  const late = rounds.join(ask);
  expect(answers).toHaveLength(2);
  answers[1]!.resolve(2);
  expect(await Promise.all(others)).toEqual([2, 2]);
  await rest();
  answers[2]!.resolve(3);
  expect(await late).toBe(3);
});

it("who asks just as one has ended joins those who waited for it", async () => {
  const rounds = new Rounds<number>();
  const { ask, answers } = questions();
  const first = rounds.join(ask);
  const second = rounds.join(ask);
  const third = first.then(() => rounds.join(ask));
  answers[0]!.resolve(1);
  await rest();
  expect(answers).toHaveLength(2);
  answers[1]!.resolve(2);
  expect(await Promise.all([second, third])).toEqual([2, 2]);
});

it("one that fails tells those who asked it, and the next is asked all the same", async () => {
  const rounds = new Rounds<number>();
  const { ask, answers } = questions();
  const first = rounds.join(ask);
  const second = rounds.join(ask);
  answers[0]!.reject(new Error("socket hang up"));
  await expect(first).rejects.toThrow("socket hang up");
  await rest();
  answers[1]!.resolve(2);
  expect(await second).toBe(2);
});
