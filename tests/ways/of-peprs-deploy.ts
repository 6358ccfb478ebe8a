/** Where what `pepr deploy` leaves in a cluster differs from what all other ways leave. */
const own = [
  "pepr-berth spec.template.spec.volumes.api-path",
  "pepr-berth spec.template.spec.containers.server.volumeMounts.api-path",
];
const both = [
  ["pepr-berth", "server"],
  ["pepr-berth-watcher", "watcher"],
] as const;
const each = both.flatMap(([name, container]) => [
  `${name} spec.template.metadata.annotations`,
  `${name} spec.template.spec.volumes.tls-certs`,
  `${name} spec.template.spec.containers.${container}.volumeMounts.tls-certs`,
  `${name} spec.template.spec.containers.${container}.env.BERTH_INSTALLED_BY`,
]);
// Pepr's own entry, which asks nobody, has what Pepr makes with each deploy.
const entry = "webhooks.pepr-berth.pepr.dev.clientConfig";
const asked = ["Mutating", "Validating"].flatMap((kind) =>
  ["caBundle", "service.path"].map((field) => `${kind}WebhookConfiguration pepr-berth ${entry}.${field}`),
);
const pods = [...own, ...each].map((place) => `Deployment pepr-system/${place}`);

/** The places, as they are compared: Pepr's own Secrets and stamp, and by whom the operator is told that it was installed. */
export const OF_PEPRS_DEPLOY: readonly string[] = [...pods, ...asked].toSorted();
