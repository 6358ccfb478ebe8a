import { beforeAll, describe, expect, test } from "vitest";
import type { Target } from "../../hack/src/target.ts";
import { lab, loadBalancer, pool } from "./lab.ts";

const cell: { target?: Target } = {};
const target = (): Target => cell.target!;

beforeAll(async () => {
  cell.target = await lab();
  await target().kubectl(["create", "namespace", "refusals"]);
  await target().kubectl(["apply", "-f", "-"], JSON.stringify(pool("refusals", "10.66.0.0/28")));
});

/** What kubectl says when the object is denied; the API server's own words before it are cut off. */
async function denial(object: object): Promise<string> {
  const { code, stderr } = await target().tryKubectl(["apply", "-f", "-"], JSON.stringify(object));
  expect(code).not.toBe(0);
  return stderr.trim().split("denied the request: ")[1] ?? stderr;
}

const fromPool = { "metallb.io/address-pool": "refusals" };
const pin = "metallb.universe.tf/loadBalancerIPs";

describe("a Service", () => {
  test.each([
    ["banana", 'for "banana", which is no IP address; write one such as 192.168.1.205 or fd00::205'],
    ["10.66.0.1,,10.66.0.2", "where an address is missing; separate addresses by single commas"],
    [
      "10.66.0.01",
      'for "10.66.0.01", which has a leading zero, which some programs read as octal; write its numbers without leading zeros',
    ],
    ["fd00::1", "for fd00::1, but has only IPv4; ask for an IPv4 address, or change spec.ipFamilies"],
    ["10.66.0.1,10.66.0.1", "for 10.66.0.1 twice; name it once"],
  ])("pinned to %s is denied in one sentence", async (text, sentence) => {
    const said = await denial(loadBalancer("refusals", "bad", { [pin]: text }));
    expect(said).toBe(
      `Service "refusals/bad" asks in ${pin} ${sentence.startsWith("where") ? `for "${text}", ${sentence}` : sentence}`,
    );
  });

  test("that asks for an infeasible pin later is denied and keeps what it has", async () => {
    const service = loadBalancer("refusals", "steady", fromPool);
    await target().kubectl(["apply", "-f", "-"], JSON.stringify(service));
    const before = await target().kubectl([
      "get",
      "svc",
      "steady",
      "-n",
      "refusals",
      "-o",
      "jsonpath={.metadata.annotations.berth\\.dev/addresses}",
    ]);
    await denial(loadBalancer("refusals", "steady", { [pin]: "203.0.113.7" }));
    const after = await target().kubectl([
      "get",
      "svc",
      "steady",
      "-n",
      "refusals",
      "-o",
      "jsonpath={.metadata.annotations.berth\\.dev/addresses}",
    ]);
    expect(after).toBe(before);
  });

  test("applied as a dry run is answered with an address and writes no claim", async () => {
    const service = JSON.stringify(loadBalancer("refusals", "dry", fromPool));
    const answer = await target().kubectl(["apply", "--dry-run=server", "-o", "yaml", "-f", "-"], service);
    const address = /berth\.dev\/addresses: (\S+)/.exec(answer)?.[1] ?? "";
    expect(address).not.toBe("");
    expect((await target().tryKubectl(["get", "ip", address])).code).not.toBe(0);
  });
});

describe("all that kubectl prints, and its exit code, where MetalLB says only created,", () => {
  const denied = (sentence: string): string =>
    `^Error from server: error when creating "STDIN": admission webhook "services.berth.dev" denied the request: Service "refusals/late" ${sentence}\\n$`;
  const warned = (sentence: string): string => `^Warning: Service "refusals/late" ${sentence}\\n$`;

  beforeAll(async () => {
    await target().kubectl(["apply", "-f", "-"], JSON.stringify(pool("brim", "10.66.1.0/32")));
    const holder = loadBalancer("refusals", "holder", { "metallb.io/address-pool": "brim" });
    await target().kubectl(["apply", "-f", "-"], JSON.stringify(holder));
  });

  test.each([
    {
      of: "a pool that is exhausted",
      annotations: { "metallb.io/address-pool": "brim" },
      code: 0,
      printed: warned(
        'gets an address as soon as one is free: IPAddressPool "metallb-system/brim" is full \\(1 of 1 addresses in use\\); delete a Service that needs none, or add a range to a pool',
      ),
    },
    {
      of: "a pinned address that is taken",
      annotations: { "metallb.io/loadBalancerIPs": "10.66.1.0" },
      code: 1,
      printed: denied(
        'asks for 10\\.66\\.1\\.0, which Service "refusals/holder" holds; ask for a free one such as \\S+, or remove the annotation to be given one',
      ),
    },
    {
      of: "an address outside every pool",
      annotations: { "metallb.io/loadBalancerIPs": "203.0.113.7" },
      code: 1,
      printed: denied(
        "asks for 203\\.0\\.113\\.7, which is outside every pool: .+; ask for a free one such as \\S+, or remove the annotation to be given one",
      ),
    },
    {
      of: "a pool that does not exist",
      annotations: { "metallb.io/address-pool": "nowhere" },
      code: 0,
      printed: warned(
        'asks for the pool "nowhere", which does not exist; create it, or ask for one that does \\(.+\\)',
      ),
    },
  ])("of $of", async ({ annotations, code, printed }) => {
    const late = JSON.stringify(loadBalancer("refusals", "late", annotations));
    const finished = await target().tryKubectl(["apply", "-f", "-"], late);
    expect(finished.stderr).toMatch(new RegExp(printed));
    expect(finished.code).toBe(code);
    await target().kubectl(["delete", "svc", "late", "-n", "refusals", "--ignore-not-found"]);
  });
});

describe("a pool", () => {
  test.each([
    [["10.9.0.9-10.9.0.1"], 'has in spec.addresses "10.9.0.9-10.9.0.1", which runs backwards; write 10.9.0.1-10.9.0.9'],
    [
      ["010.9.0.0/24"],
      'has in spec.addresses "010.9.0.0/24", where "010.9.0.0" has a leading zero, which some programs read as octal; write its numbers without leading zeros',
    ],
    [[], "has no addresses; list at least one range in spec.addresses"],
    [
      ["10.66.0.8-10.66.0.20"],
      'has 10.66.0.8-10.66.0.20, which overlaps 10.66.0.0/28 of IPAddressPool "metallb-system/refusals"; keep each address in one pool',
    ],
  ])("of %j is denied in one sentence", async (addresses, sentence) => {
    expect(await denial(pool("bad", ...addresses))).toBe(`IPAddressPool "metallb-system/bad" ${sentence}`);
  });

  test("in use can't be deleted", async () => {
    const { code, stderr } = await target().tryKubectl(["delete", "ipaddresspool", "refusals", "-n", "metallb-system"]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('(Service "refusals/steady"), which is in use; keep the addresses in a pool');
  });

  test("that is full lets a Service in with a Warning, and serves it when an address is freed", async () => {
    const name = "small";
    const inSmall = { "metallb.io/address-pool": name };
    await target().kubectl(["apply", "-f", "-"], JSON.stringify(pool(name, "10.66.1.1-10.66.1.1")));
    await target().kubectl(["apply", "-f", "-"], JSON.stringify(loadBalancer("refusals", "first", inSmall)));
    const second = await target().tryKubectl(
      ["apply", "-f", "-"],
      JSON.stringify(loadBalancer("refusals", "second", inSmall)),
    );
    expect(second.code).toBe(0);
    expect(second.stderr).toContain("Warning:");
    await target().kubectl(["delete", "svc", "first", "-n", "refusals"]);
    await target().kubectl([
      "wait",
      "svc/second",
      "-n",
      "refusals",
      "--for=condition=berth.dev/AddressAssigned",
      "--timeout=20s",
    ]);
  });
});
