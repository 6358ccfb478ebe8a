/** The validating webhooks, taken away for a while: what is written then is stored whatever is wrong with it. */
import { expect } from "vitest";
import type { Target } from "../../hack/src/target.ts";
import { pool } from "./lab.ts";

const NAME = "pepr-berth";

/** Does something while none of them stands; then puts them back and waits until they refuse again. */
export async function withoutWebhooks(target: Target, work: () => Promise<void>): Promise<void> {
  const { kubectl, tryKubectl } = target;
  const get = ["get", "validatingwebhookconfiguration", NAME, "--show-managed-fields"];
  const { metadata, ...saved } = (await target.json(get)) as {
    readonly metadata: { readonly labels?: object; readonly managedFields: readonly object[] };
  };
  const { labels, managedFields } = metadata;
  await kubectl(["delete", "validatingwebhookconfiguration", NAME]);
  const isRefused = async (): Promise<boolean> => {
    const probe = JSON.stringify(pool("probe", "nonsense"));
    return (await tryKubectl(["create", "--dry-run=server", "-f", "-"], probe)).code !== 0;
  };
  try {
    await expect.poll(isRefused, { timeout: 20_000 }).toBe(false);
    await work();
  } finally {
    await kubectl(["create", "-f", "-"], JSON.stringify({ ...saved, metadata: { name: NAME, labels } }));
    // Whose fields they are too: what kubectl owns would be refused to the next deploy.
    const owners = JSON.stringify({ metadata: { managedFields } });
    await kubectl(["patch", "validatingwebhookconfiguration", NAME, "--type=merge", "-p", owners]);
    await expect.poll(isRefused, { timeout: 20_000 }).toBe(true);
  }
}
