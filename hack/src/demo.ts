/** `hack/demo`: a cluster, Berth on it, and every promise of the README seen to be kept. */
import { parseArgs } from "node:util";
import { steps } from "./demo/steps.ts";
import { bringUpLab, deploy } from "./product.ts";
import { targetLab, type Target } from "./target.ts";

const USAGE = `usage: hack/demo [--keep] [--nodes N] [--ipv6]
Brings up a lab, installs Berth on it and shows it at work; takes the lab down again unless --keep.
The lab is called berth, or what BERTH_LAB says.
`;

const startedMillis = performance.now();
const clock = (): string => `${((performance.now() - startedMillis) / 1000).toFixed(1).padStart(6)} s`;
const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

async function step(title: string, work: () => Promise<readonly string[]>): Promise<void> {
  say(`\n[${clock()}] ${title}`);
  for (const line of await work()) say(`           ${line}`);
}

async function show(target: Target, upArgs: readonly string[]): Promise<void> {
  await step(`lab "${target.name}" comes up; images are built`, async () => {
    await bringUpLab(target, upArgs);
    return (await target.kubectl(["get", "nodes", "-o", "wide"])).trimEnd().split("\n");
  });
  await step("npx pepr deploy", async () => {
    const said = await deploy(target);
    return said.split("\n").filter((line) => line.startsWith("Module "));
  });
  for (const { title, run } of steps) await step(title, () => run(target));
}

async function account(target: Target): Promise<void> {
  say(`\n[${clock()}] all ${String(steps.length)} steps were seen to work\n`);
  for (const args of [
    ["get", "nodes"],
    ["get", "pods", "-A", "-o", "wide"],
    ["get", "svc", "-A", "--field-selector=spec.type=LoadBalancer"],
  ]) {
    say(`$ kubectl ${args.join(" ")}\n${await target.kubectl(args)}`);
  }
  say(`$ ip neigh show (client)\n${await target.exec("client", "ip", "neigh", "show", "192.168.1.200")}`);
  say(`$ curl http://192.168.1.200/ (client)\n${await target.exec("client", "curl", "-s", "http://192.168.1.200/")}`);
}

function howToUse({ name, kubeconfig }: Target): void {
  const lab = name === "berth" ? "hack/lab" : `hack/lab --name ${name}`;
  say("The cluster is yours:");
  say(`  export KUBECONFIG=${kubeconfig}`);
  say(`  ${lab} exec client -- curl http://192.168.1.200/`);
  say(`  ${lab} status | cut NODE lan | heal NODE | api stop | down`);
}

async function main(): Promise<void> {
  const options = {
    keep: { type: "boolean" },
    nodes: { type: "string" },
    ipv6: { type: "boolean" },
    help: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ options });
  if (values.help === true) {
    say(USAGE);
    return;
  }
  const target = await targetLab(process.env["BERTH_LAB"] ?? "berth");
  const upArgs = [
    ...(values.nodes === undefined ? [] : ["--nodes", values.nodes]),
    ...(values.ipv6 === true ? ["--ipv6"] : []),
  ];
  const keep = values.keep === true;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      say(`\n[${clock()}] interrupted; the lab is taken down`);
      void target.lab("down").finally(() => process.exit(130));
    });
  }
  try {
    await show(target, upArgs);
    await account(target);
    if (keep) howToUse(target);
  } finally {
    if (!keep) await target.lab("down");
  }
  say(`[${clock()}] done`);
}

await main().catch((error: unknown) => {
  say(`\n[${clock()}] FAILED: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
