/** What a person types, and what kubectl shows in return. */
import { metadataOf, type Service } from "../../cluster/kinds.ts";
import { until } from "../../hack/src/shell.ts";
import type { Target } from "../../hack/src/target.ts";
import { givenAddress, statusAddress } from "./lab.ts";

/** kubectl's answer to an apply: the object as stored, and the Warnings that it printed. */
export type Applied = { readonly service: Service; readonly address: string; readonly warnings: readonly string[] };

/** What the test says of a LoadBalancer beside its name. */
export type Wish = {
  readonly annotations?: Record<string, string>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
};

/** Somebody with kubectl and a namespace. */
export class Person {
  readonly target: Target;
  readonly namespace: string;

  constructor(target: Target, namespace: string) {
    this.target = target;
    this.namespace = namespace;
  }

  service(name: string, { annotations = {}, labels = {}, spec = {} }: Wish = {}): object {
    const ports = [{ port: 80 }];
    return {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: this.namespace, name, labels, annotations },
      spec: { type: "LoadBalancer", ports, allocateLoadBalancerNodePorts: false, ...spec },
    };
  }

  /** `kubectl apply` of a Service that is to be admitted. */
  async apply(name: string, wish: Wish = {}): Promise<Applied> {
    const text = JSON.stringify(this.service(name, wish));
    const { code, stdout, stderr } = await this.target.tryKubectl(["apply", "-o", "json", "-f", "-"], text);
    if (code !== 0) throw new Error(`apply ${name}: ${stderr}`);
    const service = JSON.parse(stdout) as Service;
    return { service, address: givenAddress(service), warnings: warningsIn(stderr) };
  }

  /** The sentence with which an apply is denied. */
  async denied(name: string, wish: Wish = {}): Promise<string> {
    return sentenceIn(await this.target.tryKubectl(["apply", "-f", "-"], JSON.stringify(this.service(name, wish))));
  }

  async addressOf(name: string): Promise<string> {
    return givenAddress((await this.target.json(["get", "svc", name, "-n", this.namespace])) as Service);
  }

  /** The addresses in the status of a Service. */
  async shownOf(name: string): Promise<string> {
    return statusAddress((await this.target.json(["get", "svc", name, "-n", this.namespace])) as Service);
  }

  /** `kubectl wait` until the Service has its address. */
  async waitFor(name: string, status = "True"): Promise<void> {
    const condition = `--for=condition=berth.dev/AddressAssigned=${status}`;
    await this.target.kubectl(["wait", `svc/${name}`, "-n", this.namespace, condition, "--timeout=60s"]);
  }

  /** The condition of the Service, as "reason: message". */
  async conditionOf(name: string): Promise<string> {
    const { status } = (await this.target.json(["get", "svc", name, "-n", this.namespace])) as Service;
    const condition = (status?.conditions ?? []).find(({ type }) => type === "berth.dev/AddressAssigned");
    return `${condition?.reason ?? ""}: ${condition?.message ?? ""}`;
  }

  /** Berth's Events on the Service as "type reason: note", in the order of their times. */
  async eventsOf(name: string): Promise<readonly string[]> {
    type Event = { type: string; reason: string; message: string; eventTime: string; reportingComponent: string };
    const selector = `--field-selector=involvedObject.kind=Service,involvedObject.name=${name}`;
    const { items } = (await this.target.json(["get", "events", "-n", this.namespace, selector])) as { items: Event[] };
    // The API server has some of its own to say, such as that it has mended its books of ClusterIPs.
    const ours = items.filter(({ reportingComponent }) => reportingComponent === "berth.dev/operator");
    const inOrder = ours.toSorted((left, right) => (left.eventTime < right.eventTime ? -1 : 1));
    return inOrder.map(({ type, reason, message }) => `${type} ${reason}: ${message}`);
  }

  async delete(...names: readonly string[]): Promise<void> {
    await this.target.kubectl(["delete", "svc", "-n", this.namespace, ...names]);
  }

  /** Deletes Services and waits until their addresses are free again. */
  async forget(...names: readonly string[]): Promise<void> {
    await this.delete(...names);
    const { kubectl } = this.target;
    await until("their claims to go", 30_000, 200, async () => {
      const left = (await kubectl(["get", "ip", "--no-headers"])).split(/\s+/);
      return names.some((name) => left.includes(`services/${this.namespace}/${name}`)) ? undefined : true;
    });
  }

  /** Applies any other object. */
  async put(object: object): Promise<void> {
    await this.target.kubectl(["apply", "-f", "-"], JSON.stringify(object));
  }

  /** The sentence with which any other object is denied. */
  async putDenied(object: object): Promise<string> {
    return sentenceIn(await this.target.tryKubectl(["apply", "-f", "-"], JSON.stringify(object)));
  }

  /** kubectl's sentence of a command that is denied. */
  async refused(...args: readonly string[]): Promise<string> {
    return sentenceIn(await this.target.tryKubectl(args));
  }
}

const warningsIn = (stderr: string): readonly string[] =>
  stderr.split("\n").flatMap((line) => (line.startsWith("Warning: ") ? [line.slice("Warning: ".length)] : []));

/** kubectl's and the API server's own words before the sentence are cut off. */
function sentenceIn({ code, stderr }: { readonly code: number; readonly stderr: string }): string {
  if (code === 0) throw new Error("it was not denied");
  return stderr.trim().split("denied the request: ")[1] ?? stderr;
}

/** A pool that only Services that name it are given addresses of. */
export const poolOf = (key: string, addresses: readonly string[], annotations: Record<string, string> = {}): object => {
  const [namespace, name] = key.includes("/") ? key.split("/") : ["metallb-system", key];
  return {
    apiVersion: "metallb.io/v1beta1",
    kind: "IPAddressPool",
    metadata: { namespace, name, annotations },
    spec: { addresses, autoAssign: false },
  };
};

/** Annotations of MetalLB, by what a person calls them. */
export const wish = {
  pin: (...addresses: readonly string[]) => ({ "metallb.io/loadBalancerIPs": addresses.join(",") }),
  pool: (name: string) => ({ "metallb.io/address-pool": name }),
  share: (key: string) => ({ "metallb.io/allow-shared-ip": key }),
} as const;

/** The Services that a claim names, by its annotation or its parent. */
export const sharersOf = (claim: Parameters<typeof metadataOf>[0]): readonly string[] => {
  const text = metadataOf(claim).annotations["berth.dev/sharers"] ?? "[]";
  return (JSON.parse(text) as readonly { service: string }[]).map(({ service }) => service);
};
