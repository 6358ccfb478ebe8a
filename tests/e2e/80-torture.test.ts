import { afterAll, beforeAll, expect, test } from "vitest";
import type { Api } from "../../cluster/api.ts";
import { kinds } from "../../cluster/kinds.ts";
import type { Target } from "../../hack/src/target.ts";
import { lab, labApi } from "./lab.ts";
import { clearUp, prepare } from "./torture/ground.ts";
import { torture, type Plan, type Verdict } from "./torture/torture.ts";
import { withUnsafeBuild } from "./torture/unsafe-build.ts";

/** Any other number has the clients do something else, and some other process be killed. */
const USUAL_SEED = 957_616;
const seed = Number(process.env["BERTH_TORTURE_SEED"] ?? USUAL_SEED);
const services = Number(process.env["BERTH_TORTURE_SERVICES"] ?? "2000");
const CLIENTS = 32;
/** How often the unsafe build may get away with it. */
const MAX_ROUNDS = 5;

const cell: { api?: Api; target?: Target; isDualStack?: boolean } = {};

beforeAll(async () => {
  [cell.api, cell.target] = [await labApi(), await lab()];
  const cidrs = await cell.api.get(kinds.serviceCIDRs, { name: "kubernetes" });
  cell.isDualStack = (cidrs?.spec?.cidrs ?? []).length > 1;
  await prepare(cell.target, cell.isDualStack);
});

afterAll(async () => {
  await clearUp(cell.target!);
});

/** For people: what was done, and how to do it again. */
function report({ tally, havoc, seconds, left }: Verdict): void {
  console.log(
    JSON.stringify({ BERTH_TORTURE_SEED: seed, BERTH_TORTURE_SERVICES: services, ...tally, havoc, seconds, left }),
  );
}

const plan = (parts: Pick<Plan, "services" | "isCalm" | "hasHavoc" | "restMillis">): Plan => ({
  api: cell.api!,
  target: cell.target!,
  seed,
  clients: CLIENTS,
  isDualStack: cell.isDualStack!,
  ...parts,
});

test(
  `${String(CLIENTS)} clients and ${String(services)} Services, with processes killed: each address keeps its one owner`,
  { timeout: 900_000 },
  async () => {
    console.log(`BERTH_TORTURE_SEED=${String(seed)}`);
    const verdict = await torture(plan({ services, isCalm: false, hasHavoc: true, restMillis: 180_000 }));
    report(verdict);
    expect(verdict.faults).toEqual([]);
    // Else nothing of what is to be seen was there to be seen.
    expect(verdict.left.served).toBeGreaterThan(services / 10);
    expect(verdict.tally.denied).toBeGreaterThan(0);
    expect(verdict.havoc.length).toBeGreaterThan(0);
  },
);

test(
  "with the atomicity of claims switched off, Services that are only created are seen to get addresses twice",
  { timeout: 600_000 },
  async () => {
    const calm = plan({ services: 600, isCalm: true, hasHavoc: false, restMillis: 0 });
    const counts = await withUnsafeBuild(cell.target!, async () => {
      const all: Record<string, number>[] = [];
      // Two requests have to meet, which they need not in every round.
      while (all.length < MAX_ROUNDS && all.at(-1)?.["twoOwners"] === undefined) {
        await clearUp(cell.target!);
        await prepare(cell.target!, cell.isDualStack!);
        const { faults } = await torture({ ...calm, seed: seed + all.length });
        const kinds = Map.groupBy(faults, ({ kind }) => kind);
        all.push(Object.fromEntries([...kinds].map(([kind, some]) => [kind, some.length])));
      }
      return all;
    });
    console.log(JSON.stringify(counts));
    expect(counts.at(-1)?.["twoOwners"]).toBeGreaterThan(0);
  },
);
