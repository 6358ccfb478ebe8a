/** `hack/remove`: takes Berth away from the cluster of the current kubectl context, and leaves nothing of it. */
import { parseArgs } from "node:util";
import { keys } from "../../core/keys.ts";
import { inUse } from "./install/findings.ts";
import { readVersion } from "./install/cluster-facts.ts";
import { kubectlFor, lastLine, Stop, type Kubectl } from "./install/kubectl.ts";
import { allObjects, installation } from "./install/manifests.ts";
import { buildModule } from "./install/module.ts";
import type { JsonObject } from "./install/object.ts";
import { NAME } from "./install/pepr-objects.ts";
import {
  cleansePools,
  cleanseServices,
  countByKind,
  othersIn,
  servedBy,
  writtenObjects,
  type Addresses,
} from "./install/removal.ts";
import { pluralOf } from "./install/rights.ts";
import { Misuse, runCommand, say } from "./install/words.ts";
import { pickText } from "./lab/json.ts";

const USAGE = `usage: hack/remove --keep-addresses|--drop-addresses [--crds] [--context NAME]
Takes Berth away from the cluster of kubectl's current context; safe to run again. Without a choice it only explains.
  --keep-addresses   addresses stay in the status of Services: for what takes over from Berth, and for Berth when it comes back
  --drop-addresses   Services are pending again
  --crds             the kinds go too, and with them every object of them: pools, advertisements and BGP resources
`;

const options = {
  "keep-addresses": { type: "boolean" },
  "drop-addresses": { type: "boolean" },
  crds: { type: "boolean" },
  context: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** How long pods may take to end, as kubectl writes it. */
const TIMEOUT = "90s";

async function remove(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return;
  }
  const [keep, drop] = [values["keep-addresses"] === true, values["drop-addresses"] === true];
  if (keep && drop) throw new Misuse("--keep-addresses and --drop-addresses are opposites; give one of them");
  const kubectl = kubectlFor(values.context);
  const { version, context } = await readVersion(kubectl);
  say(`cluster: Kubernetes ${version}, kubectl's context "${values.context ?? context}"`);
  await refuseHelms(kubectl);
  await foretell(kubectl, values.crds === true);
  if (!keep && !drop) throw new Misuse("nothing was changed; say --keep-addresses or --drop-addresses");
  process.once("SIGINT", () => {
    process.stderr.write("remove: interrupted; Berth is there in part, run hack/remove again to finish\n");
    process.exit(130);
  });
  await takeAway(kubectl, { addresses: keep ? "keep" : "drop", crds: values.crds === true });
}

/** What Helm has installed, Helm takes away; afterwards there is still what no chart knows of. */
async function refuseHelms(kubectl: Kubectl): Promise<void> {
  const { stdout } = await kubectl.attempt([
    "get",
    "deployment",
    NAME,
    "-n",
    keys.operatorNamespace,
    "-o",
    "json",
    "--ignore-not-found",
  ]);
  if (stdout.trim() === "") return;
  const deployment: unknown = JSON.parse(stdout);
  if (pickText(deployment, "metadata", "labels", "app.kubernetes.io/managed-by") !== "Helm") return;
  const [name, namespace] = ["name", "namespace"].map((word) =>
    pickText(deployment, "metadata", "annotations", `meta.helm.sh/release-${word}`),
  );
  throw new Stop(
    `Helm has installed Berth here; run "helm uninstall ${name ?? ""} -n ${namespace ?? ""}", then this again for what Services still carry`,
  );
}

async function foretell(kubectl: Kubectl, crds: boolean): Promise<void> {
  const served = await servedBy(kubectl);
  if (served.length === 0) say("no Service has an address of Berth's");
  else
    say(
      `${served.length === 1 ? "1 Service stops" : `${String(served.length)} Services stop`} answering from outside: ${inUse(served)}`,
    );
  // Asked in any case: where the answer can't be had, that is told before anything is changed.
  const objects = await writtenObjects(kubectl, "-A");
  if (!crds) return;
  say(
    `the kinds go, and with them ${objects.length === 0 ? "nothing, since there is no object of them" : countByKind(objects)}`,
  );
}

type Removal = { readonly addresses: Addresses; readonly crds: boolean };

/** In an order in which no write of a Service ever waits for somebody who has gone. */
async function takeAway(kubectl: Kubectl, { addresses, crds }: Removal): Promise<void> {
  const objects = allObjects(await installation(await buildModule()));
  const of = (...kinds: readonly string[]): readonly JsonObject[] =>
    objects.filter(({ kind }) => kinds.includes(pickText({ kind }, "kind")));
  await takeDown(
    kubectl,
    "webhooks",
    of(
      "MutatingWebhookConfiguration",
      "ValidatingWebhookConfiguration",
      "ValidatingAdmissionPolicyBinding",
      "ValidatingAdmissionPolicy",
    ),
  );
  await takeDown(kubectl, "operator", of("Deployment"));
  await takeDown(kubectl, "announcers", of("DaemonSet"));
  const cleansed = await cleanseServices(kubectl, addresses);
  say(
    `Services: ${String(cleansed)}, ${addresses === "keep" ? "their addresses stay in their status" : "pending again"}`,
  );
  await cleansePools(kubectl);
  await deleteAll(kubectl, ["ipaddresses.networking.k8s.io", "-l", `${keys.claimManagedBy}=${keys.claimManager}`]);
  const ours = ["-n", keys.namespace, "-l", `${keys.leaseManagedBy}=${keys.leaseManager}`]; // MetalLB may have some, too
  await deleteAll(kubectl, ["servicel2statuses.metallb.io", ...ours]);
  await deleteAll(kubectl, ["leases", ...ours]);
  await deleteAll(kubectl, ["lease", keys.watcherLease, "-n", keys.operatorNamespace]);
  await deleteAll(kubectl, ["secret", keys.helloSecret, "-n", keys.namespace]);
  await deleteAll(kubectl, [
    "secret",
    keys.servingSecret,
    `${NAME}-tls`,
    `${NAME}-api-path`,
    "-n",
    keys.operatorNamespace,
  ]);
  await deleteAll(kubectl, ["peprstores.pepr.dev", `${NAME}-store`, `${NAME}-schedule`, "-n", keys.operatorNamespace]);
  say("claims, Leases, Secrets: gone");
  const last = new Set(["CustomResourceDefinition", "Namespace", "Deployment", "DaemonSet"]);
  await takeDown(
    kubectl,
    "rights and the rest",
    objects.filter(({ kind }) => !last.has(pickText({ kind }, "kind"))).toReversed(),
  );
  if (crds) await takeDown(kubectl, "kinds", of("CustomResourceDefinition"));
  await removeNamespaces(kubectl, crds);
  say(
    crds
      ? "Berth is gone, and with its kinds every object of them; what asks for addresses stays as you wrote it"
      : "Berth is gone; pools and what asks for addresses stay as you wrote them",
  );
}

/** Deletes objects and waits until they are gone, pods too. */
async function takeDown(kubectl: Kubectl, what: string, objects: readonly JsonObject[]): Promise<void> {
  for (const object of objects) {
    const [kind, name] = [pluralOf(pickText(object, "kind")), pickText(object, "metadata", "name")];
    const [group = "", isGrouped] = pickText(object, "apiVersion").split("/");
    const resource = isGrouped === undefined ? kind : `${kind}.${group}`;
    const namespace = pickText(object, "metadata", "namespace");
    // Until its pods are gone, what runs in them still acts.
    const waits = ["deployments", "daemonsets"].includes(kind) ? ["--cascade=foreground"] : [];
    await deleteAll(kubectl, [resource, name, ...(namespace === "" ? [] : ["-n", namespace]), ...waits]);
  }
  say(`${what}: gone`);
}

async function deleteAll(kubectl: Kubectl, args: readonly string[]): Promise<void> {
  const finished = await kubectl.attempt(["delete", ...args, "--ignore-not-found", `--timeout=${TIMEOUT}`]);
  if (finished.code === 0 || finished.stderr.includes("the server doesn't have a resource type")) return;
  if (finished.stderr.includes("timed out")) {
    say(`  ${args.slice(0, 2).join(" ")} is told to go and has not gone within ${TIMEOUT}, as on a node that is away`);
    return;
  }
  throw new Stop(`${args.slice(0, 2).join(" ")} could not be deleted: ${lastLine(finished)}; run hack/remove again`);
}

/** The namespaces, where they are empty; and Pepr's own kind, where no other module of Pepr's is here. */
async function removeNamespaces(kubectl: Kubectl, crds: boolean): Promise<void> {
  const others = {
    [keys.operatorNamespace]: await othersIn(kubectl, keys.operatorNamespace),
    [keys.namespace]: await othersIn(kubectl, keys.namespace),
  };
  for (const [namespace, foreign] of Object.entries(others)) {
    if (foreign.length > 0)
      say(`namespace ${namespace} stays: ${foreign.slice(0, 3).join(", ")}${foreign.length > 3 ? " and more" : ""}`);
    else await deleteAll(kubectl, ["namespace", namespace]);
  }
  if (crds && others[keys.operatorNamespace].length === 0) await deleteAll(kubectl, ["crd", "peprstores.pepr.dev"]);
}

if (import.meta.main) await runCommand("remove", remove);
