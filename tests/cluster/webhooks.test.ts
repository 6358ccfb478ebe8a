import { describe, expect, it } from "vitest";
import { isNarrowed, narrowed, STRICT_ENTRY } from "../../cluster/webhooks.ts";

const rule = (apiGroup: string, resource: string) => ({
  apiGroups: [apiGroup],
  apiVersions: ["v1beta1"],
  operations: ["CREATE", "UPDATE"],
  resources: [resource],
  scope: "*",
});
const peprs = {
  name: "pepr-berth.pepr.dev",
  admissionReviewVersions: ["v1", "v1beta1"],
  clientConfig: {
    caBundle: "Q0E=",
    service: { name: "pepr-berth", namespace: "pepr-system", path: "/validate/token" },
  },
  failurePolicy: "Ignore",
  matchPolicy: "Equivalent",
  timeoutSeconds: 5,
  sideEffects: "None",
  rules: [rule("", "services"), rule("metallb.io", "ipaddresspools"), rule("metallb.io", "l2advertisements")],
};
const configuration = (...webhooks: readonly object[]) => ({
  metadata: { name: "pepr-berth" },
  webhooks: webhooks as readonly (typeof peprs)[],
});
const onlyServices = { ...peprs, rules: [rule("", "services")] };

/** The configuration when the entries are applied, as the API server merges them by name and adds defaults. */
function applied({ metadata, webhooks }: ReturnType<typeof configuration>): ReturnType<typeof configuration> {
  const entries = (narrowed({ metadata, webhooks }) ?? []) as readonly (typeof peprs)[];
  const merged = webhooks.map((one) => ({ ...one, ...entries.find(({ name }) => name === one.name) }));
  const added = entries.filter(({ name }) => webhooks.every((one) => one.name !== name));
  return {
    metadata,
    webhooks: [...merged, ...added].map((one) => ({ ...one, namespaceSelector: {}, objectSelector: {} })),
  };
}

describe("the entries to apply", () => {
  it("are those of the golden file", async () => {
    const text = JSON.stringify(narrowed(configuration(peprs)), undefined, 2);
    await expect(`${text}\n`).toMatchFileSnapshot("webhooks.golden");
  });

  it("say nothing of Pepr's rules, policy and address, which stay Pepr's", () => {
    expect(Object.keys(narrowed(configuration(peprs))?.[0] ?? {})).toEqual(["name", "matchConditions"]);
  });

  it("fail closed for MetalLB's kinds alone, and ask the same address", () => {
    expect(narrowed(configuration(peprs))?.[1]).toMatchObject({
      name: STRICT_ENTRY,
      failurePolicy: "Fail",
      clientConfig: peprs.clientConfig,
      rules: peprs.rules.slice(1),
    });
  });

  it("are one where Pepr has no rule for MetalLB's kinds, as in the mutating configuration", () => {
    expect(narrowed(configuration(onlyServices))).toHaveLength(1);
  });

  it("are none where Pepr's own is missing", () => {
    expect(narrowed(configuration({ ...peprs, name: "other.pepr.dev" }))).toBeUndefined();
    expect(isNarrowed(configuration({ ...peprs, name: "other.pepr.dev" }))).toBe(true);
  });
});

describe("a configuration", () => {
  it.each([
    { what: "as Pepr writes it", webhooks: [peprs] },
    { what: "without rules for MetalLB's kinds", webhooks: [onlyServices] },
  ])("is narrowed after one application and not before: $what", ({ webhooks }) => {
    const before = configuration(...webhooks);
    expect(isNarrowed(before)).toBe(false);
    const after = applied(before);
    expect(isNarrowed(after)).toBe(true);
    expect(narrowed(after)).toEqual(narrowed(before));
  });

  it("is narrowed anew when Pepr has a new certificate", () => {
    const [own, strict] = applied(configuration(peprs)).webhooks;
    const renewed = { ...own, clientConfig: { ...peprs.clientConfig, caBundle: "TkVX" } };
    expect(isNarrowed(configuration(renewed, strict ?? {}))).toBe(false);
  });

  it("keeps entries that concern nobody", () => {
    const other = { ...peprs, name: "other.example.com" };
    expect(applied(configuration(peprs, other)).webhooks.map(({ name }) => name)).toEqual([
      peprs.name,
      other.name,
      STRICT_ENTRY,
    ]);
  });
});
