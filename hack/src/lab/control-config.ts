/** Command lines and files of the control plane: pure text. */
import { join } from "node:path";
import { certificatePath, keyPath } from "./certificates.ts";
import type { Paths } from "./paths.ts";
import type { LabPlan } from "./plan.ts";

const API_PORT = 6443;

/** Where nodes and the control plane itself reach the API server. */
export const apiUrl = (plan: LabPlan): string => `https://${plan.apiAddress}:${String(API_PORT)}`;

/** A kubeconfig that names its certificates by file. */
export function fileKubeconfig(paths: Paths, server: string, identity: string): string {
  return kubeconfig(
    { server, "certificate-authority": certificatePath(paths, "ca") },
    { "client-certificate": certificatePath(paths, identity), "client-key": keyPath(paths, identity) },
    "berth-lab",
  );
}

export type Embedded = { readonly ca: Buffer; readonly certificate: Buffer; readonly key: Buffer };

/** A kubeconfig that can be copied anywhere: its certificates are in it. */
export function embeddedKubeconfig(server: string, lab: string, embedded: Embedded): string {
  return kubeconfig(
    { server, "certificate-authority-data": embedded.ca.toString("base64") },
    {
      "client-certificate-data": embedded.certificate.toString("base64"),
      "client-key-data": embedded.key.toString("base64"),
    },
    lab,
  );
}

function kubeconfig(
  cluster: Readonly<Record<string, string>>,
  user: Readonly<Record<string, string>>,
  name: string,
): string {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name, cluster }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    "current-context": name,
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** Flags of etcd; it may lose its data with the machine, never with its process. */
export function etcdFlags(paths: Paths): readonly string[] {
  return [
    `--data-dir=${join(paths.control, "etcd")}`,
    "--listen-client-urls=http://127.0.0.1:2379",
    "--advertise-client-urls=http://127.0.0.1:2379",
    "--listen-peer-urls=http://127.0.0.1:2380",
    "--unsafe-no-fsync",
    "--logger=zap",
    "--log-outputs=stderr",
  ];
}

/** The audit policy: who did what to which object, without the objects. */
export const AUDIT_POLICY = `${JSON.stringify({
  apiVersion: "audit.k8s.io/v1",
  kind: "Policy",
  omitStages: ["RequestReceived"],
  rules: [{ level: "Metadata" }],
})}\n`;

export const auditPolicyPath = (paths: Paths): string => join(paths.control, "audit-policy.json");
const auditLogPath = (paths: Paths): string => join(paths.logs, "audit.log");

/** Flags of kube-apiserver. It reaches Service endpoints by pod address, since no kube-proxy runs beside it. */
export function apiserverFlags(paths: Paths, plan: LabPlan, audit: boolean): readonly string[] {
  const auditFlags = [`--audit-policy-file=${auditPolicyPath(paths)}`, `--audit-log-path=${auditLogPath(paths)}`];
  return [
    `--advertise-address=${plan.apiAddress}`,
    `--secure-port=${String(API_PORT)}`,
    "--etcd-servers=http://127.0.0.1:2379",
    "--anonymous-auth=false",
    "--authorization-mode=Node,RBAC",
    "--enable-admission-plugins=NodeRestriction",
    "--enable-aggregator-routing=true",
    "--allow-privileged=true",
    "--profiling=false",
    `--service-cluster-ip-range=${plan.serviceCidrs.join(",")}`,
    `--client-ca-file=${certificatePath(paths, "ca")}`,
    `--tls-cert-file=${certificatePath(paths, "apiserver")}`,
    `--tls-private-key-file=${keyPath(paths, "apiserver")}`,
    `--kubelet-certificate-authority=${certificatePath(paths, "ca")}`,
    `--kubelet-client-certificate=${certificatePath(paths, "apiserver-kubelet-client")}`,
    `--kubelet-client-key=${keyPath(paths, "apiserver-kubelet-client")}`,
    "--kubelet-preferred-address-types=InternalIP",
    "--service-account-issuer=https://kubernetes.default.svc",
    `--service-account-key-file=${certificatePath(paths, "service-accounts")}`,
    `--service-account-signing-key-file=${keyPath(paths, "service-accounts")}`,
    ...(audit ? auditFlags : []),
  ];
}

/** Flags of kube-controller-manager; the lab ends and starts it with the API server, so that nothing need be elected. */
export function controllerManagerFlags(paths: Paths): readonly string[] {
  return [
    `--kubeconfig=${controlKubeconfigPath(paths, "controller-manager")}`,
    "--leader-elect=false",
    "--profiling=false",
    "--allocate-node-cidrs=false",
    "--use-service-account-credentials=true",
    `--service-account-private-key-file=${keyPath(paths, "service-accounts")}`,
    `--root-ca-file=${certificatePath(paths, "ca")}`,
    `--cluster-signing-cert-file=${certificatePath(paths, "ca")}`,
    `--cluster-signing-key-file=${keyPath(paths, "ca")}`,
  ];
}

/** Flags of kube-scheduler. */
export function schedulerFlags(paths: Paths): readonly string[] {
  return [`--kubeconfig=${controlKubeconfigPath(paths, "scheduler")}`, "--leader-elect=false", "--profiling=false"];
}

export const controlKubeconfigPath = (paths: Paths, identity: string): string =>
  join(paths.control, `${identity}.kubeconfig`);
