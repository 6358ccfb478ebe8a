import { readdirSync, readFileSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { CGROUP_PARENT } from "../../hack/src/lab/paths.ts";
import { kinds, type Lease } from "../../cluster/kinds.ts";
import { lab, labApi } from "./lab.ts";
import { podsWith } from "./operator.ts";

const NAMESPACE = "metallb-system";

/** The number of CAP_NET_RAW (capabilities(7)). */
const CAP_NET_RAW = 13n;

/** Host pids of the lab's announcers. */
async function announcers(): Promise<readonly string[]> {
  const { name } = await lab();
  const isOurs = (pid: string): boolean => {
    try {
      const [comm, cgroup] = ["comm", "cgroup"].map((file) => readFileSync(`/proc/${pid}/${file}`, "utf8"));
      return comm === "announcer\n" && cgroup!.includes(`/${CGROUP_PARENT}/${name}/`);
    } catch {
      return false; // it has ended meanwhile
    }
  };
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && isOurs(entry));
}

test("the announcers have NET_RAW and nothing else, and can gain nothing", async () => {
  const pids = await announcers();
  expect(pids).toHaveLength(3);
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const field = (name: string): string => new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1] ?? "";
    for (const set of ["CapPrm", "CapEff", "CapBnd"]) expect(BigInt(`0x${field(set)}`)).toBe(1n << CAP_NET_RAW);
    expect(field("NoNewPrivs")).toBe("1");
    expect(field("Seccomp")).toBe("2");
  }
});

test("their root is read-only, and the program static and at most 10 MiB", async () => {
  const [pid = ""] = await announcers();
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
  const rootMount = mounts.split("\n").find((line) => line.split(" ")[4] === "/");
  expect(rootMount?.split(" ")[5]?.split(",")).toContain("ro");
  const program = `/proc/${pid}/exe`;
  expect(statSync(program).size).toBeLessThanOrEqual(10 * 1024 * 1024);
  // A dynamic program names its loader in a segment of type PT_INTERP; a static one has none.
  expect(readFileSync(program).includes("/ld-linux")).toBe(false);
});

test("they answer probes and count what they do", async () => {
  const { exec } = await lab();
  const answers = await Promise.all(
    ["healthz", "readyz", "metrics"].map((path) => exec("node-1", "curl", "-s", `http://127.0.0.1:17475/${path}`)),
  );
  expect(answers[2]).toContain("metallb_layer2_requests_received");
});

test("there is a Lease for each node, held by the pod on it, and renewed", async () => {
  const api = await labApi();
  const pods = await podsWith(await lab(), NAMESPACE, "app=metallb,component=announcer");
  const leases = async (): Promise<readonly Lease[]> => {
    const { items } = await api.list(kinds.leases);
    return items.filter(({ metadata }) => metadata?.name?.startsWith("announcer-") === true);
  };
  const before = await leases();
  const holders = before.map(({ metadata, spec }) => [metadata?.name, spec?.holderIdentity]);
  expect(Object.fromEntries(holders)).toEqual(
    Object.fromEntries(pods.map(({ node, name }) => [`announcer-${node}`, name])),
  );
  const times = (all: readonly Lease[]) => new Map(all.map(({ metadata, spec }) => [metadata?.name, spec?.renewTime]));
  const first = times(before);
  const renewed = async () => [...times(await leases())].filter(([name, time]) => time! > first.get(name)!).length;
  await expect.poll(renewed, { timeout: 40_000, interval: 1_000 }).toBe(pods.length);
});

test("each line of their logs is JSON with a time, a level and a message", async () => {
  const { kubectl } = await lab();
  const log = await kubectl(["logs", "-n", NAMESPACE, "-l", "app=metallb,component=announcer", "--tail=-1"]);
  const lines = log.split("\n").filter((line) => line !== "");
  expect(lines.length).toBeGreaterThan(10);
  for (const line of lines) {
    const entry = JSON.parse(line) as Record<string, unknown>;
    expect(["INFO", "WARN", "ERROR"]).toContain(entry["level"]);
    expect(entry["message"]).toBeTypeOf("string");
    expect(Date.parse(String(entry["timestamp"]))).not.toBeNaN();
  }
});
