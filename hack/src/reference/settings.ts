/** What each environment variable of the operator does; {@link unlisted} finds those that the table lacks. */

/** A setting: what it may be, and what it does. `preset` is what counts where it is not set. */
export type Setting = { readonly preset: string; readonly says: string };

/** By name. */
export const settings: Readonly<Record<string, Setting>> = {
  BERTH_EXHAUSTION: {
    preset: "warn",
    says: "`warn` or `deny`: whether a new Service waits or is refused while every pool that may serve it is full or there is none",
  },
  BERTH_LOAD_BALANCER_CLASS: {
    preset: "berth.dev/berth",
    says: "the `spec.loadBalancerClass` that is Berth's beside none",
  },
  BERTH_ANNOUNCER_IMAGE: { preset: "none", says: "the image of the announcers" },
  BERTH_HELLO_KEY_DAYS: { preset: "30", says: "after so many days the key of the announcers' hellos is replaced" },
  BERTH_WATCHERS: { preset: "2", says: "how many watchers there are; one of them leads" },
  BERTH_LOG_LEVEL: { preset: "info", says: "`fatal`, `error`, `warn`, `info`, `debug` or `trace`" },
  BERTH_INSTALLED_BY: {
    preset: "Pepr",
    says: "`manifests` where kubectl or Helm brought the objects along: the operator then applies kinds and namespaces alone",
  },
  BERTH_PORT: { preset: "3000", says: "the port of webhooks and probes; Pepr's objects expect 3000" },
};

/** Names of settings in a text of the source that the table lacks. */
export function unlisted(source: string): readonly string[] {
  const named = [...source.matchAll(/\["(BERTH_[A-Z_]+)"\]/g)].map(([, name = ""]) => name);
  return [...new Set(named)].filter((name) => !(name in settings));
}
