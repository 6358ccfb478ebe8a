import { expect, test } from "vitest";
import { kinds } from "../../cluster/kinds.ts";
import { deploy } from "../../hack/src/product.ts";
import { claimsByService, givenAddress, lab, labApi, loadBalancer, pool } from "./lab.ts";

test("deployed again, Berth answers webhooks with a trusted certificate and every Service keeps its address", async () => {
  const [api, target] = [await labApi(), await lab()];
  const addresses = async (): Promise<readonly string[]> =>
    [...(await claimsByService(api))]
      .map(([key, claims]) => `${key} ${claims.map((one) => one.metadata?.name).join()}`)
      .toSorted();
  const before = await addresses();
  // Pepr makes a new certificate with each deploy, and applies it after the pods that are to use it.
  await deploy(target);
  // It is content with the ready pods of before, so their successors are waited for here.
  for (const name of ["pepr-berth", "pepr-berth-watcher"]) {
    await target.kubectl(["rollout", "status", `deployment/${name}`, "-n", "pepr-system", "--timeout=120s"]);
  }
  await target.kubectl(["apply", "-f", "-"], JSON.stringify(pool("again", "10.80.0.0/28")));
  expect(await addresses()).toEqual(before);
  const created = await api.create(
    kinds.services,
    loadBalancer("default", "again", { "metallb.io/address-pool": "again" }),
  );
  expect(givenAddress(created)).toBe("10.80.0.0");
});
