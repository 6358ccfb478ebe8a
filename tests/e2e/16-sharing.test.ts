/** The rules of sharing (§5 of MetalLB's rules), row by row, in kubectl's own answer; what 13 tells as a story is left out. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Person, wish, type Wish } from "./people.ts";
import { rowsIn } from "./rows.ts";

const rows = rowsIn("sharing", 89);

/** A Service with a key and ports such as "TCP/53"; `spec` may say more. */
const sharer = (key: string, ports: readonly string[], spec: Readonly<Record<string, unknown>> = {}): Wish => ({
  annotations: key === "" ? {} : wish.share(key),
  spec: { ports: ports.map(portOf), ...spec },
});

function portOf(text: string): object {
  const [protocol, port] = text.split("/");
  return { name: text.toLowerCase().replace("/", "-"), protocol, port: Number(port) };
}

const local = (selector?: Readonly<Record<string, string>>) => ({ externalTrafficPolicy: "Local", selector });
const consent = { "berth.dev/cross-namespace-sharing": "true" };
const lan = { addresses: ["$.1-$.9"] };
const both = { addresses: ["$.1-$.9", "@::1-@::9"] };

describe("two Services", () => {
  const web = ["TCP/80"];
  const other = ["TCP/443"];
  test.each<{ row: string; first: Wish; second: Wish; share: boolean }>([
    { row: "of one key and other ports", first: sharer("k", web), second: sharer("k", other), share: true },
    {
      row: "of one port in two protocols",
      first: sharer("k", ["TCP/53"]),
      second: sharer("k", ["UDP/53"]),
      share: true,
    },
    { row: "with a port in common", first: sharer("k", web), second: sharer("k", [...other, ...web]), share: false },
    { row: "of two keys", first: sharer("k", web), second: sharer("l", other), share: false },
    { row: "of which the first has no key", first: sharer("", web), second: sharer("k", other), share: false },
    { row: "of which the second has no key", first: sharer("k", web), second: sharer("", other), share: false },
    {
      row: "with Local and one selector",
      first: sharer("k", web, local({ app: "x", tier: "y" })),
      second: sharer("k", other, local({ tier: "y", app: "x" })),
      share: true,
    },
    {
      row: "with Local and two selectors",
      first: sharer("k", web, local({ app: "x" })),
      second: sharer("k", other, local({ app: "y" })),
      share: false,
    },
    {
      row: "with Local and no selector",
      first: sharer("k", web, local()),
      second: sharer("k", other, local()),
      share: true,
    },
    {
      row: "with Cluster and with Local without a selector",
      first: sharer("k", web),
      second: sharer("k", other, local()),
      share: false,
    },
  ])("$row: share $share", async ({ first, second, share }) => {
    await rows().begin({ lan });
    expect((await rows().apply("first", first)).address).toBe(rows().fill("$.1"));
    expect((await rows().apply("second", second)).address).toBe(rows().fill(share ? "$.1" : "$.2"));
  });

  test("of both families share both addresses or none", async () => {
    await rows().begin({ both });
    const dual = { ipFamilyPolicy: "RequireDualStack" };
    expect((await rows().apply("a", sharer("k", web, dual))).address).toBe(rows().fill("$.1,@::1"));
    expect((await rows().apply("b", sharer("k", other, dual))).address).toBe(rows().fill("$.1,@::1"));
    expect((await rows().apply("c", sharer("k", web, dual))).address).toBe(rows().fill("$.2,@::2"));
  });
});

describe("the sharers of an address that was one Service's own, which has left it, once their claim is", () => {
  test.each([
    ["damaged", ["annotate", "--overwrite", "berth.dev/sharers=?"]],
    ["without its annotation", ["annotate", "berth.dev/sharers-"]],
    ["deleted", ["delete"]],
  ])("%s by hand stay where they are", async (_, [verb = "", ...words]) => {
    await rows().begin({ lan });
    const { someone } = rows();
    await rows().apply("a", sharer("", ["TCP/80"]));
    await someone.waitFor("a");
    const { kubectl, tryKubectl } = someone.target;
    const path = "jsonpath={.metadata.annotations.berth\\.dev/sharers}";
    const claim = async () => (await tryKubectl(["get", "ip", rows().fill("$.1"), "-o", path])).stdout;
    await rows().apply("a", sharer("k", ["TCP/80"]));
    // Until that is known to be stored, the Service is bound to what it was before, too.
    await expect.poll(claim, { timeout: 20_000 }).not.toContain('"key":""');
    expect((await rows().apply("b", sharer("k", ["TCP/443"]))).address).toBe(rows().fill("$.1"));
    await rows().apply("a", sharer("", ["TCP/80"]));
    await expect.poll(claim, { timeout: 20_000 }).not.toContain("sharing/a");
    await kubectl([verb, "ip", rows().fill("$.1"), ...words]);
    await expect.poll(claim, { timeout: 20_000 }).toContain("sharing/b");
    await new Promise((resolve) => setTimeout(resolve, 4_000));
    expect([await someone.shownOf("a"), await someone.shownOf("b")]).toEqual(rows().fill(["$.2", "$.1"]));
  });
});

describe("Services of two namespaces, where the pool consents,", () => {
  const consenting = { ...lan, namespaces: ["sharing", "sharing-too"], annotations: consent };
  const other = () => new Person(rows().someone.target, "sharing-too");

  beforeAll(async () => {
    await rows().someone.target.kubectl(["create", "namespace", "sharing-too"]);
  });
  afterAll(async () => {
    await rows().someone.target.kubectl(["delete", "namespace", "sharing-too"]);
  });

  test.each([
    ["share with Cluster", {}, "$.1"],
    ["do not share with Local, since one selector means other pods in each", local({ app: "x" }), "$.2"],
  ])("%s", async (_, spec, gets) => {
    await rows().begin({ lan: consenting });
    expect((await rows().apply("a", sharer("k", ["TCP/80"], spec))).address).toBe(rows().fill("$.1"));
    const { address } = await other().apply("b", sharer("k", ["TCP/443"], spec));
    await other().forget("b");
    expect(address).toBe(rows().fill(gets));
  });
});

test("a sharer prefers the address that carries its key to the lowest free one", async () => {
  await rows().begin({ lan });
  const pinned = sharer("k", ["TCP/80"]);
  await rows().apply("a", { ...pinned, annotations: { ...pinned.annotations, ...wish.pin("$.5") } });
  expect((await rows().apply("b", sharer("k", ["TCP/443"]))).address).toBe(rows().fill("$.5"));
});

test("the only one on its address changes key, ports, selector and policy in place", async () => {
  await rows().begin({ lan });
  await rows().apply("a", sharer("k", ["TCP/80"]));
  for (const change of [
    sharer("l", ["TCP/80"]),
    sharer("l", ["TCP/81"]),
    sharer("l", ["TCP/81"], local({ app: "x" })),
    sharer("", ["TCP/81"]),
    sharer("k", ["TCP/81"]),
  ]) {
    expect((await rows().apply("a", change)).address).toBe(rows().fill("$.1"));
  }
});

describe("one of two on an address", () => {
  test.each([
    ["takes its key off", sharer("", ["TCP/80"])],
    ["empties its key", { ...sharer("", ["TCP/80"]), annotations: wish.share("") }],
    ["changes its key", sharer("l", ["TCP/80"])],
    ["changes its policy", sharer("k", ["TCP/80"], local({ app: "x" }))],
    ["takes a port of the other", sharer("k", ["TCP/443"])],
  ])("that %s moves with a Warning, and the other stays", async (_, change) => {
    await rows().begin({ lan });
    await rows().apply("a", sharer("k", ["TCP/80"]));
    await rows().apply("b", sharer("k", ["TCP/443"]));
    const { address, warnings } = await rows().apply("a", change);
    expect(address).toBe(rows().fill("$.2"));
    expect(warnings.join()).toContain(rows().fill("moves from $.1 to $.2"));
    expect(await rows().someone.addressOf("b")).toBe(rows().fill("$.1"));
  });

  test("with Local that changes its selector moves, and the other stays", async () => {
    await rows().begin({ lan });
    await rows().apply("a", sharer("k", ["TCP/80"], local({ app: "x" })));
    await rows().apply("b", sharer("k", ["TCP/443"], local({ app: "x" })));
    expect(await rows().someone.addressOf("b")).toBe(rows().fill("$.1"));
    const { address, warnings } = await rows().apply("a", sharer("k", ["TCP/80"], local({ app: "y" })));
    expect(address).toBe(rows().fill("$.2"));
    expect(warnings.join()).toContain(rows().fill("moves from $.1 to $.2"));
    expect(await rows().someone.addressOf("b")).toBe(rows().fill("$.1"));
  });

  test("with its key under MetalLB's old prefix shares like the other, and is told of the prefix", async () => {
    await rows().begin({ lan });
    await rows().apply("a", sharer("k", ["TCP/80"]));
    const old = { "metallb.universe.tf/allow-shared-ip": "k" };
    const { address, warnings } = await rows().apply("b", { ...sharer("", ["TCP/443"]), annotations: old });
    expect(address).toBe(rows().fill("$.1"));
    expect(warnings.join()).toContain("metallb.universe.tf/allow-shared-ip under MetalLB's old prefix");
  });

  test("that changes its key while nothing else is free is denied, and keeps it", async () => {
    await rows().begin({ lan: { addresses: ["$.1/32"] } });
    await rows().apply("a", sharer("k", ["TCP/80"]));
    await rows().apply("b", sharer("k", ["TCP/443"]));
    // By name, since the cluster has another pool, which serves everybody.
    const other = sharer("l", ["TCP/80"]);
    const denied = await rows().denied("a", { ...other, annotations: { ...other.annotations, ...wish.pool("lan") } });
    expect(denied).toContain('IPAddressPool "sharing/lan" is full (1 of 1 addresses in use)');
    expect(await rows().someone.addressOf("a")).toBe(rows().fill("$.1"));
  });
});
