/** The objects that `npx pepr deploy` writes, made by Pepr's own functions from the same module. */
import settings from "../../../package.json" with { type: "json" };
import type { Built } from "./module.ts";
import { toJson, type JsonObject } from "./object.ts";

/** The name of all that is Pepr's. */
export const NAME = `pepr-${settings.pepr.uuid}`;

/** In place of what every deploy makes anew. */
const NONE = { ca: "", crt: "", key: "", pem: { ca: "", crt: "", key: "" } };

/** Pepr's objects for these images, in its order, without the two Secrets that hold what each deploy makes anew. */
export async function peprObjects({ library, capabilities, code, hash }: Built, image: string): Promise<JsonObject[]> {
  const { pepr, description } = settings;
  const config = { ...pepr, description, peprVersion: "" };
  const assets = { name: NAME, image, config, capabilities, tls: NONE, apiPath: "", imagePullSecrets: [] } as never;
  const { LOG_LEVEL: level } = process.env; // Pepr would write it into the Deployments
  delete process.env["LOG_LEVEL"];
  try {
    const objects = [
      library.getNamespace(),
      library.clusterRole(NAME, capabilities, pepr.rbacMode, pepr.rbac),
      library.clusterRoleBinding(NAME),
      library.serviceAccount(NAME),
      library.storeRole(NAME),
      library.storeRoleBinding(NAME),
      library.getModuleSecret(NAME, code, hash),
      library.service(NAME, assets),
      library.getDeployment(assets, hash, ""),
      library.getWatcher(assets, hash, ""),
      library.watcherService(NAME, assets),
      await library.webhookConfigGenerator(assets, "mutate" as never, pepr.webhookTimeout),
      await library.webhookConfigGenerator(assets, "validate" as never, pepr.webhookTimeout),
    ];
    return objects.filter((object) => object !== null).map(toJson);
  } finally {
    if (level !== undefined) process.env["LOG_LEVEL"] = level;
  }
}
