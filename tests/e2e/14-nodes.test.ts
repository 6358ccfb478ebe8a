/** Addresses that Nodes hold, by what their network plugins say: nobody is given them. */
import { describe, expect, test } from "vitest";
import { pickList } from "../../hack/src/lab/json.ts";
import { wish, type Wish } from "./people.ts";
import { rowsIn } from "./rows.ts";

const room = rowsIn("nodes", 87);
const pinned = (text: string, spec: object = {}): Wish => ({ annotations: wish.pin(text), spec: { ...spec } });

describe("an address that a Node has by what its network plugin says", () => {
  const told = {
    "flannel.alpha.coreos.com/public-ip": "$.1",
    "projectcalico.org/IPv4Address": "$.2/24",
    "network.cilium.io/ipv4-cilium-host": "$.3",
    "k3s.io/external-ip": "$.4,@::4",
  };
  const annotate = (...words: readonly string[]) =>
    room().someone.target.kubectl(["annotate", "--overwrite", "node", "node-1", ...words]);
  const remove = () => annotate(...Object.keys(told).map((name) => `${name}-`));

  test("is not given, not even on request, while the Node has it", async () => {
    const all = room();
    await all.begin({ lan: { addresses: ["$.1-$.9", "@::4/128"] } });
    await annotate(...Object.entries(all.fill(told)).map(([name, text]) => `${name}=${text}`));
    try {
      await expect.poll(() => all.refusalOf("web", pinned("$.1"))).toContain('which Node "node-1" holds; ask for ');
      for (const address of ["$.2", "$.3", "$.4"])
        expect(await all.denied("web", pinned(address))).toBe(
          all.fill(
            `Service "nodes/web" asks for ${address}, which Node "node-1" holds; ask for a free one such as $.5, or remove the annotation to be given one`,
          ),
        );
      const six = { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv6"] };
      expect(await all.denied("web", pinned("@::4", six))).toContain('which Node "node-1" holds; ');
      expect((await all.apply("web")).address).toBe(all.fill("$.5"));
    } finally {
      await remove();
    }
    await expect.poll(() => all.refusalOf("other", pinned("$.1"))).toBe("");
  });

  test("is given up by the Service that has it", async () => {
    const all = room();
    await all.begin({ lan: { addresses: ["$.1-$.9"] } });
    await all.apply("web");
    await all.someone.waitFor("web");
    await annotate(all.fill("flannel.alpha.coreos.com/public-ip=$.1"));
    try {
      await expect.poll(() => all.someone.shownOf("web"), { timeout: 20_000 }).toBe(all.fill("$.2"));
    } finally {
      await remove();
    }
  });
});

test("the gateway of a Node's pods is not given on request", async () => {
  const all = room();
  const { json, kubectl } = all.someone.target;
  const cidrs = async () => pickList(await json(["get", "node", "node-1"]), "spec", "podCIDRs").map(String);
  // The lab's nodes take their pods' ranges from the plugin's configuration alone, and no pod has an address of this one.
  const spec = { podCIDR: "10.244.98.0/24", podCIDRs: ["10.244.98.0/24"] };
  if ((await cidrs()).length === 0) await kubectl(["patch", "node", "node-1", "-p", JSON.stringify({ spec })]);
  const prefix = (await cidrs())[0]?.replace(/\.0\/.*$/, "") ?? "";
  await all.begin({ pods: { addresses: [`${prefix}.0/30`], autoAssign: false } });
  await expect
    .poll(() => all.refusalOf("web", pinned(`${prefix}.1`)))
    .toContain(`asks for ${prefix}.1, which Node "node-1" as the gateway of its pods holds; ask for `);
  expect((await all.apply("web", pinned(`${prefix}.2`))).address).toBe(`${prefix}.2`);
});
