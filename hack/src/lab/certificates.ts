/** The lab's certificates: which there are (pure), and making them with openssl. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../shell.ts";
import type { Paths } from "./paths.ts";
import type { LabPlan } from "./plan.ts";

export type Certificate = {
  readonly name: string;
  readonly commonName: string;
  /** The Kubernetes group of a client, if it has one. */
  readonly organization?: string;
  readonly usage: "serverAuth" | "clientAuth";
  /** Names and addresses of a server, as openssl writes them. */
  readonly subjectAltNames: readonly string[];
};

/** Names under which the API server is known inside a cluster. */
const API_NAMES = [
  "localhost",
  "kubernetes",
  "kubernetes.default",
  "kubernetes.default.svc",
  "kubernetes.default.svc.cluster.local",
] as const;

function client(name: string, commonName: string, organization?: string): Certificate {
  const base = { name, commonName, usage: "clientAuth", subjectAltNames: [] } as const;
  return organization === undefined ? base : { ...base, organization };
}

/** Every certificate a lab needs beside its authority's own. */
export function certificates(plan: LabPlan): readonly Certificate[] {
  const apiAddresses = ["127.0.0.1", "::1", plan.apiAddress, ...plan.apiServiceAddresses];
  return [
    {
      name: "apiserver",
      commonName: "kube-apiserver",
      usage: "serverAuth",
      subjectAltNames: [...API_NAMES.map((name) => `DNS:${name}`), ...apiAddresses.map((address) => `IP:${address}`)],
    },
    client("admin", "kubernetes-admin", "system:masters"),
    client("apiserver-kubelet-client", "kube-apiserver-kubelet-client", "system:masters"),
    client("controller-manager", "system:kube-controller-manager"),
    client("scheduler", "system:kube-scheduler"),
    client("proxy", "system:kube-proxy"),
    client("service-accounts", "service-accounts"), // no client: its key signs tokens
    ...plan.nodes.flatMap((node): readonly Certificate[] => [
      client(node.name, `system:node:${node.name}`, "system:nodes"),
      {
        name: `${node.name}-server`,
        commonName: node.name,
        usage: "serverAuth",
        subjectAltNames: [`DNS:${node.name}`, ...node.mgmt.map((address) => `IP:${address}`)],
      },
    ]),
  ];
}

export const certificatePath = (paths: Paths, name: string): string => join(paths.pki, `${name}.crt`);
export const keyPath = (paths: Paths, name: string): string => join(paths.pki, `${name}.key`);

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"] as const;
const DAYS = "3650";

/** Arguments of the openssl call that makes one certificate and its key. */
export function opensslArguments(certificate: Certificate, place: (file: string) => string): readonly string[] {
  const { name, organization, commonName, usage, subjectAltNames } = certificate;
  const group = organization === undefined ? "" : `/O=${organization}`;
  const names = subjectAltNames.length === 0 ? [] : ["-addext", `subjectAltName=${subjectAltNames.join(",")}`];
  return [
    ...["req", "-x509", "-config", place("openssl.cnf"), "-days", DAYS, ...NEW_KEY],
    ...["-CA", place("ca.crt"), "-CAkey", place("ca.key"), "-subj", `${group}/CN=${commonName}`],
    ...["-addext", "basicConstraints=CA:FALSE", "-addext", `extendedKeyUsage=${usage}`, ...names],
    ...["-keyout", place(`${name}.key`), "-out", place(`${name}.crt`)],
  ];
}

/** Makes the authority and all certificates with their keys. */
export async function makeCertificates(paths: Paths, plan: LabPlan): Promise<void> {
  const place = (file: string): string => join(paths.pki, file);
  mkdirSync(paths.pki, { recursive: true, mode: 0o700 });
  writeFileSync(place("openssl.cnf"), "[req]\ndistinguished_name = name\n[name]\n");
  await run("openssl", [
    ...["req", "-x509", "-config", place("openssl.cnf"), "-days", DAYS, ...NEW_KEY],
    ...["-subj", `/CN=berth-lab-${paths.name}`, "-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-addext", "keyUsage=critical,keyCertSign,cRLSign", "-addext", "subjectKeyIdentifier=hash"],
    ...["-keyout", place("ca.key"), "-out", place("ca.crt")],
  ]);
  await Promise.all(certificates(plan).map((wanted) => run("openssl", opensslArguments(wanted, place))));
}
