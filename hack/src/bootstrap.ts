/** `hack/bootstrap`: Berth onto the cluster of the current kubectl context. Looks, says, does, waits, and gives an account. */
import { parseArgs } from "node:util";
import settings from "../../package.json" with { type: "json" };
import { references } from "./images.ts";
import { readFacts, readVersion } from "./install/cluster-facts.ts";
import { findingsIn, tooOld } from "./install/findings.ts";
import { kubectlFor, lastLine, Stop, type Kubectl } from "./install/kubectl.ts";
import { allObjects, installation } from "./install/manifests.ts";
import { buildModule } from "./install/module.ts";
import { printObjects, type JsonObject } from "./install/object.ts";
import { namespacesOf, readPoolsFile } from "./install/pools-file.ts";
import { awaitReady, isReady, printProgress, readProgress } from "./install/readiness.ts";
import { missingRights } from "./install/rights.ts";
import { Misuse, runCommand, say } from "./install/words.ts";
import { pick, pickList, pickText } from "./lab/json.ts";

const USAGE = `usage: hack/bootstrap [--check] [--pools FILE] [--context NAME] [--anyway]
                      [--operator-image IMAGE] [--announcer-image IMAGE] [--timeout SECONDS]
Installs Berth in the cluster of kubectl's current context, or brings it up to this checkout; safe to run again.
  --check        only look: what is there, and what would stand in the way
  --pools FILE   IPAddressPools and L2Advertisements to apply when Berth is ready; judged first
  --anyway       install although something stands in the way
The images are ${references.operator} and ${references.announcer} unless told otherwise.
`;

/** Who the objects belong to when they are applied. */
const MANAGER = "berth-bootstrap";
const TIMEOUT_SECONDS = 180;

const options = {
  check: { type: "boolean" },
  pools: { type: "string" },
  context: { type: "string" },
  anyway: { type: "boolean" },
  "operator-image": { type: "string" },
  "announcer-image": { type: "string" },
  timeout: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;
type Values = ReturnType<typeof parseArgs<{ options: typeof options }>>["values"];

async function bootstrap(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const seconds = Number(values.timeout ?? TIMEOUT_SECONDS);
  if (!(seconds > 0)) throw new Misuse(`--timeout is "${values.timeout ?? ""}"; give a number of seconds`);
  const pools = values.pools === undefined ? [] : readPoolsFile(values.pools);
  const kubectl = kubectlFor(values.context);
  const { version, context } = await readVersion(kubectl);
  say(`cluster: Kubernetes ${version}, kubectl's context "${values.context ?? context}"`);
  const fault = tooOld(version);
  if (fault !== undefined) throw new Stop(`${fault}; nothing was changed`);
  const objects = await objectsFor(values);
  await look(kubectl, objects, values.anyway === true);
  if (values.check === true) {
    say("nothing was changed; without --check, Berth would be installed now");
    return;
  }
  const account = await install(kubectl, objects, pools);
  say("waiting until it is ready:");
  await awaitReady(kubectl, seconds * 1_000, (line) => {
    say(`  ${line}`);
  }).catch((error: unknown) => {
    throw new Stop(
      `${error instanceof Error ? error.message : String(error)}; the objects are applied, so run hack/bootstrap again, or hack/remove to take them away`,
    );
  });
  account.isReady = true;
  await applyPools(kubectl, pools);
  await conclude(kubectl);
}

async function objectsFor(values: Values): Promise<readonly JsonObject[]> {
  const text = JSON.stringify(allObjects(await installation(await buildModule())))
    .replaceAll(references.operator, values["operator-image"] ?? references.operator)
    .replaceAll(references.announcer, values["announcer-image"] ?? references.announcer);
  return JSON.parse(text) as readonly JsonObject[];
}

async function look(kubectl: Kubectl, objects: readonly JsonObject[], isForced: boolean): Promise<void> {
  const missing = await missingRights(kubectl, objects);
  if (missing.length > 0) {
    throw new Stop(
      `you may not ${missing.slice(0, 6).join(", ")}${missing.length > 6 ? " and more" : ""} in this cluster; sign in as a cluster administrator`,
    );
  }
  const standing = await standingOf(kubectl);
  say(`Berth:   ${standing.text}`);
  const findings = findingsIn(await readFacts(kubectl));
  for (const text of findings) say(`in the way: ${text}`);
  if (standing.isHelms)
    throw new Stop(
      'Helm has installed Berth here; bring it up to date with "npm run build" and "helm upgrade berth dist/charts/berth"',
    );
  if (findings.length === 0 || isForced) return;
  const count = findings.length === 1 ? "one thing stands" : `${String(findings.length)} things stand`;
  throw new Stop(`${count} in the way, and nothing was changed; put it right, or say --anyway`);
}

type Standing = { readonly text: string; readonly isHelms: boolean };

async function standingOf(kubectl: Kubectl): Promise<Standing> {
  const { code, stdout } = await kubectl.attempt([
    "get",
    "deployment",
    "pepr-berth",
    "-n",
    "pepr-system",
    "-o",
    "json",
    "--show-managed-fields",
  ]);
  if (code !== 0) return { text: "not installed", isHelms: false };
  const deployment: unknown = JSON.parse(stdout);
  const managers = pickList(deployment, "metadata", "managedFields").map((entry) => pickText(entry, "manager"));
  const isHelms = pickText(deployment, "metadata", "labels", "app.kubernetes.io/managed-by") === "Helm";
  const way = isHelms
    ? "Helm"
    : managers.includes(MANAGER)
      ? "hack/bootstrap"
      : managers.includes("pepr")
        ? "npx pepr deploy"
        : "kubectl";
  const image = pickText(deployment, "spec", "template", "spec", "containers", 0, "image");
  const progress = await readProgress(kubectl);
  return {
    text: `installed by ${way}, ${image}; ${printProgress(progress)}${progress.every(isReady) ? "" : ", not ready"}`,
    isHelms,
  };
}

/** Applies all objects at once; what an interruption leaves is said. */
async function install(
  kubectl: Kubectl,
  objects: readonly JsonObject[],
  pools: readonly JsonObject[],
): Promise<{ isReady: boolean }> {
  say(
    `now: ${String(objects.length)} objects are applied (kinds, namespaces pepr-system and metallb-system, rights, webhooks, operator, announcers)`,
  );
  if (pools.length > 0) say(`then: ${String(pools.length)} objects of the pool file`);
  const account = { isReady: false };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      const left = account.isReady ? "Berth is ready, the pool file may not be applied" : "Berth may be there in part";
      process.stderr.write(
        `bootstrap: interrupted: ${left}; run hack/bootstrap again to finish, or hack/remove to take it away\n`,
      );
      process.exit(130);
    });
  }
  const applied = await kubectl.attempt(
    ["apply", "--server-side", "--force-conflicts", `--field-manager=${MANAGER}`, "-f", "-"],
    printObjects(objects),
  );
  const count = applied.stdout.split("\n").filter((line) => line.endsWith("serverside-applied")).length;
  if (applied.code !== 0) {
    throw new Stop(
      `${String(count)} of ${String(objects.length)} objects were applied, then: ${lastLine(applied)}; run hack/bootstrap again to finish, or hack/remove to take them away`,
    );
  }
  say(`${String(count)} objects applied`);
  return account;
}

async function applyPools(kubectl: Kubectl, pools: readonly JsonObject[]): Promise<void> {
  if (pools.length === 0) return;
  for (const namespace of namespacesOf(pools)) {
    const { code } = await kubectl.attempt(["get", "namespace", namespace]);
    if (code !== 0) say((await kubectl.run(["create", "namespace", namespace])).trim());
  }
  const applied = await kubectl.attempt(["apply", "-f", "-"], printObjects(pools));
  for (const line of applied.stdout.trim().split("\n")) if (line !== "") say(line);
  if (applied.code === 0) return;
  throw new Stop(`Berth is installed and ready, but the pool file was refused: ${lastLine(applied)}`);
}

async function conclude(kubectl: Kubectl): Promise<void> {
  say(`Berth ${settings.version} is ready:`);
  for (const namespace of ["pepr-system", "metallb-system"]) {
    const pods = await kubectl.run(["get", "pods", "-n", namespace, "-o", "wide"]);
    for (const line of pods.trimEnd().split("\n")) say(`  ${line}`);
  }
  const pools = await kubectl.list("ipaddresspools.metallb.io", "-A");
  for (const pool of pools) {
    const [namespace, name] = [pickText(pool, "metadata", "namespace"), pickText(pool, "metadata", "name")];
    const available = ["availableIPv4", "availableIPv6"].map((field) => Number(pick(pool, "status", field) ?? 0));
    say(`  pool ${namespace}/${name}: ${String(available[0])} IPv4 and ${String(available[1])} IPv6 addresses free`);
  }
  const next = "kubectl apply -f manifests/samples/homelab-pool.yaml -f manifests/samples/homelab-l2.yaml";
  if (pools.length === 0) say(`next: give it addresses that no DHCP server hands out, in the manner of: ${next}`);
  else say('next: create a Service of type LoadBalancer, and see its address with "kubectl get svc -A"');
}

if (import.meta.main) await runCommand("bootstrap", bootstrap);
