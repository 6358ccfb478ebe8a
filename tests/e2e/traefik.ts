/** Traefik as people run it behind a LoadBalancer Service, in the two shapes that homelabs know, with two sites behind it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { WEB_IMAGE } from "../../hack/src/lab/images.ts";
import { root } from "../../hack/src/target.ts";

/** One Traefik: where it runs, and the labels by which its Service finds it. */
export type Shape = { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };

/** The seed's: beside its pool, by the label `app`. */
export const SEED: Shape = { namespace: "network", labels: { app: "traefik" } };

/** k3s's: in kube-system, as the chart that k3s brings labels it. */
export const K3S: Shape = {
  namespace: "kube-system",
  labels: { "app.kubernetes.io/name": "traefik", "app.kubernetes.io/instance": "traefik-kube-system" },
};

const NAME = "traefik-proxy";

/** What the two Traefiks share: a class of Ingresses, and the rights that upstream's page on Ingress lists. */
const rights = (shapes: readonly Shape[]): readonly object[] => [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: NAME },
    rules: [
      { apiGroups: [""], resources: ["services", "secrets", "nodes"], verbs: ["get", "list", "watch"] },
      { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      {
        apiGroups: ["networking.k8s.io"],
        resources: ["ingresses", "ingressclasses"],
        verbs: ["get", "list", "watch"],
      },
      { apiGroups: ["networking.k8s.io"], resources: ["ingresses/status"], verbs: ["update"] },
    ],
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRoleBinding",
    metadata: { name: NAME },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: NAME },
    subjects: shapes.map(({ namespace }) => ({ kind: "ServiceAccount", name: NAME, namespace })),
  },
];

const proxy = ({ namespace, labels }: Shape, image: string): readonly object[] => [
  { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: NAME, namespace } },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: NAME, namespace },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          serviceAccountName: NAME,
          terminationGracePeriodSeconds: 1,
          containers: [
            {
              name: "traefik",
              image,
              args: [
                "--entrypoints.web.address=:8080",
                "--entrypoints.websecure.address=:8443",
                "--entrypoints.websecure.http.tls=true",
                "--providers.kubernetesingress=true",
                `--providers.kubernetesingress.ingressendpoint.publishedservice=${namespace}/traefik`,
                "--entrypoints.traefik.address=:8081",
                "--ping=true",
                "--accesslog=true",
                "--accesslog.format=json",
                "--global.checknewversion=false",
                "--global.sendanonymoususage=false",
              ],
              ports: [
                { name: "web", containerPort: 8080 },
                { name: "websecure", containerPort: 8443 },
                { name: "traefik", containerPort: 8081 },
              ],
              securityContext: { runAsNonRoot: true, runAsUser: 65532, readOnlyRootFilesystem: true },
            },
          ],
        },
      },
    },
  },
];

/** The Service that k3s's chart makes, with the ports by name. */
const k3sService = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "traefik", namespace: K3S.namespace, labels: K3S.labels },
  spec: {
    type: "LoadBalancer",
    ipFamilyPolicy: "PreferDualStack",
    selector: K3S.labels,
    ports: [
      { name: "web", port: 80, targetPort: "web" },
      { name: "websecure", port: 443, targetPort: "websecure" },
    ],
  },
};

/** The seed's own Service, as it stands in the samples. */
const seedService = (): object => {
  const sample: unknown = parse(readFileSync(join(root, "manifests/samples/traefik.yaml"), "utf8"));
  if (sample === null || typeof sample !== "object" || !("metadata" in sample)) throw new Error("not an object");
  return { ...sample, metadata: { name: "traefik", namespace: SEED.namespace } };
};

/** Two sites, each a web server that answers with its pod's name, and the routes to them by the names of the seed's page. */
export const SITES = ["jellyfin", "grafana"] as const;

/** The name under which a client asks for a site. */
export const hostOf = (site: string): string => `${site}.192.168.1.200.nip.io`;

const site = (name: string, namespace: string): readonly object[] => [
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: "web", image: WEB_IMAGE, ports: [{ containerPort: 8080 }] }],
        },
      },
    },
  },
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace },
    spec: { selector: { app: name }, ports: [{ port: 80, targetPort: 8080 }] },
  },
  {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: { name, namespace },
    spec: {
      rules: [
        {
          host: hostOf(name),
          http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name, port: { number: 80 } } } }] },
        },
      ],
    },
  },
];

/** Sites and the rights of both Traefiks, in a namespace of their own that the caller makes. */
export const sites = (namespace: string): readonly object[] => [
  ...rights([SEED, K3S]),
  ...SITES.flatMap((name) => site(name, namespace)),
];

/** Traefik in the seed's shape. */
export const seedTraefik = (image: string): readonly object[] => [...proxy(SEED, image), seedService()];

/** Traefik in k3s's shape. */
export const k3sTraefik = (image: string): readonly object[] => [...proxy(K3S, image), k3sService];
