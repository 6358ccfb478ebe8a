/** The faults that benches and tests inflict on the node that answers, and how each is taken back. */
import { cutPort, healPorts } from "../lab/network.ts";
import { signalPid } from "../lab/processes.ts";
import { until } from "../shell.ts";
import { announcersOn, readyOn, type Ground } from "./ground.ts";

/** Whom a fault hits: a node, and its announcer's process. */
export type Victim = { readonly node: string; readonly pid: number };

/** What goes wrong. */
export type Fault = {
  readonly name: string;
  readonly strike: (ground: Ground, victim: Victim) => Promise<unknown>;
  /** Takes it back, or waits until the node has done so by itself; resolves once its announcer is ready again. */
  readonly mend: (ground: Ground, victim: Victim) => Promise<unknown>;
  /** Whether the address is handed over in good order. */
  readonly isOrderly: boolean;
  /** Whether it can happen while the API server is away. */
  readonly needsApi: boolean;
};

const signal =
  (name: NodeJS.Signals) =>
  (_: Ground, { pid }: Victim): Promise<unknown> =>
    Promise.resolve(signalPid(pid, name));

/** Waits until kubelet has started another announcer in place of the one that ended. */
async function replaced(ground: Ground, { node, pid }: Victim): Promise<void> {
  await until(`another announcer on ${node}`, 60_000, 20, () => {
    const pids = announcersOn(ground.paths, node);
    return pids.length === 1 && pids[0] !== pid ? true : undefined;
  });
  await readyOn(ground, node);
}

const heal = async (ground: Ground, { node }: Victim): Promise<void> => {
  await healPorts(ground.paths, node);
  await readyOn(ground, node);
};

async function roll({ target }: Ground): Promise<void> {
  const inNamespace = ["-n", "metallb-system", "daemonset/announcer"];
  await target.kubectl(["rollout", "restart", ...inNamespace]);
  await target.kubectl(["rollout", "status", ...inNamespace, "--timeout=120s"]);
}

const sudden = { isOrderly: false, needsApi: false };

/** All faults, by what happens to the node that answers. */
export const FAULTS: readonly Fault[] = [
  { name: "killed", strike: signal("SIGKILL"), mend: replaced, ...sudden },
  {
    name: "frozen",
    strike: signal("SIGSTOP"),
    mend: async (ground, victim) => {
      signalPid(victim.pid, "SIGCONT");
      await readyOn(ground, victim.node);
    },
    ...sudden,
  },
  { name: "cut", strike: ({ paths }, { node }) => cutPort(paths, node, "lan", false), mend: heal, ...sudden },
  { name: "cut-silently", strike: ({ paths }, { node }) => cutPort(paths, node, "lan", true), mend: heal, ...sudden },
  {
    name: "node-gone",
    strike: ({ paths }, { node }) =>
      Promise.all([cutPort(paths, node, "lan", true), cutPort(paths, node, "mgmt", true)]),
    mend: heal,
    ...sudden,
  },
  { name: "stopped", strike: signal("SIGTERM"), mend: replaced, isOrderly: true, needsApi: false },
  { name: "rolled", strike: roll, mend: () => Promise.resolve(), isOrderly: true, needsApi: true },
];
