/** What the operator can be told by environment variables, which `package.json` sets under `pepr.env`. */
import { keys } from "../core/keys.ts";

/** The settings of this process. */
export type Settings = {
  /** What happens to a new Service while every pool that may serve it is full, or there is none (BERTH_EXHAUSTION). */
  readonly exhaustion: "warn" | "deny";
  /** The class of Services that are Berth's, beside those without a class (BERTH_LOAD_BALANCER_CLASS). */
  readonly loadBalancerClass: string;
};

/** The settings in an environment; throws where a value is none of those allowed. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const exhaustion = environment["BERTH_EXHAUSTION"] ?? "warn";
  if (exhaustion !== "warn" && exhaustion !== "deny") {
    throw new Error(`setting BERTH_EXHAUSTION is ${JSON.stringify(exhaustion)}; write warn or deny`);
  }
  const loadBalancerClass = environment["BERTH_LOAD_BALANCER_CLASS"] ?? keys.loadBalancerClass;
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/.test(loadBalancerClass)) {
    throw new Error(
      `setting BERTH_LOAD_BALANCER_CLASS is ${JSON.stringify(loadBalancerClass)}; write a class such as berth.dev/berth`,
    );
  }
  return { exhaustion, loadBalancerClass };
}

/** Those of this process. */
export const settings = readSettings(process.env);

/**
 * Whether kubectl or Helm has installed this process and with it everything else, changed as its owner wishes
 * (BERTH_INSTALLED_BY=manifests); after `pepr deploy` the operator brings what Pepr does not know of.
 */
export const isInstalledByManifests = (environment: Readonly<Record<string, string | undefined>>): boolean =>
  environment["BERTH_INSTALLED_BY"] === "manifests";
